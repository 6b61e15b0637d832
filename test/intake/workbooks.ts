import { Buffer } from "node:buffer";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { readTable } from "../../src/cli/intake/read-table.ts";
import { cleanList } from "../../src/intake/clean-list.ts";
import { unpackWorkbook } from "../../src/cli/intake/workbook-parts.ts";
import { textCell, writeWorkbook, zipOf } from "../support/workbook.ts";

async function read(bytes: Buffer, sheet?: string): Promise<string> {
  const reading = await readTable(bytes, sheet);
  if ("error" in reading) return reading.error;
  const list = cleanList(reading.table, "86");
  if ("error" in list) return list.error;
  const issues = list.issues.map(({ place, message }) => `${place}: ${message}`);
  return [reading.table.form, ...list.rows.map(({ cells }) => cells.join(",")), ...issues].join("\n");
}

const header = `<row r="3">${textCell("B3", "号码")}${textCell("C3", "失效日期")}</row>`;

void t.test("a workbook: values of every kind", async (t) => {
  const data = [
    header,
    `<row r="4">${textCell("B4", "057187000000")}<c r="C4" s="1"><v>46568</v></c></row>`,
    '<row r="6"><c r="B6"><v>1.38001380E+10</v></c></row>',
    '<row r="7"><c r="B7" t="str"><f>"0571"&amp;"87000001"</f><v>057187000001</v></c></row>',
    `<row r="8">${textCell("B8", "1.08E+11")}</row>`,
    '<row r="9"><c r="B9"><v>12345678901234567890</v></c></row>',
    '<row r="10"><c r="B10" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="C10" s="1"><v>46568</v></c></row>',
  ].join("");
  const said = (
    await read(
      writeWorkbook([
        { name: "登记", data: "" },
        { name: "号码表", data },
      ]),
    )
  ).split("\n");
  t.same(said.slice(0, 4), ["sheet 号码表 of 2", "057187000000,2027-06-30", "13800138000,", "057187000001,"]);
  t.match(said.slice(4), [
    /^B8: .*digits are lost/,
    /^B9: .*behind the fifteenth/,
    /^B10: the number is missing/,
  ]);
});

function sheetOf(number: string): string {
  return `<row r="1">${textCell("A1", "number")}</row><row r="2">${textCell("A2", number)}</row>`;
}

void t.test("a sheet by its name", async (t) => {
  const book = writeWorkbook([
    { name: "a", data: sheetOf("057187000001") },
    { name: "b", data: sheetOf("057187000002") },
  ]);
  t.equal(await read(book), "sheet a of 2\n057187000001");
  t.equal(await read(book, "b"), "sheet b of 2\n057187000002");
  t.equal(await read(book, "c"), 'it has no sheet "c", but "a", "b"');
  t.equal(await read(Buffer.from("number\n"), "a"), "--sheet is for workbooks, and this is a text");
});

void t.test("what is no workbook, or one that was made to harm", async (t) => {
  const sound = writeWorkbook([{ name: "a", data: header }]);
  const lying = Buffer.from(sound);
  lying.writeUInt32LE(10, lying.lastIndexOf("PK\u0001\u0002") + 24);
  const twice = Buffer.from(sound);
  twice.writeUInt32LE(0, twice.lastIndexOf("PK\u0001\u0002") + 42);
  const locked = Buffer.from(sound);
  locked[locked.lastIndexOf("PK\u0001\u0002") + 8] = 1;
  const parts = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`x${index}`, ""]));
  const entity = `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><worksheet xmlns="x"><sheetData><row r="1">${textCell("A1", "number")}</row><row r="2">${textCell("A2", "&e;")}</row></sheetData></worksheet>`;
  const rows: readonly (readonly [name: string, bytes: Buffer, said: RegExp])[] = [
    ["cut off", sound.subarray(0, -40), /directory is/],
    ["a directory alone", sound.subarray(sound.lastIndexOf("PK\u0005\u0006")), /no text|no workbook|number/],
    ["a size that is not true", lying, /can't be unpacked to the size that it says/],
    ["two parts at one place", twice, /stand at one place/],
    ["a password", locked, /protected by a password/],
    ["an old workbook", Buffer.from("d0cf11e0a1b11ae1", "hex"), /old form \(\.xls\)/],
    [
      "a workbook with a password",
      Buffer.concat([Buffer.from("d0cf11e0a1b11ae1", "hex"), Buffer.from("EncryptedPackage", "utf16le")]),
      /workbook with a password; save it as \.xlsx without one/,
    ],
    ["too many parts", zipOf(parts), /201 parts/],
    ["a part of nothing but spaces", zipOf({ x: " ".repeat(4 << 20) }), /200 times as large/],
    ["no workbook inside", zipOf({ "a.txt": "number" }), /can't be read as a workbook/],
    ["no XML inside", writeWorkbook([], { "xl/workbook.xml": "<<<" }), /can't be read|no sheet has a row/],
    [
      "rows in no order",
      writeWorkbook([{ name: "a", data: '<row r="-5"><c r="A-5"><v>1</v></c></row>' }]),
      /can't be read/,
    ],
    [
      "an outside entity",
      writeWorkbook([{ name: "a", data: "" }], { "xl/worksheets/sheet0.xml": entity }),
      /document type definition/,
    ],
  ];
  for (const [name, bytes, said] of rows) t.match(await read(bytes), said, name);
  t.notMatch(unpackWorkbook(sound), { error: /./ }, "the near miss: a sound one");
  const spaces = zipOf({ "[Content_Types].xml": "<Types/>", x: " ".repeat(1 << 20) });
  t.notMatch(unpackWorkbook(spaces), { error: /./ }, "a megabyte of spaces is taken");
});

const python = "/usr/bin/python3";
const hasOpenpyxl = spawnSync(python, ["-c", "import openpyxl"]).status === 0;

void t.test(
  "a workbook of another maker",
  { skip: !hasOpenpyxl && "openpyxl is not installed" },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "sigwall-workbook-"));
    const file = join(folder, "numbers.xlsx");
    const script = [
      "import sys, datetime, openpyxl",
      "book = openpyxl.Workbook()",
      "book.active['A1'] = '填写说明'",
      "sheet = book.create_sheet('号码')",
      "sheet.append(['某银行主叫号码登记表'])",
      "sheet.append([])",
      "sheet.append(['序号', '号码', '生效日期', '用途'])",
      "sheet.append([1, '057187000000', datetime.date(2026, 1, 1), '热线'])",
      "sheet.append([2, 13800138000, '2027年6月30日', None])",
      "sheet['F900'].number_format = '0.00'",
      "book.save(sys.argv[1])",
    ].join("\n");
    execFileSync(python, ["-c", script, file]);
    t.equal(
      await read(readFileSync(file)),
      "sheet 号码 of 2\n057187000000,2026-01-01,热线\n13800138000,2027-06-30,",
    );
    rmSync(folder, { recursive: true });
  },
);
