import t from "tap";
import { cleanDay } from "../../src/intake/day-cell.ts";
import type { Cell } from "../../src/intake/table.ts";

/** A day as it becomes; `!` in front: it was changed. */
const rows: readonly (readonly [name: string, cell: Cell, wanted: string | RegExp])[] = [
  ["as a list has it", "2027-06-30", "2027-06-30"],
  ["nothing", "", ""],
  ["an empty cell", undefined, ""],
  ["Excel in China", "2027/6/30", "!2027-06-30"],
  ["dots", "2027.6.30", "!2027-06-30"],
  ["Chinese", "2027年6月30日", "!2027-06-30"],
  ["full width", "２０２７／６／３０", "!2027-06-30"],
  ["no separators", "20270630", "!2027-06-30"],
  ["with a time", "2027/6/30 0:00", "!2027-06-30"],
  ["with a time of ISO 8601", "2027-06-30T08:00:00", "!2027-06-30"],
  ["day first", "30.6.2027", "!2027-06-30"],
  ["two readings", "6/7/2027", /not a date like 2026-12-31; write 2027-06-07 or 2027-07-06/],
  ["month first, where there is one reading", "6/30/2027", "!2027-06-30"],
  ["the same both ways", "6/6/2027", "!2027-06-06"],
  ["no day both ways", "31/31/2027", /not a date like 2026-12-31$/],
  ["a raised digit", "2027/6/3\u00b9", /not a date/],
  ["parts that are no digits", "2027/0x6/30", /not a date/],
  ["two digits of a year", "27/6/30", /not a date/],
  ["a date of a workbook", new Date("2027-06-30T00:00:00Z"), "2027-06-30"],
  ["a date and time of a workbook", new Date("2027-06-30T23:59:59Z"), "2027-06-30"],
  ["a leap day", "2028/2/29", "!2028-02-29"],
  ["no such day", "2027/2/29", /not a date/],
  ["no such day without separators", "20270229", /not a date/],
  ["no such month", "2027-13-01", /not a date/],
  ["a count of days as text", "46568", /count of days/],
  ["a count of days as number", 46568, /count of days/],
  ["a date that no calendar has", new Date(Number.NaN), /no valid date/],
  ["a word", "长期", /not a date/],
  ["a text without end", "9".repeat(100_000), /not a date/],
];

void t.test("day cells", (t) => {
  for (const [name, cell, wanted] of rows) {
    const read = cleanDay(cell);
    if (typeof wanted === "string")
      t.equal("error" in read ? read.error : `${read.isChanged ? "!" : ""}${read.day}`, wanted, name);
    else t.match("error" in read ? read.error : `${read.day} was taken`, wanted, name);
  }
  t.end();
});
