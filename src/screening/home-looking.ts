import { NumberFlag, type NumberClass, type PartyNumber } from "../domain/number.ts";
import type { UsableNumber } from "../numbering/e164.ts";

/** Bits of `NumberFlag` for the ways of writing a number that give no country code: only a call from home is written so. */
const HOME_WRITING =
  NumberFlag.domesticForm |
  NumberFlag.local |
  NumberFlag.nsn |
  NumberFlag.context |
  NumberFlag.subscriberNature;

/** Classes that subscribers take abroad (plan data, column `plus86_from_abroad` = roamer). */
const roamerClasses: ReadonlySet<NumberClass> = new Set([
  "mobile",
  "mobile_mvno",
  "mobile_satellite",
  "mobile_emergency_comms",
]);

/**
 * Beginnings of home numbers and protected short codes. A number that no plan allows and that starts so, once "+"
 * and zeros are gone, is made to be read as one at home: +95588, 0096110, +0861087654321.
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
 * How a caller from abroad looks: `foreign`; `roamer`: a mobile number of +86 in global form, as an outbound roamer has
 * it; `home`: every other number or spelling that a subscriber at home would take for a domestic one.
 */
export function lookOf(number: PartyNumber): "foreign" | "roamer" | "home" {
  if (number.kind === "short") return "home";
  if (number.kind === "unusable") {
    return number.why === "invalid" && startsProtected(number.raw) ? "home" : "foreign";
  }
  if (number.class === "foreign") return "foreign";
  return roamerClasses.has(number.class) && isGlobalForm(number) ? "roamer" : "home";
}

/** True when the number was written with its country code: +86…, 0086…, 86…. */
export function isGlobalForm({ flags }: UsableNumber): boolean {
  return (flags & HOME_WRITING) === 0;
}

/** Looks at the first digits behind signs, separators, an escaped plus and zeros; bounded whatever the length. */
function startsProtected(raw: string): boolean {
  let digits = "";
  for (let i = 0; i < raw.length && i < 32 && digits.length < LONGEST_PREFIX; i++) {
    const code = raw.charCodeAt(i);
    if (code === 0x25) {
      // A percent escape is one character of the number; digits may hide in it (%39 is 9).
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
