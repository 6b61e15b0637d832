// Finds ranges and prefixes of a list that cover very many numbers.
import type { ListEntry } from "../../numbering/list-entry.ts";

/** A range or prefix that covers so many numbers that a slip of the pen is likely. */
export interface WideRow {
  readonly line: number;
  /** How many numbers it covers, in words. */
  readonly covers: string;
  /** True for numbers and codes of the home country. */
  readonly isHome: boolean;
}

/** A leased line has a block of hundreds or thousands of numbers. */
const WIDE = 1_000_000;
/** A prefix with fewer digits, country code included, covers {@link WIDE} numbers of the home plan or more. */
const FEWEST_PREFIX_DIGITS = 7;
/** A prefix of codes with fewer digits covers the codes of several services. */
const FEWEST_CODE_DIGITS = 3;

/** Says how many numbers a range or prefix covers; undefined for one of a usual size. */
export function sayWide(entry: ListEntry): string | undefined {
  if (entry.kind === "range") {
    const numbers = entry.high - entry.low + 1;
    return numbers < WIDE ? undefined : `the range covers ${numbers.toLocaleString("en")} numbers`;
  }
  if (entry.kind === "exact") return undefined;
  const { digits, code } = entry;
  if (code)
    return digits.length < FEWEST_CODE_DIGITS ? `the prefix covers every code with ${digits}` : undefined;
  if (digits.length >= FEWEST_PREFIX_DIGITS) return undefined;
  return `the prefix has only ${digits.length} digits, so it covers a million numbers or more`;
}

/** Tells whether an entry stands for numbers or codes of the home country. */
export function isOfHome(entry: ListEntry, homeCountry: string): boolean {
  if (entry.kind === "prefix") return entry.code || entry.digits.startsWith(homeCountry);
  const key = entry.kind === "exact" ? entry.key : entry.low;
  return key < 0 || String(key).startsWith(homeCountry);
}
