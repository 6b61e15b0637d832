// A list of numbers in shared memory: what the rules look numbers up in.
import type { Millis } from "../domain/time.ts";
import { ATTRIBUTE_WIDTH, findRow, layOutColumns, type NumberColumns } from "./number-columns.ts";

/**
 * A list of numbers as one block of memory: sorted doubles for single numbers, sorted bounds for
 * ranges. It never changes. Worker threads share it without a copy ({@link openNumberSet}). A
 * look-up is a binary search and allocates nothing.
 */
export interface NumberSet {
  /** The memory of the set. Pass it to {@link openNumberSet} in another thread. */
  readonly memory: SharedArrayBuffer;
  readonly columns: NumberColumns;
  readonly rows: number;
  /** How many single numbers and ranges there are. A prefix counts once for every length. */
  readonly entries: number;
  /**
   * Finds the most specific row that covers `key` (see `PartyNumber`) and is in force at `at`: a
   * single number before the narrowest range.
   * @returns the row; -2 - row of the most specific one when rows cover `key` but none is in force;
   *   otherwise -1
   */
  find(key: number, at: Millis): number;
  /** @returns true for the row of one number, false for a range or prefix */
  isSingle(row: number): boolean;
  /** @returns the line of the row in its file, from 1 */
  line(row: number): number;
  validFrom(row: number): Millis | undefined;
  validTo(row: number): Millis | undefined;
  verifiedOn(row: number): Millis | undefined;
  /** @returns true when the number may appear as a diverting party */
  mayForward(row: number): boolean;
  /** @returns what a further column of the list says of the row, as a number; 0 where it says nothing */
  mark(row: number): number;
}

/** Opens the set in this memory, which comes from `NumberSet.memory` and must not change. */
export function openNumberSet(memory: SharedArrayBuffer): NumberSet {
  const columns = layOutColumns(memory);
  const { rowAttributes, rowLine } = columns;
  const attribute = (row: number, which: number): number =>
    columns.attributes[(rowAttributes[row] ?? 0) * ATTRIBUTE_WIDTH + which] ?? Number.NaN;
  return {
    memory,
    columns,
    rows: rowLine.length,
    entries: columns.exact.length + columns.rangeStart.length,
    find: (key, at) => findRow(columns, key, at),
    isSingle: (row) => row < columns.exact.length,
    line: (row) => rowLine[row] ?? 0,
    validFrom: (row) => finite(attribute(row, 0)),
    validTo: (row) => finite(attribute(row, 1)),
    verifiedOn: (row) => finite(attribute(row, 2)),
    mayForward: (row) => attribute(row, 3) === 1,
    mark: (row) => columns.rowMark[row] ?? 0,
  };
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
