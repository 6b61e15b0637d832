// Tells whether a SIP body may hold ISUP, before the call is judged.
import { Buffer } from "node:buffer";
import { Header } from "../header.ts";
import { nextHeader, type SipMessage } from "../message.ts";
import { plainEncodings } from "./multipart.ts";
import { CR, isToken, LF, SP, TAB } from "../octet.ts";

/** The type of nearly all bodies, as nearly all peers write it. */
export const SDP = "application/sdp";

/**
 * Tells whether a body that claims or may hide ISUP must be read or refused (RFC 3204). Peers obey
 * the ISUP part before the SIP fields.
 * @returns true when the body or a part of it claims to be ISUP, or is encoded so that it could do
 *   so unseen
 */
export function claimsIsup(message: SipMessage): boolean {
  const index = message.first[Header.contentType]!;
  if (index < 0) return isCoded(message);
  const start = message.valueStart[index]!;
  const end = message.valueEnd[index]!;
  if (end - start === SDP.length && message.text.startsWith(SDP, start)) return false;
  const type = squeeze(message.bytes, start, end);
  const semicolon = type.indexOf(";");
  const name = semicolon < 0 ? type : type.slice(0, semicolon);
  if (name === SDP) return false;
  if (name.includes("isup") || isCoded(message)) return true;
  const holdsParts = name.startsWith("multipart/") || name.startsWith("message/");
  return holdsParts && (isTransferCoded(message) || partsClaimIsup(message, name));
}

/**
 * Counts how often the lines of the body claim to be ISUP, wherever a reader finds the boundaries.
 */
export function countIsupClaims(message: SipMessage): number {
  return countClaims(squeeze(message.bytes, message.bodyStart, message.end), MOST_CLAIMS);
}

const WORD = "isup";
/** At most this many claims are counted. Two are one too many. */
const MOST_CLAIMS = 2;
/** At most this many characters of a subtype stand in front of the word: `application/x-isup`. */
const MOST_PREFIX = 32;

/**
 * Counts the subtypes that hold the word, at most `most`. A subtype begins behind a slash, or behind a comment:
 * `application/(x)ISUP` (RFC 2045 section 5.1).
 */
function countClaims(lines: string, most: number): number {
  let found = 0;
  for (let at = lines.indexOf(WORD); at >= 0 && found < most; at = lines.indexOf(WORD, at + 1))
    if (isInSubtype(lines, at)) found++;
  return found;
}

function isInSubtype(lines: string, word: number): boolean {
  const first = Math.max(word - MOST_PREFIX, 0);
  let at = word - 1;
  while (at >= first && isToken[lines.charCodeAt(at)] === 1) at--;
  return at >= first && (lines[at] === "/" || lines[at] === ")");
}

/**
 * @returns true when Content-Encoding says that the body is compressed or otherwise encoded (RFC
 *   3261 section 20.12)
 */
export function isCoded(message: SipMessage): boolean {
  const index = message.first[Header.contentEncoding]!;
  if (index < 0 || message.bodyStart >= message.end) return false;
  return !plainEncodings.has(fieldOf(message, index));
}

/**
 * @returns true when Content-Transfer-Encoding says that the whole body is encoded (RFC 2045 section 6)
 */
export function isTransferCoded(message: SipMessage): boolean {
  const id = Header.contentTransferEncoding;
  for (let i = message.first[id]!; i >= 0; i = nextHeader(message, id, i))
    if (!plainEncodings.has(fieldOf(message, i))) return true;
  return false;
}

function fieldOf(message: SipMessage, index: number): string {
  return squeeze(message.bytes, message.valueStart[index]!, message.valueEnd[index]!);
}

/**
 * Searches all lines, not only the parts: peers may find the boundaries of a malformed body
 * elsewhere.
 */
function partsClaimIsup(message: SipMessage, type: string): boolean {
  const lines = `\n${squeeze(message.bytes, message.bodyStart, message.end)}`;
  if (countClaims(lines, 1) > 0) return true;
  if (hasCoding(lines, "\ncontent-encoding:")) return true;
  // An encoded part shows its own type, but not the types of parts inside it. The parts of a digest
  // are messages.
  const nested = type === "multipart/digest" || lines.includes("multipart") || lines.includes("message");
  return nested && hasCoding(lines, "\ncontent-transfer-encoding:");
}

/** Tells whether a field that begins with `name` has a value other than "not encoded". */
function hasCoding(lines: string, name: string): boolean {
  for (let at = lines.indexOf(name); at >= 0; at = lines.indexOf(name, at + 1)) {
    const end = lines.indexOf("\n", at + 1);
    if (!plainEncodings.has(lines.slice(at + name.length, end < 0 ? lines.length : end))) return true;
  }
  return false;
}

/**
 * Returns lower-case latin1 without spaces, tabs and the breaks of folded lines. Other line breaks
 * become LF.
 */
function squeeze(bytes: Buffer, start: number, end: number): string {
  const out = Buffer.allocUnsafe(end - start);
  let length = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === SP || byte === TAB || byte === CR) continue;
    if (byte === LF && i + 1 < end && (bytes[i + 1] === SP || bytes[i + 1] === TAB)) continue;
    out[length++] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
  }
  return out.toString("latin1", 0, length);
}
