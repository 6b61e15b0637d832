// Rows of subjects: which limit, which number, and where its times stand. A bounded hash table that forgets what is past.
import { hashNumber } from "../key-hash.ts";

/** No row. */
export const NO_ROW = -1;

/** A row has eight words: the number as a double first, aligned to 8 octets. */
const ROW = 8;
const LIMIT = 2;
const CHAIN = 3;
const BLOCK = 4;
/** The size class of the block in the lowest octet, the number of the owner above it. */
const SIZE_AND_OWNER = 5;
const OWNER_SHIFT = 8;
const SIZE_MASK = 0xff;
const SECOND = 6;
const PENDING = 7;

/** Rows that each claim looks at for one that is past, and that a claim without room looks at. */
const SWEEP = 2;
const SEARCH = 64;

const FOUND = 63;

/** A row as another thread reads it. */
export interface ReadRow {
  limit: number;
  subject: number;
  block: number;
  sizeClass: number;
}

/**
 * Calls `visit` with each row in use. Another thread may write meanwhile: a row is read, and what it says may be over by
 * then.
 *
 * @param used rows that were ever used
 */
export function eachRow(rows: SharedArrayBuffer, used: number, visit: (row: ReadRow) => void): void {
  const words = new Int32Array(rows);
  const numbers = new Float64Array(rows);
  const read: ReadRow = { limit: 0, subject: 0, block: 0, sizeClass: 0 };
  for (let row = 0; row < used; row++) {
    read.limit = words[row * ROW + LIMIT]!;
    read.subject = numbers[row * (ROW / 2)]!;
    read.block = words[row * ROW + BLOCK]! >>> 0;
    read.sizeClass = words[row * ROW + SIZE_AND_OWNER]! & SIZE_MASK;
    if (read.limit >= 0 && read.block !== 0) visit(read);
  }
}

export interface SubjectRows {
  readonly size: number;
  /** The rows in shared memory, and how many of them were ever used. */
  readonly shared: SharedArrayBuffer;
  readonly used: number;
  readonly capacity: number;
  /** @returns the row, also of a subject that is past; {@link NO_ROW} */
  find(limit: number, subject: number): number;
  /**
   * Gives the subject a row.
   *
   * @param owner a small number of whoever the row is counted for; 0 when left out
   * @returns {@link NO_ROW} where every row that was looked at is in use
   */
  claim(limit: number, subject: number, second: number, owner?: number): number;
  /** Gives up rows that are past, among some that stand next. */
  sweep(second: number): void;
  ownerOf(row: number): number;
  limitOf(row: number): number;
  subjectOf(row: number): number;
  blockOf(row: number): number;
  sizeClassOf(row: number): number;
  setBlock(row: number, block: number, sizeClass: number): void;
  /** The second of the last event. */
  secondOf(row: number): number;
  touch(row: number, second: number): void;
  /** Calls whose end will say whether they count. */
  pendingOf(row: number): number;
  addPending(row: number, by: number): void;
}

/**
 * @param capacity rows at most
 * @param isPast true when nothing of a row counts any more
 * @param emptied takes a row that is given up, before it is: its block can go
 */
