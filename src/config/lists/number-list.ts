// Reads number lists: CSV text in, sorted numbers and issues out.
import Papa from "papaparse";
import { readListEntry } from "../../numbering/list-entry.ts";
import type { ListEntry } from "../../numbering/list-entry.ts";
import { createNumberSetBuilder } from "../../numbering/number-set-builder.ts";
import type { NumberRow } from "../../numbering/number-set-builder.ts";
import type { NumberSet } from "../../numbering/number-set.ts";
import type { Calendar } from "./calendar.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { decodeText, notUtf8 } from "../yaml/yaml-source.ts";
import { suggest } from "../yaml/suggestion.ts";

/** How many rows of each form a list has. */
export interface ListCounts {
  readonly rows: number;
  readonly exact: number;
  readonly ranges: number;
  readonly prefixes: number;
  /** Exact numbers plus the numbers inside the ranges. A prefix adds none. */
  readonly numbers: number;
}

/** A list that was read without error. */
export interface ReadList {
  readonly numbers: NumberSet;
  readonly counts: ListCounts;
  /** The prefix with the fewest digits, and its line. It covers the most numbers. */
  readonly shortestPrefix: { readonly digits: string; readonly line: number } | undefined;
  /** The text with LF line ends and without byte order mark, for the policy revision. */
  readonly text: string;
}

/**
 * Result of reading a list. `list` is undefined when `issues` has an error: one bad row refuses the
 * whole list.
 */
export interface ListReading {
  readonly list: ReadList | undefined;
  readonly issues: readonly ConfigIssue[];
}

const columns = [
  "number",
  "valid_from",
  "valid_to",
  "verified_on",
  "may_forward",
  "purpose",
  "contract",
  "source",
  "notice",
  "note",
] as const;
type Column = (typeof columns)[number];

/** At most this many errors are reported; the rest is counted. A wrong file has bad rows only. */
const mostIssues = 50;

/** No number, range or prefix has more characters, separators included. */
const longestNumber = 80;

/**
 * Reads a CSV list of numbers. Dates are days of `calendar`; bare numbers belong to the plan of
 * `homeCountry`.
 */
export function readNumberList(
  file: string,
  bytes: Uint8Array,
  calendar: Calendar,
  homeCountry: string,
): ListReading {
  const decoded = decodeText(bytes);
  const text = decoded.text.includes("\r") ? decoded.text.replaceAll(/\r\n?/g, "\n") : decoded.text;
  const issues: ConfigIssue[] = [];
  let errors = 0;
  const report = (
    place: FilePlace,
    path: string,
    message: string,
    severity: ConfigIssue["severity"] = "error",
  ): void => {
    if (severity === "error") errors += 1;
    if (severity === "warning" || errors <= mostIssues)
      issues.push({ severity, file, ...place, path, message });
  };
  if (decoded.damage !== undefined) {
    report(placeAt(decoded.text, decoded.damage), "", notUtf8);
    return { list: undefined, issues };
  }

  const builder = createNumberSetBuilder();
  const tally = { rows: 0, exact: 0, ranges: 0, prefixes: 0, numbers: 0 };
  let shortestPrefix: ReadList["shortestPrefix"];
  let header: Header | undefined;
  let line = 1;
  let offset = 0;
  Papa.parse<readonly string[]>(text, {
    delimiter: ",",
    newline: "\n",
    step: ({ data: cells, errors: mistakes, meta }) => {
      const row = { cells, line, text: text.slice(offset, meta.cursor) };
      offset = meta.cursor;
      line += countLines(row.text);
      const [mistake] = mistakes;
      if (mistake !== undefined) {
        report({ line: row.line, column: 1 }, "", mistake.message);
      } else if (cells.length === 1 && cells[0]?.trim() === "") {
        return;
      } else if (header === undefined) {
        header = readHeader(row, report);
      } else if (header.positions.has("number")) {
        const read = readRow(row, header, calendar, homeCountry, report);
        if (read === undefined) return;
        builder.add(read.entry, read.row);
        count(tally, read.entry);
        if (
          read.entry.kind === "prefix" &&
          read.entry.digits.length < (shortestPrefix?.digits.length ?? 99)
        ) {
          shortestPrefix = { digits: read.entry.digits, line: row.line };
        }
      }
    },
  });
  if (errors === 0 && tally.rows === 0) {
    report(
      { line: 1, column: 1 },
      "",
      "the list is empty; remove it from the policy if it must match nothing",
    );
  }
  if (errors > mostIssues) {
    const message = `${errors - mostIssues} more errors in this list`;
    issues.push({ severity: "error", file, line, column: 1, path: "", message });
  }
  if (errors > 0) return { list: undefined, issues };
  return { list: { numbers: builder.build(), counts: tally, shortestPrefix, text: text.trimEnd() }, issues };
}

