// Tells whether a SIP body may hold ISUP, before the call is judged.
import { Buffer } from "node:buffer";
import { Header } from "../header.ts";
import { nextHeader, type SipMessage } from "../message.ts";
import { plainEncodings } from "./multipart.ts";
import { CR, LF, SP, TAB } from "../octet.ts";

const SDP = "application/sdp";

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
  const lines = squeeze(message.bytes, message.bodyStart, message.end);
  return count(lines, "/isup") + count(lines, ")isup");
}

function count(text: string, word: string): number {
  let found = 0;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) found++;
  return found;
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

function isTransferCoded(message: SipMessage): boolean {
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
  // A type may hold comments: application/(x)ISUP (RFC 2045 section 5.1).
  if (lines.includes("/isup") || lines.includes(")isup")) return true;
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
