// Says what an operator probably did with a list that could not be read: spreadsheets, encodings, separators, names.
import { findNearest, suggest } from "../yaml/suggestion.ts";

/** The columns of a list. */
export const columns = [
  "number",
  "valid_from",
  "valid_to",
  "verified_on",
  "may_forward",
  "trunk",
  "purpose",
  "contract",
  "source",
  "notice",
  "note",
] as const;
export type Column = (typeof columns)[number];

/** Characters of a cell that a message shows. */
const MOST_SHOWN = 40;

/** Names as the header of a file writes them: any case and width of letters, with spaces or hyphens. */
export function columnNamed(name: string): Column | undefined {
  const written = plainName(name);
  return columns.find((known) => known === written);
}

/** The column that a name means: its own name, or a Chinese one, with a remark in parentheses or without. */
export function columnMeant(name: string): Column | undefined {
  const written = name.normalize("NFKC").replaceAll(/[\s*:"']/gu, "");
  const remark = written.indexOf("(");
  return columnNamed(name) ?? chineseColumns.get(remark > 0 ? written.slice(0, remark) : written);
}

/**
 * The date column that an unknown one stands for, or undefined. Its dates would be ignored, and a number would go on
 * calling after its last day. So such a name is an error and not a warning.
 */
export function misspeltDateColumn(name: string): Column | undefined {
  const written = plainName(name);
  // Who verified a number, and how, is no date.
  if (/(?:by|人|员|单位|部门|方式|结果)$/u.test(written)) return undefined;
  const undated = written.replace(/^date_|_?(?:date|day|time)$|_on$/u, "");
  for (const [column, words, whole] of dateWords)
    if (words.test(written) || whole?.test(undated) === true) return column;
  return nearestDateColumn(written);
}

/**
 * True for another name of the column `trunk`. Its trunks would be ignored, and a number would be good on every trunk of
 * the lessee. So such a name is an error and not a warning.
 */
export function isMisspeltTrunk(name: string): boolean {
  const written = plainName(name);
  return columnMeant(name) === "trunk" || /^(?:trunks|trunk_?(?:id|name|group)s?)$/u.test(written);
}

/** Advice for a header without a column of numbers; empty when there is none. */
export function adviseHeader(cells: readonly string[]): string {
  const isRow = cells.some((cell) => /^[='"]{0,3}\+?\d[\d .*-]{2,30}["]?$/u.test(foldWidth(cell.trim())));
  return isRow ? '; the first row is a number already: write a header above it, such as "number"' : "";
}

/** Advice for an unknown column; empty when there is none. */
export function adviseColumn(name: string): string {
  if (name.startsWith("#")) return "; a list has no comment lines, write them into the column note";
  const meaning = columnMeant(name);
  if (meaning !== undefined) return `; write "${meaning}" for it`;
  return adviseSeparator(name) || suggest(plainName(name), columns);
}

/** Advice for a header that something else than commas separates; empty for every other name. */
export function adviseSeparator(name: string): string {
  const separator = separators.find(([sign]) => name.includes(sign))?.[1];
  return separator === undefined ? "" : `; columns are separated by commas, not by ${separator}`;
}

/** Advice for a cell that is no number; empty when there is none. */
export function adviseNumber(cell: string): string {
  if (isShortened(cell))
    return "; a spreadsheet has shortened it and digits are lost: format the column as text and export it again";
  if (cell.endsWith(".0") || cell.endsWith(".00"))
    return "; a spreadsheet took it for an amount: format the column as text and export it again";
  if (cell.startsWith("=") || cell.startsWith("'")) return "; take the text mark of the spreadsheet away";
  if (cell.startsWith("#")) return "; a list has no comment lines, write them into the column note";
  if (/\d{3}\s*[、，,;；/|\\]\s*\d{3}/u.test(cell)) return "; write one number or range a row";
  const [first, last, ...more] = cell.split(/\.\.|[-–—~～至到]/u).map((end) => end.trim());
  const isRange = first !== undefined && last !== undefined && more.length === 0 && first.length >= 5;
  if (isRange && last.length >= 5 && !cell.includes("..")) return `; a range is written ${first}..${last}`;
  if (isRange && /^\d{1,4}$/u.test(last)) return "; a range is written A..B, with both ends in full";
  const folded = foldWidth(cell);
  if (folded !== cell) return `; full-width characters: write "${folded}"`;
  if (cell.normalize("NFKC") !== cell) return "; it holds special characters, type the number again";
  const letter = /^[+\d][\d\s().-]*([A-Za-z])[\d\s().-]*$/u.exec(cell)?.[1];
  if (letter !== undefined) return `; it has the letter ${letter}`;
  if (hasInvisible(cell)) return "; it holds a character that nobody sees, type the number again";
  return "";
}

/** Full-width letters, digits and signs, and the wide space, as usual ones. Others stay: a raised 1 is no digit. */
export function foldWidth(text: string): string {
  return text.replaceAll(/[\uff01-\uff5e\u3000]/gu, (sign) => sign.normalize("NFKC"));
}

/** A cell in a message, cut where it is longer than a number, a date or a name. */
export function shortenCell(cell: string): string {
  return cell.length > MOST_SHOWN ? `${cell.slice(0, MOST_SHOWN).replace(/[\ud800-\udbff]$/u, "")}…` : cell;
}

/** The same in quotes. */
export function quoteCell(cell: string): string {
  return `"${shortenCell(cell)}"`;
}

/** Advice for a cell that is no date; empty when there is none. */
export function adviseDate(cell: string): string {
  const day = dayMeant(cell);
  if (day !== undefined) return day === cell ? "" : `; did you mean ${day}?`;
  if (/^\d{5}$/u.test(cell))
    return "; it is the spreadsheet's count of days: format the column as a date and export it again";
  const [a, b, year] = partsOfDate(cell);
  const [first, second] = [dayOf(year, a, b), dayOf(year, b, a)];
  return first === undefined || second === undefined ? "" : `; write ${first} or ${second}`;
}

/** The day that a cell means, as YYYY-MM-DD; undefined when there is none, or when it can be read in two ways. */
export function dayMeant(cell: string): string | undefined {
  const [a, b, c] = partsOfDate(cell);
  if (a >= 1970) return dayOf(a, b, c);
  // What is above 12 is no month.
  if (c >= 1970 && a > 12) return dayOf(c, b, a);
  return c >= 1970 && (b > 12 || a === b) ? dayOf(c, a, b) : undefined;
}

/** The three numbers of a date, in the order in which they stand; zeros where there are others. */
function partsOfDate(cell: string): readonly [number, number, number] {
  if (cell.length > MOST_SHOWN) return [0, 0, 0];
  const parts = foldWidth(cell)
    .replace(/(?:[T ]\d{1,2}:\d{2}(?::\d{2})?|日)$/u, "")
    .split(/[./年月-]/u);
  if (parts.length !== 3 || parts.some((part) => !/^\d{1,4}$/u.test(part))) return [0, 0, 0];
  const [a = 0, b = 0, c = 0] = parts.map(Number);
  return [a, b, c];
}

/**
 * What a file is that is not UTF-8 text, in words with advice.
 *
 * @param isList true: `sigwall import` can make a list of it
 */
export function adviseEncoding(bytes: Uint8Array, isList = false): string {
  const convert = isList ? "convert it with `sigwall import`, or " : "";
  const [a, b, c, d] = bytes;
  if (a === 0x50 && b === 0x4b && c === 0x03 && d === 0x04)
    return `this is an Excel workbook; ${isList ? "make a list of it with `sigwall import`, or " : ""}save it as CSV UTF-8`;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff))
    return `this is UTF-16 text; ${convert}save the file as CSV UTF-8`;
  if (isGb18030(bytes))
    return `not UTF-8 text from here on, but it may be GB18030, which Excel writes in China; ${convert}save the file as CSV UTF-8`;
  return "not UTF-8 text from here on; save the file as UTF-8";
}

/** True for text with a NUL behind most characters: UTF-16 without byte order mark. */
export function looksLikeUtf16(text: string): boolean {
  const start = text.slice(0, 64);
  return start.length > 1 && start.split("\0").length > start.length / 3;
}

/** The name of a column in the form in which names are compared. */
export function plainName(name: string): string {
  return name.normalize("NFKC").trim().toLowerCase().replaceAll(/[\s-]/gu, "_");
}

const separators: readonly (readonly [sign: string, name: string])[] = [
  [";", "semicolons"],
  ["\t", "tabs"],
  ["|", "bars"],
  ["，", "full-width commas"],
];

/**
 * What speaks of one of the dates: words anywhere in a name, and names without "date" and "day". The first that fits
 * counts.
 */
const dateWords: readonly (readonly [column: Column, words: RegExp, whole?: RegExp])[] = [
  [
    "valid_to",
    /until|expir|valid_?t|not_?after|失效|到期|过期|過期|截止|截至|终止|結束|结束|停用/u,
    /^(?:to|last)$|(?:^|_)(?:ends?|till|stops?|exp)$/u,
  ],
  [
    "valid_from",
    /effective|valid_?f|not_?before|生效|起始|开始|開始|启用|有效期[起自]/u,
    /^(?:active_)?from$|(?:^|_)(?:starts?|begins?|since)$/u,
  ],
  ["verified_on", /verif|validat|核验|核查|查验|验证/u],
  ["valid_to", /^valid|^有效/u],
];

/** The Chinese names of columns, as carriers and lessees write them. */
const chineseNames: readonly (readonly [column: Column, names: readonly string[]])[] = [
  ["number", ["号码", "主叫号码", "主叫", "电话号码", "电话", "用户号码", "业务号码", "号段"]],
  ["valid_from", ["生效日期", "生效时间", "开始日期", "起始日期", "启用日期"]],
  ["valid_to", ["失效日期", "失效时间", "到期日期", "截止日期", "结束日期", "终止日期", "有效期至"]],
  ["verified_on", ["核验日期", "查验日期", "核查日期", "验证日期"]],
  ["may_forward", ["呼叫转移", "允许转接", "转接"]],
  ["trunk", ["中继", "中继名称", "中继群", "中继编号", "专线", "线路", "接入线路"]],
  ["purpose", ["用途", "使用用途", "业务用途"]],
  ["contract", ["合同号", "合同编号", "合同"]],
  ["source", ["来源"]],
  ["notice", ["通知", "通知文号", "文号"]],
  ["note", ["备注", "说明"]],
];
const chineseColumns: ReadonlyMap<string, Column> = new Map(
  chineseNames.flatMap(([column, names]) => names.map((name): [string, Column] => [name, column])),
);

/** What headers call the column of the numbers. */
export const numberNames: readonly string[] = [
  "number",
  ...chineseNames.flatMap(([column, names]) => (column === "number" ? names : [])),
];

function nearestDateColumn(written: string): Column | undefined {
  const nearest = findNearest(written, columns);
  return nearest === "valid_from" || nearest === "valid_to" || nearest === "verified_on"
    ? nearest
    : undefined;
}

/** True for 8.61088E+12, as spreadsheets write a long number. */
function isShortened(cell: string): boolean {
  return /^[\d.,]{1,20}[eE]\+?\d{1,3}$/u.test(cell);
}

/** True where a character of the Unicode category "format" stands, such as the marks that phones copy with a number. */
function hasInvisible(cell: string): boolean {
  return /\p{Cf}/u.test(cell);
}

/** The day as YYYY-MM-DD; undefined when there is none. */
function dayOf(year: number, month: number, day: number): string | undefined {
  const [y, m, d] = [year, month, day].map((part) => String(part).padStart(2, "0"));
  const text = `${y}-${m}-${d}`;
  const at = year > 9999 ? Number.NaN : Date.UTC(year, month - 1, day);
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(text) ? text : undefined;
}

function isGb18030(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("gb18030", { fatal: true }).decode(bytes.subarray(0, 1 << 20));
    return true;
  } catch {
    return false;
  }
}
