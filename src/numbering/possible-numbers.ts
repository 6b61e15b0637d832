// The numbers that an element may find in digits that no plan allows as they are written.
import type { DialPlan } from "../domain/number.ts";
import { createDialPlan } from "./dial-plan.ts";
import { readDialled, readGlobal } from "./interpretation.ts";
import { isVisualSeparator } from "./sip-user.ts";

/** At most this many characters are read. No number is longer. */
const MOST_CHARACTERS = 48;
const PLUS = 0x2b;
const SPACE = 0x20;
const HOME = "86";

/**
 * Returns the keys of the numbers that an element may find in a number that can't be read: in its digits up to the first
 * other character, and in all of its digits; with and without the zeros and the country code in front (`+86(0)1095588`,
 * `0095588`, `95588#`, `95588:1`). Most are nobody's number. They serve to look a party up on a deny list.
 * @param text the number without parameters, its escapes decoded
 * @param plan the dial plan of the trunk
 */
export function possibleKeys(text: string, plan: DialPlan): ReadonlySet<number> {
  const generous = createDialPlan({ homeArea: plan.homeArea, tolerateTrunkZero: true });
  const keys = new Set<number>();
  const { leading, all } = digitsOf(text);
  addKeys(leading, generous, keys);
  if (all !== leading) addKeys(all, generous, keys);
  return keys;
}

function addKeys(digits: string, plan: DialPlan, keys: Set<number>): void {
  const bare = withoutZeros(digits);
  addReadings(bare, plan, keys);
  if (bare.startsWith(HOME)) addReadings(withoutZeros(bare.slice(HOME.length)), plan, keys);
}

/** Adds what digits without zeros in front are to an element: dialled here, a national number, a foreign number. */
function addReadings(digits: string, plan: DialPlan, keys: Set<number>): void {
  if (digits === "") return;
  for (const number of [
    readDialled(digits, 0, digits, plan, "calling"),
    readDialled(`0${digits}`, 0, digits, plan, "calling"),
    readGlobal(digits, 0, 0, digits, plan, "calling"),
  ])
    if (number.kind !== "unusable") keys.add(number.key);
}

function withoutZeros(digits: string): string {
  let from = 0;
  while (digits.charCodeAt(from) === 0x30) from++;
  return digits.slice(from);
}

function digitsOf(text: string): { readonly leading: string; readonly all: string } {
  let all = "";
  let leading: string | undefined;
  for (let at = 0; at < text.length && at < MOST_CHARACTERS; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) all += String.fromCharCode(code);
    else if (all !== "" && code !== PLUS && code !== SPACE && !isVisualSeparator(code)) leading ??= all;
  }
  return { leading: leading ?? all, all };
}
