// Finds the rows of a list that name no contract: the list in memory does not keep that column.
import { type CsvRow, isBlankRow } from "../lists/csv.ts";
import { eachListRow } from "../lists/csv-octets.ts";
import { columnNamed } from "../lists/list-advice.ts";

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;

/**
 * Calls `take` with the line of every row whose cell in the column `contract` is empty. A list without that column has none.
 *
 * @param bytes a list that has been read without error
 */
export function eachLineWithoutContract(bytes: Uint8Array, take: (line: number) => void): void {
  let hasHeader = false;
  let position = -1;

  function takeRow(row: CsvRow): void {
    if (isBlankRow(row)) return;
    if (!hasHeader) {
      hasHeader = true;
      position = row.cells.findIndex((cell) => columnNamed(cell.trim()) === "contract");
    } else if (position < 0 || (row.cells[position]?.trim() ?? "") === "") take(row.line);
  }

  /** Takes a line without quotes that has something in it. */
  function takeLine(octets: Uint8Array, at: number, line: number): number {
    if (!hasHeader) return -1;
    let column = 0;
    let isEmpty = true;
    let isBlank = true;
    let end = at;
    for (; end < octets.length; end++) {
      const octet = octets[end];
      if (octet === LF) break;
      if (octet === QUOTE) return -1;
      if (octet === CR) {
        if (octets[end + 1] !== LF && end + 1 < octets.length) return -1;
      } else if (octet === COMMA) column++;
      else if (octet !== SPACE) {
        isBlank = false;
        if (column === position) isEmpty = false;
      }
    }
    if (isEmpty && !isBlank) take(line);
    return Math.min(end + 1, octets.length);
  }

  eachListRow(bytes, takeLine, takeRow);
}
