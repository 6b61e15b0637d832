// Adds the rows of a clean list to a list that is there: its own rows stay as they are, letter by letter.
import { eachCsvRow, isBlankRow, writeCsv } from "../config/lists/csv.ts";
import type { AskedColumn } from "../config/lists/asked-column.ts";
import { columnNamed, plainName } from "../config/lists/list-advice.ts";
import type { CellIssue, CleanList, CleanRow } from "./clean-list.ts";

/** The list with the new rows behind its own. */
export interface ListAddition {
  readonly text: string;
  /** Rows that were added, in order. */
  readonly added: readonly CleanRow[];
  /** The line of the first added row. */
  readonly firstLine: number;
  /** Rows whose number the list has already, in the same words. */
  readonly known: number;
  readonly issues: readonly CellIssue[];
}

/**
 * @param before text of the list that is there, which the policy reads without error
 * @returns an error in words when the list lacks a column that the new rows fill
 */
export function addRows(
  before: string,
  { columns, rows, placeOf }: CleanList,
  asked?: AskedColumn,
): ListAddition | { readonly error: string } {
  const text = before.replaceAll(/\r\n?/g, "\n");
  const { header, byNumber } = readNumbers(text, asked);
  const lacking = columns.filter(
    (column, index) => !header.includes(column) && rows.some(({ cells }) => cells[index] !== ""),
  );
  if (lacking.length > 0)
    return { error: `the list has no column ${lacking.join(", ")}; add it to the header of the list first` };
  const added: CleanRow[] = [];
  const issues: CellIssue[] = [];
  let known = 0;
  for (const { row, cells } of rows) {
    const own = header.map((column) => (column === undefined ? "" : (cells[columns.indexOf(column)] ?? "")));
    const number = own[header.indexOf("number")] ?? "";
    const there = byNumber.get(number);
    if (there === undefined) added.push({ row, cells: own });
    else if (isIncluded(own, there.cells)) known++;
    else
      issues.push({
        place: placeOf(row, "number"),
        column: "number",
        message: `${number} stands in line ${there.line} of the list already, with other cells; change it there`,
      });
  }
  const ended = text.endsWith("\n") || text === "" ? text : `${text}\n`;
  return {
    text: added.length === 0 ? ended : ended + writeCsv(added.map(({ cells }) => cells)),
    added,
    firstLine: ended.split("\n").length,
    known,
    issues,
  };
}

interface KnownRow {
  readonly line: number;
  readonly cells: readonly string[];
}

function readNumbers(
  text: string,
  asked: AskedColumn | undefined,
): {
  readonly header: readonly (string | undefined)[];
  readonly byNumber: ReadonlyMap<string, KnownRow>;
} {
  let header: readonly (string | undefined)[] | undefined;
  const byNumber = new Map<string, KnownRow>();
  eachCsvRow(text, (row) => {
    if (isBlankRow(row)) return true;
    if (header === undefined) header = row.cells.map((name) => nameOf(name, asked));
    else
      byNumber.set(row.cells[header.indexOf("number")]?.trim() ?? "", { line: row.line, cells: row.cells });
    return true;
  });
  return { header: header ?? [], byNumber };
}

/** True when the row that is there says everything that the new one says. */
function isIncluded(cells: readonly string[], there: readonly string[]): boolean {
  return cells.every((cell, index) => cell === "" || cell === there[index]?.trim());
}

function nameOf(name: string, asked: AskedColumn | undefined): string | undefined {
  const isAsked = asked !== undefined && plainName(name) === plainName(asked.name);
  return isAsked ? asked.name : columnNamed(name);
}
