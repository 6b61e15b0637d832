// How many numbers a prefix stands for, where the plan gives the numbers behind it one length.
import { formatKey } from "../../domain/number.ts";
import { readListNumber } from "../e164.ts";
import type { NumberSet } from "../number-set.ts";
import { type NumberSpan, spansOfEntry } from "./entry-spans.ts";

/** A row of a list that is no single number. */
export interface WideSpan extends NumberSpan {
  readonly row: number;
  /** The prefix whose numbers these are. Left out: it is a range. */
  readonly prefix?: number;
}

/** Ranges and prefixes of a list. */
export interface WideSpans {
  /** Ranges, and the numbers of prefixes that have one length, in the order of `low`. */
  readonly spans: readonly WideSpan[];
  /** Prefixes of which the plan does not say how long the numbers are: the span of the prefix itself, and the widest. */
  readonly prefixes: readonly {
    readonly row: number;
    readonly itself: NumberSpan;
    readonly widest: NumberSpan;
  }[];
}

/**
 * Finds the numbers of a prefix, as keys.
 *
 * @param low the prefix as a number
 * @returns undefined where the plan does not give one length: abroad, codes, and where the area or the operator is open
 */
export function numbersOfPrefix(low: number): NumberSpan | undefined {
  if (low <= 0) return undefined;
  const digits = String(low);
  let found: NumberSpan | undefined;
  for (const span of spansOfEntry({ kind: "prefix", digits, code: false })) {
    const whole = wholeDigits(span.low) ?? wholeDigits(span.high);
    if (whole === undefined) continue;
    if (found !== undefined || digits.length < whole) return undefined;
    found = span;
  }
  return found;
}

/**
 * So many first digits say how long a number is: the country with the area code, or with the operator.
 *
 * @returns undefined for what is no fixed or mobile number of home. Codes have other keys than the digits say
 */
function wholeDigits(key: number): number | undefined {
  const number = readListNumber(formatKey(key));
  if (typeof number === "string" || number.kind !== "e164" || number.key !== key) return undefined;
  if (number.class === "mobile") return 5;
  // Area codes of two digits begin with 1 or 2, those of three digits with 3 to 9.
  return number.class === "fixed" ? (number.e164.charAt(2) <= "2" ? 4 : 5) : undefined;
}

/** Looks at the ranges and prefixes of a list. Prefixes have several spans each, one for each length. */
export function wideSpansOf({ columns }: NumberSet): WideSpans {
  const { exact, rangeStart, rangeEnd, rangeRow } = columns;
  const known = new Map<number, { itself: WideSpan; widest: WideSpan; count: number }>();
  for (const [index, row] of rangeRow.entries()) {
    const span = { row, low: rangeStart[index] ?? 0, high: rangeEnd[index] ?? 0 };
    const before = known.get(row) ?? { itself: span, widest: span, count: 0 };
    known.set(row, {
      itself: widthOf(span) < widthOf(before.itself) ? span : before.itself,
      widest: widthOf(span) > widthOf(before.widest) ? span : before.widest,
      count: before.count + 1,
    });
  }
  const spans: WideSpan[] = [];
  const prefixes: WideSpans["prefixes"][number][] = [];
  for (let row = exact.length; row < exact.length + known.size; row++) {
    const wide = known.get(row);
    if (wide === undefined) continue;
    const { itself, widest, count } = wide;
    const numbers = count === 1 ? itself : numbersOfPrefix(itself.low);
    if (numbers === undefined) prefixes.push({ row, itself, widest });
    else spans.push({ ...numbers, row, ...(count === 1 ? {} : { prefix: itself.low }) });
  }
  return { spans: spans.toSorted((a, b) => a.low - b.low), prefixes };
}

/**
 * Calls `take` with the single numbers and the wide rows of a list, in the order of `low`.
 *
 * @param spans in that order, as {@link wideSpansOf} gives them
 */
export function eachInOrder(
  exact: Float64Array,
  spans: readonly WideSpan[],
  take: (low: number, high: number, row: number) => void,
): void {
  let at = 0;
  const takeUpTo = (key: number): void => {
    for (let span = spans[at]; span !== undefined && span.low <= key; span = spans[++at])
      take(span.low, span.high, span.row);
  };
  for (let row = 0; row < exact.length; row++) {
    const key = exact[row] ?? 0;
    takeUpTo(key);
    take(key, key, row);
  }
  takeUpTo(Infinity);
}

function widthOf({ low, high }: NumberSpan): number {
  return high - low;
}
