// Tells whether a calling number from abroad looks like a domestic one.
import { NumberFlag, type NumberClass, type PartyNumber } from "../domain/number.ts";
import type { UsableNumber } from "../numbering/e164.ts";
import { beginsProtected, readsAsHome } from "../numbering/home-form.ts";
import { numbersSeen } from "./number-seen.ts";

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

const AT = 0x40;
/** At most this many characters of an invalid number are read. No number is longer. */
const MOST_CHARACTERS = 32;

/** How a calling number from abroad looks, see {@link lookOf}. */
export type Look = "foreign" | "roamer" | "ambiguous" | "home";

/**
 * Tells how a calling number from abroad looks to a domestic subscriber.
 * @returns `foreign`; `roamer` for a mobile number of +86 in global form, as an outbound roamer has
 *   it; `ambiguous` for bare digits that would be taken for a domestic number and that another
 *   country's plan allows; `home` for every other number or spelling that would be taken for a
 *   domestic one
 */
export function lookOf(number: PartyNumber): Look {
  if (number.kind === "unusable") {
    return number.why === "invalid" && looksDomestic(number.raw) ? "home" : "foreign";
  }
  if ((number.flags & NumberFlag.ambiguous) !== 0) return "ambiguous";
  if (number.kind === "short") return "home";
  if (number.class === "foreign") return "foreign";
  return roamerClasses.has(number.class) && isGlobalForm(number) ? "roamer" : "home";
}

/** @returns true when the number was written with its country code: +86…, 0086…, 86… */
export function isGlobalForm({ flags }: UsableNumber): boolean {
  return (flags & HOME_WRITING) === 0;
}

/**
 * Tells whether an invalid number looks domestic: its digits read as a home number, or what stands
 * behind "+" and zeros begins with 86 or a protected code (+95588, 0096110, +0861087654321).
 */
function looksDomestic(raw: string): boolean {
  return numbersSeen(raw).some(showsDomestic);
}

function showsDomestic(text: string): boolean {
  const digits = digitsOf(text);
  let from = 0;
  while (digits.charCodeAt(from) === 0x30) from++;
  if (digits.startsWith("86", from) || beginsProtected(digits, from)) return true;
  return digits !== "" && !text.includes("+") && readsAsHome(digits);
}

/** Returns the digits of a text up to an `@`, which ends a number. */
function digitsOf(text: string): string {
  let digits = "";
  for (let i = 0; i < text.length && i < MOST_CHARACTERS; i++) {
    const code = text.charCodeAt(i);
    if (code === AT) break;
    if (code >= 0x30 && code <= 0x39) digits += String.fromCharCode(code);
  }
  return digits;
}
