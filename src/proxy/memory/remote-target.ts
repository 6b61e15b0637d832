// The remote target that a Contact gives, as the Request-URI of a request of our own.
import { createAddressSpan, readAddress } from "../../sip/fields/name-addr.ts";
import { Header } from "../../sip/header.ts";
import { headerValue, type SipMessage } from "../../sip/message.ts";
import { SP } from "../../sip/octet.ts";

const span = createAddressSpan();
const QUESTION = 0x3f;
const DEL = 127;

/** Returns the URI of the first Contact of a message; "": it has none that can be used. */
export function contactOf(message: SipMessage): string {
  const index = message.first[Header.contact]!;
  return index < 0 ? "" : uriOfContact(headerValue(message, index));
}

/**
 * Returns the URI of the first address in a Contact value; "" for what can stand in no Request-URI. Header fields in the
 * URI go (RFC 3261 section 19.1.1).
 */
export function uriOfContact(value: string): string {
  readAddress(value, 0, span);
  if (span.fault !== undefined) return "";
  const { uriStart } = span;
  let end = uriStart;
  for (; end < span.uriEnd; end++) {
    const c = value.charCodeAt(end);
    if (c === QUESTION) break;
    if (c <= SP || c >= DEL) return "";
  }
  return value.slice(uriStart, end);
}
