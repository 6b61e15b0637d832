// Finds numbers that two rows of the lists cover at once, for the review of a policy.
import { coveringAtOrBefore, lastStartingAtOrBelow } from "./number-columns.ts";
import type { NumberSet } from "./number-set.ts";
import { createNumberSetBuilder } from "./number-set-builder.ts";

/** Two rows that cover the same number at the same time. */
export interface RowPair {
  readonly first: number;
  readonly second: number;
  /** A number that both rows cover. */
  readonly key: number;
}

/** Two rows of different sets that cover the same number at the same time. */
export interface SharedNumber {
  readonly key: number;
  /** The position of the set in the argument, and the row in that set. */
  readonly first: { readonly set: number; readonly row: number };
  readonly second: { readonly set: number; readonly row: number };
}

/** Finds pairs of rows of one set that cover the same number at the same time, at most `limit`. */
export function overlaps(set: NumberSet, limit = 100): readonly RowPair[] {
  const pairs: RowPair[] = [];
  if (limit <= 0) return pairs;
  visitOverlaps(set, (first, second, key) => pairs.push({ first, second, key }) < limit);
  return pairs;
}

/**
 * Finds numbers that more than one of these sets covers at the same time, at most `limit`. It sorts
 * all entries once.
 */
export function sharedNumbers(sets: readonly NumberSet[], limit = 100): readonly SharedNumber[] {
  const shared: SharedNumber[] = [];
  if (limit <= 0) return shared;
  const union = uniteSets(sets);
  visitOverlaps(union.set, (a, b, key) => {
    const first = union.origin(a);
    const second = union.origin(b);
    return first.set === second.set || shared.push({ key, first, second }) < limit;
  });
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

/** Puts all sets into one. The line of a row counts the rows of all sets before it. */
function uniteSets(sets: readonly NumberSet[]) {
  const builder = createNumberSetBuilder();
  const offsets: number[] = [];
  let total = 0;
  for (const set of sets) {
    offsets.push(total);
    const { exact, rangeStart, rangeEnd, rangeRow } = set.columns;
    const describe = (row: number) => ({
      line: total + row,
      validFrom: set.validFrom(row),
      validTo: set.validTo(row),
      mayForward: false,
    });
    for (let row = 0; row < exact.length; row++) builder.addExact(exact[row] ?? 0, describe(row));
    for (let index = 0; index < rangeStart.length; index++)
      builder.addRange(rangeStart[index] ?? 0, rangeEnd[index] ?? 0, describe(rangeRow[index] ?? 0));
    total += set.rows;
  }
  const united = builder.build();
  return {
    set: united,
    origin(row: number) {
      const line = united.line(row);
      let set = offsets.length - 1;
      while (set > 0 && (offsets[set] ?? 0) > line) set--;
      return { set, row: line - (offsets[set] ?? 0) };
    },
  };
}

/**
 * Compares every entry with the entries before it that cover its first number. It ends when `visit`
 * returns false.
 */
function visitOverlaps(set: NumberSet, visit: (first: number, second: number, key: number) => boolean): void {
  const { columns } = set;
  const { exact, rangeStart, rangeRow } = columns;

  function visitRanges(row: number, key: number, from: number): boolean {
    let index = coveringAtOrBefore(columns, from, key);
    while (index >= 0) {
      const other = rangeRow[index] ?? 0;
      if (areBothInForce(set, other, row) && !visit(other, row, key)) return false;
      index = coveringAtOrBefore(columns, index - 1, key);
    }
    return true;
  }

  for (let row = 0; row < exact.length; row++) {
    const key = exact[row] ?? 0;
    for (let other = row - 1; other >= 0 && exact[other] === key; other--) {
      if (areBothInForce(set, other, row) && !visit(other, row, key)) return;
    }
    if (!visitRanges(row, key, lastStartingAtOrBelow(columns, key))) return;
  }
  for (let index = 0; index < rangeStart.length; index++) {
    if (!visitRanges(rangeRow[index] ?? 0, rangeStart[index] ?? 0, index - 1)) return;
  }
}

function areBothInForce(set: NumberSet, a: number, b: number): boolean {
  const from = Math.max(set.validFrom(a) ?? -Infinity, set.validFrom(b) ?? -Infinity);
  return from < Math.min(set.validTo(a) ?? Infinity, set.validTo(b) ?? Infinity);
}
