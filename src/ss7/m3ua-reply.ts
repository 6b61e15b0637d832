// Writes the M3UA messages that the filter itself sends: releases and resets of circuits, and errors.
import { Buffer } from "node:buffer";
import { HEADER, type M3uaMessage } from "./m3ua.ts";
import { circuitLength, type Msu } from "./mtp3.ts";

/**
 * Octets of protocol data in front of the user part, its own tag and length included (RFC 4666
 * section 3.3.1).
 */
const DATA_HEAD = 16;

/**
 * Writes the beginning of an M3UA DATA message for the circuit of `msu`, up to and including the
 * circuit identification code, whose octets stand as they came. Network appearance, routing context, network indicator and
 * signalling link selection stay the same. {@link sealUnit} puts ISUP messages after it.
 * @param turned whether the message goes back to the sender of `msu`, so that the two point codes
 *   change places
 */
export function labelUnit(message: M3uaMessage, msu: Msu, turned: boolean): Buffer {
  const { networkAppearance, routingContext } = message;
  const hasAppearance = networkAppearance >= 0;
  const hasContext = routingContext >= 0;
  const circuit = circuitLength(msu.si);
  const data = HEADER + (hasAppearance ? 8 : 0) + (hasContext ? 8 : 0);
  const label = Buffer.alloc(data + DATA_HEAD + circuit);
  label.writeUInt32BE(0x0100_0101, 0);
  let at = HEADER;
  if (hasAppearance) at = writeParameter(label, at, 0x0200, networkAppearance);
  if (hasContext) at = writeParameter(label, at, 0x0006, routingContext);
  label.writeUInt16BE(0x0210, at);
  label.writeUInt32BE(turned ? msu.dpc : msu.opc, at + 4);
  label.writeUInt32BE(turned ? msu.opc : msu.dpc, at + 8);
  label[at + 12] = msu.si;
  label[at + 13] = msu.ni;
  label[at + 15] = msu.sls;
  // Four bits of the circuit are spare. Some networks use them, so nothing is written into them (Q.763 section 1.2).
  msu.bytes.copy(label, at + DATA_HEAD, msu.start, msu.start + circuit);
  return label;
}

/** Where the protocol data of a label begin: after the header and at most two parameters of 8 octets. */
function dataOf(label: Buffer): number {
  let at = HEADER;
  while (label.readUInt16BE(at) !== 0x0210) at += 8;
  return at;
}

/** The destination point code of a label, or of a whole message that begins with one. */
export function codeOf(label: Buffer): number {
  return label.readUInt32BE(dataOf(label) + 8);
}

/**
 * Returns a DATA message with another network appearance and routing context; -1: none.
 * @param data where the parameter with the protocol data begins; what stands behind it stays
 */
export function withContext(
  bytes: Buffer,
  data: number,
  { networkAppearance, routingContext }: Pick<M3uaMessage, "networkAppearance" | "routingContext">,
): Buffer {
  const rest = bytes.subarray(data);
  const start = HEADER + (networkAppearance < 0 ? 0 : 8) + (routingContext < 0 ? 0 : 8);
  const whole = Buffer.alloc(start + rest.length);
  bytes.copy(whole, 0, 0, HEADER);
  let at = HEADER;
  if (networkAppearance >= 0) at = writeParameter(whole, at, 0x0200, networkAppearance);
  if (routingContext >= 0) at = writeParameter(whole, at, 0x0006, routingContext);
  rest.copy(whole, at);
  whole.writeUInt32BE(whole.length, 4);
  return whole;
}

/** Returns a copy of a label with the two point codes in each other's place. */
export function turnLabel(label: Buffer): Buffer {
  const turned = Buffer.from(label);
  const data = dataOf(label);
  label.copy(turned, data + 4, data + 8, data + 12);
  label.copy(turned, data + 8, data + 4, data + 8);
  return turned;
}

function writeParameter(label: Buffer, at: number, tag: number, value: number): number {
  label.writeUInt16BE(tag, at);
  label.writeUInt16BE(8, at + 2);
  label.writeUInt32BE(value, at + 4);
  return at + 8;
}

/**
 * Writes a whole M3UA message: the label of {@link labelUnit}, `isup` from its message type on, and
 * padding.
 */
export function sealUnit(label: Buffer, isup: Uint8Array): Buffer {
  const end = label.length + isup.length;
  const whole = Buffer.alloc(end + ((4 - (end & 3)) & 3));
  label.copy(whole);
  whole.set(isup, label.length);
  whole.writeUInt32BE(whole.length, 4);
  const data = dataOf(whole);
  whole.writeUInt16BE(end - data, data + 2);
  return whole;
}

/** Where a call was released, as the calling exchange is told (Q.850 section 2.2.3). */
export const releaseLocationNames = [
  "user",
  "private-local",
  "public-local",
  "transit",
  "public-remote",
  "private-remote",
  "international",
  "beyond",
] as const;

export type ReleaseLocation = (typeof releaseLocationNames)[number];

export const releaseLocations: Readonly<Record<ReleaseLocation, number>> = {
  user: 0,
  "private-local": 1,
  "public-local": 2,
  transit: 3,
  "public-remote": 4,
  "private-remote": 5,
  international: 7,
  beyond: 10,
};

/**
 * Writes a REL with a Q.850 cause, its location and the coding standard of the ITU (Q.763 table
 * 33). The octets are the same in ANSI (T1.113), whose exchanges read this coding standard too.
 */
export function writeRelease(cause: number, location: ReleaseLocation = "transit"): Uint8Array {
  return Uint8Array.of(0x0c, 2, 0, 2, 0x80 | releaseLocations[location], 0x80 | cause);
}

/** An RLC without optional part (Q.763 table 34). */
export const releaseComplete: Uint8Array = Uint8Array.of(0x10, 0);

/** An RSC (Q.763 table 39). */
export const resetCircuit: Uint8Array = Uint8Array.of(0x12);

/** Error codes of M3UA that the filter sends (RFC 4666 section 3.8.1). */
export const ErrorCode = { invalidVersion: 0x01, unsupportedClass: 0x03, unsupportedType: 0x04 } as const;

/** So many octets of an offending message stand in an error. */
const DIAGNOSTIC = 40;

/**
 * Writes ERR about a message: the error code, and the first octets of the message as diagnostic
 * information (RFC 4666 section 3.8.1).
 */
export function writeError(code: number, message: Uint8Array): Buffer {
  const told = Math.min(message.length, DIAGNOSTIC);
  const diagnostic = HEADER + 8;
  const whole = Buffer.alloc(diagnostic + 4 + told + ((4 - (told & 3)) & 3));
  whole[0] = 1;
  whole.writeUInt32BE(whole.length, 4);
  writeParameter(whole, HEADER, 0x000c, code);
  whole.writeUInt16BE(0x0007, diagnostic);
  whole.writeUInt16BE(4 + told, diagnostic + 2);
  whole.set(message.subarray(0, told), diagnostic + 4);
  return whole;
}
