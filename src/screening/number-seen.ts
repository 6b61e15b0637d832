// How a person reads a number that no plan allows: digits of all scripts, and letters that look like digits.
import { foldNames, LONGEST_NAME } from "./display-text.ts";
import { withDigitsSeen } from "./look-alikes.ts";

/**
 * Returns the texts that a number as received shows: its escapes decoded, digits of all scripts and styles as ASCII, and
 * the same with letters among its digits as digits (`139I2345678`).
 */
export function numbersSeen(raw: string): readonly string[] {
  const seen = new Set<string>();
  for (const text of foldNames(raw.slice(0, LONGEST_NAME))) {
    seen.add(text);
    seen.add(withDigitsSeen(text));
  }
  return [...seen];
}
