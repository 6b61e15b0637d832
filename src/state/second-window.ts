// Counts events per key within one second from the first of them.
import type { Millis } from "../domain/time.ts";
import { createExpiringSlots, NONE } from "./expiring-slots.ts";

const SECOND: Millis = 1000;

/** Events per key. A key is forgotten one second after its first event. */
export interface SecondWindow {
  readonly capacity: number;
  count(key: string, now: Millis): number;
  /** Adds one event. Where the table is full of live keys, nothing is added. */
  add(key: string, now: Millis): void;
}

/** @param capacity at most this many keys are held; at least 1 */
export function createSecondWindow(capacity: number): SecondWindow {
  const counts = new Int32Array(capacity);
  const clear = (slot: number): void => {
    counts[slot] = 0;
  };
  const slots = createExpiringSlots(capacity, SECOND, clear, clear);
  return {
    capacity,
    count(key, now) {
      const slot = slots.find(key, now);
      return slot === NONE ? 0 : counts[slot]!;
    },
    add(key, now) {
      let slot = slots.find(key, now);
      if (slot === NONE) {
        // The second of an earlier event is over. The key starts anew.
        slots.release(key);
        slot = slots.claim(key, now);
      }
      if (slot !== NONE) counts[slot] = counts[slot]! + 1;
    },
  };
}