export function createSubjectRows(
  capacity: number,
  isPast: (row: number, second: number) => boolean,
  emptied: (row: number) => void,
): SubjectRows {
  const buffer = new SharedArrayBuffer(capacity * ROW * 4);
  const words = new Int32Array(buffer);
  const numbers = new Float64Array(buffer);
  const bits = Math.max(4, Math.ceil(Math.log2(capacity)));
  /** The first row of each bucket, plus one. Never filled, so that memory is taken as rows are. */
  const buckets = new Int32Array(1 << bits);
  const mask = buckets.length - 1;
  /** The row that each limit found last, the limits folded. */
  const found = new Int32Array(FOUND + 1);
  let size = 0;
  /** Rows that were never used begin here; rows that were given up are linked by their chain. */
  let fresh = 0;
  let free = NO_ROW;
  let hand = 0;

  function release(row: number): void {
    emptied(row);
    const bucket = hashNumber(words[row * ROW + LIMIT]!, numbers[row * (ROW / 2)]!) & mask;
    let before = NO_ROW;
    for (let at = buckets[bucket]! - 1; at !== row; at = words[at * ROW + CHAIN]!) before = at;
    if (before === NO_ROW) buckets[bucket] = words[row * ROW + CHAIN]! + 1;
    else words[before * ROW + CHAIN] = words[row * ROW + CHAIN]!;
    // A limit of -1 marks a row that nobody uses.
    words[row * ROW + LIMIT] = -1;
    words[row * ROW + CHAIN] = free;
    free = row;
    size--;
  }

  /** Looks at the next rows, and gives up those that are past. */
  function sweep(rows: number, second: number): void {
    for (let left = Math.min(rows, fresh); left > 0; left--) {
      hand = hand + 1 >= fresh ? 0 : hand + 1;
      const isUsed = words[hand * ROW + LIMIT]! >= 0 && words[hand * ROW + PENDING] === 0;
      if (isUsed && isPast(hand, second)) release(hand);
    }
  }

  function takeRow(second: number): number {
    if (free === NO_ROW && fresh === capacity) sweep(SEARCH, second);
    if (free !== NO_ROW) {
      const row = free;
      free = words[row * ROW + CHAIN]!;
      return row;
    }
    return fresh < capacity ? fresh++ : NO_ROW;
  }

  return {
    get size() {
      return size;
    },
    capacity,
    shared: buffer,
    get used() {
      return fresh;
    },
    find(limit, subject) {
      // A call is counted after it was checked: the row that a limit found last is nearly always the one.
      const last = found[limit & FOUND]!;
      if (numbers[last * (ROW / 2)] === subject && words[last * ROW + LIMIT] === limit && last < fresh)
        return last;
      // A limit and a number under the secret of the process: a peer can't choose numbers that share a bucket.
      let row = buckets[hashNumber(limit, subject) & mask]! - 1;
      while (row !== NO_ROW && (numbers[row * (ROW / 2)] !== subject || words[row * ROW + LIMIT] !== limit))
        row = words[row * ROW + CHAIN]!;
      if (row !== NO_ROW) found[limit & FOUND] = row;
      return row;
    },
    sweep: (second) => sweep(SEARCH, second),
    ownerOf: (row) => words[row * ROW + SIZE_AND_OWNER]! >>> OWNER_SHIFT,
    claim(limit, subject, second, owner = 0) {
      sweep(SWEEP, second);
      const row = takeRow(second);
      if (row === NO_ROW) return NO_ROW;
      const bucket = hashNumber(limit, subject) & mask;
      numbers[row * (ROW / 2)] = subject;
      words[row * ROW + LIMIT] = limit;
      words[row * ROW + CHAIN] = buckets[bucket]! - 1;
      words[row * ROW + BLOCK] = 0;
      words[row * ROW + SIZE_AND_OWNER] = owner << OWNER_SHIFT;
      words[row * ROW + SECOND] = second;
      words[row * ROW + PENDING] = 0;
      buckets[bucket] = row + 1;
      size++;
      return row;
    },
    limitOf: (row) => words[row * ROW + LIMIT]!,
    subjectOf: (row) => numbers[row * (ROW / 2)]!,
    blockOf: (row) => words[row * ROW + BLOCK]! >>> 0,
    sizeClassOf: (row) => words[row * ROW + SIZE_AND_OWNER]! & SIZE_MASK,
    setBlock(row, block, sizeClass) {
      words[row * ROW + BLOCK] = block;
      const at = row * ROW + SIZE_AND_OWNER;
      words[at] = (words[at]! & ~SIZE_MASK) | sizeClass;
    },
    secondOf: (row) => words[row * ROW + SECOND]! >>> 0,
    touch(row, second) {
      words[row * ROW + SECOND] = second;
    },
    pendingOf: (row) => words[row * ROW + PENDING]!,
    addPending(row, by) {
      words[row * ROW + PENDING] = Math.max(0, words[row * ROW + PENDING]! + by);
    },
  };
}
