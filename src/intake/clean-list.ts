// Makes a clean list out of a table: every cell read strictly, and every change told.
import type { AskedColumn } from "../config/lists/asked-column.ts";
import { columns, quoteCell, shortenCell } from "../config/lists/list-advice.ts";
import { readListEntry } from "../numbering/list-entry.ts";
import { createCellIssues, type FoundIssues } from "./cell-issues.ts";
import { cleanDay } from "./day-cell.ts";
import { cleanNumber, type NumberChange } from "./number-cell.ts";
import { type Cell, isEmptyRow, type Table, type TableRow } from "./table.ts";
import { findHeader, type TableHeader } from "./table-header.ts";

/** What was done to cells or rows. */
export type Change =
  | NumberChange
  | "day"
  | "yes-no"
  | "empty-row"
  | "row-twice"
  | "unread-column"
  | "unnamed-cell";

/** How often a change was made, and where first. */
export interface ChangeCount {
  readonly change: Change;
  readonly count: number;
  /** The first places; for columns that nobody reads: their names. */
  readonly first: readonly string[];
}

/** A row of the clean list. */
export interface CleanRow {
  /** The row of the table that it was read from. */
  readonly row: number;
  /** Texts by position of `CleanList.columns`. */
  readonly cells: readonly string[];
}

export interface CleanList extends FoundIssues {
  readonly columns: readonly string[];
  readonly rows: readonly CleanRow[];
  readonly changes: readonly ChangeCount[];
  readonly placeOf: (row: number, column: string) => string;
}

const FIRST_PLACES = 3;
const dayColumns: ReadonlySet<string> = new Set(["valid_from", "valid_to", "verified_on"]);

/**
 * @param homeCountry country code of the plan that bare numbers belong to
 * @param asked the further column that the kind of the list asks for
 * @returns an error in words when the table has no header
 */
export function cleanList(
  table: Table,
  homeCountry: string,
  asked?: AskedColumn,
): CleanList | { readonly error: string } {
  const header = findHeader(table, asked);
  if ("error" in header) return header;
  const known: readonly string[] = [...new Set([...columns, ...(asked === undefined ? [] : [asked.name])])];
  const used = known.filter((column) => header.positions.has(column));
  const tally = createTally();
  const issues = createCellIssues();
  const placeOf = (row: number, column: string): string =>
    table.placeOf(row, header.positions.get(column) ?? 0);
  const refuse = (row: number, column: string, message: string): void =>
    issues.add({ place: placeOf(row, column), column, message });
  for (const name of header.unread) tally.add("unread-column", shortenCell(name));

  const rows: CleanRow[] = [];
  const seen = new Map<string, CleanRow>();
  for (const row of rowsBelow(table, header)) {
    if (isEmptyRow(row)) {
      tally.add("empty-row", String(row.row));
      continue;
    }
    const beyond = row.cells.findLastIndex((cell) => cell !== undefined && String(cell).trim() !== "");
    if (beyond >= header.width && table.isText) {
      const message = `the row has ${beyond + 1} cells, the header ${header.width}; put text with a separator in quotes`;
      issues.add({ place: table.placeOf(row.row, header.width), column: "", message });
      continue;
    }
    if (beyond >= header.width) tally.add("unnamed-cell", table.placeOf(row.row, beyond));
    const cells = used.map((column) => {
      const cell = row.cells[header.positions.get(column) ?? -1];
      const read = cleanCell(column, cell, homeCountry);
      if ("error" in read) {
        refuse(row.row, column, read.error);
        return undefined;
      }
      for (const change of read.changes) tally.add(change, placeOf(row.row, column));
      return read.text;
    });
    if (cells.some((cell) => cell === undefined)) continue;
    const clean = { row: row.row, cells: cells.map((cell) => cell ?? "") };
    const numberAt = used.indexOf("number");
    const number = clean.cells[numberAt] ?? "";
    const meant = meaningOf(number, homeCountry);
    const before = seen.get(meant);
    if (before === undefined) {
      seen.set(meant, clean);
      rows.push(clean);
    } else if (clean.cells.every((cell, index) => index === numberAt || cell === before.cells[index]))
      tally.add("row-twice", placeOf(row.row, "number"));
    else
      refuse(
        row.row,
        "number",
        `${number} stands at ${placeOf(before.row, "number")} already, with other cells`,
      );
  }
  return { columns: used, rows, changes: tally.counts(), ...issues.found(), placeOf };
}

function* rowsBelow({ rows }: Table, header: TableHeader): Iterable<TableRow> {
  // Spreadsheets keep empty rows behind the last one: they are no change.
  const last = rows.findLastIndex((row) => !isEmptyRow(row));
  for (const [index, row] of rows.entries()) if (row.row > header.row.row && index <= last) yield row;
}

/** A number, range or prefix in one form, however it is written: 0571… is +86571…. */
function meaningOf(number: string, homeCountry: string): string {
  const entry = readListEntry(number, homeCountry);
  if (typeof entry === "string") return number;
  if (entry.kind === "exact") return String(entry.key);
  return entry.kind === "range"
    ? `${entry.low}..${entry.high}`
    : `${entry.digits}${entry.code ? "*code" : "*"}`;
}

type CleanCell = { readonly text: string; readonly changes: readonly Change[] } | { readonly error: string };

function cleanCell(column: string, cell: Cell, homeCountry: string): CleanCell {
  if (column === "number") {
    const read = cleanNumber(cell, homeCountry);
    return "error" in read ? read : { text: read.number, changes: read.changes };
  }
  if (dayColumns.has(column)) {
    const read = cleanDay(cell);
    return "error" in read ? read : { text: read.day, changes: read.isChanged ? ["day"] : [] };
  }
  if (column === "may_forward") return cleanYesNo(cell);
  if (typeof cell === "string") return { text: cell.trim().replaceAll(/\s+/gu, " "), changes: [] };
  return { text: cell instanceof Date ? cell.toISOString().slice(0, 10) : String(cell ?? ""), changes: [] };
}

const yes: ReadonlySet<string> = new Set(["yes", "y", "true", "1", "是", "有", "√", "允许"]);
const no: ReadonlySet<string> = new Set(["no", "n", "false", "0", "否", "无", "×", "x", "不允许"]);

function cleanYesNo(cell: Cell): CleanCell {
  const written = String(cell ?? "").trim();
  const word = written.normalize("NFKC").toLowerCase();
  if (word === "") return { text: "", changes: [] };
  const text = yes.has(word) ? "yes" : no.has(word) ? "no" : undefined;
  if (text === undefined) return { error: `expected yes or no (是, 否), got ${quoteCell(written)}` };
  return { text, changes: text === written ? [] : ["yes-no"] };
}

function createTally() {
  const counts = new Map<Change, { count: number; readonly first: string[] }>();
  return {
    add(change: Change, place: string): void {
      const known = counts.get(change) ?? { count: 0, first: [] };
      known.count++;
      if (known.first.length < FIRST_PLACES) known.first.push(place);
      counts.set(change, known);
    },
    counts: (): readonly ChangeCount[] =>
      [...counts].map(([change, { count, first }]) => ({ change, count, first })),
  };
}
