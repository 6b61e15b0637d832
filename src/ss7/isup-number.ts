import type { Buffer } from "node:buffer";
import type { IsupCalledNumber, IsupNumber } from "../numbering/e164.ts";

/** A number parameter of ISUP, with what ISUP says about it. */
export interface DecodedNumber extends IsupNumber {
  /** Screening indicator of a calling or generic number (Q.763 section 3.10 f), 0–3. */
  readonly screening: 0 | 1 | 2 | 3;
}

/** One character an address signal; codes 10–15 as `A`–`F` (Q.763 section 3.9 g). */
const signals = "0123456789ABCDEF";
const pairs: readonly string[] = Array.from(
  { length: 256 },
  (_, octet) => signals.charAt(octet & 15) + signals.charAt(octet >>> 4),
);

/** A number parameter is never longer: more address signals than this are a lie. */
const MAX_DIGIT_OCTETS = 32;

/** The address signals of the octets `[start, end)`, the low half of each first; `odd`: the last half is a filler. */
function readDigits(bytes: Buffer, start: number, end: number, odd: boolean): string {
  let digits = "";
  for (let at = start; at < end; at++) digits += pairs[bytes[at]!]!;
  return odd ? digits.slice(0, -1) : digits;
}

/** True when a number parameter of these positions has its two leading octets and no more signals than a number can have. */
function isSound(start: number, end: number): boolean {
  return end - start >= 2 && end - start <= 2 + MAX_DIGIT_OCTETS;
}

function isOdd(bytes: Buffer, start: number, end: number): boolean {
  // The odd flag of a number without digits says nothing.
  return (bytes[start]! & 0x80) !== 0 && end > start + 2;
}

/**
 * The calling, generic (behind its qualifier), redirecting or original called number in `bytes[start, end)` (Q.763 sections
 * 3.10, 3.26, 3.39, 3.44); undefined when it is cut short.
 */
export function readNumber(bytes: Buffer, start: number, end: number): DecodedNumber | undefined {
  if (!isSound(start, end)) return undefined;
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

/** The called party number in `bytes[start, end)` (Q.763 section 3.9); undefined when it is cut short. */
export function readCalled(bytes: Buffer, start: number, end: number): IsupCalledNumber | undefined {
  if (!isSound(start, end)) return undefined;
  return {
    digits: readDigits(bytes, start + 2, end, isOdd(bytes, start, end)),
    nature: bytes[start]! & 0x7f,
    plan: (bytes[start + 1]! >>> 4) & 7,
  };
}

/** The address signals of a subsequent number in `bytes[start, end)` (Q.763 section 3.51); in words, why they can't be read. */
export function readSubsequent(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly digits: string } | string {
  if (end - start < 1 || end - start > 1 + MAX_DIGIT_OCTETS) return "the subsequent number is cut short";
  const odd = (bytes[start]! & 0x80) !== 0 && end > start + 1;
  return { digits: readDigits(bytes, start + 1, end, odd) };
}
