/** Tables that were damaged by dice: the same ones for a seed. No damage changes a digit. */
import { Buffer } from "node:buffer";
import { execFileSync, spawnSync } from "node:child_process";
import t from "tap";
import { createCalendar } from "../../src/config/lists/calendar.ts";
import { cleanList } from "../../src/intake/clean-list.ts";
import { addRows } from "../../src/intake/list-addition.ts";
import { proveList, writeList } from "../../src/intake/list-text.ts";
import { readMonthlyFigures } from "../../src/intake/monthly-figures.ts";
import type { TableReading } from "../../src/intake/table.ts";
import { readTextTable } from "../../src/intake/text-table.ts";
import { readListEntry } from "../../src/numbering/list-entry.ts";
import { createRandom, type Random } from "../fuzz/random.ts";

const calendar = createCalendar("Asia/Shanghai");

/** The numbers of the sound table. A damaged one holds some of them and no others. */
export const numbers = [
  "057187000000",
  "+8657187000001",
  "13800138000",
  "95588",
  "4008123456",
  "01087654300..01087654399",
  "+86755832*",
] as const;
const meanings: ReadonlySet<string> = new Set(numbers.map(meaningOf));

/** The form in which numbers are compared. */
function meaningOf(number: string): string {
  return JSON.stringify(readListEntry(number, "86"));
}

const headers = [
  ["号码", "失效日期", "备注"],
  ["number", "valid_to", "note"],
  ["主叫号码（必填）", "到期日期", "说明"],
] as const;

function soundTable(random: Random): string {
  const end = random.pick(["\n", "\r\n", "\r"]);
  const separator = random.pick([",", ";", "\t"]);
  const title = random.once(3) ? [["某银行主叫号码登记表", "", ""]] : [];
  const rows = numbers.map((number) => [
    random.pick([number, `"${number}"`, ` ${number}`, `'${number}`]),
    random.pick(["2027-06-30", "2027/6/30", "2027年6月30日", ""]),
    random.pick(["热线", '"a""b"', "", "x".repeat(200)]),
  ]);
  return [...title, random.pick(headers), ...rows].map((row) => row.join(separator) + end).join("");
}

/** What is put into a text, anywhere. None of it has a digit. */
const strangers = [
  // prettier-ignore
  "\ufeff", "\0", "\ud800", "\udc00", '"', '""', "'", "=", ",", ";", "\t", "\n", "\r", "\u2028", "\u00a0", "\u202e", "\u200b",
  "½", "¹", "①", "٣", "＋", "－", "..", "E+", "e", "#", "<", "&#48;", "号码", "number", "一", "\u3000", " ", "-", "~", "至", "/",
] as const; // prettier-ignore

function damageText(text: string, random: Random): string {
  let damaged = text;
  for (let times = random.below(4); times > 0; times--) {
    const at = random.below(damaged.length + 1);
    damaged = damaged.slice(0, at) + random.pick(strangers) + damaged.slice(at);
  }
  return damaged;
}

/** GB18030, for texts that the table has; undefined without iconv. */
const iconv = spawnSync("iconv", ["--version"]).status === 0;
const chinese = new Map<string, Buffer>();
if (iconv)
  for (const character of new Set(`${headers.flat().join("")}某银行主叫号码登记表热线年月日一至`)) {
    if (character > "\u007f")
      chinese.set(character, execFileSync("iconv", ["-f", "utf-8", "-t", "gb18030"], { input: character }));
  }

function inChinese(text: string): Buffer {
  return Buffer.concat(
    Array.from(text, (character) => chinese.get(character) ?? Buffer.from(character, "utf8")),
  );
}

function encode(text: string, random: Random): Buffer {
  const mark = random.once(2) ? "\ufeff" : "";
  switch (random.below(4)) {
    case 0:
      return Buffer.from(`${mark}${text}`, "utf16le");
    case 1:
      return Buffer.from(`${mark}${text}`, "utf16le").swap16();
    case 2:
      return inChinese(text);
    default:
      return Buffer.from(`${mark}${text}`);
  }
}

/** Octets that are no digits in any of the encodings, or half a character. */
const octets = [0x00, 0x80, 0x81, 0xc3, 0xe5, 0xf0, 0xfe, 0xff, 0x22, 0x0a, 0x2c];

function damageOctets(bytes: Buffer, random: Random): Buffer {
  if (random.once(3)) return bytes;
  const at = random.below(bytes.length + 1);
  if (random.once(2))
    return Buffer.concat([bytes.subarray(0, at), Buffer.of(random.pick(octets)), bytes.subarray(at)]);
  // Cut at a line end: a number that is cut in two is another number, and no reader can know.
  const end = bytes.indexOf(0x0a, at);
  return end === -1 ? bytes : bytes.subarray(0, end + random.below(3));
}

/** The octets of a damaged table. */
export function damagedTable(seed: number): Buffer {
  const random = createRandom(seed);
  return damageOctets(encode(damageText(soundTable(random), random), random), random);
}

/**
 * Makes a list of what was read, and says what is wrong with it: undefined for a refusal in words, or for a list of
 * numbers that stood in the table.
 */
export function faultIn(reading: TableReading): { readonly fault?: string; readonly taken: number } {
  const list = "error" in reading ? reading : cleanList(reading.table, "86");
  if ("error" in list) return list.error === "" ? { fault: "refused without words", taken: 0 } : { taken: 0 };
  if (!("error" in reading)) readMonthlyFigures(reading.table);
  if (list.issueCount > 0) {
    const isMute = list.issues.some(({ place, message }) => !/\d/u.test(place) || message === "");
    return isMute ? { fault: "a cell refused without place or words", taken: 0 } : { taken: 0 };
  }
  const at = list.columns.indexOf("number");
  const foreign = list.rows
    .map(({ cells }) => cells[at] ?? "")
    .find((number) => !meanings.has(meaningOf(number)));
  if (foreign !== undefined) return { fault: `a number that the table did not hold: ${foreign}`, taken: 0 };
  if (list.rows.length === 0) return { taken: 0 };
  const text = writeList(list.columns, list.rows);
  const { reading: proved, issues } = proveList(list, text, calendar, "86");
  if (issues.length === 0 && proved.list?.counts.rows !== list.rows.length)
    return { fault: "rows are lost on the way", taken: 0 };
  const added = addRows(text, list, { calendar, homeCountry: "86" });
  if (issues.length === 0 && ("error" in added || added.covered.length !== list.rows.length))
    return { fault: "the list does not cover itself", taken: 0 };
  return { taken: list.rows.length };
}

/** Reads damaged tables of all seeds. */
export function testDamagedTables(first: number, count: number): void {
  void t.test(`${count} damaged tables from seed ${first}`, (t) => {
    let taken = 0;
    for (let seed = first; seed < first + count; seed++) {
      const bytes = damagedTable(seed);
      const { fault, taken: rows } = faultIn(readTextTable(bytes));
      if (fault !== undefined) t.fail(`seed ${seed}: ${fault}`, { bytes: bytes.toString("base64") });
      taken += rows;
    }
    // A third of the tables is read: the damage does not stand where it is refused.
    t.ok(taken > count, `${taken} rows were taken`);
    if (!iconv) t.pass("GB18030", { skip: "iconv is not installed" });
    t.end();
  });
}
