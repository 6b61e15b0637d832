// Finds numbers that two rows of the lists cover at once, for the review of a policy.
import { coveringAtOrBefore, lastStartingAtOrBelow } from "../number-columns.ts";
import { createNumberSetBuilder } from "../number-set-builder.ts";
import type { NumberSet } from "../number-set.ts";
import { eachSingle } from "./single-merge.ts";

/** Two rows that cover the same number at the same time. */
export interface RowPair {
  readonly first: number;
  readonly second: number;
  /** A number that both rows cover. */
  readonly key: number;
}

/** A row of one of several sets: the position of the set in the argument, and the row in that set. */
export interface RowPlace {
  readonly set: number;
  readonly row: number;
}

/** Two rows of different sets that cover the same number at the same time. */
export interface SharedNumber {
  readonly key: number;
  readonly first: RowPlace;
  readonly second: RowPlace;
}

/** Finds pairs of rows of one set that cover the same number at the same time, at most `limit`. */
export function overlaps(set: NumberSet, limit = 100): readonly RowPair[] {
  const pairs: RowPair[] = [];
  if (limit <= 0) return pairs;
  visitOverlaps(
    [set],
    (first, second, key) => pairs.push({ first: first.row, second: second.row, key }) < limit,
  );
  return pairs;
}

/**
 * Finds numbers that more than one of these sets covers at the same time, at most `limit`. It walks through all sets
 * once, and needs no room for their single numbers.
 */
export function sharedNumbers(sets: readonly NumberSet[], limit = 100): readonly SharedNumber[] {
  const shared: SharedNumber[] = [];
  if (limit <= 0) return shared;
  visitOverlaps(
    sets,
    (first, second, key) => first.set === second.set || shared.push({ key, first, second }) < limit,
  );
  return shared;
}

/**
 * Finds a number that both sets cover at the same time, with the row of each.
 * @returns undefined when there is none
 */
export function firstOverlap(a: NumberSet, b: NumberSet): RowPair | undefined {
  const [shared] = sharedNumbers([a, b], 1);
  if (shared === undefined) return undefined;
  const { first, second, key } = shared;
  return first.set === 0
    ? { first: first.row, second: second.row, key }
    : { first: second.row, second: first.row, key };
}

type Visit = (first: RowPlace, second: RowPlace, key: number) => boolean;

/**
 * Compares every entry with the entries before it that cover its first number: single numbers of all sets in order,
 * then ranges. It ends when `visit` returns false.
 */
function visitOverlaps(sets: readonly NumberSet[], visit: Visit): void {
  const ranges = uniteRanges(sets);
  const { columns } = ranges.set;
  const { rangeStart, rangeRow } = columns;
  const hasRanges = rangeStart.length > 0;
  /** The rows of the number that is looked at, in order, and how many there are. */
  const alike: RowPlace[] = [];
  let count = 0;
  let last = Number.NaN;
  const areInForce = (a: RowPlace, b: RowPlace): boolean => {
    const [first, second] = [sets[a.set], sets[b.set]];
    return first !== undefined && second !== undefined && areBothInForce(first, a.row, second, b.row);
  };

  function visitRanges(place: RowPlace, key: number, from: number): boolean {
    let index = coveringAtOrBefore(columns, from, key);
    while (index >= 0) {
      const other = ranges.origin(rangeRow[index] ?? 0);
      if (areInForce(other, place) && !visit(other, place, key)) return false;
      index = coveringAtOrBefore(columns, index - 1, key);
    }
    return true;
  }

  const isDone = !eachSingle(sets, (set, row, key) => {
    if (key !== last) {
      count = 0;
      last = key;
    }
    const place = { set, row };
    for (let index = count - 1; index >= 0; index--) {
      const other = alike[index];
      if (other !== undefined && areInForce(other, place) && !visit(other, place, key)) return false;
    }
    alike[count++] = place;
    return !hasRanges || visitRanges(place, key, lastStartingAtOrBelow(columns, key));
  });
  if (isDone) return;
  for (let index = 0; index < rangeStart.length; index++) {
    if (!visitRanges(ranges.origin(rangeRow[index] ?? 0), rangeStart[index] ?? 0, index - 1)) return;
  }
}

/** Puts the ranges of all sets into one. The line of a row counts the rows of all sets before it. */
function uniteRanges(sets: readonly NumberSet[]) {
  const builder = createNumberSetBuilder();
  const offsets: number[] = [];
  let total = 0;
  for (const set of sets) {
    offsets.push(total);
    const { rangeStart, rangeEnd, rangeRow } = set.columns;
    for (let index = 0; index < rangeStart.length; index++)
      builder.addRange(rangeStart[index] ?? 0, rangeEnd[index] ?? 0, {
        line: total + (rangeRow[index] ?? 0),
        mayForward: false,
      });
    total += set.rows;
  }
  const united = builder.build();
  return {
    set: united,
    origin(row: number): RowPlace {
      const line = united.line(row);
      // The last set that begins at or before this row.
      let set = 0;
      for (let step = offsets.length; step > 0; step >>= 1)
        while (set + step < offsets.length && (offsets[set + step] ?? 0) <= line) set += step;
      return { set, row: line - (offsets[set] ?? 0) };
    },
  };
}

function areBothInForce(first: NumberSet, a: number, second: NumberSet, b: number): boolean {
  const from = Math.max(first.validFrom(a) ?? -Infinity, second.validFrom(b) ?? -Infinity);
  return from < Math.min(first.validTo(a) ?? Infinity, second.validTo(b) ?? Infinity);
}
