// Reads how long a session lasts without a refresh.
import { Header } from "../header.ts";
import { headerValue, type SipMessage } from "../message.ts";

/** Digits of the longest interval that is believed: eleven days. */
const MOST_DIGITS = 6;

/** Returns the delta-seconds of Session-Expires (RFC 4028 section 4); 0: the message has none that can be read. Total. */
export function readSessionSeconds(message: SipMessage): number {
  const index = message.first[Header.sessionExpires]!;
  if (index < 0) return 0;
  const value = headerValue(message, index);
  let seconds = 0;
  let at = 0;
  for (; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) break;
    if (at === MOST_DIGITS) return 0;
    seconds = seconds * 10 + digit;
  }
  return seconds;
}
