// Finds the columns of a list in the header of a table, in the words that people write there.
import { type Column, columnMeant } from "../config/lists/list-advice.ts";
import type { Table, TableRow } from "./table.ts";
import { isEmptyRow } from "./table.ts";

/** The header of a table: where each column of a list stands. */
export interface TableHeader {
  readonly row: TableRow;
  /** Position in the row by column of the list. */
  readonly positions: ReadonlyMap<Column, number>;
  /** Names of columns that no list has. */
  readonly unread: readonly string[];
}

/** A title may stand above the header, and notes below the title. */
const MOST_ROWS_ABOVE = 10;

/**
 * Finds the header: the first row that names the column of the numbers. Titles above it are passed over.
 * @returns an error in words when there is none, or when a column stands twice
 */
export function findHeader({ rows, placeOf }: Table): TableHeader | { readonly error: string } {
  const candidates = rows.filter((row) => !isEmptyRow(row)).slice(0, MOST_ROWS_ABOVE);
  for (const row of candidates) {
    const positions = new Map<Column, number>();
    const unread: string[] = [];
    let twice: string | undefined;
    for (const [index, cell] of row.cells.entries()) {
      const name = typeof cell === "string" ? cell.trim() : "";
      const column = name === "" ? undefined : columnMeant(name);
      if (column === undefined) {
        if (name !== "") unread.push(name);
      } else if (positions.has(column)) {
        twice ??= `${placeOf(row.row, index)}: "${name}" is the column ${column}, which another column is already`;
      } else {
        positions.set(column, index);
      }
    }
    if (!positions.has("number")) continue;
    return twice === undefined ? { row, positions, unread } : { error: twice };
  }
  return { error: 'no row has a column "number" (号码)' };
}
