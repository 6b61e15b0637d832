// How many numbers each row of a list stands for, and all rows together.
import { formatKey } from "../../domain/number.ts";
import { eachInOrder, type WideSpan, wideSpansOf } from "../../numbering/lists/prefix-numbers.ts";
import type { NumberSet } from "../../numbering/number-set.ts";

/** The numbers of a list, row by row. */
export interface ListedNumbers {
  /** What ranges stand for, and prefixes behind which all numbers have one length, in the order of `low`. */
  readonly spans: readonly WideSpan[];
  /** The rows of other prefixes: how many numbers they stand for is not known. */
  readonly prefixRows: readonly number[];
  /** How many numbers a row stands for; 0 where that is not known. */
  readonly countOf: (row: number) => number;
  /** How a row is written: `+861087654321`, `+861087654300..+861087654399`, `+8610876543*`, `95588`. */
  readonly nameOf: (row: number) => string;
}

/** Looks at the rows of a list. */
export function readListedNumbers(numbers: NumberSet): ListedNumbers {
  const { exact } = numbers.columns;
  const { spans, prefixes } = wideSpansOf(numbers);
  const spanOf = new Map(spans.map((span) => [span.row, span]));
  const prefixOf = new Map(prefixes.map(({ row, itself }) => [row, itself]));
  return {
    spans,
    prefixRows: prefixes.map(({ row }) => row),
    countOf(row) {
      const span = spanOf.get(row);
      return row < exact.length ? 1 : span === undefined ? 0 : span.high - span.low + 1;
    },
    nameOf(row) {
      if (row < exact.length) return formatKey(exact[row] ?? 0);
      const span = spanOf.get(row);
      const prefix = prefixOf.get(row)?.low ?? span?.prefix;
      if (prefix !== undefined) return `${formatKey(prefix)}*`;
      if (span === undefined) return "";
      const [low, high] = [formatKey(span.low), formatKey(span.high)];
      // The keys of codes are negative: the lowest code has the highest key.
      return span.low < 0 ? `${high}..${low}` : `${low}..${high}`;
    },
  };
}

/** Counts the different numbers of the rows that count. One that is listed twice counts once. */
export function countDistinct(
  { columns: { exact } }: NumberSet,
  spans: readonly WideSpan[],
  counts: (row: number) => boolean,
): number {
  let sum = 0;
  let last = -Infinity;
  eachInOrder(exact, spans, (low, high, row) => {
    if (high <= last || !counts(row)) return;
    sum += high - Math.max(low, last + 1) + 1;
    last = high;
  });
  return sum;
}
