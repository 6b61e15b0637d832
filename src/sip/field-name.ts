// The names of SIP header fields by text: for rare fields, edits and configuration.
import type { SipMessage } from "./message.ts";

/** The compact forms of names (RFC 3261 section 7.3.3 and the IANA registry), lower case. */
const compactForms: ReadonlyMap<string, string> = new Map([
  ["a", "accept-contact"],
  ["b", "referred-by"],
  ["c", "content-type"],
  ["d", "request-disposition"],
  ["e", "content-encoding"],
  ["f", "from"],
  ["i", "call-id"],
  ["j", "reject-contact"],
  ["k", "supported"],
  ["l", "content-length"],
  ["m", "contact"],
  ["n", "identity-info"],
  ["o", "event"],
  ["r", "refer-to"],
  ["s", "subject"],
  ["t", "to"],
  ["u", "allow-events"],
  ["v", "via"],
  ["x", "session-expires"],
  ["y", "identity"],
]);

/**
 * Fields that must stay: without them a request loses its route, its dialog, its body or what was
 * agreed about them.
 */
const keptFields: ReadonlySet<string> = new Set([
  "via",
  "from",
  "to",
  "call-id",
  "cseq",
  "max-forwards",
  "contact",
  "route",
  "record-route",
  "path",
  "service-route",
  "content-length",
  "content-type",
  "content-encoding",
  "content-disposition",
  "content-transfer-encoding",
  "mime-version",
  "require",
  "proxy-require",
  "supported",
  "authorization",
  "proxy-authorization",
  "event",
  "subscription-state",
  "expires",
  "min-expires",
  "session-expires",
  "min-se",
  "rseq",
  "rack",
  "replaces",
  "join",
  "target-dialog",
  "refer-to",
  "info-package",
  "sip-etag",
  "sip-if-match",
]);

/** Returns the long name, in lower case, that `name` stands for. */
export function longName(name: string): string {
  const lower = name.toLowerCase();
  return compactForms.get(lower) ?? lower;
}

/** @returns true for a field that must never be removed */
export function isKept(name: string): boolean {
  return keptFields.has(longName(name));
}

/**
 * Returns the long name of field `index` in lower case. It makes strings, so ordinary calls must
 * not use it.
 */
export function nameOfField(message: SipMessage, index: number): string {
  const line = message.text.slice(message.lineStart[index], message.valueStart[index]);
  const colon = line.indexOf(":");
  return longName((colon < 0 ? line : line.slice(0, colon)).trim());
}

/** Returns the indexes of every field with this long name (lower case). */
export function fieldsNamed(message: SipMessage, name: string): readonly number[] {
  const found: number[] = [];
  for (let i = 0; i < message.headerCount; i++) if (nameOfField(message, i) === name) found.push(i);
  return found;
}
