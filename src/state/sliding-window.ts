import type { Millis } from "../domain/time.ts";
import { createExpiringSlots, NONE } from "./expiring-slots.ts";

const SECOND = 1000;
/** One bucket a second for the last 60 whole seconds, and the second that runs. */
const BUCKETS = 61;
const MAX_PER_BUCKET = 65_535;

/** A key's row: the second of its newest bucket as a double, the sum of its buckets as 32 bits, the buckets as 16 bits; together, so that a key costs two or three cache lines. */
const ROW_BYTES = 136;
const DOUBLES = ROW_BYTES / 8;
const LONGS = ROW_BYTES / 4;
const SHORTS = ROW_BYTES / 2;
const TOTAL = 2;
const FIRST_BUCKET = 6;

/**
 * Events per key over the last minute, sliding by seconds. An event is remembered for at least 60 s and for less
 * than 61 s, so a limit of N never lets N + 1 events into any 60 s: the error is on the strict side only.
 * 136 bytes of counters a key, reserved once; a key is forgotten a minute after its last event.
 */
export interface SlidingWindow {
  /** Keys held, including forgotten ones that no insert has swept out yet. */
  readonly size: number;
  readonly capacity: number;
  /** Events of `key` that still count. */
  count(key: string, now: Millis): number;
  /** Adds one event; false, and nothing added, when the table is full of live keys. */
  add(key: string, now: Millis): boolean;
  /** Milliseconds until fewer than `limit` events count, if none is added; 0: now. */
  wait(key: string, limit: number, now: Millis): Millis;
}

/** @param capacity most keys held at once, at least 1 */
export function createSlidingWindow(capacity: number): SlidingWindow {
  const newest = new Float64Array(capacity * DOUBLES);
  const totals = new Uint32Array(newest.buffer);
  const counters = new Uint16Array(newest.buffer);

  const clear = (slot: number): void => {
    for (let i = slot * DOUBLES; i < (slot + 1) * DOUBLES; i++) newest[i] = 0;
  };
  const slots = createExpiringSlots(capacity, BUCKETS * SECOND, clear, () => undefined);

  /** Empties the buckets that have left the window. A clock set back a little counts on in the newest bucket. */
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
    get size() {
      return slots.size;
    },
    count(key, now) {
      const slot = slots.find(key, now);
      if (slot === NONE) return 0;
      advance(slot, Math.floor(now / SECOND));
      return totals[slot * LONGS + TOTAL]!;
    },
    add(key, now) {
      const second = Math.floor(now / SECOND);
      // A dead entry under this very key starts anew.
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

/** The counter of a second; also for seconds before the epoch, which a capture can claim. */
function bucketAt(slot: number, second: number): number {
  return slot * SHORTS + FIRST_BUCKET + (((second % BUCKETS) + BUCKETS) % BUCKETS);
}
