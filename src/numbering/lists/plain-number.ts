// Reads the usual spellings of home numbers from octets, by what the plan has said of numbers that begin alike.
import { DECIDING_DIGITS } from "../cn.ts";
import { readListEntry } from "../list-entry.ts";

const PLUS = 0x2b;
const DIGIT_0 = 0x30;

/** Digits of a national number: area code and subscriber number, or a mobile number. */
const SHORTEST = 10;
const LONGEST = 11;
const COUNTRY = "86";
/** What the country code adds to a national number of each length. */
const COUNTRY_PARTS = [86e10, 86e11] as const;

/** What is known of the numbers of one spelling and length that begin with the same digits. */
const UNKNOWN = 0;
const NUMBER = 1;

/** Reads the number in `bytes` from `start` up to `end`. */
export interface PlainNumberReader {
  /**
   * @returns the key of the number (see `PartyNumber`); NaN where the octets are no home number in a usual spelling,
   *   which says nothing of whether they are a number
   */
  read(bytes: Uint8Array, start: number, end: number): number;
}

/** The spellings: `+8613912345678`, `013912345678`, `13912345678`. The place in this list is part of an index. */
const prefixes = ["+86", "0", ""] as const;

/**
 * Makes a reader for lists of a home country. It knows no plan. It asks `readListEntry` once for every beginning, and
 * gives the same answer for all numbers of this spelling and length that begin with these digits: the plan looks at no
 * others (see `DECIDING_DIGITS`).
 */
export function createPlainNumberReader(homeCountry: string): PlainNumberReader {
  const beginnings = 10 ** DECIDING_DIGITS;
  /** One table for each spelling and length, made when it is needed. */
  const tables: (Uint8Array | undefined)[] = [];

  function ask(spelling: number, national: string): number {
    const entry = readListEntry(`${prefixes[spelling]}${national}`, homeCountry);
    const isNumber =
      typeof entry === "object" && entry.kind === "exact" && entry.key === Number(`${COUNTRY}${national}`);
    return isNumber ? NUMBER : NUMBER + 1;
  }

  return {
    read(bytes, start, end) {
      let spelling = 2;
      let at = start;
      if (bytes[at] === PLUS) {
        if (bytes[at + 1] !== DIGIT_0 + 8 || bytes[at + 2] !== DIGIT_0 + 6) return Number.NaN;
        spelling = 0;
        at += 3;
      } else if (bytes[at] === DIGIT_0) {
        spelling = 1;
        at += 1;
      }
      const length = end - at;
      if (length < SHORTEST || length > LONGEST || bytes[at] === DIGIT_0) return Number.NaN;
      let value = 0;
      let beginning = 0;
      for (let index = 0; index < length; index++) {
        const digit = (bytes[at + index] ?? 0) - DIGIT_0;
        if (digit < 0 || digit > 9) return Number.NaN;
        value = value * 10 + digit;
        if (index === DECIDING_DIGITS - 1) beginning = value;
      }
      const which = spelling * 2 + length - SHORTEST;
      const table = (tables[which] ??= new Uint8Array(beginnings));
      let known = table[beginning] ?? UNKNOWN;
      if (known === UNKNOWN) {
        known = ask(spelling, String(value));
        table[beginning] = known;
      }
      return known === NUMBER ? (COUNTRY_PARTS[length - SHORTEST] ?? 0) + value : Number.NaN;
    },
  };
}
