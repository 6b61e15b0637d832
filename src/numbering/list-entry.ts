// Reads the `number` column of an operator's list: a number, a range or a prefix.
import { isCodePrefix, isNumberPrefix } from "./cn.ts";
import { findCountryCode } from "./country-code.ts";
import { readListNumber, type UsableNumber } from "./e164.ts";
import { spellNumber } from "./sip-user.ts";

/** What the column `number` of a list holds. Keys are those of `PartyNumber`. */
export type ListEntry =
  | { readonly kind: "exact"; readonly key: number }
  /** Both bounds are inclusive. */
  | { readonly kind: "range"; readonly low: number; readonly high: number }
  /** Digits with country code, or the first digits of a code when `code` is true. */
  | { readonly kind: "prefix"; readonly digits: string; readonly code: boolean };

/**
 * Reads `+861087654321`, `01087654321`, `95588`, `+861087654300..+861087654399`, `+8610876543*` or
 * `955*`. Visual separators and spaces are ignored. A code is the same entry however it is written:
 * `95588`, `+8695588`, `010-95588`. A prefix after +86 covers numbers, never codes: `+8610*` is
 * Beijing, neither 10086 nor 010 95588.
 * @returns the entry, or an error text for the operator
 */
export function readListEntry(text: string, homeCountry = "86"): ListEntry | string {
  const trimmed = text.trim();
  const dots = trimmed.indexOf("..");
  if (dots >= 0) return readRange(trimmed.slice(0, dots), trimmed.slice(dots + 2), homeCountry);
  if (trimmed.endsWith("*")) return readPrefix(trimmed.slice(0, -1), homeCountry);
  const number = readListNumber(trimmed, homeCountry);
  return typeof number === "string" ? number : { kind: "exact", key: number.key };
}

function readRange(first: string, last: string, homeCountry: string): ListEntry | string {
  const from = readListNumber(first, homeCountry);
  if (typeof from === "string") return `first number: ${from}`;
  const to = readListNumber(last, homeCountry);
  if (typeof to === "string") return `last number: ${to}`;
  if (from.key < 0 !== to.key < 0 || countDigits(from) !== countDigits(to))
    return "both ends of a range must have the same number of digits";
  if (Math.abs(from.key) > Math.abs(to.key)) return "the range ends before it begins";
  return { kind: "range", low: Math.min(from.key, to.key), high: Math.max(from.key, to.key) };
}

/** Returns how many digits the key has: a code counts without country code and area code. */
function countDigits({ key }: UsableNumber): number {
  return String(Math.abs(key)).length;
}

function readPrefix(text: string, homeCountry: string): ListEntry | string {
  const spelled = spellNumber(text.replaceAll(" ", ""));
  if (spelled.digits === "" || spelled.strangers > 0) return `not a prefix: "${text}*"`;
  if (spelled.plus) return readGlobalPrefix(spelled.digits, text);
  if (spelled.digits.startsWith("00")) return readGlobalPrefix(spelled.digits.slice(2), text);
  if (homeCountry !== "86")
    return `"${text}*" needs its country code: national numbers are known for country 86 only`;
  if (spelled.digits.startsWith("0")) return readGlobalPrefix(`86${spelled.digits.slice(1)}`, text);
  if (isCodePrefix(spelled.digits)) return { kind: "prefix", digits: spelled.digits, code: true };
  return `no code begins with "${text}"; for numbers write "+86${spelled.digits}*"`;
}

function readGlobalPrefix(digits: string, text: string): ListEntry | string {
  const country = findCountryCode(digits, 0);
  if (country === 0) return `"${text}*" does not begin with a country code`;
  if (digits.length >= 15) return `nothing can follow "${text}": a number has at most 15 digits`;
  if (country === 86 && !isNumberPrefix(digits.slice(2)))
    return `no number of the plan begins with "${text}"; a code is written alone: "955*"`;
  return { kind: "prefix", digits, code: false };
}
