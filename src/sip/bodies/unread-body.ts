// Finds the part of a SIP body that may name a caller and that nobody reads.
import type { Buffer } from "node:buffer";
import { readMediaType, readTypeName } from "../fields/media-type.ts";
import { Header } from "../header.ts";
import { headerValue, type SipMessage } from "../message.ts";
import { CR, LF, TAB } from "../octet.ts";
import { isCoded, isTransferCoded, SDP } from "./body.ts";
import { impliedType, readParts, type BodyPart } from "./multipart.ts";
import { isupTypes, passingTypes } from "./passing-types.ts";

/**
 * The requests whose bodies may name a caller: a call, its changes, what is sent inside it, and what is shown like a
 * call. The bodies of the others tell of subscriptions and registrations. A BYE ends the call whatever it carries.
 */
const callingMethods: ReadonlySet<string> = new Set([
  "INVITE",
  "UPDATE",
  "INFO",
  "PRACK",
  "ACK",
  "MESSAGE",
  "REFER",
]);

/** At most this many characters of a type are shown: a peer chose them. */
const MOST_SHOWN = 60;

/**
 * Finds what in the body may name a caller and is not read here: a type of no list, or a body in which readers could
 * find different parts (RFC 2046, RFC 5621).
 * @param further media types in lower case that may pass beside {@link passingTypes}
 * @returns the media type, or in words why the body can't be read; undefined when all of it may pass
 */
export function findUnreadBody(message: SipMessage, further: ReadonlySet<string>): string | undefined {
  const { bytes, bodyStart, end } = message;
  if (bodyStart >= end || !callingMethods.has(message.method)) return undefined;
  if (isCoded(message)) return "Content-Encoding";
  const index = message.first[Header.contentType]!;
  if (index < 0) return showsItself(bytes, bodyStart, end) ? undefined : "no Content-Type";
  const start = message.valueStart[index]!;
  if (message.valueEnd[index]! - start === SDP.length && message.text.startsWith(SDP, start))
    return undefined;
  const value = headerValue(message, index);
  const name = readTypeName(value);
  if (name === undefined) return "a Content-Type that can't be read";
  if (!name.startsWith("multipart/"))
    return mayPass(name, further, bytes, bodyStart, end) ? undefined : shown(name);
  if (isTransferCoded(message)) return "parts inside an encoded body";
  const type = readMediaType(value);
  if (type === undefined) return "a Content-Type that can't be read";
  const parts = readParts(bytes, bodyStart, end, type);
  if (typeof parts === "string") return parts;
  const unread = parts.find((part) => !mayPassPart(part, further, bytes));
  if (unread === undefined) return undefined;
  return unread.type === impliedType ? "a part without Content-Type" : shown(unread.type.name);
}

function mayPassPart({ type, start, end }: BodyPart, further: ReadonlySet<string>, bytes: Buffer): boolean {
  return type === impliedType
    ? showsItself(bytes, start, end)
    : mayPass(type.name, further, bytes, start, end);
}

function mayPass(
  name: string,
  further: ReadonlySet<string>,
  bytes: Buffer,
  start: number,
  end: number,
): boolean {
  // Octets that are no text are text in name only.
  if (name === "text/plain") return isText(bytes, start, end);
  return passingTypes.has(name) || isupTypes.has(name) || further.has(name);
}

/** True for a body without type that holds nothing, or is SDP by its first line (RFC 4566 section 5.1). */
function showsItself(bytes: Buffer, start: number, end: number): boolean {
  if (bytes.toString("latin1", start, Math.min(start + 3, end)) === "v=0") return true;
  for (let at = start; at < end; at++) if (bytes[at]! !== CR && bytes[at]! !== LF) return false;
  return true;
}

function isText(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte < 0x20 && byte !== CR && byte !== LF && byte !== TAB) return false;
  }
  return true;
}

function shown(name: string): string {
  return name.slice(0, MOST_SHOWN);
}
