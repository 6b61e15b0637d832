// A table as a file held it: rows of cells, each of which can be named to whoever made the file.

/** What a cell holds. A date is the day in UTC that the spreadsheet shows. */
export type Cell = string | number | boolean | Date | undefined;

export interface TableRow {
  /** The row as people count it, from 1. */
  readonly row: number;
  readonly cells: readonly Cell[];
}

/** A table that was read. */
export interface Table {
  /** What it was read from, for people: `UTF-8, commas`, `sheet 号码`. */
  readonly form: string;
  /** True for text: a separator within a cell moves the cells behind it. */
  readonly isText: boolean;
  readonly rows: readonly TableRow[];
  /** How a place in it is written: `7:2` in a text, `B7` in a workbook. */
  readonly placeOf: (row: number, column: number) => string;
}

/** Among so many first rows a reader looks for the header: a title and remarks may stand above it. */
export const ROWS_OF_TITLE = 20;

/** A table, or why there is none, in words for whoever made the file. */
export type TableReading = { readonly table: Table } | { readonly error: string };

/** A row in which nothing stands. */
export function isEmptyRow({ cells }: TableRow): boolean {
  return cells.every((cell) => cell === undefined || (typeof cell === "string" && cell.trim() === ""));
}

/** The name of a cell as spreadsheets write it. Columns count from 0, rows from 1. */
export function cellName(row: number, column: number): string {
  let letters = "";
  for (let rest = column; rest >= 0; rest = Math.floor(rest / 26) - 1)
    letters = String.fromCodePoint(65 + (rest % 26)) + letters;
  return `${letters}${row}`;
}
