// Counts events per key over the last minute: the memory of the call-frequency limit.
import type { Millis } from "../domain/time.ts";
import { createExpiringSlots, NONE } from "./expiring-slots.ts";

const SECOND = 1000;
/** One bucket per second: the last 60 whole seconds and the running one. */
const BUCKETS = 61;
const MAX_PER_BUCKET = 65_535;

/**
 * The bytes of a key's row: the second of its newest bucket as a double, the sum of its buckets in
 * 32 bits, the buckets in 16 bits each. They lie together, so that a key costs two or three cache
 * lines.
 */
const ROW_BYTES = 136;
const DOUBLES = ROW_BYTES / 8;
const LONGS = ROW_BYTES / 4;
const SHORTS = ROW_BYTES / 2;
const TOTAL = 2;
const FIRST_BUCKET = 6;

/**
 * Events per key over the last minute, sliding by seconds. An event counts for at least 60 s and
 * for less than 61 s. So a limit of N never lets N + 1 events into any 60 s: the error is on the
 * strict side only.
 *
 * A key takes 136 bytes of counters, reserved at creation, and is forgotten 61 s after its last
 * event. At most 65,535 events per second are counted for a key.
 */
export interface SlidingWindow {
  /** The number of keys held, including forgotten ones that no insert has swept out yet. */
  size(): number;
  readonly capacity: number;
  /** @returns how many events of `key` still count */
  count(key: string, now: Millis): number;
  /**
   * Adds one event.
   * @returns false when the table is full of live keys; nothing is added then
   */
  add(key: string, now: Millis): boolean;
  /**
   * @returns milliseconds until fewer than `limit` events count if none is added; 0 when that is so
   *   already
   */
  wait(key: string, limit: number, now: Millis): Millis;
}

/**
 * Creates an empty window.
 * @param capacity at most this many keys are held; at least 1
 */
export function createSlidingWindow(capacity: number): SlidingWindow {
  const newest = new Float64Array(capacity * DOUBLES);
  const totals = new Uint32Array(newest.buffer);
  const counters = new Uint16Array(newest.buffer);

  const clear = (slot: number): void => {
    for (let i = slot * DOUBLES; i < (slot + 1) * DOUBLES; i++) newest[i] = 0;
  };
  const slots = createExpiringSlots(capacity, BUCKETS * SECOND, clear, () => undefined);

  /**
   * Empties the buckets that have left the window. After a clock was set back a little, events
   * count in the newest bucket.
   */
  const advance = (slot: number, second: number): void => {
    const last = newest[slot * DOUBLES]!;
    if (second <= last) return;
    const passed = Math.min(second - last, BUCKETS);
    let total = totals[slot * LONGS + TOTAL]!;
    for (let step = 0; step < passed && total > 0; step++) {
      const at = bucketAt(slot, second - step);
      total -= counters[at]!;
      counters[at] = 0;
    }
    totals[slot * LONGS + TOTAL] = total;
    newest[slot * DOUBLES] = second;
  };

  return {
    capacity,
    size: () => slots.size,
    count(key, now) {
      const slot = slots.find(key, now);
      if (slot === NONE) return 0;
      advance(slot, Math.floor(now / SECOND));
      return totals[slot * LONGS + TOTAL]!;
    },
    add(key, now) {
      const second = Math.floor(now / SECOND);
      // A dead entry of the same key starts anew.
      if (slots.find(key, now) === NONE) slots.release(key);
      const slot = slots.claim(key, now);
      if (slot === NONE) return false;
      if (totals[slot * LONGS + TOTAL] === 0) newest[slot * DOUBLES] = second;
      advance(slot, second);
      const at = bucketAt(slot, newest[slot * DOUBLES]!);
      if (counters[at]! < MAX_PER_BUCKET) {
        counters[at] = counters[at]! + 1;
        totals[slot * LONGS + TOTAL] = totals[slot * LONGS + TOTAL]! + 1;
      }
      return true;
    },
    wait(key, limit, now) {
      const slot = slots.find(key, now);
      if (slot === NONE) return 0;
      advance(slot, Math.floor(now / SECOND));
      let total = totals[slot * LONGS + TOTAL]!;
      const last = newest[slot * DOUBLES]!;
      for (let age = BUCKETS - 1; age >= 0; age--) {
        if (total < limit) return 0;
        total -= counters[bucketAt(slot, last - age)]!;
        if (total < limit) return (last - age + BUCKETS) * SECOND - now;
      }
      return 0;
    },
  };
}

/**
 * Returns the index of a second's counter. A capture can claim seconds before the epoch, which are
 * negative.
 */
function bucketAt(slot: number, second: number): number {
  return slot * SHORTS + FIRST_BUCKET + (((second % BUCKETS) + BUCKETS) % BUCKETS);
}
