// Finds the list of entries of a subject by a small number and a key, without garbage: a hash table in flat arrays.
import { hashOctets, type KeyHash } from "../key-hash.ts";

/** Stands for no place. */
export const NO_PLACE = -1;

/** The key that is looked for: a number as an argument would be put on the heap. */
const probe = new Float64Array(2);
const octets = new Uint8Array(probe.buffer);
const limits = new Int32Array(probe.buffer, 8, 1);
const hashed: KeyHash = { low: 0, high: 0 };

export interface SubjectIndex {
  /** Writes the key that the next {@link SubjectIndex.find} looks for. */
  readonly probe: Float64Array;
  /** @returns the place of `limit` and the key in the probe; {@link NO_PLACE} */
  find(limit: number): number;
  /** Gives `limit` and the key in the probe a place. @returns {@link NO_PLACE} where there is no room */
  claim(limit: number): number;
  /** Empties the index: every place is free. */
  clear(): void;
}

/** @param capacity places at most */
export function createSubjectIndex(capacity: number): SubjectIndex {
  const size = 4 * 2 ** Math.ceil(Math.log2(Math.max(capacity, 16)));
  /** By bucket: the place, plus one. Buckets that follow each other hold what has one hash. */
  const buckets = new Int32Array(size);
  const keys = new Float64Array(capacity);
  const named = new Int32Array(capacity);
  let used = 0;

  /** The bucket that holds what is looked for, or the free one that would. */
  function bucketOf(limit: number): number {
    limits[0] = limit;
    hashOctets(octets, 0, 12, hashed);
    let bucket = hashed.low & (size - 1);
    for (;;) {
      const place = buckets[bucket]! - 1;
      if (place === NO_PLACE || (named[place] === limit && keys[place] === probe[0])) return bucket;
      bucket = (bucket + 1) & (size - 1);
    }
  }

  return {
    probe,
    find: (limit) => buckets[bucketOf(limit)]! - 1,
    claim(limit) {
      const bucket = bucketOf(limit);
      if (buckets[bucket] !== 0) return buckets[bucket]! - 1;
      if (used >= capacity) return NO_PLACE;
      keys[used] = probe[0]!;
      named[used] = limit;
      buckets[bucket] = ++used;
      return used - 1;
    },
    clear() {
      buckets.fill(0);
      used = 0;
    },
  };
}
