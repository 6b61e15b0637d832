import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import t from "tap";
import { createCalendar } from "../../src/config/lists/calendar.ts";
import { cleanList } from "../../src/intake/clean-list.ts";
import { proveList, writeList } from "../../src/intake/list-text.ts";
import { readTextTable } from "../../src/intake/text-table.ts";
import { unpackWorkbook } from "../../src/cli/intake/workbook-parts.ts";
import { writeWorkbook } from "../support/workbook.ts";

const calendar = createCalendar("Asia/Shanghai");
const words = fc.constantFrom(
  "号码",
  "number",
  "057187000000",
  "057187000000-057187000029",
  "0571",
  '"',
  ",",
  ";",
  "\t",
  "\n",
  "\r\n",
  "=",
  "'",

  "2027/6/30",
  "生效日期",
  "1.08E+11",
  "是",
  "\u0000",
  "\ufeff",
  "\u202a",
  "＋",
  "..",
  "*",
  "955*",
  "至",
  " ",
);

void t.test("no text throws, and what is taken is what a policy takes", (t) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 40 }), fc.boolean(), (pieces, isWide) => {
      const reading = readTextTable(
        Buffer.from(`号码,生效日期\n${pieces.join("")}`, isWide ? "utf16le" : "utf8"),
      );
      const list = "error" in reading ? reading : cleanList(reading.table, "86");
      if ("error" in list || list.rows.length === 0) return;
      const text = writeList(list.columns, list.rows);
      const { reading: proved, issues } = proveList(list, text, calendar, "86");
      if (issues.length === 0) t.equal(proved.list?.counts.rows, list.rows.length);
      const again = readTextTable(Buffer.from(text));
      const same = "error" in again ? again : cleanList(again.table, "86");
      t.equal(
        "error" in same ? same.error : writeList(same.columns, same.rows),
        text,
        "a clean list stays as it is",
      );
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const reading = readTextTable(bytes);
      if (!("error" in reading)) cleanList(reading.table, "86");
    }),
    { numRuns: 300 },
  );
  t.end();
});

void t.test("no damage to a workbook throws where its size is proved", (t) => {
  const sound = writeWorkbook([{ name: "a", data: "" }]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 8 }),
      fc.nat(sound.length),
      (hits, end) => {
        const bytes = Buffer.from(sound);
        for (const [at, octet] of hits) bytes[at] = octet;
        unpackWorkbook(bytes);
        unpackWorkbook(bytes.subarray(0, end));
      },
    ),
    { numRuns: 2000 },
  );
  t.pass("2000 damaged workbooks");
  t.end();
});
