// Masks telephone numbers for the log.
import type { PartyNumber } from "../domain/number.ts";

/** What stands for a digit that a log doesn't show. */
const mask = "x";

/**
 * A number as logs may show it: country code and area or network prefix, every other digit masked (`+8610xxxxxxxx`).
 * Short codes keep two digits. Of an unusable number only the kind is shown.
 */
export function redactNumber(number: PartyNumber): string {
  if (number.kind === "unusable") return number.why;
  if (number.kind === "e164") return `+${keepFirst(number.e164, prefixLength(number.e164))}`;
  const plus = number.code.startsWith("+") ? "+" : "";
  const digits = number.code.slice(plus.length);
  return plus + keepFirst(digits, digits.startsWith("86") && plus !== "" ? 4 : 2);
}

/** Text of an error as logs may show it: digits behind the fourth of every run of seven or more are masked. */
export function redactText(text: string): string {
  let result = "";
  let start = 0;
  for (let index = 0; index <= text.length; index++) {
    if (isDigit(text.charCodeAt(index))) continue;
    const run = text.slice(start, index);
    result += (run.length < 7 ? run : keepFirst(run, 4)) + text.slice(index, index + 1);
    start = index + 1;
  }
  return result;
}

/**
 * Digits that stay. Areas 10 and 2x of +86 have two digits, other areas and mobile networks three. Of a foreign number
 * the country code and a little more stay.
 */
function prefixLength(digits: string): number {
  if (!digits.startsWith("86")) return Math.min(4, digits.length - 4);
  return digits.startsWith("8610") || digits.startsWith("862") ? 4 : 5;
}

function keepFirst(digits: string, count: number): string {
  const kept = Math.max(count, 0);
  return digits.slice(0, kept) + mask.repeat(Math.max(digits.length - kept, 0));
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
