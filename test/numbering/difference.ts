import * as fc from "fast-check";
import t from "tap";
import { describeDifference } from "../../src/config/change/number-words.ts";
import { readListEntry } from "../../src/numbering/list-entry.ts";
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

function listOf(...rows: readonly string[]): NumberSet {
  const builder = createNumberSetBuilder();
  for (const text of rows) {
    const entry = readListEntry(text, "86");
    if (typeof entry === "string") throw new Error(entry);
    builder.add(entry, { line: 1, mayForward: false });
  }
  return builder.build();
}

const numbersOf = (spans: readonly Span[]): ReadonlySet<number> =>
  new Set(spans.flatMap(([low, high]) => Array.from({ length: high - low + 1 }, (_, index) => low + index)));

const noPrefixes = { prefixes: 0, firstPrefixes: [] };

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
      ...noPrefixes,
    },
    removed: {
      numbers: 51,
      spans: 2,
      first: [
        { low: -95588, high: -95588 },
        { low: 100, high: 149 },
      ],
      ...noPrefixes,
    },
    changed: 1,
  });
  t.same(differenceOf(before, before).added, { numbers: 0, spans: 0, first: [], ...noPrefixes });
  t.end();
});

void t.test("a prefix is as many numbers as the plan has behind it, where it gives them one length", (t) => {
  const rows: readonly (readonly [prefix: string, numbers: number, prefixes: number, why: string])[] = [
    ["+8610699900*", 100, 0, "fixed numbers of Beijing: codes of the same digits have other keys"],
    ["+8610876543*", 100, 0, "fixed, two digits of area"],
    ["+8675587654*", 1000, 0, "fixed, three digits of area"],
    ["+8610*", 0, 1, "an area: not every digit begins a number there"],
    ["+861390000*", 10_000, 0, "mobile"],
    ["+86139*", 1e8, 0, "an operator"],
    ["+86108765432*", 10, 0, "all but one digit"],
    ["+86755*", 0, 1, "an area of three digits"],
    ["+8613*", 0, 1, "operators are not known yet"],
    ["+8675*", 0, 1, "the area is not known yet"],
    ["+861*", 0, 1, "areas and operators"],
    ["+86*", 0, 1, "a country"],
    ["+44207946*", 0, 1, "abroad"],
    ["955*", 0, 1, "codes have several lengths"],
    ["+861087654321*", 1, 0, "a whole number: the plan has none with more behind it"],
  ];
  const none = createNumberSetBuilder().build();
  for (const [prefix, numbers, prefixes, why] of rows) {
    const set = listOf(prefix);
    const { added, removed } = differenceOf(none, set);
    t.same([added.numbers, added.prefixes], [numbers, prefixes], `${prefix}: ${why}`);
    t.same([removed.numbers, removed.prefixes], [0, 0], prefix);
    t.same(differenceOf(set, set).added, { numbers: 0, spans: 0, first: [], ...noPrefixes }, prefix);
  }
  const { added, removed } = differenceOf(listOf("+44207946*", "+442079461234"), listOf("+442*"));
  t.same([added.prefixes, removed.prefixes, removed.numbers], [1, 0, 0], "a shorter prefix covers them");
  const narrower = differenceOf(listOf("+442*"), listOf("+44207946*", "+442079461234"));
  t.same([narrower.added.prefixes, narrower.removed.prefixes], [0, 1]);
  t.same(describeDifference(differenceOf(none, listOf("+8610876543*", "+12125550100", "+1212*", "955*"))), [
    "101 numbers and 2 prefixes more (+12125550100, +861087654300..+861087654399, 955*, +1212*)",
  ]);
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
