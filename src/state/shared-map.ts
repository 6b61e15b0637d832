// An expiring map whose room is shared by owners, so that no trunk fills a table of all.
import type { Millis } from "../domain/time.ts";
import { createExpiringSlots, NONE } from "./expiring-slots.ts";
import { createShares } from "./shares.ts";

/** A bounded map of keys that peers choose, as `ExpiringMap` (expiring-map.ts). Each entry has an owner. */
export interface SharedMap<Value> {
  /** @returns the live value under `key`, or undefined */
  get(key: string, now: Millis): Value | undefined;
  /** @returns true when an entry with a new key would fit */
  hasRoom(owner: string, now: Millis): boolean;
  /**
   * Stores `value` for one lifetime from `now`.
   * @returns false when the key is new and there is no room; nothing is stored then
   */
  set(key: string, value: Value, owner: string, now: Millis): boolean;
}

/**
 * @param capacity at most this many entries are held; at least 1
 * @param lifetime milliseconds from `set` to expiry
 * @param favoured an owner that may use all that is free
 */
export function createSharedMap<Value>(
  capacity: number,
  lifetime: Millis,
  favoured: string,
): SharedMap<Value> {
  const shares = createShares(capacity, favoured);
  const values: (Value | undefined)[] = [];
  const owners: string[] = [];
  const slots = createExpiringSlots(
    capacity,
    lifetime,
    () => undefined,
    (slot) => {
      values[slot] = undefined;
      shares.give(owners[slot]!, 1);
    },
  );

  function hasRoom(owner: string, now: Millis): boolean {
    if (shares.hasRoom(owner, 1)) return true;
    slots.sweep(now);
    return shares.hasRoom(owner, 1);
  }

  return {
    get(key, now) {
      const slot = slots.find(key, now);
      return slot === NONE ? undefined : values[slot];
    },
    hasRoom,
    set(key, value, owner, now) {
      if (slots.find(key, now) === NONE && !hasRoom(owner, now)) return false;
      const slot = slots.claim(key, now);
      if (slot === NONE) return false;
      // A known key changes hands.
      if (values[slot] !== undefined) shares.give(owners[slot]!, 1);
      values[slot] = value;
      owners[slot] = owner;
      shares.take(owner, 1);
      return true;
    },
  };
}
