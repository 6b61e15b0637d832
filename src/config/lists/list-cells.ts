// Reads the header and the rows of a list, cell by cell, and says where a cell is wrong.
import { type ListEntry, readListEntry } from "../../numbering/list-entry.ts";
import type { NumberRow } from "../../numbering/number-set-builder.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import type { AskedCells, AskedColumn } from "./asked-column.ts";
import type { Calendar } from "./calendar.ts";
import { countLines, type CsvRow, widthOf } from "./csv.ts";
import {
  adviseColumn,
  adviseDate,
  adviseHeader,
  adviseNumber,
  adviseSeparator,
  type Column,
  columnNamed,
  isMisspeltTrunk,
  misspeltDateColumn,
  plainName,
  quoteCell,
  shortenCell,
} from "./list-advice.ts";

/** No number, range or prefix has more characters, separators included. */
const longestNumber = 80;
/** At most so many unknown columns are named. */
const MOST_UNKNOWN = 20;

/** A place in a file. Lines and columns count from 1. */
export interface FilePlace {
  readonly line: number;
  readonly column: number;
}
/** Takes an issue. */
export type Report = (
  place: FilePlace,
  path: string,
  message: string,
  severity?: ConfigIssue["severity"],
) => void;

/** Positions of the known columns in a row. */
export interface Header {
  readonly width: number;
  readonly positions: ReadonlyMap<Column, number>;
  /** Position of the column that the kind of the list asks for; -1: there is none. */
  readonly asked: number;
}

/**
 * Reads the first row that is not blank.
 *
 * @param column the column that the kind of the list asks for
 */
export function readHeader(row: CsvRow, report: Report, column?: AskedColumn): Header {
  const positions = new Map<Column, number>();
  const width = widthOf(row);
  let asked = -1;
  let unknown = 0;
  for (const [index, cell] of row.cells.slice(0, width).entries()) {
    const name = cell.trim();
    const isAsked = column !== undefined && plainName(name) === plainName(column.name);
    const known = isAsked ? undefined : columnNamed(name);
    if (isAsked) {
      if (asked >= 0) report(placeOf(row, index), name, `the header has the column "${name}" twice`);
      else asked = index;
    } else if (known === undefined) {
      if (++unknown > MOST_UNKNOWN) continue;
      if (column?.holds === "trunks" && isMisspeltTrunk(name))
        report(
          placeOf(row, index),
          shortenCell(name),
          `unknown column ${quoteCell(name)}; did you mean "trunk"?`,
        );
      else reportUnknown(placeOf(row, index), name, report);
    } else if (known === "trunk") {
      const message = "only lists of lessees have a column trunk; here every row holds for every trunk";
      report(placeOf(row, index), name, message, "warning");
    } else if (positions.has(known)) {
      report(placeOf(row, index), name, `the header has the column "${name}" twice`);
    } else {
      positions.set(known, index);
    }
  }
  if (unknown > MOST_UNKNOWN) {
    const message = `${unknown - MOST_UNKNOWN} more unknown columns`;
    report(placeOf(row, 0), "", message, "warning");
  }
  if (!positions.has("number"))
    report(
      placeOf(row, 0),
      "",
      `the header has no column "number"${adviseHeader(row.cells.slice(0, width))}`,
    );
  if (column?.holds === "score" && asked < 0)
    report(
      placeOf(row, 0),
      "",
      `the header has no column "${column.name}", and a list of kind score needs it`,
    );
  return { width, positions, asked };
}

/** A column that nobody reads is a warning. Where it was to hold dates, numbers would go on calling: an error. */
function reportUnknown(place: FilePlace, name: string, report: Report): void {
  const date = misspeltDateColumn(name);
  if (date === undefined)
    report(place, shortenCell(name), `unknown column ${quoteCell(name)}${adviseColumn(name)}`, "warning");
  else {
    const advice = adviseSeparator(name) || `; did you mean "${date}"?`;
    report(
      place,
      shortenCell(name),
      `unknown column ${quoteCell(name)}, its dates would be ignored${advice}`,
    );
  }
}

/** Reads a row behind the header.
 * @param cells reads the column that the kind of the list asks for
 * @returns undefined when it has a mistake, which is reported */
export function readRow(
  row: CsvRow,
  header: Header,
  calendar: Calendar,
  homeCountry: string,
  report: Report,
  cells?: AskedCells,
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
      refuse(column, `${quoteCell(text)} is not a date like 2026-12-31${adviseDate(text)}`);
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
    refuse("may_forward", `expected yes or no, got ${quoteCell(forward)}`);
  }
  const mark = header.asked < 0 ? undefined : cells?.readText(row.cells[header.asked]?.trim() ?? "");
  if (typeof mark === "string") {
    isSound = false;
    // A row may end before the column.
    report(placeOf(row, header.asked < row.cells.length ? header.asked : 0), cells?.column.name ?? "", mark);
  }
  if (!isSound || typeof entry === "string" || typeof mark === "string") return undefined;
  return {
    entry,
    row: {
      line: row.line,
      validFrom: from?.start,
      validTo: to?.end,
      verifiedOn: verified?.start,
      mayForward: forward === "yes",
      mark,
    },
  };
}

function readEntry(cell: string, homeCountry: string): ListEntry | string {
  if (cell === "") return "the number is missing";
  if (cell.length > longestNumber) return `has ${cell.length} characters, too many for a number`;
  return readListEntry(cell, homeCountry);
}

/**
 * Finds where a cell begins. The parser gives no positions, so an error scans the raw row again.
 */
export function placeOf(row: CsvRow, index: number): FilePlace {
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

/** Finds the place of a character in a text. */
export function placeAt(text: string, offset: number): FilePlace {
  const before = text.slice(0, offset);
  return { line: countLines(before) + 1, column: offset - before.lastIndexOf("\n") };
}
