// Blocks of 32-bit words from one pool: the times of a subject, in a block that grows with them.

/** Words of the smallest block, and the classes of sizes: each has twice the words of the one below. */
const SMALLEST = 4;
const CLASSES = 20;
/** Stands for "no block". */
export const NO_BLOCK = 0;

/** A pool of blocks in shared memory, which another thread may read. Memory is taken as blocks are. */
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
  // Block 0 is never given out: 0 stands for none.
  let end = SMALLEST;
  /** The first free block of each class; its first word leads to the next one. */
  const free = new Uint32Array(CLASSES);

  return {
    words,
    get octets() {
      return end * 4;
    },
    take(sizeClass) {
      if (sizeClass >= CLASSES) return NO_BLOCK;
      const size = wordsOf(sizeClass);
      const block = free[sizeClass]!;
      if (block !== NO_BLOCK) {
        free[sizeClass] = words[block]!;
        words.fill(0, block, block + size);
        return block;
      }
      if (end + size > most) return NO_BLOCK;
      const fresh = end;
      end += size;
      return fresh;
    },
    give(block, sizeClass) {
      words[block] = free[sizeClass]!;
      free[sizeClass] = block;
    },
  };
}
