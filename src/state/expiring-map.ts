import { LRUCache } from "lru-cache";
import type { Millis } from "../domain/time.ts";

/** How many entries one call of `set` may sweep out, and how often it looks: the cost of expiry is spread over the inserts. */
const SWEEP = 32;
const INSERTS_PER_SWEEP = 16;

interface Entry<Value> {
  readonly value: Value;
  readonly expires: Millis;
}

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
  // Only `peek`, never `get`: the order of the cache stays the order of `set`, which is the order of expiry.
  const entries = new LRUCache<string, Entry<Value>>({ max: capacity });
  let inserts = 0;

  // A clock that was set back leaves entries that expire in a far future; more than two lifetimes ahead is none of ours.
  const isLive = (entry: Entry<Value>, now: Millis): boolean =>
    now < entry.expires && entry.expires - now <= 2 * lifetime;

  const sweep = (now: Millis): void => {
    let dead = 0;
    for (const entry of entries.rvalues()) {
      if (entry === undefined || dead === SWEEP || isLive(entry, now)) break;
      dead++;
    }
    for (; dead > 0; dead--) {
      const entry = entries.pop();
      if (entry !== undefined) onRelease?.(entry.value);
    }
  };

  return {
    capacity,
    get size() {
      return entries.size;
    },
    get(key, now) {
      const entry = entries.peek(key);
      return entry !== undefined && isLive(entry, now) ? entry.value : undefined;
    },
    set(key, value, now) {
      inserts = (inserts + 1) % INSERTS_PER_SWEEP;
      if (inserts === 0 || entries.size >= capacity) sweep(now);
      if (entries.size >= capacity && entries.peek(key) === undefined) return false;
      entries.set(key, { value, expires: now + lifetime });
      return true;
    },
    delete(key) {
      const entry = entries.peek(key);
      if (entry === undefined) return;
      entries.delete(key);
      onRelease?.(entry.value);
    },
  };
}
