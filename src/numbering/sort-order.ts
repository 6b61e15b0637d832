// Sorts the keys of a number set by radix, when a list is read.

/** Keys are within ±10^15. Shifted by this they are not negative and below 2^51. */
const SHIFT = 1e15;
const DIGIT_BITS = 13;
const BUCKETS = 1 << DIGIT_BITS;
/** A key is cut into two halves of 26 bits, because integers of 32 bits have fast shifts; each half has two digits. */
const HALF = 1 << (2 * DIGIT_BITS);

/**
 * Returns the order that sorts the keys; equal keys keep their order of arrival. Keys are integers
 * within ±10^15. It is a radix sort: linear time, without a million calls of a comparison function.
 * @returns undefined when the keys are sorted already, as in most files
 */
export function sortOrder(keys: Float64Array): Uint32Array | undefined {
  if (isSorted(keys)) return undefined;
  const count = keys.length;
  let order = new Uint32Array(count);
  let next = new Uint32Array(count);
  for (let index = 0; index < count; index++) order[index] = index;
  const low = new Uint32Array(count);
  const high = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    const key = (keys[index] ?? 0) + SHIFT;
    const upper = Math.floor(key / HALF);
    high[index] = upper;
    low[index] = key - upper * HALF;
  }
  const starts = new Uint32Array(BUCKETS);
  for (const half of [low, high])
    for (const shift of [0, DIGIT_BITS]) {
      starts.fill(0);
      for (let index = 0; index < count; index++) {
        const digit = ((half[index] ?? 0) >>> shift) % BUCKETS;
        starts[digit] = (starts[digit] ?? 0) + 1;
      }
      let total = 0;
      for (let digit = 0; digit < BUCKETS; digit++) {
        const size = starts[digit] ?? 0;
        starts[digit] = total;
        total += size;
      }
      for (let index = 0; index < count; index++) {
        const from = order[index] ?? 0;
        const digit = ((half[from] ?? 0) >>> shift) % BUCKETS;
        const slot = starts[digit] ?? 0;
        starts[digit] = slot + 1;
        next[slot] = from;
      }
      [order, next] = [next, order];
    }
  return order;
}

/** Returns the values in this order, or `values` itself when `order` is undefined. */
export function arrangeDoubles(values: Float64Array, order: Uint32Array | undefined): Float64Array {
  if (order === undefined) return values;
  const arranged = new Float64Array(order.length);
  for (let index = 0; index < order.length; index++) arranged[index] = values[order[index] ?? 0] ?? 0;
  return arranged;
}

/** Does the same as {@link arrangeDoubles} for words. */
export function arrangeWords(values: Uint32Array, order: Uint32Array | undefined): Uint32Array {
  if (order === undefined) return values;
  const arranged = new Uint32Array(order.length);
  for (let index = 0; index < order.length; index++) arranged[index] = values[order[index] ?? 0] ?? 0;
  return arranged;
}

function isSorted(keys: Float64Array): boolean {
  for (let index = 1; index < keys.length; index++) {
    if ((keys[index] ?? 0) < (keys[index - 1] ?? 0)) return false;
  }
  return true;
}
