// Blocks of 32-bit words from one pool: the times of a subject, in a block that grows with them.

/** Words of the smallest block, and the classes of sizes: each has twice the words of the one below. */
const SMALLEST = 4;
const CLASSES = 20;
/** Stands for "no block". */
export const NO_BLOCK = 0;
/** The pool is taken in pieces of this class, or of a lower one where it is small. */
const LARGEST_PIECE = 10;

/**
 * A pool of blocks in shared memory, which another thread may read. Memory is taken as blocks are. It is a buddy system
 * (Knuth, The Art of Computer Programming, section 2.5): a block stands at a multiple of its size, and two free halves
 * become one block again, so that what many small blocks have left serves large ones.
 */
export interface TimeBlocks {
  /** The words of every block. */
  readonly words: Uint32Array<SharedArrayBuffer>;
  /** Octets that were ever taken, in use or free. */
  readonly octets: number;
  /** @returns where a block of the class begins, filled with 0; {@link NO_BLOCK} where there is no room */
  take(sizeClass: number): number;
  give(block: number, sizeClass: number): void;
}

/** Words of a block. */
export function wordsOf(sizeClass: number): number {
  return SMALLEST << sizeClass;
}

/** The smallest class with so many words; {@link CLASSES} and more are too large. */
export function classFor(words: number): number {
  let sizeClass = 0;
  while (wordsOf(sizeClass) < words) sizeClass++;
  return sizeClass;
}

/** @param most words of all blocks together */
export function createTimeBlocks(most: number): TimeBlocks {
  const words = new Uint32Array(new SharedArrayBuffer(most * 4));
  const piece = Math.max(0, Math.min(LARGEST_PIECE, Math.floor(Math.log2(most / SMALLEST)) - 6));
  // The first piece is never given out: 0 stands for none.
  let end = wordsOf(piece);
  /** The first free block of each class. A free block begins with the next one and the one before it; 0: none. */
  const free = new Uint32Array(CLASSES);
  /** By the place of a free block in units of the smallest: its class and one; 0: no free block begins there. */
  const freeClass = new Uint8Array(Math.ceil(most / SMALLEST));

  function link(block: number, sizeClass: number): void {
    const next = free[sizeClass]!;
    words[block] = next;
    words[block + 1] = NO_BLOCK;
    if (next !== NO_BLOCK) words[next + 1] = block;
    free[sizeClass] = block;
    freeClass[block / SMALLEST] = sizeClass + 1;
  }

  function unlink(block: number, sizeClass: number): void {
    const next = words[block]!;
    const before = words[block + 1]!;
    if (before === NO_BLOCK) free[sizeClass] = next;
    else words[before] = next;
    if (next !== NO_BLOCK) words[next + 1] = before;
    freeClass[block / SMALLEST] = 0;
  }

  function give(given: number, givenClass: number): void {
    let block = given;
    let sizeClass = givenClass;
    while (sizeClass + 1 < CLASSES) {
      const size = wordsOf(sizeClass);
      const buddy = block % (2 * size) === 0 ? block + size : block - size;
      if (freeClass[buddy / SMALLEST] !== sizeClass + 1) break;
      unlink(buddy, sizeClass);
      block = Math.min(block, buddy);
      sizeClass++;
    }
    link(block, sizeClass);
  }

  /** Takes a block behind everything that was ever taken. */
  function extend(sizeClass: number): number {
    const size = wordsOf(sizeClass);
    const block = Math.ceil(end / size) * size;
    if (block + size > most) return NO_BLOCK;
    for (; end < block; end += wordsOf(piece)) give(end, piece);
    end = block + size;
    return block;
  }

  return {
    words,
    get octets() {
      return end * 4;
    },
    take(sizeClass) {
      if (sizeClass >= CLASSES) return NO_BLOCK;
      let found = sizeClass;
      while (found < CLASSES && free[found] === NO_BLOCK) found++;
      let block = free[found] ?? NO_BLOCK;
      if (block !== NO_BLOCK) unlink(block, found);
      else {
        found = Math.max(sizeClass, piece);
        block = extend(found);
        if (block === NO_BLOCK) return NO_BLOCK;
      }
      // The upper half of a block that is too large stays free.
      for (; found > sizeClass; found--) link(block + wordsOf(found - 1), found - 1);
      words.fill(0, block, block + wordsOf(sizeClass));
      return block;
    },
    give,
  };
}
