// Tells what numbers one list has more than another, for people who change a list.
import type { Millis } from "../../domain/time.ts";
import { isInForce } from "../number-columns.ts";
import type { NumberSet } from "../number-set.ts";
import type { NumberSpan } from "./entry-spans.ts";
import { eachInOrder, type WideSpan, wideSpansOf } from "./prefix-numbers.ts";

/** What one set covers and the other does not. */
export interface SetExcess {
  /** How many numbers. Those of a prefix count where the plan gives them one length. */
  readonly numbers: number;
  /** How many spans they make. */
  readonly spans: number;
  /** The first spans, in the order of the keys. */
  readonly first: readonly NumberSpan[];
  /** How many other prefixes, and the first of them as keys. */
  readonly prefixes: number;
  readonly firstPrefixes: readonly number[];
}

/** Tells whether two marks, one of each list, mean the same. */
type SameMark = (before: number, after: number) => boolean;

/** The difference of two lists. */
export interface SetDifference {
  readonly added: SetExcess;
  readonly removed: SetExcess;
  /** Single numbers that both have, with other dates, another right to forward or another mark. */
  readonly changed: number;
}

/**
 * Compares two lists, whatever their rows look like: a range is what its numbers are. Cost: one walk through both.
 *
 * @param isSameMark whether the mark of a row means the same as one of the other list. Left out: marks are not compared
 */
export function differenceOf(
  before: NumberSet,
  after: NumberSet,
  isSameMark?: SameMark,
  examples = 5,
): SetDifference {
  return {
    added: excessBeyond(after, spansOf(before), examples),
    removed: excessBeyond(before, spansOf(after), examples),
    changed: countChanged(before, after, isSameMark),
  };
}

/**
 * Finds the numbers that `before` holds at a moment and none of `after` does.
 *
 * @param at decides which rows are in force. Unix milliseconds
 * @returns spans in the order of the keys, which neither touch nor overlap
 */
export function takenOut(before: NumberSet, after: readonly NumberSet[], at: Millis): readonly NumberSpan[] {
  let rest = spansOf(before, at);
  for (const set of after) {
    if (rest.length === 0) break;
    const { first } = excessOf(rest, spansOf(set, at), Infinity);
    rest = first.flatMap(({ low, high }) => [low, high]);
  }
  const spans: NumberSpan[] = [];
  for (let index = 0; index < rest.length; index += 2)
    spans.push({ low: rest[index] ?? 0, high: rest[index + 1] ?? 0 });
  return spans;
}

/** Bounds of spans that neither touch nor overlap, in order: low, high, low, high. */
function spansOf({ columns }: NumberSet, at?: Millis): readonly number[] {
  const { exact, rangeStart, rangeEnd, rangeRow } = columns;
  const isMeant = (row: number): boolean => at === undefined || isInForce(columns, row, at);
  const { bounds, add } = createBounds();
  let range = 0;
  const addRange = (index: number): void => {
    if (isMeant(rangeRow[index] ?? 0)) add(rangeStart[index] ?? 0, rangeEnd[index] ?? 0);
  };
  for (let row = 0; row < exact.length; row++) {
    const key = exact[row] ?? 0;
    for (; range < rangeStart.length && (rangeStart[range] ?? 0) <= key; range++) addRange(range);
    if (isMeant(row)) add(key, key);
  }
  for (; range < rangeStart.length; range++) addRange(range);
  return bounds;
}

/** What a list has that the spans do not cover, as people count it. */
function excessBeyond(set: NumberSet, less: readonly number[], examples: number): SetExcess {
  const { spans, prefixes } = wideSpansOf(set);
  const beyond = prefixes.filter(({ widest }) => !isCovered(widest, less));
  return {
    ...excessOf(mergeSpans(set.columns.exact, spans), less, examples),
    prefixes: beyond.length,
    firstPrefixes: beyond
      .map(({ itself }) => itself.low)
      .toSorted((a, b) => a - b)
      .slice(0, examples),
  };
}

/** True where one of the spans, which do not touch, holds all of it. */
function isCovered({ low, high }: NumberSpan, bounds: readonly number[]): boolean {
  let [from, to] = [0, bounds.length / 2];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((bounds[2 * middle + 1] ?? 0) < low) from = middle + 1;
    else to = middle;
  }
  return (bounds[2 * from] ?? Infinity) <= low && (bounds[2 * from + 1] ?? -Infinity) >= high;
}

/** Single numbers and spans, both in order, as bounds of spans that neither touch nor overlap. */
function mergeSpans(exact: Float64Array, spans: readonly WideSpan[]): readonly number[] {
  const { bounds, add } = createBounds();
  eachInOrder(exact, spans, add);
  return bounds;
}

/** Joins spans that come in the order of `low`. */
function createBounds(): {
  readonly bounds: number[];
  readonly add: (low: number, high: number) => void;
} {
  const bounds: number[] = [];
  let last = -Infinity;
  return {
    bounds,
    add(low, high) {
      if (low > last + 1) bounds.push(low, high);
      else if (high > last) bounds[bounds.length - 1] = high;
      last = Math.max(last, high);
    },
  };
}

/** What the spans of `more` cover and those of `less` do not. */
function excessOf(
  more: readonly number[],
  less: readonly number[],
  examples: number,
): Omit<SetExcess, "prefixes" | "firstPrefixes"> {
  const first: NumberSpan[] = [];
  let numbers = 0;
  let spans = 0;
  const take = (low: number, high: number): void => {
    numbers += high - low + 1;
    spans++;
    if (first.length < examples) first.push({ low, high });
  };
  let at = 0;
  for (let index = 0; index < more.length; index += 2) {
    let low = more[index] ?? 0;
    const high = more[index + 1] ?? 0;
    while (at < less.length && (less[at + 1] ?? 0) < low) at += 2;
    for (let cut = at; cut < less.length && (less[cut] ?? 0) <= high; cut += 2) {
      if ((less[cut] ?? 0) > low) take(low, (less[cut] ?? 0) - 1);
      low = Math.max(low, (less[cut + 1] ?? 0) + 1);
    }
    if (low <= high) take(low, high);
  }
  return { numbers, spans, first };
}

/** Counts single numbers of both sets whose rows say different things. Of rows of one number the first counts. */
function countChanged(before: NumberSet, after: NumberSet, isSameMark: SameMark | undefined): number {
  const { exact: old } = before.columns;
  const { exact: young } = after.columns;
  let changed = 0;
  for (let a = 0, b = 0; a < old.length && b < young.length;) {
    const [left = 0, right = 0] = [old[a], young[b]];
    if (left === right) {
      const isSame = isSameRow(before, a, after, b) && isSameMark?.(before.mark(a), after.mark(b)) !== false;
      if (!isSame) changed++;
    }
    if (left <= right) a++;
    if (right <= left) b++;
  }
  return changed;
}

function isSameRow(a: NumberSet, rowA: number, b: NumberSet, rowB: number): boolean {
  return (
    a.validFrom(rowA) === b.validFrom(rowB) &&
    a.validTo(rowA) === b.validTo(rowB) &&
    a.verifiedOn(rowA) === b.verifiedOn(rowB) &&
    a.mayForward(rowA) === b.mayForward(rowB)
  );
}
