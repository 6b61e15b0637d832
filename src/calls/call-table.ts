// The rows of calls in one shared buffer, found by key and by name.
import type { Mutable } from "../domain/mutable.ts";
import { hashKey, hashOctets, type KeyHash } from "../state/key-hash.ts";
import {
  COUNT,
  EPOCH,
  FLAGS,
  FREE,
  HEADER_AHEAD,
  HEADER_NAMES,
  HEADER_USED,
  KEY_CHAIN,
  KEY_HIGH,
  KEY_LOW,
  KEYED,
  NAME_CHAIN,
  NODE,
  NODE_SHIFT,
  ROW_WORDS,
  SEQUENCE,
  STATE,
} from "./call-row.ts";

/** No row. Rows are numbered from 1: untouched memory says "none". */
export const NO_ROW = 0;

/**
 * Rows under two indexes with chained buckets: a key by its 64-bit hash under a secret of the process (two of a million
 * live keys meet with a chance of 1 in 10^13 a look-up, and nobody can work towards it), a name by itself.
 *
 * Rows that are given back are the next to be given out: memory that no call has needed yet stays untouched.
 */
export interface CallTable {
  readonly shared: SharedArrayBuffer;
  /** The columns of call-row.ts, by row · ROW_WORDS and row · ROW_DOUBLES. */
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly capacity: number;
  /** Rows in use. */
  readonly size: number;
  /**
   * A row with this name and no key, in no state; every other column is 0. It is left open: see {@link
   * CallTable.close}. {@link NO_ROW}: the table is full.
   *
   * @param node the number of the node that began the call; 0 when left out
   */
  take(epoch: number, count: number, node?: number): number;
  /** Gives back a row in use. Its key and its name are not found any more. */
  give(row: number): void;
  /** The row of the key, whatever its state. A key that was just looked for is not hashed again. */
  withKey(key: string): number;
  /** The same for a key that is latin1 in octets. */
  withOctets(bytes: Uint8Array, start: number, end: number): number;
  /** Puts a row that has no key under this one, which no row may have. */
  setKey(row: number, key: string): void;
  /** The same for the key that {@link CallTable.withOctets} was asked for last. */
  setOctets(row: number): void;
  /** Takes the key of a row away, where it has one. */
  dropKey(row: number): void;
  withName(epoch: number, count: number, node?: number): number;
  /** Bracket each change of what a snapshot keeps: another thread that reads in between sees an odd number. */
  open(row: number): void;
  close(row: number): void;
  /** Writes the header, for the reader of a snapshot. */
  setAhead(millis: number): void;
  setNamesVersion(version: number): void;
}

