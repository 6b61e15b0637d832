import type { CallAttempt } from "../domain/attempt.ts";
import type { IdentitySource } from "../domain/identity.ts";
import type { DialPlan } from "../domain/number.ts";
import { hiddenTokens, readSipNumber, type UsableNumber } from "../numbering/e164.ts";
import { foldName, isBetweenGroups, isDigit, LONGEST_NAME } from "./display-text.ts";

/** What is wrong with a display name. */
export interface MisleadingName {
  readonly field: IdentitySource;
  readonly shows: "number" | "short-code" | "hidden-word" | "too-long";
  /** As a person reads it; empty when it was too long to be read. */
  readonly name: string;
}

/** A group of this many digits or more may be a number; from three on it may be a short code. */
const SHORTEST_NUMBER = 7;
const SHORTEST_CODE = 3;
/** E.164 and an international prefix; more digits in a row are no number. */
const LONGEST_NUMBER = 20;

/** Words beside a hidden token that leave its meaning as it is: "Private Number", "Unknown Caller ID", "No Number". */
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

/** What phones show for a hidden caller besides {@link hiddenTokens}. */
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
]);

/**
 * The first display name of the call that says something about the caller which its number does not: another number, a
 * short code, or that the caller is hidden. Undefined without display names, at no cost.
 */
export function findMisleadingName(attempt: CallAttempt): MisleadingName | undefined {
  for (const { display, source } of attempt.calling) {
    if (display === undefined) continue;
    const found = judgeName(display, attempt);
    if (found !== undefined) return { field: source, ...found };
  }
  return undefined;
}

function judgeName(display: string, attempt: CallAttempt): Omit<MisleadingName, "field"> | undefined {
  if (display.length > LONGEST_NAME) return { shows: "too-long", name: "" };
  const name = foldName(display);
  if (showsHidden(name)) return { shows: "hidden-word", name };
  const seen = { all: "", group: "", joined: "" };
  let shows: MisleadingName["shows"] | undefined;
  // One pass: every group of digits, groups that only separators part, and all digits together.
  for (let i = 0; i <= name.length; i++) {
    const char = name.charAt(i);
    if (isDigit(char)) {
      seen.all += char;
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
  // The whole of the caller's own number may stand in groups, each of which looks like something else.
  if (isOwnNumber(seen.all, attempt)) return undefined;
  shows ??= judgeDigits(seen.all, attempt);
  return shows === undefined ? undefined : { shows, name };
}

/** True when the name is nothing but a word for a hidden caller. */
function showsHidden(name: string): boolean {
  if (hiddenPhrases.has(name)) return true;
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

function judgeDigits(digits: string, attempt: CallAttempt): "number" | "short-code" | undefined {
  const { length } = digits;
  if (length < SHORTEST_CODE || length > LONGEST_NUMBER) return undefined;
  const plan = attempt.trunk.dialPlan;
  const number = readShown(digits, plan);
  if (number === undefined || isOwnNumber(digits, attempt)) return undefined;
  if (length < SHORTEST_NUMBER) return number.kind === "short" ? "short-code" : undefined;
  return "number";
}

/** The number that people take these digits for: dialled here, or behind "+". */
function readShown(digits: string, plan: DialPlan): UsableNumber | undefined {
  const dialled = readSipNumber(digits, plan);
  if (dialled.kind !== "unusable") return dialled;
  const global = readSipNumber(`+${digits}`, plan);
  return global.kind === "unusable" ? undefined : global;
}

/** True when some reading of the digits is a number that the call asserts. */
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
