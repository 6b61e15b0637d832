// The North American plan: which numbers of country code 1 it allows.

const DIGIT_0 = 0x30;
/** Digits of area code, exchange code and station number. */
const LENGTH = 10;

/**
 * Tells whether the North American plan allows the national number in `text` from `start`: ten
 * digits, [2-9]XX [2-9]XX XXXX, where neither the area code nor the exchange code is a service code
 * N11 (North American Numbering Plan, ATIS-0300051 and ATIS-0300115). Whether an area code is in use
 * is not known here.
 * @param text ASCII digits only
 */
export function isNorthAmerican(text: string, start: number): boolean {
  return text.length - start === LENGTH && isOfficeCode(text, start) && isOfficeCode(text, start + 3);
}

/** Tells whether three digits are NXX and not N11. */
function isOfficeCode(text: string, at: number): boolean {
  if (text.charCodeAt(at) - DIGIT_0 < 2) return false;
  return text.charCodeAt(at + 1) !== DIGIT_0 + 1 || text.charCodeAt(at + 2) !== DIGIT_0 + 1;
}
