// Compares, copies and writes short runs of octets without making a string.
import { Buffer } from "node:buffer";

// Every array of octets here is a Buffer, as messages are: V8 reads and writes arrays of one kind faster than of two.

/** The octets of a latin1 text that is written or compared again and again. */
export function octetsOf(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** True when `octets` stand in `bytes` at `at`. Behind the end stand none. */
export function standsAt(bytes: Uint8Array, at: number, octets: Uint8Array): boolean {
  const { length } = octets;
  if (at + length > bytes.length) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== octets[i]) return false;
  return true;
}

/** Copies `from[start, end)` to `out` at `at`. For some hundred octets a loop costs less than a call. @returns its end */
export function putOctets(out: Uint8Array, at: number, from: Uint8Array, start: number, end: number): number {
  let to = at;
  for (let i = start; i < end; i++) out[to++] = from[i]!;
  return to;
}

/** Writes a short latin1 text. @returns where it ends */
export function putText(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** Writes a number of 0 or more in decimal. @returns where it ends */
export function putDecimal(out: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    out[i] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
  return at + digits;
}

/** Reads a port of 1 to 65535 as everybody writes it: digits alone, none of them a zero in front. @returns -1 for others */
export function readPlainPort(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end || end - start > 5 || bytes[start] === 0x30) return -1;
  let port = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    port = port * 10 + digit;
  }
  return port <= 65535 ? port : -1;
}

/** True when no octet is beyond ASCII. */
export function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let all = 0;
  for (let i = start; i < end; i++) all |= bytes[i]!;
  return all < 0x80;
}

/** True when the octets are this lower-case word, in any case. */
export function isWord(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  const { length } = word;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if ((bytes[start + i]! | 0x20) !== word[i]) return false;
  return true;
}
