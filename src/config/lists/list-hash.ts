// The hashes of a list file: of its octets, and of its text for the revision of the policy.
import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import { shortened } from "../yaml/canonical-text.ts";

/** The hashes of a list file. */
export interface ListHashes {
  /** SHA-256 of the octets, in hexadecimal. */
  readonly octets: string;
  /**
   * Digest of the text with LF line ends, without byte order mark and without white space at its end: what the policy
   * revision is made of.
   */
  readonly text: string;
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const FIRST_WIDE = 0x80;
/** Octets that are copied at a time where line ends are changed. */
const CHUNK = 1 << 16;

/**
 * Hashes a list, in one pass where its text is as its octets are.
 *
 * @param bytes UTF-8 text
 */
export function hashList(bytes: Uint8Array): ListHashes {
  const start = lengthOfMark(bytes);
  const end = endOfText(bytes, start);
  const octets = createHash("sha256");
  const text = start > 0 || bytes.includes(CR) ? hashText(bytes, start, end) : undefined;
  octets.update(bytes.subarray(0, end));
  const ofText = (text ?? octets.copy()).digest("hex");
  octets.update(bytes.subarray(end));
  return { octets: octets.digest("hex"), text: shortened(ofText) };
}

/** How many octets the byte order mark has: 3, or 0 without one. */
export function lengthOfMark(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

function hashText(bytes: Uint8Array, start: number, end: number): Hash {
  const hash = createHash("sha256");
  const chunk = new Uint8Array(CHUNK);
  let filled = 0;
  for (let at = start; at < end; at++) {
    const octet = bytes[at] ?? 0;
    if (octet === LF && at > start && bytes[at - 1] === CR) continue;
    chunk[filled++] = octet === CR ? LF : octet;
    if (filled < CHUNK) continue;
    hash.update(chunk);
    filled = 0;
  }
  return hash.update(chunk.subarray(0, filled));
}

/** Finds the end of the text without the white space of any script at its end, as `trimEnd` does. */
function endOfText(bytes: Uint8Array, start: number): number {
  let end = bytes.length;
  while (end > start) {
    const last = bytes[end - 1] ?? 0;
    let from = end - 1;
    // Octets behind the first one of a character are 10xxxxxx (RFC 3629 section 3).
    if (last >= FIRST_WIDE) while (from > start && ((bytes[from] ?? 0) & 0xc0) === 0x80) from--;
    const isSpace =
      last < FIRST_WIDE
        ? last === SPACE || (last >= 0x09 && last <= CR)
        : Buffer.from(bytes.subarray(from, end)).toString("utf8").trim() === "";
    if (!isSpace) break;
    end = from;
  }
  return end;
}
