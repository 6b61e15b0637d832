// Writes a clean list as the CSV that the policy reads.
import { Buffer } from "node:buffer";
import type { Calendar } from "../config/lists/calendar.ts";
import { writeCsv } from "../config/lists/csv.ts";
import type { AskedColumn } from "../config/lists/asked-column.ts";
import { createListReader, type ListReading } from "../config/lists/number-list.ts";
import type { CellIssue } from "./cell-issues.ts";
import type { CleanList, CleanRow } from "./clean-list.ts";

/** The text of a list, its header first. Line 2 is the first row. */
export function writeList(columns: readonly string[], rows: readonly CleanRow[]): string {
  return writeCsv([columns, ...rows.map(({ cells }) => cells)]);
}

/** The line of the first row: the header is line 1. */
const FIRST_LINE = 2;

/** Tells where in the table a line of the text came from. `firstLine` as in {@link proveList}. */
export function placesOf(
  { rows, placeOf }: CleanList,
  firstLine = FIRST_LINE,
): (line: number, column: string) => string {
  return (line, column) => placeOf(rows[line - firstLine]?.row ?? 1, column);
}

/**
 * Reads a list that was written as the policy would read it. What the reader refuses is told at the cell that it came
 * from.
 *
 * `firstLine` is the line of the first row in `text`; `asked`, the further column that the kind of the list asks for.
 */
export function proveList(
  list: CleanList,
  text: string,
  calendar: Calendar,
  homeCountry: string,
  {
    firstLine = FIRST_LINE,
    asked,
  }: { readonly firstLine?: number; readonly asked?: AskedColumn | undefined } = {},
): { readonly reading: ListReading; readonly issues: readonly CellIssue[] } {
  const reading = createListReader(calendar, homeCountry)("list", Buffer.from(text), asked);
  const placeOfLine = placesOf(list, firstLine);
  const issues = reading.issues
    .filter(({ severity }) => severity === "error")
    .map(({ line, path, message }): CellIssue => {
      const column = list.columns.find((name) => name === path);
      return { place: placeOfLine(line, column ?? "number"), column: column ?? "", message };
    });
  return { reading, issues };
}
