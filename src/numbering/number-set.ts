import type { Millis } from "../domain/time.ts";
import { ATTRIBUTE_WIDTH, findRow, layOutColumns, type NumberColumns } from "./number-columns.ts";

/**
 * A list of numbers as one block of memory: sorted doubles for single numbers, sorted bounds for ranges. Immutable, shared by
 * worker threads without a copy ({@link openNumberSet}), found by binary search, nothing allocated a look-up.
 */
export interface NumberSet {
  /** What the set is made of: pass it to {@link openNumberSet} in another thread. */
  readonly memory: SharedArrayBuffer;
  readonly columns: NumberColumns;
  readonly rows: number;
  /** Single numbers and ranges together: a prefix counts once for every length. */
  readonly entries: number;
  /**
   * The row that covers `key` (see `PartyNumber`) and is in force at `at`, the most specific one: a single number, then the
   * narrowest range. When rows cover the key but none is in force: -2 - row of the most specific. Otherwise -1.
   */
  find(key: number, at: Millis): number;
  /** Line of the row in its file, from 1. */
  line(row: number): number;
  validFrom(row: number): Millis | undefined;
  validTo(row: number): Millis | undefined;
  verifiedOn(row: number): Millis | undefined;
  /** True when the number may appear as diverting party. */
  mayForward(row: number): boolean;
}

/** The set in this memory, which comes from `NumberSet.memory` and must not change. */
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
    line: (row) => rowLine[row] ?? 0,
    validFrom: (row) => finite(attribute(row, 0)),
    validTo: (row) => finite(attribute(row, 1)),
    verifiedOn: (row) => finite(attribute(row, 2)),
    mayForward: (row) => attribute(row, 3) === 1,
  };
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
