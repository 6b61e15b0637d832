// Tells whether a calling number from abroad looks like a domestic one.
import { NumberFlag, type NumberClass, type PartyNumber } from "../domain/number.ts";
import type { UsableNumber } from "../numbering/e164.ts";

/** The bits of `NumberFlag` for spellings without country code, which only domestic calls use. */
const HOME_WRITING =
  NumberFlag.domesticForm |
  NumberFlag.local |
  NumberFlag.nsn |
  NumberFlag.context |
  NumberFlag.subscriberNature;

/** The classes that subscribers take abroad (plan data, column `plus86_from_abroad` = roamer). */
const roamerClasses: ReadonlySet<NumberClass> = new Set([
  "mobile",
  "mobile_mvno",
  "mobile_satellite",
  "mobile_emergency_comms",
]);

/**
 * The first digits of home numbers and protected short codes. An invalid number that begins so,
 * after "+" and zeros, is made to be read as a domestic one: +95588, 0096110, +0861087654321.
 */
const protectedPrefixes: readonly string[] = [
  "86",
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
const LONGEST_PREFIX = 3;

/**
 * Tells how a calling number from abroad looks to a domestic subscriber.
 * @returns `foreign`; `roamer` for a mobile number of +86 in global form, as an outbound roamer has
 *   it; `home` for every other number or spelling that would be taken for a domestic one
 */
export function lookOf(number: PartyNumber): "foreign" | "roamer" | "home" {
  if (number.kind === "short") return "home";
  if (number.kind === "unusable") {
    return number.why === "invalid" && startsProtected(number.raw) ? "home" : "foreign";
  }
  if ((number.flags & NumberFlag.ambiguous) !== 0) return "home";
  if (number.class === "foreign") return "foreign";
  return roamerClasses.has(number.class) && isGlobalForm(number) ? "roamer" : "home";
}

/** @returns true when the number was written with its country code: +86…, 0086…, 86… */
export function isGlobalForm({ flags }: UsableNumber): boolean {
  return (flags & HOME_WRITING) === 0;
}

/**
 * Tells whether the first digits, after signs, separators, an escaped plus and zeros, are
 * protected. It reads at most 32 characters.
 */
function startsProtected(raw: string): boolean {
  let digits = "";
  for (let i = 0; i < raw.length && i < 32 && digits.length < LONGEST_PREFIX; i++) {
    const code = raw.charCodeAt(i);
    if (code === 0x25) {
      // A percent escape is one character of the number. It may hide a digit (%39 is 9).
      const escaped = Number.parseInt(raw.slice(i + 1, i + 3), 16);
      i += 2;
      if (escaped >= 0x30 && escaped <= 0x39) digits = appendDigit(digits, escaped);
    } else if (code >= 0x30 && code <= 0x39) {
      digits = appendDigit(digits, code);
    }
  }
  return protectedPrefixes.some((prefix) => digits.startsWith(prefix));
}

function appendDigit(digits: string, code: number): string {
  return digits === "" && code === 0x30 ? "" : digits + String.fromCharCode(code);
}
