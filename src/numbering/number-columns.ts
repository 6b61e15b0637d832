// The memory layout of a number set, and the binary search that finds a number in it.
import type { Millis } from "../domain/time.ts";

/**
 * The parts of a number set, as views of one block of memory. Rows are numbered: single numbers
 * first, in order of their keys, then ranges and prefixes.
 */
export interface NumberColumns {
  /** The keys of single numbers, sorted. The index is the row. */
  readonly exact: Float64Array;
  /** The first key of each range, sorted. */
  readonly rangeStart: Float64Array;
  /** The last key of each range, inclusive. */
  readonly rangeEnd: Float64Array;
  readonly rangeRow: Uint32Array;
  /**
   * The index of the nearest range before this one that ends later, plus one. 0 means that there is
   * none.
   */
  readonly rangeReach: Uint32Array;
  /** {@link ATTRIBUTE_WIDTH} values for every combination that occurs. */
  readonly attributes: Float64Array;
  readonly rowAttributes: Uint32Array | Uint16Array | Uint8Array;
  readonly rowLine: Uint32Array | Uint16Array;
  /** What a column of the list says of each row, as a number; empty where no row is asked for it. */
  readonly rowMark: Uint16Array;
  /** True: no row has dates, so that a look-up need not read them. Most lists are such. */
  readonly isDateless: boolean;
}

/** The counts that decide the layout. */
export interface NumberColumnSizes {
  readonly exact: number;
  readonly ranges: number;
  readonly rows: number;
  readonly attributes: number;
  /** The highest line of a row. */
  readonly lastLine: number;
  /** Whether rows have a mark. */
  readonly isMarked: boolean;
}

/**
 * The values of a combination: validFrom (-Infinity: always), validTo (Infinity: never ends),
 * verifiedOn (NaN: not recorded) and mayForward (0 or 1). Times are milliseconds since the epoch.
 */
export const ATTRIBUTE_WIDTH = 4;
/** Octets of a mark. */
const MARK_WIDTH = 2;
const HEADER = 6;

/** Reserves the memory of a set. */
export function allocateColumns(sizes: NumberColumnSizes): SharedArrayBuffer {
  const doubles = HEADER + sizes.exact + 2 * sizes.ranges + ATTRIBUTE_WIDTH * sizes.attributes;
  const { isMarked } = sizes;
  const widths = lineWidth(sizes.lastLine) + indexWidth(sizes.attributes) + (isMarked ? MARK_WIDTH : 0);
  const memory = new SharedArrayBuffer(doubles * 8 + 2 * sizes.ranges * 4 + sizes.rows * widths);
  const { exact, ranges, rows, attributes, lastLine } = sizes;
  new Float64Array(memory, 0, HEADER).set([exact, ranges, rows, attributes, lastLine, isMarked ? 1 : 0]);
  return memory;
}

/**
 * Makes the views of a set's memory. The widest elements come first, so that every column is
 * aligned.
 */
export function layOutColumns(memory: SharedArrayBuffer): NumberColumns {
  const [exact = 0, ranges = 0, rows = 0, attributes = 0, lastLine = 0, isMarked = 0] = new Float64Array(
    memory,
    0,
    HEADER,
  );
  let offset = HEADER * 8;
  const doubles = (count: number): Float64Array => {
    const column = new Float64Array(memory, offset, count);
    offset += count * 8;
    return column;
  };
  const words = (count: number): Uint32Array => {
    const column = new Uint32Array(memory, offset, count);
    offset += count * 4;
    return column;
  };
  const columns = {
    exact: doubles(exact),
    rangeStart: doubles(ranges),
    rangeEnd: doubles(ranges),
    attributes: doubles(attributes * ATTRIBUTE_WIDTH),
    rangeRow: words(ranges),
    rangeReach: words(ranges),
  };
  const ofLines = lineWidth(lastLine);
  const ofAttributes = indexWidth(attributes);
  const marks = isMarked === 1 ? rows : 0;
  // Lines are at least as wide as marks. Attributes stand before both or behind both, never between.
  const areLinesFirst = ofAttributes < 4;
  const linesAt = areLinesFirst ? offset : offset + rows * ofAttributes;
  const marksAt = linesAt + rows * ofLines;
  const attributesAt = areLinesFirst ? marksAt + marks * MARK_WIDTH : offset;
  return {
    ...columns,
    rowLine: ofLines === 2 ? new Uint16Array(memory, linesAt, rows) : new Uint32Array(memory, linesAt, rows),
    rowMark: new Uint16Array(memory, marksAt, marks),
    rowAttributes: viewIndexes(memory, attributesAt, rows, ofAttributes),
    isDateless: areDateless(columns.attributes),
  };
}

