// Reads number lists: CSV text in, sorted numbers and issues out.
import { readListEntry } from "../../numbering/list-entry.ts";
import type { ListEntry } from "../../numbering/list-entry.ts";
import { createNumberSetBuilder } from "../../numbering/number-set-builder.ts";
import type { NumberRow } from "../../numbering/number-set-builder.ts";
import type { NumberSet } from "../../numbering/number-set.ts";
import type { Calendar } from "./calendar.ts";
import { countLines, type CsvRow, eachCsvRow, isBlankRow, widthOf } from "./csv.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { decodeText } from "../yaml/yaml-source.ts";
import {
  adviseColumn,
  adviseDate,
  adviseEncoding,
  adviseNumber,
  adviseSeparator,
  type Column,
  columnNamed,
  looksLikeUtf16,
  misspeltDateColumn,
} from "./list-advice.ts";

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
  /** The ranges and prefixes that cover {@link WIDE} numbers or more. */
  readonly wide: readonly WideRow[];
  /** The text with LF line ends and without byte order mark, for the policy revision. */
  readonly text: string;
}

/** A range or prefix that covers so many numbers that a slip of the pen is likely. */
export interface WideRow {
  readonly line: number;
  /** How many numbers it covers, in words. */
  readonly covers: string;
  /** True for numbers and codes of the home country. */
  readonly isHome: boolean;
}

/** A leased line has a block of hundreds or thousands of numbers. */
const WIDE = 1_000_000;
/** A prefix with fewer digits, country code included, covers {@link WIDE} numbers of the home plan or more. */
const FEWEST_PREFIX_DIGITS = 7;
/** A prefix of codes with fewer digits covers the codes of several services. */
const FEWEST_CODE_DIGITS = 3;

/**
 * Result of reading a list. `list` is undefined when `issues` has an error: one bad row refuses the
 * whole list.
 */
export interface ListReading {
  readonly list: ReadList | undefined;
  readonly issues: readonly ConfigIssue[];
}

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
    report(placeAt(decoded.text, decoded.damage), "", adviseEncoding(bytes));
    return { list: undefined, issues };
  }
  if (looksLikeUtf16(text)) {
    report({ line: 1, column: 1 }, "", "this is UTF-16 text; save the file as CSV UTF-8");
    return { list: undefined, issues };
  }

  const builder = createNumberSetBuilder();
  const tally = { rows: 0, exact: 0, ranges: 0, prefixes: 0, numbers: 0 };
  const wide: WideRow[] = [];
  let header: Header | undefined;
  let lines = 1;
  eachCsvRow(text, (row): undefined => {
    lines = row.line + countLines(row.text);
    if (row.mistake !== undefined) {
      report({ line: row.line, column: 1 }, "", row.mistake);
    } else if (isBlankRow(row)) {
      return;
    } else if (header === undefined) {
      header = readHeader(row, report);
    } else if (header.positions.has("number")) {
      const read = readRow(row, header, calendar, homeCountry, report);
      if (read === undefined) return;
      builder.add(read.entry, read.row);
      count(tally, read.entry);
      const covers = sayWide(read.entry);
      if (covers !== undefined)
        wide.push({ line: row.line, covers, isHome: isOfHome(read.entry, homeCountry) });
    }
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
    issues.push({ severity: "error", file, line: lines, column: 1, path: "", message });
  }
  if (errors > 0) return { list: undefined, issues };
  return { list: { numbers: builder.build(), counts: tally, wide, text: text.trimEnd() }, issues };
}

interface FilePlace {
  readonly line: number;
  readonly column: number;
}
type Report = (place: FilePlace, path: string, message: string, severity?: ConfigIssue["severity"]) => void;

/** Positions of the known columns in a row. */
interface Header {
  readonly width: number;
  readonly positions: ReadonlyMap<Column, number>;
}

function readHeader(row: CsvRow, report: Report): Header {
  const positions = new Map<Column, number>();
  const width = widthOf(row);
  for (const [index, cell] of row.cells.slice(0, width).entries()) {
    const name = cell.trim();
    const column = columnNamed(name);
    if (column === undefined) {
      reportUnknown(placeOf(row, index), name, report);
    } else if (positions.has(column)) {
      report(placeOf(row, index), name, `the header has the column "${name}" twice`);
    } else {
      positions.set(column, index);
    }
  }
  if (!positions.has("number")) report(placeOf(row, 0), "", 'the header has no column "number"');
  return { width, positions };
}

/** A column that nobody reads is a warning. Where it was to hold dates, numbers would go on calling: an error. */
function reportUnknown(place: FilePlace, name: string, report: Report): void {
  const date = misspeltDateColumn(name);
  if (date === undefined) report(place, name, `unknown column "${name}"${adviseColumn(name)}`, "warning");
  else {
    const advice = adviseSeparator(name) || `; did you mean "${date}"?`;
    report(place, name, `unknown column "${name}", its dates would be ignored${advice}`);
  }
}

function readRow(
  row: CsvRow,
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
  const width = widthOf(row);
  if (width > header.width) {
    isSound = false;
    const message = `the row has ${width} cells, the header ${header.width}; put text with a comma in quotes`;
    report(placeOf(row, header.width), "", message);
  }
  const day = (column: Column): ReturnType<Calendar["readDay"]> => {
    const text = cell(column);
    const read = text === "" ? undefined : calendar.readDay(text);
    if (text !== "" && read === undefined)
      refuse(column, `"${text}" is not a date like 2026-12-31${adviseDate(text)}`);
    return read;
  };
  const entry = readEntry(cell("number"), homeCountry);
  if (typeof entry === "string") refuse("number", `${entry}${adviseNumber(cell("number"))}`);
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

/** Says how many numbers a range or prefix covers; undefined for one of a usual size. */
function sayWide(entry: ListEntry): string | undefined {
  if (entry.kind === "range") {
    const numbers = entry.high - entry.low + 1;
    return numbers < WIDE ? undefined : `the range covers ${numbers.toLocaleString("en")} numbers`;
  }
  if (entry.kind === "exact") return undefined;
  const { digits, code } = entry;
  if (code)
    return digits.length < FEWEST_CODE_DIGITS ? `the prefix covers every code with ${digits}` : undefined;
  if (digits.length >= FEWEST_PREFIX_DIGITS) return undefined;
  return `the prefix has only ${digits.length} digits, so it covers a million numbers or more`;
}

function isOfHome(entry: ListEntry, homeCountry: string): boolean {
  if (entry.kind === "prefix") return entry.code || entry.digits.startsWith(homeCountry);
  const key = entry.kind === "exact" ? entry.key : entry.low;
  return key < 0 || String(key).startsWith(homeCountry);
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
function placeOf(row: CsvRow, index: number): FilePlace {
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
