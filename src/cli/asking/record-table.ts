// The table of record lines for people: one row a line, the same columns as `replay` prints.
import type { NumberUse } from "../../records/asking/sealed-lines.ts";
import type { ReadLine } from "../../records/asking/record-filter.ts";
import { type Fields, isFields, objectsIn } from "../../records/lines/line-fields.ts";
import { alignRows, plain } from "./plain-text.ts";

/** Longer text of a peer is cut in a table. JSON has all of it. */
const LONGEST_TEXT = 40;

/** Formats a moment for people. */
export type Clock = (time: string) => string;

/** Lays out lines; each row ends with a line end. */
export function layOutLines(lines: readonly ReadLine[], clock: Clock): string {
  const rows = lines.map((line) => [
    clock(line.time),
    show(line["trunk"]),
    writeCallers(line["calling"]),
    writeCalled(line),
    line.record === "decided" ? show(line["verdict"]) : kindOf(line),
    show(line["reason"]),
    show(line["rule"]),
    writeNotes(line),
  ]);
  return write([["TIME", "TRUNK", "CALLING", "CALLED", "VERDICT", "REASON", "RULE", "NOTES"], ...rows]);
}

/** Lays out calling numbers and how often they were used. */
export function layOutNumbers(uses: readonly NumberUse[], clock: Clock): string {
  const time = (at: number): string => clock(new Date(at).toISOString());
  const rows = uses.map(({ number, calls, first, last }) => [
    plain(number),
    String(calls),
    time(first),
    time(last),
  ]);
  return write([["NUMBER", "CALLS", "FIRST", "LAST"], ...rows]);
}

function write(rows: readonly (readonly string[])[]): string {
  return alignRows(rows)
    .map((row) => `${row}\n`)
    .join("");
}

function kindOf(line: ReadLine): string {
  return line.record === "request" ? `${show(line["method"])} ${show(line["verdict"])}` : show(line.record);
}

/** A field as plain text; empty where the line has none. */
export function show(value: unknown): string {
  if (typeof value === "string") return shorten(plain(value));
  return typeof value === "number" ? String(value) : "";
}

function shorten(text: string): string {
  const characters = Array.from(text);
  return characters.length <= LONGEST_TEXT ? text : `${characters.slice(0, LONGEST_TEXT - 1).join("")}…`;
}

/** A party: its number, or what stood in the message and why that is no number. */
export function showParty(party: unknown): string {
  if (!isFields(party)) return "";
  const number = show(party["number"]);
  const hidden = party["presentation"];
  const shown = number === "" ? `"${show(party["raw"])}" (${show(party["why"]) || "no number"})` : number;
  return typeof hidden === "string" && hidden !== "allowed" ? `${shown} ${plain(hidden)}` : shown;
}

function writeCallers(calling: unknown): string {
  return [...new Set(objectsIn(calling).map(showParty))].join(" / ");
}

function writeCalled({ called, requestUri }: ReadLine): string {
  const text = showParty(called);
  return text === '"" (no number)' ? show(requestUri) : text;
}

/** The circuit of an IAM: `OPC-DPC-CIC`. */
export function sayCircuit(isup: Fields): string {
  return ["opc", "dpc", "cic"].map((name) => show(isup[name])).join("-");
}

/** What a rule in monitor mode found: rule, reason, and whom and which row of a list, where they are known. */
export function sayMonitored({ rule, reason, number, listLine }: Fields): string {
  return [rule, reason, number, listLine]
    .filter((part) => part !== undefined)
    .map(show)
    .join(" ");
}

function writeNotes(line: ReadLine): string {
  const notes: string[] = [];
  if (isFields(line["isup"])) notes.push(`circuit ${sayCircuit(line["isup"])}`);
  for (const hit of objectsIn(line["shadow"])) notes.push(`monitored: ${sayMonitored(hit)}`);
  for (const mark of objectsIn(line["marks"])) notes.push(`marked: ${sayMark(mark)}`);
  for (const name of ["listLine", "notice", "why"])
    if (line[name] !== undefined) notes.push(show(line[name]));
  if (line.record === "decided" || line.record === "request") {
    if (line["action"] !== undefined && line["action"] !== "forwarded") notes.push(sayAction(line));
  } else {
    const told = [
      "id",
      "line",
      "state",
      "order",
      "revision",
      "by",
      "how",
      "seconds",
      "lost",
      "count",
      "command",
    ];
    for (const name of told) if (line[name] !== undefined) notes.push(`${name} ${show(line[name])}`);
  }
  return notes.join("; ");
}

/** A mark of a call: `observe line-observed`. */
export function sayMark({ verdict, reason }: Fields): string {
  return `${show(verdict)} ${show(reason)}`;
}

/** What was done, with the status or the cause. */
export function sayAction({ action, status, cause }: ReadLine): string {
  if (action === "answered") return `answered ${show(status)}`;
  if (action === "released") return `released, cause ${show(cause)}`;
  return action === "silent" ? "no answer" : show(action);
}