/** True when every combination of attributes is in force at all times. */
function areDateless(attributes: Float64Array): boolean {
  for (let i = 0; i < attributes.length; i += ATTRIBUTE_WIDTH)
    if (attributes[i] !== -Infinity || attributes[i + 1] !== Infinity) return false;
  return true;
}

/**
 * Finds the most specific row that covers `key` and is in force at `at`: a single number before the
 * narrowest range.
 * @returns the row; -2 - row of the most specific one when rows cover `key` but none is in force;
 *   otherwise -1
 */
export function findRow(columns: NumberColumns, key: number, at: Millis): number {
  const { exact } = columns;
  let outside = -1;
  for (let row = lowerBound(exact, key); row < exact.length && exact[row] === key; row++) {
    if (isInForce(columns, row, at)) return row;
    if (outside === -1) outside = -2 - row;
  }
  if (columns.rangeStart.length === 0) return outside;
  const inRange = findRangeRow(columns, key, at);
  return inRange >= 0 || outside === -1 ? inRange : outside;
}

/** @returns the index of the last range that starts at or below `key`, or -1 */
export function lastStartingAtOrBelow(columns: NumberColumns, key: number): number {
  const { rangeStart } = columns;
  let low = 0;
  let high = rangeStart.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rangeStart[middle] ?? 0) <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Finds the nearest range at or before index `from` that ends at or after `key`. It jumps from a
 * range that ends too early to its `rangeReach`: the ranges between end no later.
 * @returns the index of the range, or -1
 */
export function coveringAtOrBefore(columns: NumberColumns, from: number, key: number): number {
  let index = from;
  while (index >= 0 && (columns.rangeEnd[index] ?? 0) < key) index = (columns.rangeReach[index] ?? 0) - 1;
  return index;
}

function findRangeRow(columns: NumberColumns, key: number, at: Millis): number {
  let found = -1;
  let foundWidth = Infinity;
  let outside = -1;
  let outsideWidth = Infinity;
  let index = coveringAtOrBefore(columns, lastStartingAtOrBelow(columns, key), key);
  while (index >= 0) {
    const width = (columns.rangeEnd[index] ?? 0) - (columns.rangeStart[index] ?? 0);
    const row = columns.rangeRow[index] ?? 0;
    if (isInForce(columns, row, at)) {
      if (width < foundWidth) [found, foundWidth] = [row, width];
    } else if (width < outsideWidth) {
      [outside, outsideWidth] = [row, width];
    }
    index = coveringAtOrBefore(columns, index - 1, key);
  }
  if (found >= 0) return found;
  return outside >= 0 ? -2 - outside : -1;
}

/** Tells whether a row is in force at `at`. */
export function isInForce(columns: NumberColumns, row: number, at: Millis): boolean {
  if (columns.isDateless) return true;
  const index = (columns.rowAttributes[row] ?? 0) * ATTRIBUTE_WIDTH;
  return at >= (columns.attributes[index] ?? 0) && at < (columns.attributes[index + 1] ?? 0);
}

/** Returns the index of the first element that is not below `key`. */
export function lowerBound(sorted: Float64Array, key: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Returns the bytes of an index into the combinations of attributes. Few combinations occur, so
 * mostly it is one byte.
 */
function indexWidth(attributes: number): 1 | 2 | 4 {
  if (attributes <= 0x100) return 1;
  return attributes <= 0x10000 ? 2 : 4;
}

/** Returns the bytes of a line number. Most lists have fewer than 65,536 lines. */
function lineWidth(lastLine: number): 2 | 4 {
  return lastLine <= 0xffff ? 2 : 4;
}

/** Makes the view of the attributes of rows. No column before it is narrower, so every width is aligned. */
function viewIndexes(
  memory: SharedArrayBuffer,
  offset: number,
  rows: number,
  width: 1 | 2 | 4,
): NumberColumns["rowAttributes"] {
  if (width === 1) return new Uint8Array(memory, offset, rows);
  return width === 2 ? new Uint16Array(memory, offset, rows) : new Uint32Array(memory, offset, rows);
}
