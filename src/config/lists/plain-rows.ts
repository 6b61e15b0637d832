// Reads the rows of a list that have the usual form, from octets: no text and no object for a row.
import type { NumberSetBuilder } from "../../numbering/number-set-builder.ts";
import type { PlainNumberReader } from "../../numbering/lists/plain-number.ts";
import type { AskedCells } from "./asked-column.ts";
import type { Calendar, Day } from "./calendar.ts";
import type { TakeLine } from "./csv-octets.ts";
import type { Column } from "./list-advice.ts";
import type { Header } from "./list-cells.ts";

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;
const HYPHEN = 0x2d;
const DIGIT_0 = 0x30;

/** Length of a day: `2026-12-31`. */
const DAY_LENGTH = 10;

/** Days in order of their first occurrence. Number 0 stands for an empty cell. */
export interface DayTable {
  /** @returns the number of the day in `bytes` from `start` up to `end`; -1 where it has another form, or is no day */
  read(bytes: Uint8Array, start: number, end: number): number;
  /** @returns undefined for number 0 */
  day(number: number): Day | undefined;
  count(): number;
}

/** Makes a table for lists that share a calendar. */
export function createDayTable(calendar: Calendar): DayTable {
  const known = new Map<number, number>();
  const days: (Day | undefined)[] = [undefined];
  let lastValue = -1;
  let lastNumber = -1;

  function numberOf(value: number): number {
    const digits = String(value).padStart(8, "0");
    const day = calendar.readDay(`${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`);
    return day === undefined ? -1 : days.push(day) - 1;
  }

  return {
    day: (number) => days[number],
    count: () => days.length,
    read(bytes, start, end) {
      if (start === end) return 0;
      if (end - start !== DAY_LENGTH) return -1;
      let value = 0;
      for (let index = 0; index < DAY_LENGTH; index++) {
        const octet = bytes[start + index] ?? 0;
        if (index === 4 || index === 7) {
          if (octet !== HYPHEN) return -1;
          continue;
        }
        const digit = octet - DIGIT_0;
        if (digit < 0 || digit > 9) return -1;
        value = value * 10 + digit;
      }
      if (value === lastValue) return lastNumber;
      let number = known.get(value);
      if (number === undefined) {
        number = numberOf(value);
        known.set(value, number);
      }
      lastValue = value;
      lastNumber = number;
      return number;
    },
  };
}

/** Reads the rows of one list. */
export interface PlainRowReader {
  /** Begins behind the header. Before, nothing is taken. */
  begin(header: Header): void;
  readonly take: TakeLine;
  /** How many rows were taken; each has one number. */
  count(): number;
}

/** What a column holds, by its position. */
const OTHER = 0;
const NUMBER = 1;
const FROM = 2;
const TO = 3;
const VERIFIED = 4;
const FORWARD = 5;
const ASKED = 6;

const columnKinds: Partial<Record<Column, number>> = {
  number: NUMBER,
  valid_from: FROM,
  valid_to: TO,
  verified_on: VERIFIED,
  may_forward: FORWARD,
};

/**
 * Makes the reader. It takes a line with a home number in a usual spelling, days and `yes` or `no` as they are written
 * by the book, no quote, and no more cells than the header. It takes a line as a whole or not at all.
 */
export function createPlainRowReader(
  builder: NumberSetBuilder,
  numbers: PlainNumberReader,
  days: DayTable,
  asked?: AskedCells,
): PlainRowReader {
  let kinds = new Uint8Array(0);
  let rows = 0;
  // The cells of the line.
  let key = Number.NaN;
  let from = 0;
  let to = 0;
  let verified = 0;
  let forward = 0;
  let mark = 0;
  /** The last combination of attributes, its number, and the numbers of all. */
  let last = -1;
  let lastAttributes = 0;
  const attributes = new Map<number, number>();

  /** @returns false when the cell has not the usual form */
  function takeCell(kind: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (kind === OTHER) return true;
    if (kind === NUMBER) {
      key = numbers.read(bytes, start, end);
      return !Number.isNaN(key);
    }
    if (kind === FORWARD) {
      forward = readYesNo(bytes, start, end);
      return forward >= 0;
    }
    if (kind === ASKED) {
      mark = asked?.readOctets(bytes, start, end) ?? 0;
      return mark >= 0;
    }
    const day = days.read(bytes, start, end);
    if (kind === FROM) from = day;
    else if (kind === TO) to = day;
    else verified = day;
    return day >= 0;
  }

  /** @returns -1 when the days contradict each other */
  function attributesOf(): number {
    // There are fewer than 2^17 days: of the years 1970 to 9999 no more than 3 million, and no list has them.
    const combination = ((from * DAYS + to) * DAYS + verified) * 2 + forward;
    if (combination === last) return lastAttributes;
    let number = attributes.get(combination);
    if (number === undefined) {
      number = newAttributes();
      attributes.set(combination, number);
    }
    last = combination;
    lastAttributes = number;
    return number;
  }

  function newAttributes(): number {
    const [first, end] = [days.day(from), days.day(to)];
    if (days.count() >= DAYS || (first !== undefined && end !== undefined && end.end <= first.start))
      return -1;
    return builder.numberAttributes({
      validFrom: first?.start,
      validTo: end?.end,
      verifiedOn: days.day(verified)?.start,
      mayForward: forward === 1,
    });
  }

  return {
    begin({ width, positions, asked: position }) {
      if (!positions.has("number")) return;
      kinds = new Uint8Array(width);
      for (const [column, place] of positions) kinds[place] = columnKinds[column] ?? OTHER;
      if (position >= 0) kinds[position] = ASKED;
    },
    take(bytes, at, line) {
      const width = kinds.length;
      if (width === 0) return -1;
      key = Number.NaN;
      from = to = verified = forward = 0;
      // A row that is too short has no score: nothing says that it has none but its text.
      mark = asked?.column.holds === "score" ? -1 : 0;
      const { length } = bytes;
      let column = 0;
      let start = at;
      let end = at;
      for (; ; end++) {
        const octet = end < length ? (bytes[end] ?? 0) : LF;
        if (octet > COMMA) continue;
        if (octet === QUOTE) return -1;
        const isEnd = octet === LF || (octet === CR && (end + 1 === length || bytes[end + 1] === LF));
        if (octet === CR && !isEnd) return -1;
        if (!isEnd && octet !== COMMA) continue;
        if (column >= width || !takeCell(kinds[column] ?? OTHER, bytes, start, end)) return -1;
        if (isEnd) break;
        column += 1;
        start = end + 1;
      }
      if (Number.isNaN(key) || mark < 0) return -1;
      const attribute = attributesOf();
      if (attribute < 0) return -1;
      builder.addKey(key, line, attribute, mark);
      rows += 1;
      const feed = end < length && bytes[end] === CR ? end + 1 : end;
      return Math.min(feed + 1, length);
    },
    count: () => rows,
  };
}

/** More days than a list has. Three of them and a bit are exact in a double. */
const DAYS = 1 << 17;

/** @returns 1 for `yes`, 0 for `no` or nothing, -1 for anything else */
function readYesNo(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 0) return 0;
  if (length === 2) return bytes[start] === 0x6e && bytes[start + 1] === 0x6f ? 0 : -1;
  const isYes =
    length === 3 && bytes[start] === 0x79 && bytes[start + 1] === 0x65 && bytes[start + 2] === 0x73;
  return isYes ? 1 : -1;
}
