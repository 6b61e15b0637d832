import type { Millis } from "../domain/time.ts";
import { createExpiringMap } from "./expiring-map.ts";

const SECOND = 1000;
/** One bucket a second for the last 60 whole seconds, and the second that runs. */
const BUCKETS = 61;
const MAX_PER_BUCKET = 65_535;

/**
 * Events per key over the last minute, sliding by seconds. An event is remembered for at least 60 s and for less
 * than 61 s, so a limit of N never lets N + 1 events into any 60 s: the error is on the strict side only.
 * 122 bytes of counters a key, reserved once; a key is forgotten a minute after its last event.
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
  const counters = new Uint16Array(capacity * BUCKETS);
  const totals = new Uint32Array(capacity);
  /** The second that a slot's newest bucket stands for. */
  const newest = new Float64Array(capacity);
  const free: number[] = [];
  let used = 0;
  const slots = createExpiringMap<number>(capacity, BUCKETS * SECOND, (slot) => free.push(slot));

  const claim = (second: number): number => {
    const slot = free.pop() ?? used++;
    counters.fill(0, slot * BUCKETS, (slot + 1) * BUCKETS);
    totals[slot] = 0;
    newest[slot] = second;
    return slot;
  };

  /** Empties the buckets that have left the window. A clock set back a little counts on in the newest bucket. */
  const advance = (slot: number, second: number): void => {
    const last = newest[slot] ?? second;
    if (second <= last) return;
    const base = slot * BUCKETS;
    const passed = Math.min(second - last, BUCKETS);
    let total = totals[slot] ?? 0;
    for (let step = 0; step < passed; step++) {
      const at = base + bucketOf(second - step);
      total -= counters[at] ?? 0;
      counters[at] = 0;
    }
    totals[slot] = total;
    newest[slot] = second;
  };

  return {
    capacity,
    get size() {
      return slots.size;
    },
    count(key, now) {
      const slot = slots.get(key, now);
      if (slot === undefined) return 0;
      advance(slot, Math.floor(now / SECOND));
      return totals[slot] ?? 0;
    },
    add(key, now) {
      const second = Math.floor(now / SECOND);
      const known = slots.get(key, now);
      if (known === undefined) {
        // A dead entry under this very key gives its slot back first; room in the map means a free slot.
        slots.delete(key);
        if (!slots.set(key, -1, now)) return false;
        const slot = claim(second);
        slots.set(key, slot, now);
        counters[slot * BUCKETS + bucketOf(second)] = 1;
        totals[slot] = 1;
        return true;
      }
      slots.set(key, known, now);
      advance(known, second);
      const at = known * BUCKETS + bucketOf(newest[known] ?? second);
      if ((counters[at] ?? 0) < MAX_PER_BUCKET) {
        counters[at] = (counters[at] ?? 0) + 1;
        totals[known] = (totals[known] ?? 0) + 1;
      }
      return true;
    },
    wait(key, limit, now) {
      const slot = slots.get(key, now);
      if (slot === undefined) return 0;
      advance(slot, Math.floor(now / SECOND));
      let total = totals[slot] ?? 0;
      const last = newest[slot] ?? 0;
      for (let age = BUCKETS - 1; age >= 0; age--) {
        if (total < limit) return 0;
        total -= counters[slot * BUCKETS + bucketOf(last - age)] ?? 0;
        if (total < limit) return (last - age + BUCKETS) * SECOND - now;
      }
      return 0;
    },
  };
}

/** The bucket of a second; also for seconds before the epoch, which a capture can claim. */
function bucketOf(second: number): number {
  return ((second % BUCKETS) + BUCKETS) % BUCKETS;
}
