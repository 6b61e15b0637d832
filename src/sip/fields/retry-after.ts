// Reads Retry-After: for how long a server asks for no more requests.
import { Header } from "../header.ts";
import { headerValue, type SipMessage } from "../message.ts";

/** Digits that are read. More of them are longer than any wait. */
const MOST_DIGITS = 9;

/**
 * Reads Retry-After (RFC 3261 section 20.33): seconds, then a comment or parameters, which are not read.
 * @returns seconds; undefined when the field is absent, when it begins with no number, and for 0
 */
export function readRetryAfter(message: SipMessage): number | undefined {
  const index = message.first[Header.retryAfter]!;
  if (index < 0) return undefined;
  const value = headerValue(message, index);
  let seconds = 0;
  let i = 0;
  for (; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) break;
    if (i < MOST_DIGITS) seconds = seconds * 10 + digit;
    else seconds = Infinity;
  }
  return seconds > 0 && isEnd(value.charCodeAt(i)) ? seconds : undefined;
}

/** True for the end of the value (NaN), white space, ";" and "(". */
function isEnd(c: number): boolean {
  return Number.isNaN(c) || c === 0x20 || c === 9 || c === 0x3b || c === 0x28;
}