/** @param capacity most rows, at least 1; memory is reserved at once and taken as rows are first used */
export function createCallTable(capacity: number): CallTable {
  const shared = new SharedArrayBuffer((capacity + 1) * ROW_WORDS * 4);
  const words = new Int32Array(shared);
  const doubles = new Float64Array(shared);
  const bucketCount = 2 ** Math.ceil(Math.log2(capacity));
  const mask = bucketCount - 1;
  const keys = new Int32Array(bucketCount);
  const names = new Int32Array(bucketCount);
  const hash: KeyHash = { low: 0, high: 0 };
  const ofOctets: KeyHash = { low: 0, high: 0 };
  let hashed = "";
  let free = NO_ROW;
  let used = 0;
  hashKey(hashed, hash);

  const hashOf = (key: string): KeyHash => {
    if (key !== hashed) {
      hashed = key;
      hashKey(key, hash);
    }
    return hash;
  };

  const withHash = ({ low, high }: KeyHash): number => {
    let row = keys[low & mask]!;
    while (
      row !== NO_ROW &&
      (words[row * ROW_WORDS + KEY_LOW] !== low || words[row * ROW_WORDS + KEY_HIGH] !== high)
    )
      row = words[row * ROW_WORDS + KEY_CHAIN]!;
    return row;
  };

  // Counts follow one another and fill the buckets evenly; the epoch shifts those of an earlier process aside.
  const nameBucket = (epoch: number, count: number): number => (count ^ Math.imul(epoch, 0x9e3779b1)) & mask;

  /** Takes `row` out of the chain that begins in `heads[bucket]` and goes on in column `next`. */
  const unchain = (heads: Int32Array, bucket: number, next: number, row: number): void => {
    const after = words[row * ROW_WORDS + next]!;
    let before = heads[bucket]!;
    if (before === row) {
      heads[bucket] = after;
      return;
    }
    while (words[before * ROW_WORDS + next] !== row) before = words[before * ROW_WORDS + next]!;
    words[before * ROW_WORDS + next] = after;
  };

  const dropKey = (row: number): void => {
    const at = row * ROW_WORDS;
    if ((words[at + FLAGS]! & KEYED) === 0) return;
    unchain(keys, words[at + KEY_LOW]! & mask, KEY_CHAIN, row);
    words[at + FLAGS] = words[at + FLAGS]! & ~KEYED;
  };

  const setHash = (row: number, { low, high }: KeyHash): void => {
    const at = row * ROW_WORDS;
    words[at + KEY_LOW] = low;
    words[at + KEY_HIGH] = high;
    words[at + KEY_CHAIN] = keys[low & mask]!;
    keys[low & mask] = row;
    words[at + FLAGS] = words[at + FLAGS]! | KEYED;
  };

  const open = (row: number): void => {
    const at = row * ROW_WORDS + SEQUENCE;
    Atomics.store(words, at, words[at]! | 1);
  };

  const table: Mutable<CallTable> = {
    shared,
    words,
    doubles,
    capacity,
    size: 0,
    take(epoch, count, node = 0) {
      const isNew = free === NO_ROW;
      if (isNew && used >= capacity) return NO_ROW;
      const row = isNew ? ++used : free;
      const at = row * ROW_WORDS;
      open(row);
      if (isNew) Atomics.store(words, HEADER_USED, used);
      else {
        free = words[at + NAME_CHAIN]!;
        words.fill(0, at + SEQUENCE + 1, at + ROW_WORDS);
      }
      table.size++;
      const bucket = nameBucket(epoch, count);
      words[at + EPOCH] = epoch;
      words[at + COUNT] = count;
      words[at + FLAGS] = node << NODE_SHIFT;
      words[at + NAME_CHAIN] = names[bucket]!;
      names[bucket] = row;
      return row;
    },
    give(row) {
      const at = row * ROW_WORDS;
      dropKey(row);
      unchain(names, nameBucket(words[at + EPOCH]!, words[at + COUNT]!), NAME_CHAIN, row);
      words[at + FLAGS] = FREE;
      words[at + NAME_CHAIN] = free;
      free = row;
      table.size--;
    },
    withKey: (key) => withHash(hashOf(key)),
    withOctets(bytes, start, end) {
      hashOctets(bytes, start, end, ofOctets);
      return withHash(ofOctets);
    },
    setKey: (row, key) => setHash(row, hashOf(key)),
    setOctets: (row) => setHash(row, ofOctets),
    dropKey,
    withName(epoch, count, node = 0) {
      const wantedEpoch = epoch | 0;
      const wantedCount = count | 0;
      let row = names[nameBucket(epoch, count)]!;
      while (
        row !== NO_ROW &&
        (words[row * ROW_WORDS + COUNT] !== wantedCount ||
          words[row * ROW_WORDS + EPOCH] !== wantedEpoch ||
          (words[row * ROW_WORDS + FLAGS]! & NODE) !== node << NODE_SHIFT)
      )
        row = words[row * ROW_WORDS + NAME_CHAIN]!;
      return row;
    },
    open,
    close(row) {
      const at = row * ROW_WORDS + SEQUENCE;
      Atomics.store(words, at, ((words[at]! | 1) + 1) | 0);
    },
    setAhead(millis) {
      doubles[HEADER_AHEAD] = millis;
    },
    setNamesVersion(version) {
      Atomics.store(words, HEADER_NAMES, version);
    },
  };
  return table;
}

/** The state of a row; FREE for a number that is none of the table's. */
export function stateOfRow(words: Int32Array, row: number): number {
  return row > 0 ? (words[row * ROW_WORDS + FLAGS] ?? FREE) & STATE : FREE;
}
