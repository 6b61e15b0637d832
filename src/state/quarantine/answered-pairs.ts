// Who answered whom in the last 30 days: a Bloom filter whose cells carry the time. Bounded, flat, and never forgets early.
import { randomBytes } from "node:crypto";
import type { Millis } from "../../domain/time.ts";

/** A cell holds the number of a slot of six hours, 1 to 255; 0: nothing was noted. */
const SLOT: Millis = 6 * 3_600_000;
const SLOTS = 255;
/** A pair is known when all of its cells are so many slots old: from 2, which is now for a talk, to 30 days. */
const YOUNGEST = 2;
const OLDEST = YOUNGEST + 120;
/** A cell is up to so many slots younger than now where the wall clock was set back: by two days at most. It says what it said. */
const AHEAD = 8;
/** Cells of a pair. */
const CELLS = 4;
/** Octets before the cells: two words of a secret. */
const HEAD = 8;

/**
 * The pairs of a caller and a called party who answered. What it does not know for sure it takes for known: a full filter
 * knows too many pairs, never too few. So a caller whom she answered is never taken for a stranger (B. H. Bloom, 1970).
 */
export interface AnsweredPairs {
  /** The secret and the cells, in shared memory: another thread keeps them. Undefined: nothing was ever noted. */
  readonly shared: SharedArrayBuffer | undefined;
  readonly octets: number;
  /**
   * Notes an answer. A short talk is known after 6 to 12 hours, others at once: calls of a bombing are cut off, and must
   * not excuse the next ones. A pair that is known stays known.
   *
   * @param at on the wall clock
   */
  note(caller: number, called: number, at: Millis, isShort: boolean): void;
  /** True where the called party answered the caller in the last 30 days, and now and then by chance. */
  has(caller: number, called: number, at: Millis): boolean;
  /** Takes what another process has kept. */
  restore(secret: readonly [number, number], cells: Uint8Array): void;
}

/** A slot of the wall clock. */
function slotOf(at: Millis): number {
  return 1 + (Math.floor(at / SLOT) % SLOTS);
}

/** How many slots before `slot` a cell was written. */
function ageOf(cell: number, slot: number): number {
  return (slot - cell + SLOTS) % SLOTS;
}

/** True for the cell of a pair that may be known. */
function isKnown(cell: number, slot: number): boolean {
  if (cell === 0) return false;
  const age = ageOf(cell, slot);
  return age >= YOUNGEST && !isOld(age);
}

function isOld(age: number): boolean {
  return age > OLDEST && age < SLOTS - AHEAD;
}

/**
 * Empties cells that say nothing any more, before their slot comes round again after 62 days. Runs in another thread than
 * `note`.
 */
export function forgetOld(shared: SharedArrayBuffer, at: Millis): void {
  const cells = new Uint8Array(shared, HEAD);
  const slot = slotOf(at);
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]!;
    // The call thread may have written it meanwhile.
    if (cell !== 0 && isOld(ageOf(cell, slot))) Atomics.compareExchange(cells, i, cell, 0);
  }
}

const numbers = new Float64Array(2);
const words = new Int32Array(numbers.buffer);

/** @param least cells at least; their count is the next power of 2 */
export function createAnsweredPairs(least: number): AnsweredPairs {
  const count = 2 ** Math.ceil(Math.log2(Math.max(least, 1024)));
  let shared: SharedArrayBuffer | undefined;
  let cells: Uint8Array = new Uint8Array(0);
  let first = 0;
  let second = 0;
  /** Where the cells of the pair begin, and the step from one to the next. */
  let start = 0;
  let step = 0;

  /** Mixes both numbers with the secret (A. Appleby, MurmurHash3): no caller knows which pairs share cells. */
  function place(caller: number, called: number): void {
    numbers[0] = caller;
    numbers[1] = called;
    let low = first;
    let high = second;
    for (let i = 0; i < 4; i++) {
      low = Math.imul(low ^ words[i]!, 0xcc9e_2d51);
      low = ((low << 15) | (low >>> 17)) ^ high;
      high = Math.imul(high ^ low, 0x1b87_3593);
      high ^= high >>> 13;
    }
    low ^= low >>> 16;
    low = Math.imul(low, 0x85eb_ca6b);
    start = low ^ (low >>> 13);
    high = Math.imul(high ^ (high >>> 16), 0xc2b2_ae35);
    step = (high ^ (high >>> 16)) | 1;
  }

  function open(secret: readonly [number, number]): void {
    shared = new SharedArrayBuffer(HEAD + count);
    const head = new Int32Array(shared, 0, 2);
    [head[0], head[1]] = secret;
    [first, second] = secret;
    cells = new Uint8Array(shared, HEAD);
  }

  function isPairKnown(slot: number): boolean {
    for (let i = 0; i < CELLS; i++)
      if (!isKnown(cells[(start + Math.imul(i, step)) & (count - 1)]!, slot)) return false;
    return true;
  }

  return {
    get shared() {
      return shared;
    },
    octets: HEAD + count,
    note(caller, called, at, isShort) {
      if (shared === undefined) {
        const secret = randomBytes(8);
        open([secret.readInt32LE(0), secret.readInt32LE(4)]);
      }
      place(caller, called);
      const slot = slotOf(at);
      const isDoubted = isShort && !isPairKnown(slot);
      const value = isDoubted ? slot : 1 + ((slot - 1 - YOUNGEST + SLOTS) % SLOTS);
      for (let i = 0; i < CELLS; i++) {
        const cell = (start + Math.imul(i, step)) & (count - 1);
        // A cell of a known pair is not made young again.
        if (!isDoubted || !isKnown(cells[cell]!, slot)) cells[cell] = value;
      }
    },
    has(caller, called, at) {
      if (shared === undefined) return false;
      place(caller, called);
      return isPairKnown(slotOf(at));
    },
    restore(secret, kept) {
      open(secret);
      // A cell is found by the last bits of a hash: a filter of another size folds or repeats.
      for (let i = 0; i < Math.max(count, kept.length); i++) {
        const cell = kept[i & (kept.length - 1)]!;
        if (cell !== 0) cells[i & (count - 1)] = cell;
      }
    },
  };
}
