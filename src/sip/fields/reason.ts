// Reads the cause of Q.850 out of a Reason field.
import { Header } from "../header.ts";
import { headerValue, type SipMessage } from "../message.ts";
import { readParam } from "./name-addr.ts";

/** Returns the cause of Q.850 in the first Reason field of a message; undefined: it gives none. Total. */
export function readMessageCause(message: SipMessage): number | undefined {
  const index = message.first[Header.reason]!;
  return index < 0 ? undefined : readCause(headerValue(message, index));
}

/**
 * Returns the cause of Q.850 that a Reason field gives (RFC 3326 section 2), 1 to 127; undefined: it gives none. Total.
 */
export function readCause(value: string): number | undefined {
  const protocolEnd = value.indexOf(";");
  if (protocolEnd < 0 || value.slice(0, protocolEnd).trim().toLowerCase() !== "q.850") return undefined;
  const comma = value.indexOf(",", protocolEnd);
  const text = readParam(value, protocolEnd, comma < 0 ? value.length : comma, "cause") ?? "";
  const cause = readDigits(text);
  return cause >= 1 && cause <= 127 ? cause : undefined;
}

/** Returns the number that up to three digits make; -1 for anything else. */
function readDigits(text: string): number {
  if (text.length === 0 || text.length > 3) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