interface FilePlace {
  readonly line: number;
  readonly column: number;
}
type Report = (place: FilePlace, path: string, message: string, severity?: ConfigIssue["severity"]) => void;

interface Row {
  readonly cells: readonly string[];
  /** Line on which the row begins, from 1. */
  readonly line: number;
  readonly text: string;
}

/** Positions of the known columns in a row. */
interface Header {
  readonly width: number;
  readonly positions: ReadonlyMap<Column, number>;
}

function readHeader(row: Row, report: Report): Header {
  const positions = new Map<Column, number>();
  for (const [index, cell] of row.cells.entries()) {
    const name = cell.trim();
    const column = columns.find((known) => known === name);
    if (column === undefined) {
      report(placeOf(row, index), name, `unknown column "${name}"${suggest(name, columns)}`, "warning");
    } else if (positions.has(column)) {
      report(placeOf(row, index), name, `the header has the column "${name}" twice`);
    } else {
      positions.set(column, index);
    }
  }
  if (!positions.has("number")) report(placeOf(row, 0), "", 'the header has no column "number"');
  return { width: row.cells.length, positions };
}

function readRow(
  row: Row,
  header: Header,
  calendar: Calendar,
  homeCountry: string,
  report: Report,
): { readonly entry: ListEntry; readonly row: NumberRow } | undefined {
  const position = (column: Column): number => header.positions.get(column) ?? -1;
  const cell = (column: Column): string => row.cells[position(column)]?.trim() ?? "";
  let isSound = true;
  const refuse = (column: Column, message: string): void => {
    isSound = false;
    report(placeOf(row, Math.max(position(column), 0)), column, message);
  };
  if (row.cells.length > header.width) {
    isSound = false;
    const message = `the row has ${row.cells.length} cells, the header ${header.width}; put text with a comma in quotes`;
    report(placeOf(row, header.width), "", message);
  }
  const day = (column: Column): ReturnType<Calendar["readDay"]> => {
    const text = cell(column);
    const read = text === "" ? undefined : calendar.readDay(text);
    if (text !== "" && read === undefined) refuse(column, `"${text}" is not a date like 2026-12-31`);
    return read;
  };
  const entry = readEntry(cell("number"), homeCountry);
  if (typeof entry === "string") refuse("number", entry);
  const from = day("valid_from");
  const to = day("valid_to");
  const verified = day("verified_on");
  if (from !== undefined && to !== undefined && to.end <= from.start) {
    refuse("valid_to", `${cell("valid_to")} is before valid_from ${cell("valid_from")}`);
  }
  const forward = cell("may_forward");
  if (forward !== "" && forward !== "yes" && forward !== "no") {
    refuse("may_forward", `expected yes or no, got "${forward}"`);
  }
  if (!isSound || typeof entry === "string") return undefined;
  return {
    entry,
    row: {
      line: row.line,
      validFrom: from?.start,
      validTo: to?.end,
      verifiedOn: verified?.start,
      mayForward: forward === "yes",
    },
  };
}

function readEntry(cell: string, homeCountry: string): ListEntry | string {
  if (cell === "") return "the number is missing";
  if (cell.length > longestNumber) return `has ${cell.length} characters, too many for a number`;
  return readListEntry(cell, homeCountry);
}

function count(tally: { -readonly [Name in keyof ListCounts]: ListCounts[Name] }, entry: ListEntry): void {
  tally.rows += 1;
  switch (entry.kind) {
    case "exact":
      tally.exact += 1;
      tally.numbers += 1;
      break;
    case "range":
      tally.ranges += 1;
      tally.numbers += entry.high - entry.low + 1;
      break;
    case "prefix":
      tally.prefixes += 1;
      break;
  }
}

/**
 * Finds where a cell begins. The parser gives no positions, so an error scans the raw row again.
 */
function placeOf(row: Row, index: number): FilePlace {
  let cell = 0;
  let isQuoted = false;
  let offset = 0;
  for (; offset < row.text.length && cell < index; offset++) {
    const character = row.text[offset];
    if (character === '"') isQuoted = !isQuoted;
    else if (character === "," && !isQuoted) cell += 1;
  }
  const place = placeAt(row.text, offset);
  return { line: row.line + place.line - 1, column: place.column };
}

function placeAt(text: string, offset: number): FilePlace {
  const before = text.slice(0, offset);
  return { line: countLines(before) + 1, column: offset - before.lastIndexOf("\n") };
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}
