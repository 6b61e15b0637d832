// Looks up numbers in lists whose rows have a mark: the highest one, or a row with one of some marks.
import type { Millis } from "../../domain/time.ts";
import {
  coveringAtOrBefore,
  isInForce,
  lastStartingAtOrBelow,
  lowerBound,
  type NumberColumns,
} from "../number-columns.ts";

/**
 * Finds the row of a single number that is in force at `at` and has the highest mark; without one, the row of the
 * narrowest range, and among ranges of one width the highest mark.
 * @returns -1 when no row in force covers `key`
 */
export function findHighest(columns: NumberColumns, key: number, at: Millis): number {
  const { exact, rangeStart, rangeEnd, rangeRow, rowMark } = columns;
  let found = -1;
  for (let row = lowerBound(exact, key); row < exact.length && exact[row] === key; row++)
    if (isInForce(columns, row, at) && (found < 0 || rowMark[row]! > rowMark[found]!)) found = row;
  if (found >= 0 || rangeStart.length === 0) return found;
  let narrowest = Infinity;
  let index = coveringAtOrBefore(columns, lastStartingAtOrBelow(columns, key), key);
  for (; index >= 0; index = coveringAtOrBefore(columns, index - 1, key)) {
    const row = rangeRow[index]!;
    const width = rangeEnd[index]! - rangeStart[index]!;
    if (width > narrowest || !isInForce(columns, row, at)) continue;
    if (width === narrowest && rowMark[row]! <= rowMark[found]!) continue;
    narrowest = width;
    found = row;
  }
  return found;
}

/**
 * Finds a row that covers `key`, is in force at `at`, and has a mark that `wanted` holds 1 for. Single numbers come
 * before ranges.
 * @returns -1 when there is none
 */
export function findWanted(columns: NumberColumns, key: number, at: Millis, wanted: Uint8Array): number {
  const { exact, rangeStart, rangeRow, rowMark } = columns;
  for (let row = lowerBound(exact, key); row < exact.length && exact[row] === key; row++)
    if (wanted[rowMark[row] ?? 0] === 1 && isInForce(columns, row, at)) return row;
  if (rangeStart.length === 0) return -1;
  let index = coveringAtOrBefore(columns, lastStartingAtOrBelow(columns, key), key);
  for (; index >= 0; index = coveringAtOrBefore(columns, index - 1, key)) {
    const row = rangeRow[index]!;
    if (wanted[rowMark[row] ?? 0] === 1 && isInForce(columns, row, at)) return row;
  }
  return -1;
}
