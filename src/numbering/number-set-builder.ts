// Builds a number set from the rows of a list file, when the policy is read.
import type { Millis } from "../domain/time.ts";
import { createDoubleColumn, createWordColumn } from "./growing-column.ts";
import type { ListEntry } from "./list-entry.ts";
import { allocateColumns, layOutColumns, type NumberColumns } from "./number-columns.ts";
import { type NumberSet, openNumberSet } from "./number-set.ts";
import { arrangeDoubles, arrangeWords, sortOrder } from "./sort-order.ts";

/** What a list says about a number besides the number. */
export interface RowAttributes {
  /** The first moment in force. Undefined: since ever. */
  readonly validFrom?: Millis | undefined;
  /** The first moment no longer in force. Undefined: it never ends. */
  readonly validTo?: Millis | undefined;
  readonly verifiedOn?: Millis | undefined;
  readonly mayForward: boolean;
}

/** One row of a list file. */
export interface NumberRow extends RowAttributes {
  /** The line in the file, from 1. */
  readonly line: number;
  /** What a further column says of the row, from 0 to {@link MOST_MARK}. Undefined: 0. */
  readonly mark?: number | undefined;
}

/** The highest mark of a row. */
export const MOST_MARK = 0xffff;

/** Collects the rows of a list in any order. Keys are those of `PartyNumber`. */
export interface NumberSetBuilder {
  addExact(key: number, row: NumberRow): void;
  /** Numbers a combination of attributes, for {@link addKey}. Equal ones have one number. */
  numberAttributes(attributes: RowAttributes): number;
  /** Does the same as {@link addExact}, without an object for the row. */
  addKey(key: number, line: number, attributes: number, mark?: number): void;
  /**
   * Both bounds are inclusive.
   * @throws RangeError when `low` is above `high`
   */
  addRange(low: number, high: number, row: NumberRow): void;
  /** Adds all numbers (with `code`: all codes) of up to 15 digits that begin with `digits`. */
  addPrefix(digits: string, row: NumberRow, code?: boolean): void;
  /** Adds an entry of any of the three kinds. */
  add(entry: ListEntry, row: NumberRow): void;
  build(): NumberSet;
}

/** At most this many digits in a number (ITU-T E.164 section 6). */
const MAX_DIGITS = 15;

/** Calls `take` with the span of keys that a prefix has for each length of a number. Both ends are inclusive. */
export function eachPrefixSpan(
  digits: string,
  code: boolean,
  take: (low: number, high: number) => void,
): void {
  for (let length = digits.length, power = 1; length <= MAX_DIGITS; length++, power *= 10) {
    const low = Number(digits) * power;
    const high = low + power - 1;
    // The keys of codes are negative.
    take(code ? -high : low, code ? -low : high);
  }
}

/**
 * Starts an empty set.
 *
 * @param isMarked whether rows keep their marks. `where-marked`: from the first mark on that is not 0. A set without
 *   marks needs no memory for them
 */
export function createNumberSetBuilder(isMarked: boolean | "where-marked" = false): NumberSetBuilder {
  const attributes = createAttributeTable();
  const keys = createDoubleColumn();
  const exactRows = createRowColumns(isMarked);
  const lows = createDoubleColumn();
  const highs = createDoubleColumn();
  /** The row of every range, counted from the first range. The ranges of a prefix share one row. */
  const rangeRows = createWordColumn();
  const wideRows = createRowColumns(isMarked);

  function pushRange(low: number, high: number, row: number): void {
    lows.push(low);
    highs.push(high);
    rangeRows.push(row);
  }

  function addKey(key: number, line: number, attribute: number, mark = 0): void {
    keys.push(key);
    exactRows.push(line, attribute, mark);
  }

  function addExact(key: number, row: NumberRow): void {
    addKey(key, row.line, attributes.indexOf(row), row.mark);
  }

  function addRange(low: number, high: number, row: NumberRow): void {
    if (!(low <= high)) throw new RangeError(`range from ${low} to ${high}`);
    pushRange(low, high, wideRows.push(row.line, attributes.indexOf(row), row.mark));
  }

  function addPrefix(digits: string, row: NumberRow, code = false): void {
    const wideRow = wideRows.push(row.line, attributes.indexOf(row), row.mark);
    eachPrefixSpan(digits, code, (low, high) => pushRange(low, high, wideRow));
  }

  return {
    addExact,
    addKey,
    numberAttributes: attributes.indexOf,
    addRange,
    addPrefix,
    add(entry, row) {
      if (entry.kind === "exact") addExact(entry.key, row);
      else if (entry.kind === "range") addRange(entry.low, entry.high, row);
      else addPrefix(entry.digits, row, entry.code);
    },
    build() {
      const exact = keys.count();
      const hasMarks = exactRows.hasMarks() || wideRows.hasMarks();
      const memory = allocateColumns({
        exact,
        ranges: lows.count(),
        rows: exact + wideRows.count(),
        attributes: attributes.count(),
        lastLine: Math.max(exactRows.lastLine(), wideRows.lastLine()),
        isMarked: hasMarks,
      });
      const columns = layOutColumns(memory);
      columns.attributes.set(attributes.values());
      const order = sortOrder(keys.values());
      columns.exact.set(arrangeDoubles(keys.values(), order));
      columns.rowLine.set(arrangeWords(exactRows.lines(), order));
      columns.rowAttributes.set(arrangeWords(exactRows.attributes(), order));
      columns.rowLine.set(wideRows.lines(), exact);
      columns.rowAttributes.set(wideRows.attributes(), exact);
      if (hasMarks) {
        if (exactRows.hasMarks()) columns.rowMark.set(arrangeWords(exactRows.marks(), order));
        columns.rowMark.set(wideRows.marks(), exact);
      }
      fillRanges(columns, lows.values(), highs.values(), rangeRows.values());
      return openNumberSet(memory);
    },
  };
}

