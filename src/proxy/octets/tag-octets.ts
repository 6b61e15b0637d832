// Reads the tag of a From or To field that is written as nearly all peers write it.
import type { Header } from "../../sip/header.ts";
import type { SipMessage } from "../../sip/message.ts";
import { isToken, SP } from "../../sip/octet.ts";
import { isWord, octetsOf } from "./octets.ts";

/** Where the value of a tag stands. Both 0: the field has none. */
export interface OrdinaryTag {
  start: number;
  end: number;
}

const QUOTE = 0x22;
const LESS = 0x3c;
const MORE = 0x3e;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const word = octetsOf("tag");
/** Octets of a tag, at most: it enters hashes whose room is bounded. */
const LONGEST_TAG = 128;

/**
 * Reads the tag out of the value `bytes[start, stop)`, which is not folded. It is ordinary where its display name, if
 * any, is tokens or one quoted string without a backslash, its URI stands in brackets without white space, quote or
 * bracket, and its parameters have none of these: the general path finds no fault there, and the same tag.
 *
 * @returns false for any other value
 */
export function readOrdinaryTag(bytes: Uint8Array, start: number, stop: number, tag: OrdinaryTag): boolean {
  tag.start = 0;
  tag.end = 0;
  let i = uriStartOf(bytes, start, stop);
  if (i < 0) return false;
  i = uriEndOf(bytes, i, stop);
  if (i < 0) return false;
  for (i++; i < stop;) {
    if (bytes[i] !== SEMICOLON) return false;
    const name = ++i;
    let equals = -1;
    for (; i < stop; i++) {
      const c = bytes[i]!;
      if (c === SEMICOLON) break;
      if (!isPlain(c)) return false;
      if (c === EQUALS && equals < 0) equals = i;
    }
    if (!isWord(bytes, name, equals < 0 ? i : equals, word)) continue;
    if (tag.start > 0 || equals < 0 || equals + 1 === i || i - equals > LONGEST_TAG) return false;
    tag.start = equals + 1;
    tag.end = i;
  }
  return true;
}

/** Reads the tag of the first From or To field, which is there, as {@link readOrdinaryTag}. @returns false where it is folded too */
export function readTagOf(
  { bytes, first, folded, valueStart, valueEnd }: SipMessage,
  id: typeof Header.to | typeof Header.from,
  tag: OrdinaryTag,
): boolean {
  const index = first[id]!;
  return folded[index] === 0 && readOrdinaryTag(bytes, valueStart[index]!, valueEnd[index]!, tag);
}

/** Returns the position behind the "<" that stands behind an ordinary display name, or -1. */
export function uriStartOf(bytes: Uint8Array, start: number, stop: number): number {
  let i = start;
  if (i < stop && bytes[i] === QUOTE) {
    for (i++; i < stop && bytes[i] !== QUOTE; i++) {
      const c = bytes[i]!;
      if (c < SP || c >= 0x7f || c === BACKSLASH) return -1;
    }
    i++;
    while (i < stop && bytes[i] === SP) i++;
  } else while (i < stop && (isToken[bytes[i]!] === 1 || bytes[i] === SP)) i++;
  return i < stop && bytes[i] === LESS ? i + 1 : -1;
}

/** Returns where the ">" of an ordinary URI stands, or -1. The URI is not empty. */
export function uriEndOf(bytes: Uint8Array, start: number, stop: number): number {
  let i = start;
  for (; i < stop && bytes[i] !== MORE; i++) {
    const c = bytes[i]!;
    if (c <= SP || c >= 0x7f || c === LESS || c === QUOTE) return -1;
  }
  return i > start && i < stop ? i : -1;
}

/** True for a printable octet that is no quote, comma or bracket. */
function isPlain(c: number): boolean {
  return c > SP && c < 0x7f && c !== QUOTE && c !== COMMA && c !== LESS && c !== MORE;
}
