import * as fc from "fast-check";
import t from "tap";
import { readListEntry } from "../../src/numbering/list-entry.ts";
import type { NumberSet } from "../../src/numbering/number-set.ts";
import { createNumberSetBuilder, type RowAttributes } from "../../src/numbering/number-set-builder.ts";
import { firstOverlap, overlaps, sharedNumbers } from "../../src/numbering/lists/overlap.ts";

type Row = readonly [string, Partial<RowAttributes>?];

/** Lines count from 1, as in the table. */
function makeSet(...rows: readonly Row[]): NumberSet {
  const builder = createNumberSetBuilder();
  for (const [index, [text, attributes]] of rows.entries()) {
    const entry = readListEntry(text);
    if (typeof entry === "string") throw new Error(entry);
    builder.add(entry, { line: index + 1, mayForward: false, ...attributes });
  }
  return builder.build();
}

function overlappingLines(set: NumberSet): readonly string[] {
  const lines = overlaps(set).map(({ first, second }) =>
    [set.line(first), set.line(second)].toSorted((a, b) => a - b),
  );
  return [...new Set(lines.map(String))].toSorted();
}

void t.test("rows of one list that cover the same number", (t) => {
  const rows: readonly (readonly [string, readonly Row[], readonly string[]])[] = [
    ["nothing", [["+861087654321"], ["+861087654322"], ["+861087654330..+861087654339"], ["95588"]], []],
    ["a number twice, in two spellings", [["+861087654321"], ["010-8765 4321"]], ["1,2"]],
    ["a number in a range", [["+861087654321"], ["+861087654300..+861087654399"]], ["1,2"]],
    ["a number on the edge", [["+861087654399"], ["+861087654300..+861087654399"]], ["1,2"]],
    ["a number beside a range", [["+861087654400"], ["+861087654300..+861087654399"]], []],
    ["ranges that meet", [["+861087654300..+861087654399"], ["+861087654399..+861087654499"]], ["1,2"]],
    ["ranges that touch", [["+861087654300..+861087654399"], ["+861087654400..+861087654499"]], []],
    ["the same range twice", [["+861087654300..+861087654399"], ["+861087654300..+861087654399"]], ["1,2"]],
    ["a range in a prefix", [["+8610876543*"], ["+861087654300..+861087654309"]], ["1,2"]],
    ["a prefix in a prefix", [["+8610*"], ["+861087*"]], ["1,2"]],
    ["three that nest", [["+8610*"], ["+861087*"], ["+861087654321"]], ["1,2", "1,3", "2,3"]],
    ["a code in two spellings", [["95588"], ["+8695588"]], ["1,2"]],
    ["a code behind two area codes", [["01095588"], ["021-95588"]], ["1,2"]],
    ["a code behind an area code, and a prefix of codes", [["01095588"], ["955*"]], ["1,2"]],
    ["a code behind an area code, and the numbers of the area", [["01095588"], ["+8610*"]], []],
    ["a code and a number", [["95588"], ["+869552345588"]], []],
    ["codes", [["95588"], ["955*"]], ["1,2"]],
    [
      "one after the other",
      [
        ["+861087654321", { validTo: 5 }],
        ["+861087654321", { validFrom: 5 }],
      ],
      [],
    ],
    [
      "a day too long",
      [
        ["+861087654321", { validTo: 6 }],
        ["+861087654321", { validFrom: 5 }],
      ],
      ["1,2"],
    ],
  ];
  for (const [name, list, expected] of rows) t.same(overlappingLines(makeSet(...list)), expected, name);
  t.end();
});

void t.test("the answer is bounded", (t) => {
  const same = Array.from({ length: 50 }, (): Row => ["+861087654321"]);
  t.equal(overlaps(makeSet(...same), 7).length, 7);
  t.equal(overlaps(makeSet(...same), 0).length, 0);
  t.equal(sharedNumbers([makeSet(...same), makeSet(...same)], 7).length, 7);
  t.equal(sharedNumbers([makeSet(...same), makeSet(...same)], 0).length, 0);
  t.end();
});

void t.test("numbers listed for two lessees", (t) => {
  const bank = makeSet(["+861087654300..+861087654399"], ["95588"], ["+8621*", { validTo: 5 }]);
  const shop = makeSet(["+861087654321"], ["+861087654400"]);
  const desk = makeSet(["+8610876543*"], ["+862155550000", { validFrom: 5 }], ["+861087654321"]);
  const told = sharedNumbers([bank, shop, desk]).map(({ key, first, second }) => {
    const sets = [bank, shop, desk];
    const where = [first, second].map(({ set, row }) => `${set}:${sets[set]?.line(row)}`);
    return `${key} ${where.toSorted().join(" ")}`;
  });
  t.same([...told].toSorted(), [
    "861087654300 0:1 2:1",
    "861087654321 0:1 1:1",
    "861087654321 0:1 2:3",
    "861087654321 1:1 2:1",
    "861087654321 1:1 2:3",
  ]);
  t.equal(firstOverlap(shop, makeSet(["+861087654401"], ["+861087654399"])), undefined);
  const overlap = firstOverlap(shop, bank);
  t.equal(overlap?.key, 861087654321);
  t.equal(shop.line(overlap?.first ?? -1), 1);
  t.equal(bank.line(overlap?.second ?? -1), 1);
  t.equal(firstOverlap(bank, shop)?.key, 861087654321);
  t.end();
});

void t.test("finds a shared number exactly when there is one", (t) => {
  const span = fc.record({ low: fc.integer({ min: 0, max: 60 }), width: fc.integer({ min: 0, max: 6 }) });
  const list = fc.array(span, { maxLength: 6 });
  fc.assert(
    fc.property(list, list, (a, b) => {
      const [first, second] = [a, b].map((spans) => {
        const builder = createNumberSetBuilder();
        for (const { low, width } of spans) {
          if (width === 0) builder.addExact(low, { line: 1, mayForward: false });
          else builder.addRange(low, low + width, { line: 1, mayForward: false });
        }
        return builder.build();
      });
      if (first === undefined || second === undefined) return false;
      const expected = a.some((x) => b.some((y) => x.low <= y.low + y.width && y.low <= x.low + x.width));
      const shared = firstOverlap(first, second);
      if (shared === undefined) return !expected;
      return first.find(shared.key, 0) >= 0 && second.find(shared.key, 0) >= 0;
    }),
    { numRuns: 1000, seed: 20_261_003 },
  );
  t.end();
});
