import type { Buffer } from "node:buffer";
import { claimedLength, HEADER } from "./m3ua.ts";

/** Message classes that end-to-end relays know (RFC 4666 section 3.1.2): MGMT, Transfer, SSNM, ASPSM, ASPTM, RKM. */
const classes: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 9]);

/** What a relay has to know of a message before it reads on. */
export type M3uaKind =
  /** Carries a message signal unit. */
  | "data"
  /** DUNA: point codes that can't be reached any more. */
  | "unavailable"
  /** ASPDN and its acknowledgement: the other end takes no traffic any more. */
  | "down"
  | "other"
  /** Not one message, or of a class that M3UA doesn't have. */
  | "none";

/** Tells the kind of the message that `bytes` must be, no more and no less; up to three octets of padding may follow its length. */
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
/** Point codes of one message that are looked at. */
const MOST_CODES = 256;

/** Calls `visit` with the affected point codes of an SSNM message, and how many of their low bits stand for any (RFC 4666 section 3.4.1). */
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
