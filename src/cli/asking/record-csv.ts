// Record lines as CSV for spreadsheets: every cell is quoted, and no text of a peer begins a formula (RFC 4180).
import { isReckoned } from "../../config/lists/spreadsheet-text.ts";
import type { NumberUse } from "../../records/asking/sealed-lines.ts";
import type { ReadLine } from "../../records/asking/record-filter.ts";
import { type Fields, isFields, objectsIn, textIn } from "../../records/lines/line-fields.ts";
import { plain, plainJson } from "./plain-text.ts";
import type { Clock } from "./record-table.ts";

/** Fields that stand in a column of their own as they are. */
const single = [
  "verdict",
  "reason",
  "rule",
  "action",
  "status",
  "cause",
  "nextHop",
  "why",
  "callId",
  "requestUri",
  "source",
  "destination",
  "listener",
  "tlsName",
  "agent",
  "listLine",
  "notice",
  "contract",
  "revision",
  "by",
  "how",
  "ringingMs",
  "answeredMs",
  "seconds",
] as const;

const columns = [
  "time",
  "record",
  "node",
  "id",
  "trunk",
  "lessee",
  "calling",
  "callingRaw",
  "called",
  "calledRaw",
  "diversion",
  "shadow",
  ...single,
  "more",
] as const;

/** Fields that the columns hold. Everything else stands in `more`. */
const held: ReadonlySet<string> = new Set(columns);

/** Writes lines as rows under a head. What has no column stands in `more`, as JSON. */
export function writeCsv(lines: readonly ReadLine[], clock: Clock): string {
  return [columns, ...lines.map((line) => cellsOf(line, clock))].map(writeRow).join("");
}

/** Writes calling numbers and how often they were used. */
export function writeNumbersCsv(uses: readonly NumberUse[], clock: Clock): string {
  const time = (at: number): string => clock(new Date(at).toISOString());
  const rows = uses.map(({ number, calls, first, last }) => [number, calls, time(first), time(last)]);
  return [["number", "calls", "first", "last"], ...rows].map(writeRow).join("");
}

function cellsOf(line: ReadLine, clock: Clock): readonly CellValue[] {
  const calling = objectsIn(line["calling"]);
  const called = isFields(line["called"]) ? [line["called"]] : [];
  const rest = Object.entries(line).filter(([name]) => !held.has(name));
  return [
    clock(line.time),
    line.record,
    ...["node", "id", "trunk", "lessee"].map((name) => textOf(line[name])),
    numbersOf(calling),
    joined(calling.map(({ raw }) => textIn(raw))),
    numbersOf(called),
    joined(called.map(({ raw }) => textIn(raw))),
    numbersOf(objectsIn(line["diversion"])),
    joined(objectsIn(line["shadow"]).map(({ rule, reason }) => `${textIn(rule)} ${textIn(reason)}`)),
    ...single.map((name) => textOf(line[name])),
    rest.length === 0 ? "" : plainJson(Object.fromEntries(rest)),
  ];
}

/** A number is an amount; a text of digits is none. */
type CellValue = string | number;

function textOf(value: unknown): CellValue {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return value;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The number of each party, or what stood in the message. */
function numbersOf(parties: readonly Fields[]): string {
  return joined(parties.map(({ number, raw }) => textIn(number) || textIn(raw)));
}

function joined(texts: readonly string[]): string {
  return [...new Set(texts.filter((text) => text !== ""))].join(" / ");
}

/** A spreadsheet that splits at another separator finds no new cell: every cell is quoted. */
function writeRow(cells: readonly CellValue[]): string {
  return `${cells.map((cell) => `"${harmless(cell).replaceAll('"', '""')}"`).join(",")}\r\n`;
}

/** Text that no spreadsheet computes and no terminal obeys. */
function harmless(value: CellValue): string {
  if (typeof value === "number") return String(value);
  const clean = plain(value);
  return isReckoned(value) ? `'${clean}` : clean;
}
