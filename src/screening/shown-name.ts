// Finds a display name that shows another number, a short code or a hidden caller.
import type { CallAttempt } from "../domain/attempt.ts";
import type { IdentitySource, NameSource } from "../domain/identity.ts";
import type { DialPlan } from "../domain/number.ts";
import { hiddenTokens, readSipNumber, type UsableNumber } from "../numbering/e164.ts";
import { turnsText } from "./characters.ts";
import { foldNames, isBetweenGroups, isDigit, LONGEST_NAME } from "./display-text.ts";
import { withDigitsSeen, wordsSeen } from "./look-alikes.ts";

/** What is wrong with a display name. */
export interface MisleadingName {
  readonly field: IdentitySource | NameSource;
  readonly shows: "number" | "short-code" | "hidden-word" | "turned-text" | "too-long";
  /** The name as a person reads it. Empty when it was too long to be read. */
  readonly name: string;
}

/**
 * A group of at least this many digits may be a number. From SHORTEST_CODE digits on it may be a
 * short code.
 */
const SHORTEST_NUMBER = 7;
const SHORTEST_CODE = 3;
/** An E.164 number with an international prefix. More digits in a row are no number. */
const LONGEST_NUMBER = 20;

/**
 * Words beside a hidden token that do not change its meaning: "Private Number", "Unknown Caller
 * ID", "No Number".
 */
const fillers: ReadonlySet<string> = new Set([
  "",
  "no",
  "caller",
  "number",
  "id",
  "call",
  "name",
  "callerid",
]);

/** What phones show for a hidden calling party, besides {@link hiddenTokens}. */
const hiddenPhrases: ReadonlySet<string> = new Set([
  "no caller id",
  "no number",
  "no caller",
  "secret number",
  "unlisted",
  "匿名",
  "匿名来电",
  "未知",
  "未知号码",
  "未知来电",
  "未显示号码",
  "无主叫号码",
  "无号码",
  "私人号码",
  "私密号码",
  "隐藏号码",
  "隐私号码",
  "号码保密",
  "匿名來電",
  "未知號碼",
  "未知來電",
  "未顯示號碼",
  "無主叫號碼",
  "無號碼",
  "私人號碼",
  "隱藏號碼",
  "隱私號碼",
  "號碼保密",
]);

/** The same without the spaces between their words. */
const joinedPhrases: ReadonlySet<string> = new Set(
  [...hiddenPhrases].map((phrase) => phrase.replaceAll(" ", "")),
);

/**
 * Returns the first display name of the call that shows something which the calling number does
 * not: another number, a short code, or that the calling party is hidden. Names in ISUP come first,
 * because nobody can remove them.
 * @returns undefined when there is none; a call without display names costs nothing
 */
export function findMisleadingName(attempt: CallAttempt): MisleadingName | undefined {
  for (const { display, source, presentation } of attempt.names ?? []) {
    const found = judgeName(display, attempt);
    // A name that is withheld may say so.
    if (found === undefined || (found.shows === "hidden-word" && presentation !== "allowed")) continue;
    return { field: source, ...found };
  }
  for (const { display, source } of attempt.calling) {
    if (display === undefined) continue;
    const found = judgeName(display, attempt);
    if (found !== undefined) return { field: source, ...found };
  }
  return undefined;
}

function judgeName(display: string, attempt: CallAttempt): Omit<MisleadingName, "field"> | undefined {
  if (display.length > LONGEST_NAME) return { shows: "too-long", name: "" };
  for (const name of foldNames(display)) {
    if (turnsText(name)) return { shows: "turned-text", name };
    if (wordsSeen(name).some(showsHidden)) return { shows: "hidden-word", name };
    const seen = withDigitsSeen(name);
    // The whole of the caller's own number may stand in groups that each look like something else.
    if (isOwnNumber(digitsOf(name), attempt) || isOwnNumber(digitsOf(seen), attempt)) continue;
    const shows = judgeText(name, attempt) ?? (seen === name ? undefined : judgeText(seen, attempt));
    if (shows !== undefined) return { shows, name };
  }
  return undefined;
}

/** Tells which number or code the digits of a folded name show. */
function judgeText(name: string, attempt: CallAttempt): "number" | "short-code" | undefined {
  const seen = { group: "", joined: "" };
  let shows: "number" | "short-code" | undefined;
  // One pass judges every group of digits, then groups that only separators part. After it, all
  // digits together are judged.
  for (let i = 0; i <= name.length; i++) {
    const char = name.charAt(i);
    if (isDigit(char)) {
      seen.group += char;
      seen.joined += char;
      continue;
    }
    if (seen.group !== "") shows ??= judgeDigits(seen.group, attempt);
    seen.group = "";
    if (char !== "" && isBetweenGroups(char)) continue;
    if (seen.joined !== "") shows ??= judgeDigits(seen.joined, attempt);
    seen.joined = "";
  }
  return shows ?? judgeDigits(digitsOf(name), attempt);
}

function digitsOf(name: string): string {
  let digits = "";
  for (const char of name) if (isDigit(char)) digits += char;
  return digits;
}

/** Tells whether the name is nothing but words for a hidden calling party. */
function showsHidden(name: string): boolean {
  if (hiddenPhrases.has(name) || isHiddenWhenJoined(name)) return true;
  let tokens = 0;
  let word = "";
  for (let i = 0; i <= name.length; i++) {
    const char = name.charAt(i);
    if (char !== "" && !isBetweenGroups(char)) {
      word += char;
      continue;
    }
    if (hiddenTokens.has(word)) tokens++;
    else if (!fillers.has(word)) return false;
    word = "";
  }
  return tokens > 0;
}

/** Tells whether the letters alone are such a word: "P r i v a t e", "匿·名". */
function isHiddenWhenJoined(name: string): boolean {
  let joined = "";
  for (const char of name) if (!isBetweenGroups(char)) joined += char;
  return hiddenTokens.has(joined) || joinedPhrases.has(joined);
}

function judgeDigits(digits: string, attempt: CallAttempt): "number" | "short-code" | undefined {
  const { length } = digits;
  if (length < SHORTEST_CODE || length > LONGEST_NUMBER) return undefined;
  const plan = attempt.trunk.dialPlan;
  const number = readShown(digits, plan);
  if (number === undefined || isOwnNumber(digits, attempt)) return undefined;
  if (length < SHORTEST_NUMBER) return number.kind === "short" ? "short-code" : undefined;
  return "number";
}

/** Returns the number that people take these digits for: dialled here, or after "+". */
function readShown(digits: string, plan: DialPlan): UsableNumber | undefined {
  const dialled = readSipNumber(digits, plan);
  if (dialled.kind !== "unusable") return dialled;
  const global = readSipNumber(`+${digits}`, plan);
  return global.kind === "unusable" ? undefined : global;
}

/** Tells whether a reading of the digits is a number that the call asserts. */
function isOwnNumber(digits: string, attempt: CallAttempt): boolean {
  if (digits.length < SHORTEST_CODE || digits.length > LONGEST_NUMBER) return false;
  const plan = attempt.trunk.dialPlan;
  const dialled = readSipNumber(digits, plan);
  const global = readSipNumber(`+${digits}`, plan);
  for (const { number } of attempt.calling) {
    if (number.kind === "unusable") continue;
    if (dialled.kind !== "unusable" && dialled.key === number.key) return true;
    if (global.kind !== "unusable" && global.key === number.key) return true;
  }
  return false;
}
