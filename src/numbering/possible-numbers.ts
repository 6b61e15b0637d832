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
/** What people dial in front of a number for a cheaper line (179XX, 12593 …). Some networks leave it in front of the caller. */
const linePrefixes: readonly string[] = ["179", "12593", "11808", "10193"];
/** So many digits each prefix has in all. */
const PREFIX_LENGTH = 5;

/**
 * Returns the keys of the numbers that an element may find in a number that can't be read: in its digits up to the first
 * other character, in those behind the last one, and in all of its digits; with and without the zeros, the country code
 * and the prefix of a line in front (`+86(0)1095588`, `0095588`, `95588#`, `95588:1`, `*31*95588`, `1795195588`). Most are nobody's number. They serve to look a party up on a deny list.
 * @param text the number without parameters, its escapes decoded
 * @param plan the dial plan of the trunk
 */
export function possibleKeys(text: string, plan: DialPlan): ReadonlySet<number> {
  const generous = createDialPlan({ homeArea: plan.homeArea, tolerateTrunkZero: true });
  const keys = new Set<number>();
  const { leading, trailing, all } = digitsOf(text);
  for (const digits of new Set([leading, trailing, all])) addKeys(digits, generous, keys);
  return keys;
}

function addKeys(digits: string, plan: DialPlan, keys: Set<number>): void {
  const bare = withoutZeros(digits);
  addBehindPrefix(bare, plan, keys);
  if (bare.startsWith(HOME)) addBehindPrefix(withoutZeros(bare.slice(HOME.length)), plan, keys);
}

function addBehindPrefix(digits: string, plan: DialPlan, keys: Set<number>): void {
  addReadings(digits, plan, keys);
  if (linePrefixes.some((prefix) => digits.startsWith(prefix)))
    addReadings(withoutZeros(digits.slice(PREFIX_LENGTH)), plan, keys);
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

/** The digits of a text: those in front of the first character that parts numbers, those behind the last one, and all. */
function digitsOf(text: string): {
  readonly leading: string;
  readonly trailing: string;
  readonly all: string;
} {
  let all = "";
  let leading: string | undefined;
  let trailing = "";
  for (let at = 0; at < text.length && at < MOST_CHARACTERS; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) {
      all += text.charAt(at);
      trailing += text.charAt(at);
    } else if (all !== "" && code !== PLUS && code !== SPACE && !isVisualSeparator(code)) {
      leading ??= all;
      trailing = "";
    }
  }
  return { leading: leading ?? all, trailing, all };
}
