// Reads the routing label and the circuit of a message signal unit, in front of ISUP or BICC.
import { Buffer } from "node:buffer";

/** The service indicators of MTP3 users that carry calls (Q.704 section 14.2.1). */
export const ServiceIndicator = { isup: 5, bicc: 13 } as const;

/**
 * One message signal unit with its routing label, as positions in the bytes it was received in. The
 * object is reused: it is valid until the next unit is read into it.
 */
export interface Msu {
  /** Point codes as numbers, of 14 bits (ITU) or 24 bits (China, ANSI). */
  opc: number;
  dpc: number;
  /** {@link ServiceIndicator}, or another value. */
  si: number;
  /** Network indicator, 0 to 3. */
  ni: number;
  sls: number;
  /** The network appearance of the M3UA message around the unit; -1 where there is none. */
  networkAppearance: number;
  /** The circuit identification code, or -1 before {@link readCircuit}. */
  cic: number;
  /** The user part is `bytes[start, end)`. It begins with the circuit identification code. */
  bytes: Buffer;
  start: number;
  end: number;
  /** In words, why the unit cannot be read, mostly because the capture cut it short. */
  fault: string | undefined;
}

/** Makes an empty unit to be filled. */
export function createMsu(): Msu {
  return {
    opc: 0,
    dpc: 0,
    si: -1,
    ni: 0,
    sls: 0,
    networkAppearance: -1,
    cic: -1,
    bytes: Buffer.alloc(0),
    start: 0,
    end: 0,
    fault: undefined,
  };
}

/**
 * Octets of a routing label: 4 (Q.704 section 2.2), or 7 with point codes of 24 bits (GF001-9001,
 * T1.111.4).
 */
export type LabelLength = 4 | 7;

/**
 * Reads the service information octet and the routing label at `start`. `msu` refers to `bytes`
 * afterwards.
 * @param msu is filled
 * @param bytes the buffer that holds the unit
 * @param start where the service information octet stands
 * @param end where the unit ends
 * @param label octets of the routing label
 * @returns false when there is no room for a user part after the label
 */
export function readMtp3(msu: Msu, bytes: Buffer, start: number, end: number, label: LabelLength): boolean {
  const user = start + 1 + label;
  if (user >= end) return false;
  const service = bytes[start]!;
  msu.si = service & 15;
  msu.ni = service >>> 6;
  if (label === 4) {
    const word = bytes.readUInt32LE(start + 1);
    msu.dpc = word & 0x3fff;
    msu.opc = (word >>> 14) & 0x3fff;
    msu.sls = word >>> 28;
  } else {
    msu.dpc = bytes.readUIntLE(start + 1, 3);
    msu.opc = bytes.readUIntLE(start + 4, 3);
    msu.sls = bytes[start + 7]!;
  }
  msu.networkAppearance = -1;
  msu.cic = -1;
  msu.bytes = bytes;
  msu.start = user;
  msu.end = end;
  msu.fault = undefined;
  return true;
}

/**
 * Returns the octets of the circuit identification code: 2, or 4 for the call instance code of BICC
 * (Q.1902.3).
 */
export function circuitLength(si: number): number {
  return si === ServiceIndicator.bicc ? 4 : 2;
}

/**
 * Tells whether the MTP3 user carries no calls: network management and testing (0 to 2), SCCP (3),
 * AAL2 signalling (12), gateway control (14). TUP, data, broadband and satellite ISUP carry calls,
 * but are not read here.
 */
export function carriesNoCalls(si: number): boolean {
  return si <= 3 || si === 12 || si === 14;
}

/** The users of MTP3 by service indicator; spare values are undefined (Q.704 section 14.2.1). */
const users: readonly (string | undefined)[] = [
  "network management",
  "network testing",
  "special network testing",
  "SCCP",
  "TUP",
  "ISUP",
  "DUP for calls",
  "DUP for facilities",
  "MTP testing",
  "broadband ISUP",
  "satellite ISUP",
  undefined,
  "AAL2 signalling",
  "BICC",
  "gateway control",
];

/** Returns the name of a user of MTP3: "SCCP". Undefined: the service indicator is spare. */
export function nameOfUser(si: number): string | undefined {
  return users[si];
}

/** @returns true when the unit belongs to a call of ISUP or BICC */
export function isCallControl(msu: Msu): boolean {
  return msu.si === ServiceIndicator.isup || msu.si === ServiceIndicator.bicc;
}

/**
 * Reads the circuit identification code into `msu.cic` (Q.763 section 1.2).
 * @param bits 12, or 14 in ANSI; the other bits of the two octets are spare
 * @returns where the message type stands, or -1 when there is none
 */
export function readCircuit(msu: Msu, bits: 12 | 14 = 12): number {
  const type = msu.start + circuitLength(msu.si);
  if (type >= msu.end) return -1;
  msu.cic =
    msu.si === ServiceIndicator.bicc
      ? msu.bytes.readUInt32LE(msu.start)
      : msu.bytes.readUInt16LE(msu.start) & (bits === 12 ? 0x0fff : 0x3fff);
  return type;
}
