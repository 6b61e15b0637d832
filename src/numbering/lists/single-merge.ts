// Walks through the single numbers of many sets in one order.
import type { NumberSet } from "../number-set.ts";

/**
 * Gives the single numbers of all sets in order of their keys; equal keys come in order of the sets, then of the rows.
 * It keeps a heap with the next number of every set, so it needs no room for the numbers.
 *
 * @param visit returns false to end the walk
 * @returns false when `visit` ended the walk
 */
export function eachSingle(
  sets: readonly NumberSet[],
  visit: (set: number, row: number, key: number) => boolean,
): boolean {
  const rows = new Uint32Array(sets.length);
  const keys = Float64Array.from(sets, ({ columns }) => columns.exact[0] ?? Number.NaN);
  const heap = Uint32Array.from(sets.keys()).filter((set) => !Number.isNaN(keys[set]));
  let size = heap.length;

  function isBefore(a: number, b: number): boolean {
    const first = keys[a] ?? 0;
    const second = keys[b] ?? 0;
    return first < second || (first === second && a < b);
  }

  /** Moves the set at `from` down until no set below it comes before it. */
  function settle(from: number): void {
    const set = heap[from] ?? 0;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && isBefore(heap[child + 1] ?? 0, heap[child] ?? 0)) child += 1;
      if (isBefore(set, heap[child] ?? 0)) break;
      heap[at] = heap[child] ?? 0;
      at = child;
    }
    heap[at] = set;
  }

  for (let at = (size >> 1) - 1; at >= 0; at--) settle(at);
  while (size > 0) {
    const set = heap[0] ?? 0;
    const row = rows[set] ?? 0;
    if (!visit(set, row, keys[set] ?? 0)) return false;
    const next = sets[set]?.columns.exact[row + 1];
    rows[set] = row + 1;
    if (next === undefined) {
      size -= 1;
      heap[0] = heap[size] ?? 0;
    } else keys[set] = next;
    if (size > 0) settle(0);
  }
  return true;
}
