// Reads one row of a list again, with every column, for people who ask why it decided.
import { decodeText } from "../yaml/yaml-source.ts";
import { eachCsvRow, isBlankRow } from "./csv.ts";
import { type Column, columnNamed } from "./list-advice.ts";

/** The columns that say why a number is in a list, in the order in which people want them. */
const shown: readonly Column[] = [
  "notice",
  "source",
  "contract",
  "trunk",
  "purpose",
  "valid_from",
  "valid_to",
  "verified_on",
  "note",
];

/**
 * Returns what the row at `line` (from 1) says beside its number, as column and value. Empty cells are left out.
 */
export function readListRow(bytes: Uint8Array, line: number): readonly (readonly [Column, string])[] {
  const text = decodeText(bytes).text.replaceAll(/\r\n?/g, "\n");
  let header: readonly string[] | undefined;
  let found: readonly string[] | undefined;
  eachCsvRow(text, (row) => {
    if (header === undefined && !isBlankRow(row)) header = row.cells;
    else if (row.line === line) found = row.cells;
    return found === undefined;
  });
  const values = new Map<Column, string>();
  for (const [index, name] of (header ?? []).entries()) {
    const column = columnNamed(name);
    const value = found?.[index]?.trim() ?? "";
    if (column !== undefined && value !== "") values.set(column, value);
  }
  return shown.flatMap((column) => {
    const value = values.get(column);
    return value === undefined ? [] : [[column, value] as const];
  });
}
