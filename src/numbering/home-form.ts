// Tells whether bare digits, as a phone at home shows them, read as a home number.
import { classifyNational, findCodeBehindArea } from "./cn.ts";

const DIGIT_0 = 0x30;

/**
 * The first digits of home numbers and protected codes. Digits that begin so are read as the code,
 * whatever stands behind it.
 */
const protectedPrefixes: readonly string[] = [
  "95",
  "96",
  "100",
  "101",
  "106",
  "110",
  "111",
  "114",
  "116",
  "118",
  "119",
  "12",
  "400",
  "800",
];

/** @returns true when a protected code stands at `at`: 95…, 96…, 100…, 110, 12…, 400…, 800… */
export function beginsProtected(text: string, at: number): boolean {
  for (let i = 0; i < protectedPrefixes.length; i++) {
    if (text.startsWith(protectedPrefixes[i]!, at)) return true;
  }
  return false;
}

/**
 * Tells whether digits without "+" and "00" read as a home number when they are shown as they are:
 * - a number or code of the plan, also behind a trunk prefix or behind an area code;
 * - any 11 digits that begin like a mobile number, 13 to 19;
 * - any 7 or 8 digits that may be a subscriber number, 2 to 8 first;
 * - a protected code with anything behind it.
 * @param text ASCII digits only
 */
export function readsAsHome(text: string): boolean {
  const first = text.charCodeAt(0) - DIGIT_0;
  if (first === 0) return text.charCodeAt(1) !== DIGIT_0;
  if (mayBeSubscriber(text)) return true;
  if (first === 1 && text.length === 11 && text.charCodeAt(1) - DIGIT_0 >= 3) return true;
  return (
    beginsProtected(text, 0) || classifyNational(text, 0) !== undefined || findCodeBehindArea(text, 0) >= 0
  );
}

/** @returns true for 7 or 8 digits that begin with 2 to 8: a subscriber number of some area */
export function mayBeSubscriber(text: string): boolean {
  const first = text.charCodeAt(0) - DIGIT_0;
  return (text.length === 7 || text.length === 8) && first >= 2 && first <= 8;
}
