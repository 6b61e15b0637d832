// How many numbers each row of a list stands for, and all rows together.
import { formatKey } from "../../domain/number.ts";
import { readListNumber } from "../../numbering/e164.ts";
import type { NumberSet } from "../../numbering/number-set.ts";

/** Numbers without a gap between them that a row stands for. Both ends are inclusive; keys are those of `PartyNumber`. */
export interface RowSpan {
  readonly row: number;
  readonly low: number;
  readonly high: number;
}

/** The numbers of a list, row by row. */
export interface ListedNumbers {
  /** What ranges and prefixes stand for, in the order of `low`. A prefix has a span for each length that the plan has. */
  readonly spans: readonly RowSpan[];
  /** How many numbers a row stands for. */
  readonly countOf: (row: number) => number;
  /** How a row is written: `+861087654321`, `+861087654300..+861087654399`, `+8610876543*`, `95588`. */
  readonly nameOf: (row: number) => string;
}

/**
 * Looks at the rows of a list. A range is all of its numbers. A prefix is every number of the plan that begins with it: of
 * the lengths that a number can have there, not of all lengths up to 15 digits.
 */
export function readListedNumbers(numbers: NumberSet): ListedNumbers {
  const { exact, rangeStart, rangeEnd, rangeRow } = numbers.columns;
  const wide = numbers.rows - exact.length;
  const spansOfRow = new Uint8Array(wide);
  for (const row of rangeRow) spansOfRow[row - exact.length] = (spansOfRow[row - exact.length] ?? 0) + 1;
  const counts = new Float64Array(wide);
  const names = new Map<number, RowSpan>();
  const spans: RowSpan[] = [];
  for (const [index, row] of rangeRow.entries()) {
    const span = { row, low: rangeStart[index] ?? 0, high: rangeEnd[index] ?? 0 };
    const known = names.get(row);
    if (known === undefined || known.high - known.low > span.high - span.low) names.set(row, span);
    if (isPrefix(row) && !isOfPlan(span)) continue;
    spans.push(span);
    counts[row - exact.length] = (counts[row - exact.length] ?? 0) + span.high - span.low + 1;
  }

  /** A range is one span. A prefix has one for each length up to 15 digits, so two at least. */
  function isPrefix(row: number): boolean {
    return (spansOfRow[row - exact.length] ?? 0) > 1;
  }

  return {
    spans,
    countOf: (row) => (row < exact.length ? 1 : (counts[row - exact.length] ?? 0)),
    nameOf(row) {
      if (row < exact.length) return formatKey(exact[row] ?? 0);
      const span = names.get(row);
      if (span === undefined) return "";
      if (isPrefix(row)) return `${formatKey(span.low)}*`;
      const [low, high] = [formatKey(span.low), formatKey(span.high)];
      // The keys of codes are negative: the lowest code has the highest key.
      return span.low < 0 ? `${high}..${low}` : `${low}..${high}`;
    },
  };
}

/** Counts the different numbers of the rows that count. One that is listed twice counts once. */
export function countDistinct(
  { columns: { exact } }: NumberSet,
  spans: readonly RowSpan[],
  counts: (row: number) => boolean,
): number {
  let sum = 0;
  let last = -Infinity;
  const add = (low: number, high: number): void => {
    if (high <= last) return;
    sum += high - Math.max(low, last + 1) + 1;
    last = high;
  };
  let at = 0;
  const addSpansUpTo = (key: number): void => {
    for (let span = spans[at]; span !== undefined && span.low <= key; span = spans[++at])
      if (counts(span.row)) add(span.low, span.high);
  };
  for (let row = 0; row < exact.length; row++) {
    const key = exact[row] ?? 0;
    addSpansUpTo(key);
    if (counts(row)) add(key, key);
  }
  addSpansUpTo(Infinity);
  return sum;
}

/** True where numbers of this length begin so. Subscriber numbers that begin with 0 or 1 are none: the other end tells. */
function isOfPlan({ low, high }: RowSpan): boolean {
  return (
    typeof readListNumber(formatKey(low)) !== "string" || typeof readListNumber(formatKey(high)) !== "string"
  );
}
