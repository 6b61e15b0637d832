// The country codes of ITU-T E.164: finds the one that an international number begins with.
import { countryCodes } from "./e164.data.ts";
import { isNorthAmerican } from "./nanp.ts";

const DIGIT_0 = 0x30;

/**
 * Bit n of `lengthsOf[cc]` is set when a national number of n digits is possible in country cc. 0
 * means that the code is unassigned.
 */
const lengthsOf = new Uint32Array(1000);
for (const row of countryCodes) {
  const mask = row.lengths.reduce((bits, length) => bits | (1 << length), 0);
  for (const code of row.codes.split(" ")) lengthsOf[Number(code)] = mask;
}

/**
 * Finds the assigned country code that `text` begins with at `start`. `text` holds ASCII digits
 * only. No code is the beginning of another, so the first that fits is the only one (ITU-T E.164).
 * @returns the code, or 0 when there is none
 */
export function findCountryCode(text: string, start: number): number {
  let code = 0;
  const end = Math.min(text.length, start + 3);
  for (let at = start; at < end; at++) {
    code = code * 10 + text.charCodeAt(at) - DIGIT_0;
    if (code === 0) return 0;
    if ((lengthsOf[code] ?? 0) !== 0) return code;
  }
  return 0;
}

/**
 * @returns true when a national significant number of `length` digits is possible in country `code`
 */
export function fitsCountry(code: number, length: number): boolean {
  return length >= 0 && length < 32 && (((lengthsOf[code] ?? 0) >>> length) & 1) === 1;
}

/**
 * Finds why country `code` does not allow the national number in `text` from `start`. Of all
 * countries the possible lengths are known, of North America the form too.
 * @returns words for people, or undefined when the number is possible
 */
export function findForeignFault(code: number, text: string, start: number): string | undefined {
  if (!fitsCountry(code, text.length - start)) return `cc ${code}: bad length`;
  return code === 1 && !isNorthAmerican(text, start) ? "cc 1: not [2-9]XX [2-9]XX XXXX" : undefined;
}

/** @returns how many digits the country code has: 1 to 3 */
export function countryCodeLength(code: number): number {
  if (code < 10) return 1;
  return code < 100 ? 2 : 3;
}
