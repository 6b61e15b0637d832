// Tells what kind of M3UA message a packet is, before the relay reads on.
import type { Buffer } from "node:buffer";
import { claimedLength, HEADER } from "./m3ua.ts";

/**
 * The message classes that end-to-end relays know: MGMT, Transfer, SSNM, ASPSM, ASPTM, RKM (RFC
 * 4666 section 3.1.2).
 */
const classes: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 9]);

/** What a relay must know of a message before it reads on. */
export type M3uaKind =
  /** The message carries a message signal unit. */
  | "data"
  /** DUNA: point codes have become unreachable. */
  | "unavailable"
  /** ASPDN and its acknowledgement: the other end takes no more traffic. */
  | "down"
  | "other"
  /** Not exactly one message, or of a class that M3UA does not have. */
  | "none";

/**
 * Tells the kind of the M3UA message in `bytes`, which must be exactly one. Up to three octets of
 * padding may follow its length.
 */
export function kindOfM3ua(bytes: Buffer): M3uaKind {
  const length = claimedLength(bytes, 0, bytes.length);
  const surplus = bytes.length - length;
  if (length < HEADER || surplus < 0 || surplus > 3 || bytes[0] !== 1) return "none";
  const messageClass = bytes[2]!;
  const type = bytes[3]!;
  if (!classes.has(messageClass)) return "none";
  if (messageClass === 1) return type === 1 ? "data" : "none";
  if (messageClass === 2) return type === 1 ? "unavailable" : "other";
  if (messageClass === 3) return type === 2 || type === 5 ? "down" : "other";
  return "other";
}

const AFFECTED = 0x0012;
/** At most this many point codes of one message are read. */
const MOST_CODES = 256;

/**
 * Calls `visit` with each affected point code of an SSNM message (RFC 4666 section 3.4.1).
 * @param visit takes the point code and the number of its low bits that stand for any value
 */
export function eachAffected(bytes: Buffer, visit: (code: number, anyBits: number) => void): void {
  let left = MOST_CODES;
  for (let at = HEADER; at + 4 <= bytes.length;) {
    const length = bytes.readUInt16BE(at + 2);
    if (length < 4) return;
    const end = Math.min(at + length, bytes.length);
    if (bytes.readUInt16BE(at) === AFFECTED)
      for (let value = at + 4; value + 4 <= end && left > 0; value += 4, left--)
        visit(bytes.readUIntBE(value + 1, 3), Math.min(bytes[value]!, 24));
    at += length + ((4 - (length & 3)) & 3);
  }
}
