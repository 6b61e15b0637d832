// The table that `inspect` and `replay` print for people, one row per attempt.
import { type Calendar, createCalendar } from "../../config/lists/calendar.ts";
import type {
  AttemptLine,
  IdentityLine,
  MalformedLine,
  NumberLine,
} from "../../records/lines/attempt-line.ts";

/**
 * Rows that are measured before columns get their widths. A wider cell later only shifts its own
 * row.
 */
const MEASURED_ROWS = 200;

/** Longer text of a peer is cut in a table. JSON has all of it. */
const LONGEST_TEXT = 40;

const CSI = "\u001B[";
const colours: ReadonlyMap<string, string> = new Map([
  ["accept", "32"],
  ["label", "33"],
  ["withhold", "33"],
  ["reject", "31"],
  ["drop", "31"],
  ["malformed", "33"],
]);

/** Lays out lines in aligned columns. */
export interface AttemptTable {
  /** Adds a row and returns text to print, which is empty for the first rows. */
  add(line: AttemptLine | MalformedLine): string;
  /** Returns the rows that have not been printed yet. */
  flush(): string;
}

/** Replaces control codes, because text of a peer must not control a terminal. */
function printable(text: string): string {
  let clean = "";
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    // Marks that turn the writing direction could make one number look like another.
    const turning =
      (code >= 0x200b && code <= 0x200f) ||
      (code >= 0x202a && code <= 0x202e) ||
      (code >= 0x2066 && code <= 0x2069);
    clean += control || turning ? "?" : char;
  }
  return clean;
}

function shorten(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`;
}

function writeNumber({ raw, number, why }: NumberLine): string {
  return number ?? `"${shorten(raw)}" (${why ?? "no number"})`;
}

function writeCallers(calling: readonly IdentityLine[]): string {
  const seen = new Set<string>();
  for (const identity of calling) {
    const hidden = identity.presentation === "allowed" ? "" : ` ${identity.presentation}`;
    seen.add(writeNumber(identity) + hidden);
  }
  return [...seen].join(" / ");
}

function writeNotes(line: AttemptLine): string {
  const notes: string[] = [];
  if (line.signalling !== "sip") notes.push(line.signalling);
  if (line.transport !== "udp") notes.push(line.transport);
  if (line.isup !== undefined) notes.push(`circuit ${line.isup.opc}-${line.isup.dpc}-${line.isup.cic}`);
  if (line.retransmissionOf !== undefined) notes.push(`repeats ${line.retransmissionOf}`);
  for (const diverting of line.diversion) notes.push(`diverted by ${writeNumber(diverting)}`);
  for (const { rule, reason } of line.shadow ?? []) notes.push(`monitored: ${rule} ${reason}`);
  if (line.fault !== undefined) notes.push(line.fault);
  return notes.join("; ");
}

type Column = readonly [title: string, cell: (line: AttemptLine) => string];

const frameColumn: Column = ["FRAME", (line) => String(line.frame)];
const parties: readonly Column[] = [
  ["CALLING", (line) => writeCallers(line.calling)],
  ["CALLED", (line) => (line.called.raw === "" ? shorten(line.requestUri ?? "") : writeNumber(line.called))],
];
const notes: Column = ["NOTES", writeNotes];

/** The end of a call without addresses: its point code, or a dash where the capture has neither. */
function placeOf(endpoint: string | undefined, pointCode: number | undefined): string {
  return endpoint ?? (pointCode === undefined ? "-" : `pc ${pointCode}`);
}

const inspectColumns: readonly Column[] = [
  ["SOURCE", (line) => placeOf(line.source, line.isup?.opc)],
  ["DESTINATION", (line) => placeOf(line.destination, line.isup?.dpc)],
  ...parties,
  notes,
];
const replayColumns: readonly Column[] = [
  ["TRUNK", (line) => line.trunk ?? `? ${placeOf(line.source, line.isup?.opc)}`],
  ...parties,
  ["VERDICT", (line) => line.verdict ?? ""],
  ["REASON", (line) => line.reason ?? ""],
  ["RULE", (line) => line.rule ?? ""],
  notes,
];

/** The time of a line, with its microseconds, in the zone of a calendar. */
function localTime(clock: Calendar, time: string): string {
  const local = clock.formatTime(Date.parse(time));
  const micros = time.slice(time.indexOf(".") + ".123".length, -1);
  const offset = local.length - "+08:00".length;
  return local.slice(0, offset) + micros + local.slice(offset);
}

/**
 * Makes an empty table. `colour`: verdicts are coloured. `timeZone`: the zone of its times; UTC when undefined.
 */
export function createAttemptTable(
  kind: "inspect" | "replay",
  colour: boolean,
  timeZone: string | undefined,
): AttemptTable {
  const clock = timeZone === undefined ? undefined : createCalendar(timeZone);
  const time = (line: AttemptLine): string => (clock === undefined ? line.time : localTime(clock, line.time));
  const columns = [
    frameColumn,
    ["TIME", time] as const,
    ...(kind === "inspect" ? inspectColumns : replayColumns),
  ];
  const titles = columns.map(([title]) => title);
  let waiting: string[][] = [titles];
  let widths: number[] | undefined;

  function paint(cell: string): string {
    const code = colour ? colours.get(cell.trimEnd()) : undefined;
    return code === undefined ? cell : `${CSI}${code}m${cell}${CSI}0m`;
  }

  function write(row: readonly string[]): string {
    const text = row.map((cell, i) => {
      const padded = i + 1 === row.length ? cell : cell.padEnd(widths?.[i] ?? 0);
      return paint(padded);
    });
    return `${text.join("  ").trimEnd()}\n`;
  }

  function flush(): string {
    widths ??= titles.map((_, i) =>
      Math.max(...waiting.map((row) => (row.length > 2 ? (row[i] ?? "").length : 0))),
    );
    const text = waiting.length === 1 && waiting[0] === titles ? "" : waiting.map(write).join("");
    waiting = [];
    return text;
  }

  function add(line: AttemptLine | MalformedLine): string {
    const row =
      "malformed" in line
        ? [String(line.frame), `malformed: ${printable(line.malformed)}`]
        : columns.map(([, cell]) => printable(cell(line)));
    waiting.push(row);
    return widths === undefined && waiting.length <= MEASURED_ROWS ? "" : flush();
  }

  return { add, flush };
}
