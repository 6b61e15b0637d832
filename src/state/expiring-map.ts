import type { Millis } from "../domain/time.ts";
import { createExpiringSlots, NONE } from "./expiring-slots.ts";

/**
 * A bounded map whose entries live a fixed time. Time is an argument, so there is no timer, and a reader never
 * prolongs a life: under keys that a peer chooses, the oldest entry is always the first to expire.
 */
export interface ExpiringMap<Value> {
  /** Entries held, including dead ones that no insert has swept out yet. */
  readonly size: number;
  readonly capacity: number;
  /** The live value under `key`. */
  get(key: string, now: Millis): Value | undefined;
  /** Stores `value` for one lifetime from `now`; false when the map is full of live entries. */
  set(key: string, value: Value, now: Millis): boolean;
  /** True when a new key has room. */
  hasRoom(now: Millis): boolean;
  delete(key: string): void;
}

/**
 * @param capacity most entries held at once, at least 1
 * @param lifetime milliseconds from `set` to expiry: an entry is live while its age is below this
 * @param onRelease told each value that leaves the map by expiry or `delete`, never one that `set` replaces
 */
export function createExpiringMap<Value>(
  capacity: number,
  lifetime: Millis,
  onRelease?: (value: Value) => void,
): ExpiringMap<Value> {
  const values: (Value | undefined)[] = [];
  const slots = createExpiringSlots(
    capacity,
    lifetime,
    () => undefined,
    (slot) => {
      const value = values[slot];
      values[slot] = undefined;
      if (value !== undefined) onRelease?.(value);
    },
  );
  return {
    capacity,
    get size() {
      return slots.size;
    },
    get(key, now) {
      const slot = slots.find(key, now);
      return slot === NONE ? undefined : values[slot];
    },
    set(key, value, now) {
      const slot = slots.claim(key, now);
      if (slot === NONE) return false;
      values[slot] = value;
      return true;
    },
    hasRoom: (now) => slots.hasRoom(now),
    delete(key) {
      slots.release(key);
    },
  };
}
