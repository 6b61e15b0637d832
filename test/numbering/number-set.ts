import * as fc from "fast-check";
import t from "tap";
import { openNumberSet } from "../../src/numbering/number-set.ts";
import { createNumberSetBuilder, type NumberRow } from "../../src/numbering/number-set-builder.ts";
import { sortOrder } from "../../src/numbering/sort-order.ts";

function row(line: number, given: Partial<NumberRow> = {}): NumberRow {
  return { line, mayForward: false, ...given };
}

void t.test("exact numbers, ranges and prefixes", (t) => {
  const builder = createNumberSetBuilder();
  builder.addExact(861087654321, row(2));
  builder.addRange(861087654300, 861087654399, row(3));
  builder.add({ kind: "prefix", digits: "8610699900", code: false }, row(4));
  builder.addExact(-95588, row(5));
  builder.addRange(-95569, -95560, row(6));
  builder.addPrefix("400", row(7), true);
  const set = builder.build();
  const rows: readonly (readonly [number, number | undefined])[] = [
    [861087654321, 2],
    [861087654322, 3],
    [861087654300, 3],
    [861087654399, 3],
    [861087654299, undefined],
    [861087654400, undefined],
    [8610876543210, undefined], // a digit more
    [86108765432, undefined], // a digit less
    [861069990012, 4],
    [861069990099, 4],
    [861069990000, 4],
    [861069989999, undefined],
    [861069990100, undefined],
    [8610699900, 4], // a prefix covers every length
    [861069990000000, 4],
    [861069990099999, 4],
    [861069990100000, undefined],
    [-95588, 5],
    [95588, undefined], // a number is no code
    [-955881, undefined],
    [-95560, 6],
    [-95569, 6],
    [-95559, undefined],
    [-95570, undefined],
    [-4008208820, 7],
    [4008208820, undefined],
    [-4018208820, undefined],
    [0, undefined],
  ];
  for (const [key, line] of rows) {
    const found = set.find(key, 0);
    t.equal(found < 0 ? undefined : set.line(found), line, String(key));
    if (line === undefined) t.equal(found, -1, `${key} is not covered`);
  }
  t.equal(set.rows, 6);
  t.equal(set.entries, 2 + 1 + 6 + 1 + 13);
  t.end();
});

void t.test("an empty set covers nothing", (t) => {
  const set = createNumberSetBuilder().build();
  t.equal(set.rows, 0);
  t.equal(set.find(861087654321, 0), -1);
  t.end();
});

void t.test("a range that ends before it begins is a programming error", (t) => {
  t.throws(() => createNumberSetBuilder().addRange(2, 1, row(2)), RangeError);
  t.throws(() => createNumberSetBuilder().addRange(Number.NaN, 1, row(2)), RangeError);
  t.end();
});

void t.test("dates: from the first moment to before the last", (t) => {
  const builder = createNumberSetBuilder();
  builder.addExact(10, row(2, { validFrom: 1000, validTo: 2000, verifiedOn: 900, mayForward: true }));
  builder.addExact(11, row(3, { validFrom: 1000 }));
  builder.addExact(12, row(4, { validTo: 2000 }));
  builder.addRange(20, 29, row(5, { validFrom: 1000, validTo: 2000 }));
  const set = builder.build();
  const rows: readonly (readonly [number, number, number])[] = [
    [10, 999, -2],
    [10, 1000, 0],
    [10, 1999, 0],
    [10, 2000, -2],
    [11, 999, -3],
    [11, 1e15, 1],
    [12, -1e15, 2],
    [12, 2000, -4],
    [25, 999, -5],
    [25, 1500, 3],
    [30, 1500, -1],
  ];
  for (const [key, at, expected] of rows) t.equal(set.find(key, at), expected, `${key} at ${at}`);
  t.equal(set.validFrom(0), 1000);
  t.equal(set.validTo(0), 2000);
  t.equal(set.verifiedOn(0), 900);
  t.equal(set.mayForward(0), true);
  t.equal(set.validTo(1), undefined);
  t.equal(set.validFrom(2), undefined);
  t.equal(set.verifiedOn(1), undefined);
  t.equal(set.mayForward(1), false);
  t.end();
});

void t.test("the most specific row decides, unless its dates don't hold", (t) => {
  const builder = createNumberSetBuilder();
  builder.addPrefix("8610", row(2));
  builder.addRange(861087654300, 861087654399, row(3, { validFrom: 1000 }));
  builder.addRange(861087654320, 861087654329, row(4, { validFrom: 3000 }));
  builder.addExact(861087654321, row(5, { validFrom: 4000 }));
  builder.addExact(861087654321, row(6, { validFrom: 5000, validTo: 6000 }));
  const set = builder.build();
  const line = (at: number): number => set.line(set.find(861087654321, at));
  t.equal(line(0), 2);
  t.equal(line(1000), 3);
  t.equal(line(3000), 4);
  t.equal(line(4000), 5);

  const later = createNumberSetBuilder();
  later.addRange(861087654300, 861087654399, row(2, { validFrom: 1000 }));
  later.addRange(861087654320, 861087654329, row(3, { validFrom: 1000 }));
  t.equal(
    later.build().line(-2 - later.build().find(861087654321, 0)),
    3,
    "outside its dates: the narrowest",
  );
  later.addExact(861087654321, row(4, { validTo: 0 }));
  t.equal(
    later.build().line(-2 - later.build().find(861087654321, 0)),
    4,
    "outside its dates: the exact one",
  );
  t.end();
});

