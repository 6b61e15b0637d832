// Rows of subjects that detectors share: a subject is looked up once a call, and each detector keeps its own words of the row.
import { hashNumber } from "../../state/key-hash.ts";

/** No row. */
export const NO_ROW = -1;

/** A row has four words: the number as a double, the place and the chain. */
const ROW = 4;
const PLACE = 2;
const CHAIN = 3;
/** Stands in PLACE of a row that nobody uses. */
const UNUSED = -1;

/** Rows that each claim looks at for one that says nothing any more, and that a claim without room looks at. */
const SWEEP = 2;
const SEARCH = 64;

/** What a detector keeps of each row: `words` words from `row * words` on, all 0 in a new row. */
export interface Column {
  readonly words: number;
  readonly ints: Int32Array;
  /** The same memory. */
  readonly floats: Float32Array;
}

/** A column as its detector asks for it. */
export interface ColumnForm {
  readonly words: number;
  /** True where the words of the row say nothing any more: a new row would do. */
  readonly isIdle: (row: number, second: number) => boolean;
  /** Takes a row that is given up. */
  readonly forget?: (row: number) => void;
}

export interface SubjectTable {
  readonly size: number;
  /** Subjects that found no room. */
  readonly full: number;
  readonly octets: number;
  column(form: ColumnForm): Column;
  /** @returns {@link NO_ROW} for a subject without row */
  find(place: number, subject: number): number;
  /**
   * Finds the row of a subject, or gives it one.
   *
   * @returns {@link NO_ROW} where there is no room
   */
  claim(place: number, subject: number, second: number): number;
}

/**
 * Creates a table without rows. Memory is taken as rows are. A row is given up when it is idle for every detector, so that
 * those alone take room who do what some detector looks at.
 *
 * @param capacity rows at most
 */
export function createSubjectTable(capacity: number): SubjectTable {
  const numbers = new Float64Array(capacity * (ROW / 2));
  const words = new Int32Array(numbers.buffer);
  /** The first row of each bucket, plus one. */
  const buckets = new Int32Array(1 << Math.max(4, Math.ceil(Math.log2(capacity))));
  const mask = buckets.length - 1;
  const columns: Column[] = [];
  const forms: ColumnForm[] = [];
  let size = 0;
  let full = 0;
  /** Rows that were never used begin here; rows that were given up are linked by their chain. */
  let fresh = 0;
  let free = NO_ROW;
  let hand = 0;
  // What was looked up last: detectors ask one after the other for the same subject.
  let lastPlace = UNUSED;
  let lastSubject = 0;
  let lastRow = NO_ROW;

  function isIdle(row: number, second: number): boolean {
    for (const form of forms) if (!form.isIdle(row, second)) return false;
    return true;
  }

  function release(row: number): void {
    for (const form of forms) form.forget?.(row);
    const bucket = hashNumber(words[row * ROW + PLACE]!, numbers[row * (ROW / 2)]!) & mask;
    let before = NO_ROW;
    for (let at = buckets[bucket]! - 1; at !== row; at = words[at * ROW + CHAIN]!) before = at;
    if (before === NO_ROW) buckets[bucket] = words[row * ROW + CHAIN]! + 1;
    else words[before * ROW + CHAIN] = words[row * ROW + CHAIN]!;
    words[row * ROW + PLACE] = UNUSED;
    words[row * ROW + CHAIN] = free;
    free = row;
    size--;
    lastPlace = UNUSED;
  }

  function sweep(rows: number, second: number): void {
    for (let left = Math.min(rows, fresh); left > 0; left--) {
      hand = hand + 1 >= fresh ? 0 : hand + 1;
      if (words[hand * ROW + PLACE] !== UNUSED && isIdle(hand, second)) release(hand);
    }
  }

  function takeRow(second: number): number {
    sweep(free === NO_ROW && fresh === capacity ? SEARCH : SWEEP, second);
    if (free !== NO_ROW) {
      const row = free;
      free = words[row * ROW + CHAIN]!;
      return row;
    }
    return fresh < capacity ? fresh++ : NO_ROW;
  }

  function find(place: number, subject: number): number {
    if (subject === lastSubject && place === lastPlace) return lastRow;
    let row = buckets[hashNumber(place, subject) & mask]! - 1;
    while (row !== NO_ROW && (numbers[row * (ROW / 2)] !== subject || words[row * ROW + PLACE] !== place))
      row = words[row * ROW + CHAIN]!;
    lastPlace = place;
    lastSubject = subject;
    lastRow = row;
    return row;
  }

  return {
    get size() {
      return size;
    },
    get full() {
      return full;
    },
    get octets() {
      return columns.reduce((sum, { ints }) => sum + ints.byteLength, words.byteLength + buckets.byteLength);
    },
    column(form) {
      const ints = new Int32Array(capacity * form.words);
      const column = { words: form.words, ints, floats: new Float32Array(ints.buffer) };
      columns.push(column);
      forms.push(form);
      return column;
    },
    find,
    claim(place, subject, second) {
      const known = find(place, subject);
      if (known !== NO_ROW) return known;
      const row = takeRow(second);
      if (row === NO_ROW) {
        full++;
        return NO_ROW;
      }
      for (const { words: count, ints } of columns)
        for (let at = row * count; at < (row + 1) * count; at++) ints[at] = 0;
      const bucket = hashNumber(place, subject) & mask;
      numbers[row * (ROW / 2)] = subject;
      words[row * ROW + PLACE] = place;
      words[row * ROW + CHAIN] = buckets[bucket]! - 1;
      buckets[bucket] = row + 1;
      size++;
      lastPlace = place;
      lastSubject = subject;
      lastRow = row;
      return row;
    },
  };
}

/** The tables of subjects. Each is made when a detector asks for it first. */
export interface SubjectTables {
  /** Callers by trunk. */
  readonly callers: SubjectTable;
  /** Blocks of a hundred callers by trunk. */
  readonly blocks: SubjectTable;
  /** Callers, whatever trunk they call on; the place is 0. */
  readonly numbers: SubjectTable;
  /** Called parties; the place is 0. */
  readonly called: SubjectTable;
  readonly full: () => number;
  readonly octets: () => number;
}

/** @param capacity subjects of each table */
export function createSubjectTables(capacity: number): SubjectTables {
  const made = new Map<string, SubjectTable>();
  const table = (name: string): SubjectTable => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const fresh = createSubjectTable(capacity);
    made.set(name, fresh);
    return fresh;
  };
  return {
    get callers() {
      return table("callers");
    },
    get blocks() {
      return table("blocks");
    },
    get numbers() {
      return table("numbers");
    },
    get called() {
      return table("called");
    },
    full: () => [...made.values()].reduce((sum, { full }) => sum + full, 0),
    octets: () => [...made.values()].reduce((sum, { octets }) => sum + octets, 0),
  };
}
