import { Buffer } from "node:buffer";
import { execFileSync, spawnSync } from "node:child_process";
import t from "tap";
import { cleanList } from "../../src/intake/clean-list.ts";
import { writeList } from "../../src/intake/list-text.ts";
import { readTextTable } from "../../src/intake/text-table.ts";

const text = [
  "主叫号码登记表,,",
  "",
  "号码,失效日期,备注",
  '057187000000,2027/6/30,"热线, 一号"',
  ",,",
  "０５７１８７０００００１,,",
  ",,",
  "",
].join("\r\n");

const wanted = ["number,valid_to,note", '057187000000,2027-06-30,"热线, 一号"', "057187000001,,", ""].join(
  "\n",
);

function clean(bytes: Uint8Array): string {
  const reading = readTextTable(bytes);
  if ("error" in reading) return reading.error;
  const list = cleanList(reading.table, "86");
  if ("error" in list) return list.error;
  return list.issueCount > 0
    ? list.issues.map(({ place, message }) => `${place}: ${message}`).join("\n")
    : `${reading.table.form}\n${writeList(list.columns, list.rows)}`;
}

/** The same table as every program writes it. */
function inOtherWords(separator: string): string {
  if (separator === ",") return text;
  return text.replaceAll(/"[^"]*"|,/gu, (found) => (found === "," ? separator : found));
}

function swapped(bytes: Buffer): Buffer {
  return Buffer.from(bytes).swap16();
}

void t.test("tables in every usual encoding, with every usual separator", (t) => {
  const encodings: readonly (readonly [name: string, form: string, encode: (text: string) => Buffer])[] = [
    ["UTF-8", "UTF-8", (all) => Buffer.from(all)],
    ["UTF-8 with a mark", "UTF-8", (all) => Buffer.from(`\ufeff${all}`)],
    ["UTF-16", "UTF-16", (all) => Buffer.from(`\ufeff${all}`, "utf16le")],
    ["UTF-16, the other order", "UTF-16", (all) => swapped(Buffer.from(`\ufeff${all}`, "utf16le"))],
  ];
  const separators = [
    [",", "commas"],
    [";", "semicolons"],
    ["\t", "tabs"],
  ] as const;
  for (const [name, form, encode] of encodings)
    for (const [separator, said] of separators)
      t.equal(clean(encode(inOtherWords(separator))), `${form}, ${said}\n${wanted}`, `${name}, ${said}`);
  t.end();
});

const iconv = spawnSync("iconv", ["--version"]).status === 0;

void t.test("GB18030, as iconv writes it", { skip: !iconv && "iconv is not installed" }, (t) => {
  for (const encoding of ["gb18030", "gbk", "gb2312"])
    t.equal(
      clean(execFileSync("iconv", ["-f", "utf-8", "-t", encoding], { input: text })),
      `GB18030, commas\n${wanted}`,
      encoding,
    );
  const bare = execFileSync("iconv", ["-f", "utf-8", "-t", "utf-16le"], { input: "number\n057187000000\n" });
  t.equal(clean(bare), "UTF-16, commas\nnumber\n057187000000\n", "UTF-16 without a mark");
  t.end();
});

/** The text with one octet in front of its last line end. */
function damaged(sound: string, octet: number): Buffer {
  return Buffer.concat([Buffer.from(sound.slice(0, -1)), Buffer.of(octet), Buffer.from("\n")]);
}

void t.test("what is no table", (t) => {
  const rows: readonly (readonly [name: string, bytes: Buffer, said: RegExp])[] = [
    ["nothing", Buffer.alloc(0), /no row has a column "number" \(号码\)/],
    [
      "octets that are no text",
      Buffer.from("number\n\xff\xff\x81\n", "latin1"),
      /no text in UTF-8, UTF-16 or GB18030/,
    ],
    ["a NUL inside", Buffer.from("number\n0571\u000087000000\n"), /2:5: a NUL stands here/],
    [
      "UTF-8 with half a character",
      damaged("号码,备注\n057187000000,热线\n", 0x80),
      /2:16: the UTF-8 text is damaged here/,
    ],
    [
      "UTF-8 with a mark, cut off",
      Buffer.from("\ufeff号码\n057187000000,热").subarray(0, -1),
      /2:14: the UTF-8 text is damaged here/,
    ],
    [
      "UTF-16 with half a character",
      Buffer.from("\ufeff号码\n057187\ud8000\n", "utf16le"),
      /2:7: the UTF-16 text is damaged here/,
    ],
    ["UTF-16 cut off", Buffer.from("\ufeff号码\n057187000000\n", "utf16le").subarray(0, -1), /3:1|2:13/],
    [
      "UTF-16 without a mark, with 一",
      Buffer.from("number,note\n057187000000,一一一一一\n", "utf16le"),
      /^UTF-16, commas\n/,
    ],
    ["a web page", Buffer.from("<html><table><tr><td>号码</td></tr></table>"), /web page or XML/],
    ["a workbook of 2003 in XML", Buffer.from('<?xml version="1.0"?><Workbook/>'), /web page or XML/],
    ["no header", Buffer.from("057187000000\n057187000001\n"), /no row has a column/],
    ["a header too far down", Buffer.from(`${"x\n".repeat(20)}号码\n057187000000\n`), /no row has a column/],
    [
      "a quote without end",
      Buffer.from('number\n"057187000000\n'),
      /^2:1: a quotation mark .* nothing closes it/,
    ],
    [
      "text behind a quote",
      Buffer.from('number\n"057187000000"1\n'),
      /^2:1: text stands behind the quotation mark/,
    ],
    [
      "no header but numbers",
      Buffer.from("057187000000,x\n"),
      /the first row is a number already: write a header/,
    ],
    ["no header and no numbers", Buffer.from("姓名,x\n"), /\(号码\); the first row has 姓名, x$/],
    [
      "a last day under another name",
      Buffer.from("号码,valid_until\n057187000000,2025-01-01\n"),
      /^1:2: what stands in the column "valid_until" would be lost; name it "valid_to"/,
    ],
    [
      "trunks under another name",
      Buffer.from("号码,trunk_id\n057187000000,a\n"),
      /1:2: .*"trunk_id" would be lost; name it "trunk"/,
    ],
    ["who verified", Buffer.from("号码,核验人\n057187000000,x\n"), /^UTF-8, commas\nnumber\n057187000000\n$/],
    [
      "a comma in a note",
      Buffer.from("号码,备注\n057187000000,a, b\n"),
      /^2:3: the row has 3 cells, the header 2; put text with a separator in quotes$/,
    ],
    ["commas behind a row", Buffer.from("号码,备注\n057187000000,a,,\n"), /^UTF-8, commas\n/],
    ["a column twice", Buffer.from("号码,电话\n1,2\n"), /1:2: "电话" is the column number/],
  ];
  for (const [name, bytes, said] of rows) t.match(clean(bytes), said, name);
  t.end();
});