void t.test("other threads open the same memory", (t) => {
  const builder = createNumberSetBuilder();
  for (let line = 2; line < 302; line++)
    builder.addExact(861087650000 + ((line * 7919) % 9999), row(line, { validFrom: line }));
  builder.addPrefix("852", row(302));
  const set = builder.build();
  const opened = openNumberSet(set.memory);
  t.equal(opened.memory, set.memory);
  t.equal(opened.rows, 301);
  for (let key = 861087650000; key < 861087660000; key += 3) {
    if (opened.find(key, 200) !== set.find(key, 200)) t.fail(`${key}`);
  }
  for (let index = 0; index < set.rows; index++) {
    if (opened.validFrom(index) !== set.validFrom(index)) t.fail(`row ${index}`);
  }
  t.equal(opened.line(opened.find(85281234567, 0)), 302);
  t.end();
});

/** Few keys and few widths, so that ranges nest, touch and coincide. */
const smallRow = fc.record({
  low: fc.integer({ min: -20, max: 20 }),
  width: fc.integer({ min: 0, max: 12 }),
  isExact: fc.boolean(),
  validFrom: fc.integer({ min: 0, max: 3 }),
  days: fc.integer({ min: 1, max: 3 }),
});

void t.test("finds what a search of all rows finds", (t) => {
  fc.assert(
    fc.property(fc.array(smallRow, { maxLength: 30 }), (rows) => {
      const builder = createNumberSetBuilder();
      const known = rows.map(({ low, width, isExact, validFrom, days }, index) => {
        const high = isExact ? low : low + width;
        const described = row(index, { validFrom, validTo: validFrom + days });
        if (isExact) builder.addExact(low, described);
        else builder.addRange(low, high, described);
        return { low, high, rank: isExact ? -1 : high - low, from: validFrom, to: validFrom + days };
      });
      const set = builder.build();
      for (let key = -22; key <= 34; key++) {
        for (let at = 0; at <= 6; at++) {
          const covering = known.filter(({ low, high }) => low <= key && key <= high);
          const inForce = covering.filter(({ from, to }) => from <= at && at < to);
          const best = (inForce.length > 0 ? inForce : covering).map(({ rank }) => rank);
          const found = set.find(key, at);
          if (found === -1) {
            if (covering.length > 0) return false;
          } else {
            const answer = known[set.line(found >= 0 ? found : -2 - found)];
            if (answer === undefined || found >= 0 !== inForce.length > 0) return false;
            if (answer.low > key || answer.high < key || answer.rank !== Math.min(...best)) return false;
          }
        }
      }
      return true;
    }),
    { numRuns: 500, seed: 20_261_003 },
  );
  t.end();
});

void t.test("more combinations of attributes than a byte or two can number", (t) => {
  for (const count of [255, 256, 257, 65_535, 65_536, 65_537]) {
    const builder = createNumberSetBuilder();
    for (let line = count; line > 0; line--) builder.addExact(line, row(line, { verifiedOn: line }));
    const set = builder.build();
    let wrong = 0;
    for (let key = 1; key <= count; key++) {
      const found = set.find(key, 0);
      if (set.line(found) !== key || set.verifiedOn(found) !== key) wrong++;
    }
    t.equal(wrong, 0, `${count} combinations`);
  }
  t.end();
});

void t.test("sort order", (t) => {
  const extremes = [-999_999_999_999_999, 999_999_999_999_999, 0, -1, 1];
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(fc.constantFrom(...extremes), fc.integer({ min: -99, max: 99 }), fc.maxSafeInteger()),
      ),
      (numbers) => {
        const keys = Float64Array.from(numbers, (number) => number % 1e15);
        const order = sortOrder(keys) ?? Uint32Array.from(keys.keys());
        const sorted = [...keys.keys()].toSorted((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
        return sorted.every((from, index) => order[index] === from) && order.length === keys.length;
      },
    ),
    { numRuns: 300, seed: 20_261_003 },
  );
  t.equal(sortOrder(Float64Array.of(1, 1, 2)), undefined, "sorted already");
  t.same(sortOrder(Float64Array.of(2, 1, 1)), Uint32Array.of(1, 2, 0));
  t.end();
});
