// Writes texts and octets one after the other into a buffer that grows: what a message of ours is put together in.
import { Buffer } from "node:buffer";

/** A buffer, and the place where the next octet goes. The object is reused: whoever begins to write sets the place. */
export interface OctetPen {
  bytes: Buffer;
  at: number;
}

/** Octets that a pen has room for at first. Only rare messages need more. */
const FIRST_SIZE = 4096;
/** Up to so many characters a loop costs less than a call of `write`. */
const SHORT = 16;
/** The same for octets and `copy`. */
const FEW = 64;

const DIGIT_0 = 0x30;

export function createPen(): OctetPen {
  return { bytes: Buffer.allocUnsafe(FIRST_SIZE), at: 0 };
}

/** Makes room for `length` more octets. */
function reserve(pen: OctetPen, length: number): void {
  const needed = pen.at + length;
  if (needed <= pen.bytes.length) return;
  const larger = Buffer.allocUnsafe(2 * needed);
  pen.bytes.copy(larger, 0, 0, pen.at);
  pen.bytes = larger;
}

/** Writes a text of latin1: one octet a character. */
export function putText(pen: OctetPen, text: string): void {
  const { length } = text;
  reserve(pen, length);
  const { bytes, at } = pen;
  if (length > SHORT) bytes.write(text, at, "latin1");
  else for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
  pen.at = at + length;
}

/** Writes the octets of `source` from `from` up to `to`. */
export function putOctets(pen: OctetPen, source: Uint8Array, from: number, to: number): void {
  reserve(pen, to - from);
  copyOctets(source, from, to, pen.bytes, pen.at);
  pen.at += to - from;
}

/** Writes a number in decimal. */
export function putNumber(pen: OctetPen, value: number): void {
  if ((value | 0) !== value || value < 0) {
    putText(pen, String(value));
    return;
  }
  let digits = 1;
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++;
  reserve(pen, digits);
  const { bytes } = pen;
  pen.at += digits;
  for (let i = pen.at - 1, rest = value; digits > 0; i--, digits--, rest = (rest / 10) | 0)
    bytes[i] = DIGIT_0 + (rest % 10);
}

/** Returns what was written from `from` on as a text of latin1. */
export function textFrom(pen: OctetPen, from: number): string {
  return pen.bytes.toString("latin1", from, pen.at);
}

/** Copies octets from one buffer to another, in which there is room. */
export function copyOctets(source: Uint8Array, from: number, to: number, out: Uint8Array, at: number): void {
  if (to - from > FEW) out.set(source.subarray(from, to), at);
  else for (let i = from; i < to; i++) out[at + i - from] = source[i]!;
}
