// Tells an account name, which asserts no number, from a number that letters are mixed into.
import type { DialPlan } from "../domain/number.ts";
import { createDialPlan } from "./dial-plan.ts";
import { readDialled, readGlobal } from "./interpretation.ts";
import { isVisualSeparator } from "./sip-user.ts";

/** Digits inside a name are read as a subscriber in China dials them, on whatever trunk. */
const atHome = createDialPlan();

/** A shorter run of digits inside a name is an index: `user110` is the 110th user. */
const SHORTEST_RUN = 5;
/** At most this many letters are taken for noise in a number: `139x1234x5678`. */
const MOST_STRAY_LETTERS = 2;
/** From this many digits on, digits with stray letters between them are read as one number. */
const SHORTEST_NUMBER = 7;
const UNDERSCORE = 0x5f;
/** The lengths of the groups of a UUID (RFC 9562 section 4). */
const uuidGroups: readonly number[] = [8, 4, 4, 4, 12];
/** So many hexadecimal digits in a row are an identifier, never a number. */
const LONG_IDENTIFIER = 24;

/**
 * Tells whether a user part is the name of an account or a device: `pbx01`, `pbx_8001`, `alice7`, a
 * UUID. Such a name asserts no number. It has a letter, and no element takes its digits for a
 * number, in any of these ways:
 *
 * - an element reads up to the first letter: `95588bank`, `01087654321p8001`;
 * - an element looks for digits: `icbc95588`, `tel+8613912345678`;
 * - an element removes single letters: `139x1234x5678`;
 * - a person reads over underscores: `bank_955_88`;
 * - a person takes the letters O, l, I, S, B and Z for digits: `O1O87654321`, `9SSB8`.
 *
 * @param text the user part without parameters, its escapes decoded
 * @param plan the dial plan of the trunk
 */
export function isAccountName(text: string, plan: DialPlan): boolean {
  let letters = 0;
  for (let at = 0; at < text.length; at++) if (isLetter(text.charCodeAt(at))) letters++;
  if (letters === 0) return false;
  if (isIdentifier(text)) return true;
  return !holdsNumber(text, letters, plan) && !holdsSplitNumber(text);
}

/** Tells whether a person who reads over underscores finds a number: `bank_955_88`. */
function holdsSplitNumber(text: string): boolean {
  if (!text.includes("_")) return false;
  let run = "";
  for (let at = 0; at <= text.length; at++) {
    const code = text.charCodeAt(at);
    if (isDigit(code)) run += text.charAt(at);
    else if (code !== UNDERSCORE && !isVisualSeparator(code)) {
      if (isRunNumber(run, false, false, atHome)) return true;
      run = "";
    }
  }
  return false;
}

function holdsNumber(text: string, letters: number, plan: DialPlan): boolean {
  let digits = "";
  let run = "";
  let plus = false;
  let isLeading = true;
  for (let at = 0; at <= text.length; at++) {
    const code = text.charCodeAt(at);
    if (isDigit(code)) {
      run += text.charAt(at);
      digits += text.charAt(at);
    } else if (code === 0x2b && run === "") plus = true;
    else if (!isVisualSeparator(code)) {
      if (run !== "" && isRunNumber(run, plus, isLeading, plan)) return true;
      run = "";
      plus = false;
      isLeading = false;
    }
  }
  if (letters <= MOST_STRAY_LETTERS && digits.length >= SHORTEST_NUMBER && isNumber(digits, false, atHome))
    return true;
  const seen = withoutLookAlikes(text);
  return seen !== "" && isNumber(seen, false, plan);
}

/** Tells whether a run of digits is a number: the first one by the trunk's plan, others as dialled at home. */
function isRunNumber(run: string, plus: boolean, isLeading: boolean, plan: DialPlan): boolean {
  if (isLeading) return isNumber(run, plus, plan);
  return run.length >= SHORTEST_RUN && isNumber(run, plus, atHome);
}

function isNumber(digits: string, plus: boolean, plan: DialPlan): boolean {
  const number = plus
    ? readGlobal(digits, 0, 0, digits, plan, "calling")
    : readDialled(digits, 0, digits, plan, "calling");
  return number.kind !== "unusable";
}

/** The letters that look like digits. */
const lookAlikes: ReadonlyMap<string, string> = new Map([
  ["O", "0"],
  ["o", "0"],
  ["I", "1"],
  ["l", "1"],
  ["Z", "2"],
  ["z", "2"],
  ["S", "5"],
  ["s", "5"],
  ["B", "8"],
]);

/** Returns the digits that a person sees when all letters look like digits. Empty: another letter is there. */
function withoutLookAlikes(text: string): string {
  let digits = "";
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const digit = isDigit(code) ? text.charAt(at) : lookAlikes.get(text.charAt(at));
    if (digit !== undefined) digits += digit;
    else if (code !== 0x2b && !isVisualSeparator(code)) return "";
  }
  return digits;
}

/** Tells whether the name is a UUID or another long hexadecimal identifier with a letter in it. */
function isIdentifier(text: string): boolean {
  let group = 0;
  let length = 0;
  let isUuid = true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x2d) {
      if (length !== uuidGroups[group]) isUuid = false;
      group++;
      length = 0;
    } else if (isHex(code)) length++;
    else return false;
  }
  if (group === 0) return length >= LONG_IDENTIFIER;
  return isUuid && group === uuidGroups.length - 1 && length === uuidGroups[group];
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetter(code: number): boolean {
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x7a;
}

function isHex(code: number): boolean {
  const letter = code | 0x20;
  return isDigit(code) || (letter >= 0x61 && letter <= 0x66);
}
