// Scores of numbers in lists: from 0 to 1, kept in steps of a ten-thousandth.

/** Steps from 0 to 1. A score between two steps counts as the lower one, so that it never reaches a bound above it. */
export const SCORE_STEPS = 10_000;
const DECIMALS = 4;
/** No score is written with more digits. */
const LONGEST = 24;

const DOT = 0x2e;
const DIGIT_0 = 0x30;

/** Returns the steps of a bound, such as a threshold. It has at most four decimals. */
export function stepsOf(bound: number): number {
  return Math.round(bound * SCORE_STEPS);
}

/** True for a bound from 0 to 1 with at most four decimals: no other can be compared exactly with scores. */
export function isWholeSteps(bound: number): boolean {
  return Math.abs(bound * SCORE_STEPS - stepsOf(bound)) < 1e-7;
}

/** The score of so many steps as people write it: `0.75`. */
export function formatScore(steps: number): string {
  return String(steps / SCORE_STEPS);
}

/**
 * Reads a score from the octets from `start` up to `end`: `0`, `1`, `0.75`, `1.000`.
 * @returns its steps; -1 where the octets are no score
 */
export function readScore(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 1 || length > LONGEST) return -1;
  const whole = bytes[start]! - DIGIT_0;
  if (whole !== 0 && whole !== 1) return -1;
  if (length === 1) return whole * SCORE_STEPS;
  if (bytes[start + 1] !== DOT || length === 2) return -1;
  let steps = whole;
  for (let index = 0; index < Math.max(length - 2, DECIMALS); index++) {
    const digit = index < length - 2 ? bytes[start + 2 + index]! - DIGIT_0 : 0;
    if (digit < 0 || digit > 9 || (whole === 1 && digit > 0)) return -1;
    if (index < DECIMALS) steps = steps * 10 + digit;
  }
  return steps;
}