function fillRanges(
  columns: NumberColumns,
  lows: Float64Array,
  highs: Float64Array,
  rows: Uint32Array,
): void {
  const { rangeEnd, rangeReach, rangeRow } = columns;
  const order = sortOrder(lows);
  columns.rangeStart.set(arrangeDoubles(lows, order));
  rangeEnd.set(arrangeDoubles(highs, order));
  rangeRow.set(arrangeWords(rows, order));
  for (let index = 0; index < lows.length; index++) {
    // Rows of ranges are numbered after those of single numbers.
    rangeRow[index] = (rangeRow[index] ?? 0) + columns.exact.length;
    let before = index;
    while (before > 0 && (rangeEnd[before - 1] ?? 0) <= (rangeEnd[index] ?? 0))
      before = rangeReach[before - 1] ?? 0;
    rangeReach[index] = before;
  }
}

/** Holds the line, the mark and the attributes of rows, in order of arrival. */
function createRowColumns(isMarked: boolean | "where-marked") {
  const lines = createWordColumn();
  const attributes = createWordColumn();
  const marks = createWordColumn();
  let last = 0;
  let hasMarks = isMarked === true;
  /** The rows so far have mark 0. */
  const beginMarks = (): void => {
    hasMarks = true;
    while (marks.count() < lines.count()) marks.push(0);
  };
  return {
    push(line: number, attribute: number, mark = 0): number {
      if (line > last) last = line;
      if (mark !== 0 && !hasMarks && isMarked !== false) beginMarks();
      lines.push(line);
      if (hasMarks) marks.push(mark);
      return attributes.push(attribute);
    },
    lines: () => lines.values(),
    lastLine: () => last,
    attributes: () => attributes.values(),
    marks: () => marks.values(),
    hasMarks: () => hasMarks,
    count: () => lines.count(),
  };
}

/** Numbers the combinations of attributes that occur. */
function createAttributeTable() {
  const known = new Map<string, number>();
  const values: number[] = [];
  let last: RowAttributes | undefined;
  let lastIndex = 0;

  function indexOf(row: RowAttributes): number {
    // Neighbouring rows mostly have the same attributes: no string is made for them.
    if (last !== undefined && isSame(last, row)) return lastIndex;
    const text = `${row.validFrom} ${row.validTo} ${row.verifiedOn} ${row.mayForward}`;
    last = row;
    lastIndex = known.get(text) ?? known.size;
    if (lastIndex === known.size) {
      known.set(text, lastIndex);
      values.push(row.validFrom ?? -Infinity, row.validTo ?? Infinity);
      values.push(row.verifiedOn ?? Number.NaN, row.mayForward ? 1 : 0);
    }
    return lastIndex;
  }

  return { indexOf, values: () => values, count: () => known.size };
}

function isSame(a: RowAttributes, b: RowAttributes): boolean {
  return (
    a.validFrom === b.validFrom &&
    a.validTo === b.validTo &&
    a.verifiedOn === b.verifiedOn &&
    a.mayForward === b.mayForward
  );
}
