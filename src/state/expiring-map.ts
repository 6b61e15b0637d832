// A bounded map of keys that peers choose: what the tables of calls and transactions are made of.
import type { Mutable } from "../domain/mutable.ts";
import type { Millis } from "../domain/time.ts";
import { createExpiringSlots, NONE } from "./expiring-slots.ts";

/**
 * A bounded map whose entries live for a fixed time. Time is an argument, so there is no timer.
 * Reading an entry never prolongs its life.
 *
 * Invariant: the entry that was set first expires first, even under keys that a peer chooses.
 */
export interface ExpiringMap<Value> {
  /** The number of entries held, including dead ones that no insert has swept out yet. */
  readonly size: number;
  readonly capacity: number;
  /** @returns the live value under `key`, or undefined */
  get(key: string, now: Millis): Value | undefined;
  /**
   * Stores `value` for one lifetime from `now`.
   * @returns false when the map is full of live entries; nothing is stored then
   */
  set(key: string, value: Value, now: Millis): boolean;
  /** @returns true when an entry with a new key would fit */
  hasRoom(now: Millis): boolean;
  delete(key: string): void;
}

/**
 * Creates an empty map.
 * @param capacity at most this many entries are held; at least 1
 * @param lifetime milliseconds from `set` to expiry: an entry is live while its age is below this
 * @param onRelease is given each value that leaves the map by expiry or `delete`, never a value
 *   that `set` replaces
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
  const map: Mutable<ExpiringMap<Value>> = {
    capacity,
    size: 0,
    get(key, now) {
      const slot = slots.find(key, now);
      return slot === NONE ? undefined : values[slot];
    },
    set(key, value, now) {
      const slot = slots.claim(key, now);
      map.size = slots.size;
      if (slot === NONE) return false;
      values[slot] = value;
      return true;
    },
    hasRoom(now) {
      const hasRoom = slots.hasRoom(now);
      map.size = slots.size;
      return hasRoom;
    },
    delete(key) {
      slots.release(key);
      map.size = slots.size;
    },
  };
  return map;
}
