// Rows with marks: the highest one, and those of wanted marks.
import t from "tap";
import { readListEntry } from "../../src/numbering/list-entry.ts";
import { readListNumber } from "../../src/numbering/e164.ts";
import { findHighest, findWanted } from "../../src/numbering/lists/marked-rows.ts";
import { formatScore, isWholeSteps, readScore, stepsOf } from "../../src/numbering/lists/score.ts";
import { createNumberSetBuilder } from "../../src/numbering/number-set-builder.ts";
import { openNumberSet } from "../../src/numbering/number-set.ts";

const rows: readonly (readonly [number: string, mark: number, validTo?: number])[] = [
  ["+861087654321", 20],
  ["+861087654321", 90],
  ["+861087654321", 95, 1000],
  ["+861087654300..+861087654399", 50],
  ["+861087654300..+861087654399", 60],
  ["+861087654*", 99],
  ["+8610876550*", 7],
  ["95588", 1],
  ["95588", 2],
];

const set = (() => {
  const builder = createNumberSetBuilder(true);
  rows.forEach(([number, mark, validTo], index) => {
    const entry = readListEntry(number);
    if (typeof entry === "string") throw new Error(entry);
    builder.add(entry, { line: index + 2, mark, mayForward: false, validTo });
  });
  return openNumberSet(builder.build().memory);
})();

function keyOf(number: string): number {
  const read = readListNumber(number);
  if (typeof read === "string") throw new Error(read);
  return read.key;
}

function wanting(...marks: readonly number[]): Uint8Array {
  const wanted = new Uint8Array(100);
  for (const mark of marks) wanted[mark] = 1;
  return wanted;
}

void t.test("the highest mark of the most specific row in force", (t) => {
  for (const [number, at, line, mark] of [
    ["+861087654321", 999, 4, 95],
    ["+861087654321", 1000, 3, 90],
    ["+861087654320", 0, 6, 60],
    ["+861087654399", 0, 6, 60],
    ["+861087654400", 0, 7, 99],
    ["+861087655000", 0, 8, 7],
    ["95588", 0, 10, 2],
  ] as const) {
    const row = findHighest(set.columns, keyOf(number), at);
    t.same([set.line(row), set.mark(row)], [line, mark], `${number} at ${at}`);
  }
  for (const number of ["+861087655100", "+861087653999", "95589"])
    t.equal(findHighest(set.columns, keyOf(number), 0), -1, number);
  t.end();
});

void t.test("a row whose mark is wanted", (t) => {
  for (const [number, wanted, line] of [
    ["95588", wanting(2), 10],
    ["95588", wanting(1, 2), 9],
    ["95588", wanting(3), 0],
    ["+861087654321", wanting(95), 0],
    ["+861087654321", wanting(50), 5],
    ["+861087654321", wanting(99), 7],
    ["+861087653999", wanting(99), 0],
  ] as const) {
    const row = findWanted(set.columns, keyOf(number), 1000, wanted);
    t.equal(row < 0 ? 0 : set.line(row), line, number);
  }
  t.equal(findWanted(set.columns, keyOf("95588"), 0, new Uint8Array(0)), -1, "a mark beyond the table");
  t.end();
});

void t.test("a set without marks has none, and needs no memory for them", (t) => {
  const plain = createNumberSetBuilder();
  const marked = createNumberSetBuilder(true);
  for (const builder of [plain, marked])
    for (let key = 1; key <= 1000; key++) builder.addExact(key, { line: key, mark: 9, mayForward: false });
  const [without, kept] = [plain.build(), marked.build()];
  t.equal(without.mark(0), 0);
  t.equal(kept.mark(999), 9);
  t.equal(kept.memory.byteLength - without.memory.byteLength, 2000, "two octets a row");
  t.end();
});

void t.test("marks stand beside lines and attributes of every width", (t) => {
  for (const count of [3, 300, 70_000]) {
    const builder = createNumberSetBuilder(true);
    for (let key = count; key > 0; key--)
      builder.addExact(key, { line: key, verifiedOn: key, mark: key % 0x1_0000, mayForward: false });
    const built = openNumberSet(builder.build().memory);
    let wrong = 0;
    for (let key = 1; key <= count; key++) {
      const row = built.find(key, 0);
      const isRight =
        built.line(row) === key && built.verifiedOn(row) === key && built.mark(row) === key % 0x1_0000;
      if (!isRight) wrong += 1;
    }
    t.equal(wrong, 0, `${count} rows`);
  }
  t.end();
});

void t.test("scores", (t) => {
  for (const [text, steps] of [
    ["0", 0],
    ["1", 10_000],
    ["0.75", 7500],
    ["0.7499", 7499],
    ["0.74999", 7499],
    ["0.7500000000", 7500],
    ["0.00001", 0],
    ["0.9999999", 9999],
    ["1.0000", 10_000],
    ["1.0001", -1],
    ["1.00001", -1],
    ["2", -1],
    ["0.", -1],
    [".5", -1],
    ["0,5", -1],
    ["-0.5", -1],
    ["+0.5", -1],
    ["5e-1", -1],
    ["0.5 ", -1],
    ["75%", -1],
    ["", -1],
    [`0.${"5".repeat(40)}`, -1],
  ] as const) {
    const bytes = Buffer.from(`x${text}y`);
    t.equal(readScore(bytes, 1, bytes.length - 1), steps, JSON.stringify(text));
  }
  t.equal(stepsOf(0.29), 2900, "0.29 is no whole number of steps in doubles");
  t.ok(isWholeSteps(0.7501));
  t.notOk(isWholeSteps(0.75015));
  t.equal(formatScore(7500), "0.75");
  t.equal(formatScore(10_000), "1");
  t.end();
});
