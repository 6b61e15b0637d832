/** Tables at and beyond the bounds: words, and never a crash. */
import { Buffer } from "node:buffer";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { readTable } from "../../src/cli/intake/read-table.ts";
import { createCalendar } from "../../src/config/lists/calendar.ts";
import { readNumberList } from "../../src/config/lists/number-list.ts";
import { cleanList } from "../../src/intake/clean-list.ts";
import { writeList } from "../../src/intake/list-text.ts";
import { textCell, writeWorkbook } from "../support/workbook.ts";

/** Milliseconds in which a workbook is read or not at all. The rest is for starting the process. */
const MOST_TIME = 10_000;

async function read(bytes: Buffer): Promise<string> {
  const reading = await readTable(bytes, undefined);
  const list = "error" in reading ? reading : cleanList(reading.table, "86");
  if ("error" in list) return list.error;
  const issue = list.issues[0];
  return issue === undefined ? `${list.rows.length} rows` : `${issue.place}: ${issue.message}`;
}

const large = 10 * (1 << 20);
const header = `<row r="1">${textCell("A1", "number")}</row>`;

const tables: readonly (readonly [name: string, make: () => Buffer, said: RegExp])[] = [
  ["a row of 10 MB", () => Buffer.from(`号码,备注\n057187000000,${"x".repeat(large)}\n`), /^1 rows$/],
  ["a number of 10 MB", () => Buffer.from(`号码\n${"1".repeat(large)}\n`), /^2:1: it has 10485760 characters/],
  ["a header of 10 MB", () => Buffer.from(`号码${"x".repeat(large)}\n057187000000\n`), /no row has a column/],
  ["a day of 10 MB", () => Buffer.from(`号码,失效日期\n057187000000,${"1/".repeat(large / 2)}\n`), /^2:2: "1\/1\/.*…" is not a date/],
  ["a million separators", () => Buffer.from(`号码${",".repeat(1e6)}\n057187000000\n`), /^1 rows$/],
  ["a million columns", () => Buffer.from(`号码${",x".repeat(1e6)}\n057187000000\n`), /^1 rows$/],
  ["a million columns of dates", () => Buffer.from(`号码${",失效日期".repeat(1e6)}\n057187000000\n`), /1:3: "失效日期" is the column valid_to/],
  ["a million quotes", () => Buffer.from(`号码\n${'"'.repeat(1e6)}\n057187000000\n`), /2:1/],
  ["a quote that nothing closes", () => Buffer.from(`号码\n"${"057187000000\n".repeat(1e6)}`), /^2:1: a quotation mark/],
  ["a million empty rows", () => Buffer.from(`号码\n${"\n".repeat(1e6)}057187000000\n`), /^1 rows$/],
  ["a million rows of words", () => Buffer.from(`号码\n${"x\n".repeat(1e6)}`), /^2:1: not a number: "x"/],
  ["10 MB of marks", () => Buffer.from("\ufeff".repeat(large / 3)), /no row has a column/],
]; // prettier-ignore

void t.test("texts that are too large for a person to have made", async (t) => {
  for (const [name, make, said] of tables) {
    const told = await read(make());
    t.match(told, said, name);
    t.ok(told.length < 300, "and the words are short");
  }
});

void t.test("the same as lists of a policy", (t) => {
  const calendar = createCalendar("Asia/Shanghai");
  for (const [name, make] of tables) {
    const { issues } = readNumberList(
      "list.csv",
      Buffer.from(make().toString().replace("号码", "number")),
      calendar,
      "86",
    );
    t.ok(issues.length <= 60, `${name}: ${issues.length} issues`);
    t.ok(
      issues.every(({ message, path }) => message.length < 300 && path.length < 100),
      "and the words are short",
    );
  }
  t.end();
});

/** Rows of a sheet, each with a number of its own. */
function sheetOf(rows: number): string {
  const cells = Array.from(
    { length: rows },
    (_, index) => `<row r="${index + 2}"><c r="A${index + 2}"><v>${13_000_000_000 + index}</v></c></row>`,
  );
  return header + cells.join("");
}

void t.test("workbooks at the bounds", async (t) => {
  const books: readonly (readonly [name: string, make: () => Buffer, said: RegExp])[] = [
    ["a sheet without end", () => writeWorkbook([{ name: "a", data: '<row r="4000000000"><c r="ZZZZ4000000000"><v>1</v></c></row>' }]), /too much memory|more than 10 s/],
    ["a row at the end of a column", () => writeWorkbook([{ name: "a", data: `${header}<row r="1048576">${textCell("A1048576", "95588")}</row>` }]), /more than 1000000 rows/],
    ["a cell without end", () => writeWorkbook([{ name: "a", data: `${header}<row r="2">${textCell("AAAAAAA2", "95588")}</row>` }]), /too much memory|more than 10 s/],
    ["markup a million deep", () => writeWorkbook([{ name: "a", data: "<x>".repeat(1e6) }]), /can't be read|too much memory|200 times|no sheet/],
    ["more than 64 MiB", () => writeWorkbook([{ name: "a", data: sheetOf(1_200_000) }]), /more than 64 MiB/],
  ]; // prettier-ignore
  for (const [name, make, said] of books) {
    const bytes = make();
    const began = performance.now();
    t.match(await read(bytes), said, name);
    const took = performance.now() - began;
    t.ok(took < 3 * MOST_TIME, `${name}: ${Math.round(took)} ms`);
  }
});

const python = "/usr/bin/python3";
const hasOpenpyxl = spawnSync(python, ["-c", "import openpyxl"]).status === 0;

void t.test(
  "100,000 rows of another maker within the bound, none of them changed",
  { skip: !hasOpenpyxl && "openpyxl is not installed" },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "sigwall-workbook-"));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "numbers.xlsx");
    const script = [
      "import sys, datetime, openpyxl",
      "book = openpyxl.Workbook()",
      "sheet = book.active",
      "sheet.append(['序号', '号码', '生效日期', '失效日期', '用途'])",
      "for i in range(100000):",
      "    number = '0571%08d' % (87000000 + i) if i % 2 == 0 else 13800000000 + i",
      "    sheet.append([i, number, datetime.date(2026, 1, 1), '2027/6/30', '热线'])",
      "book.save(sys.argv[1])",
    ].join("\n");
    execFileSync(python, ["-c", script, file]);
    const reading = await readTable(readFileSync(file), undefined);
    if ("error" in reading) throw new Error(reading.error);
    const list = cleanList(reading.table, "86");
    if ("error" in list) throw new Error(list.error);
    t.same(list.issues, []);
    const wanted = Array.from({ length: 100_000 }, (_, i) => {
      const number = i % 2 === 0 ? `0571${87_000_000 + i}` : `${13_800_000_000 + i}`;
      return `${number},2026-01-01,2027-06-30,热线\n`;
    });
    t.ok(writeList(list.columns, list.rows) === `number,valid_from,valid_to,purpose\n${wanted.join("")}`);
  },
);
