// Tells what kind of M3UA message a packet is, before the relay reads on.
import type { Buffer } from "node:buffer";
import { claimedLength, HEADER } from "./m3ua.ts";

/** What a relay must know of a message before it reads on. */
export type M3uaKind =
  /** The message carries a message signal unit. */
  | "data"
  /** ASPDN and its acknowledgement: the sender of ASPDN takes no more traffic, whatever it is for. */
  | "down"
  /**
   * ASPIA and its acknowledgement; NTFY of an alternate ASP that is active, and of an application
   * server that is inactive; a deregistration that succeeded: traffic ends here for a while.
   */
  | "inactive"
  /** ASPAC and its acknowledgement: traffic may begin. */
  | "active"
  /** DUNA: point codes have become unreachable. */
  | "unavailable"
  /** DAVA: point codes can be reached again. */
  | "available"
  /** Any other message that M3UA has. */
  | "other"
  /** A message of a class that M3UA does not have. */
  | "unsupported-class"
  /** A message of a type that its class does not have. */
  | "unsupported-type"
  /** Not exactly one message, or of another version. */
  | "none";

/** The highest type of each class, all of which begin with `lowest` (RFC 4666 section 3.1.2). */
interface MessageClass {
  readonly lowest: 0 | 1;
  readonly highest: number;
  /** What some of the types are; the others are `other`. */
  readonly kinds: Readonly<Record<number, M3uaKind>>;
}

const classes: ReadonlyMap<number, MessageClass> = new Map<number, MessageClass>([
  // MGMT: ERR, NTFY.
  [0, { lowest: 0, highest: 1, kinds: {} }],
  // Transfer: DATA, which is told before.
  [1, { lowest: 1, highest: 1, kinds: {} }],
  // SSNM: DUNA, DAVA, DAUD, SCON, DUPU, DRST.
  [2, { lowest: 1, highest: 6, kinds: { 1: "unavailable", 2: "available" } }],
  // ASPSM: ASPUP, ASPDN, BEAT, and their acknowledgements.
  [3, { lowest: 1, highest: 6, kinds: { 2: "down", 5: "down" } }],
  // ASPTM: ASPAC, ASPIA, and their acknowledgements.
  [4, { lowest: 1, highest: 4, kinds: { 1: "active", 2: "inactive", 3: "active", 4: "inactive" } }],
  // RKM: REG REQ, REG RSP, DEREG REQ, DEREG RSP.
  [9, { lowest: 1, highest: 4, kinds: {} }],
]);

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
  // Nearly every message is DATA.
  if (messageClass === 1 && type === 1) return "data";
  const known = classes.get(messageClass);
  if (known === undefined) return "unsupported-class";
  if (type < known.lowest || type > known.highest) return "unsupported-type";
  if (messageClass === 0 && type === 1) return kindOfNotify(bytes, length);
  if (messageClass === 9 && type === 4) return hasDeregistered(bytes, length) ? "inactive" : "other";
  return known.kinds[type] ?? "other";
}

/** Parameter tags (RFC 4666 section 3.2). */
const Tag = { status: 0x000d, affected: 0x0012, deregistrationResult: 0x0209, deregistrationStatus: 0x0213 };

/** At most this many parameters of a message, or within a parameter, are read. */
const MOST_PARAMETERS = 32;

/** Status type and information of NTFY (RFC 4666 section 3.8.2): AS-INACTIVE, and alternate ASP active. */
const AS_INACTIVE = 0x0001_0002;
const ALTERNATE_ACTIVE = 0x0002_0002;

function kindOfNotify(bytes: Buffer, end: number): M3uaKind {
  const status = valueOf(bytes, findParameter(bytes, HEADER, end, Tag.status), end);
  return status === AS_INACTIVE || status === ALTERNATE_ACTIVE ? "inactive" : "other";
}

/** Tells whether one of the results of a DEREG RSP is a success (RFC 4666 section 3.6.4). */
function hasDeregistered(bytes: Buffer, end: number): boolean {
  let left = MOST_PARAMETERS;
  for (let at = HEADER; left > 0; left--) {
    at = findParameter(bytes, at, end, Tag.deregistrationResult);
    if (at < 0) return false;
    const next = at + bytes.readUInt16BE(at + 2);
    const status = findParameter(bytes, at + 4, Math.min(next, end), Tag.deregistrationStatus);
    if (valueOf(bytes, status, Math.min(next, end)) === 0) return true;
    at = next;
  }
  return false;
}

/** @returns the value of a parameter of one word that begins at `at`, or -1 when there is no such value */
function valueOf(bytes: Buffer, at: number, end: number): number {
  return at >= 0 && at + 8 <= end && bytes.readUInt16BE(at + 2) === 8 ? bytes.readUInt32BE(at + 4) : -1;
}

/** @returns where the next parameter `tag` of `bytes[start, end)` begins, or -1 */
function findParameter(bytes: Buffer, start: number, end: number, tag: number): number {
  let left = MOST_PARAMETERS;
  for (let at = start; at + 4 <= end && left > 0; left--) {
    const length = bytes.readUInt16BE(at + 2);
    if (length < 4) return -1;
    if (bytes.readUInt16BE(at) === tag) return at;
    // Values are padded to four octets.
    at += length + ((4 - (length & 3)) & 3);
  }
  return -1;
}

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
    if (bytes.readUInt16BE(at) === Tag.affected)
      for (let value = at + 4; value + 4 <= end && left > 0; value += 4, left--)
        visit(bytes.readUIntBE(value + 1, 3), Math.min(bytes[value]!, 24));
    at += length + ((4 - (length & 3)) & 3);
  }
}
