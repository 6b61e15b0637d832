import * as fc from "fast-check";
import t from "tap";
import { differenceOf } from "../../src/numbering/lists/difference.ts";
import { createNumberSetBuilder } from "../../src/numbering/number-set-builder.ts";
import type { NumberSet } from "../../src/numbering/number-set.ts";

type Span = readonly [low: number, high: number];

function setOf(spans: readonly Span[], validTo?: number): NumberSet {
  const builder = createNumberSetBuilder();
  for (const [low, high] of spans) {
    const row = { line: 1, mayForward: false, validTo };
    if (low === high) builder.addExact(low, row);
    else builder.addRange(low, high, row);
  }
  return builder.build();
}

const numbersOf = (spans: readonly Span[]): ReadonlySet<number> =>
  new Set(spans.flatMap(([low, high]) => Array.from({ length: high - low + 1 }, (_, index) => low + index)));

void t.test("the difference of two lists", (t) => {
  const before = setOf([
    [100, 199],
    [300, 300],
    [-95588, -95588],
  ]);
  const after = setOf(
    [
      [150, 249],
      [300, 300],
      [301, 301],
    ],
    7,
  );
  t.same(differenceOf(before, after), {
    added: {
      numbers: 51,
      spans: 2,
      first: [
        { low: 200, high: 249 },
        { low: 301, high: 301 },
      ],
    },
    removed: {
      numbers: 51,
      spans: 2,
      first: [
        { low: -95588, high: -95588 },
        { low: 100, high: 149 },
      ],
    },
    changed: 1,
  });
  t.same(differenceOf(before, before).added, { numbers: 0, spans: 0, first: [] });
  t.end();
});

void t.test("a range is what its numbers are: against sets of numbers", (t) => {
  const spans = fc.array(
    fc.tuple(fc.integer({ min: -40, max: 40 }), fc.nat(12)).map(([low, more]): Span => [low, low + more]),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(spans, spans, (a, b) => {
      const [old, young] = [numbersOf(a), numbersOf(b)];
      const { added, removed } = differenceOf(setOf(a), setOf(b), undefined, 100);
      const lost = [...old].filter((number) => !young.has(number));
      const gained = [...young].filter((number) => !old.has(number));
      t.same([removed.numbers, added.numbers], [lost.length, gained.length]);
      t.same(numbersOf(added.first.map(({ low, high }): Span => [low, high])), new Set(gained));
    }),
  );
  t.end();
});
