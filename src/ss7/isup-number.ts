// Decodes the number parameters of ISUP: octets to digits and indicators.
import type { Buffer } from "node:buffer";
import type { IsupCalledNumber, IsupNumber } from "../numbering/e164.ts";

/** A number parameter of ISUP as decoded. */
export interface DecodedNumber extends IsupNumber {
  /** The screening indicator of a calling or generic number, 0–3 (Q.763 section 3.10 f). */
  readonly screening: 0 | 1 | 2 | 3;
}

/** One character for each address signal; codes 10–15 are `A`–`F` (Q.763 section 3.9 g). */
const signals = "0123456789ABCDEF";
const pairs: readonly string[] = Array.from(
  { length: 256 },
  (_, octet) => signals.charAt(octet & 15) + signals.charAt(octet >>> 4),
);

/** At most this many octets of address signals: no number has more. */
const MAX_DIGIT_OCTETS = 32;

/**
 * Returns the address signals of the octets `[start, end)`, the low half of each first. `odd` says
 * that the last half is a filler.
 */
function readDigits(bytes: Buffer, start: number, end: number, odd: boolean): string {
  let digits = "";
  for (let at = start; at < end; at++) digits += pairs[bytes[at]!]!;
  return odd ? digits.slice(0, -1) : digits;
}

/** Why a number cannot be read. The words follow the name of its parameter. */
export type NumberFault = "is cut short" | "is too long";

/**
 * Finds what is wrong with the length of a number whose digits follow `leading` octets.
 * @returns undefined when the length is sound
 */
function faultOf(start: number, end: number, leading: number): NumberFault | undefined {
  if (end - start < leading) return "is cut short";
  return end - start > leading + MAX_DIGIT_OCTETS ? "is too long" : undefined;
}

function isOdd(bytes: Buffer, start: number, end: number): boolean {
  // The odd/even indicator of a number without digits has no meaning.
  return (bytes[start]! & 0x80) !== 0 && end > start + 2;
}

/**
 * Reads a calling, generic, redirecting or original called number in `bytes[start, end)`; of a
 * generic number the part after its qualifier (Q.763 sections 3.10, 3.26, 3.39, 3.44).
 * @returns the number, or in words why it cannot be read
 */
export function readNumber(bytes: Buffer, start: number, end: number): DecodedNumber | NumberFault {
  const fault = faultOf(start, end, 2);
  if (fault !== undefined) return fault;
  const odd = isOdd(bytes, start, end);
  const indicators = bytes[start + 1]!;
  const screening = indicators & 3;
  return {
    digits: readDigits(bytes, start + 2, end, odd),
    nature: bytes[start]! & 0x7f,
    plan: (indicators >>> 4) & 7,
    incomplete: (indicators & 0x80) !== 0,
    presentation: (indicators >>> 2) & 3,
    screening: screening === 0 || screening === 1 || screening === 2 ? screening : 3,
    filler: odd ? bytes[end - 1]! >>> 4 : 0,
  };
}

/**
 * Reads the called party number in `bytes[start, end)` (Q.763 section 3.9).
 * @returns the number, or in words why it cannot be read
 */
export function readCalled(bytes: Buffer, start: number, end: number): IsupCalledNumber | NumberFault {
  const fault = faultOf(start, end, 2);
  if (fault !== undefined) return fault;
  return {
    digits: readDigits(bytes, start + 2, end, isOdd(bytes, start, end)),
    nature: bytes[start]! & 0x7f,
    plan: (bytes[start + 1]! >>> 4) & 7,
  };
}

/**
 * Reads the address signals of a subsequent number in `bytes[start, end)` (Q.763 section 3.51).
 * @returns the signals, or in words why they cannot be read
 */
export function readSubsequent(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly digits: string } | string {
  const fault = faultOf(start, end, 1);
  if (fault !== undefined) return `the subsequent number ${fault}`;
  const odd = (bytes[start]! & 0x80) !== 0 && end > start + 1;
  return { digits: readDigits(bytes, start + 1, end, odd) };
}
