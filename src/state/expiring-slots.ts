// The bounded table of keys that the expiring maps and the call limits are made of.
import type { Mutable } from "../domain/mutable.ts";
import type { Millis } from "../domain/time.ts";
import { hashKey, type KeyHash } from "./key-hash.ts";

/**
 * At most this many slots are swept out by one claim. A sweep comes every CLAIMS_PER_SWEEP claims, so
 * the cost of expiry is spread over the claims.
 */
const SWEEP = 32;
const CLAIMS_PER_SWEEP = 16;

/** Stands for "no slot". */
export const NONE = -1;

/**
 * A row has eight 32-bit fields. The last two hold the time of expiry as a double, aligned to 8
 * bytes.
 */
const ROW = 8;
const LOW = 0;
const HIGH = 1;
/** The next slot in the same bucket. */
const CHAIN = 2;
/** The neighbours in order of expiry. OLDER also links the free slots. */
const OLDER = 3;
const NEWER = 4;
const DOUBLES = 4;
const EXPIRES = 3;

/**
 * Numbered slots, each held by a key for a fixed time. A bounded table of peers' keys is made of
 * them. Time is an argument.
 *
 * Invariant: only a claim prolongs a slot's life, so the slot that was claimed first expires first,
 * even under keys that a peer chooses.
 *
 * Keys are not kept: a slot is known by a 64-bit hash of its key under a secret of the process.
 * With a million live keys, a look-up meets a wrong slot with a chance of 1 in 10^13, and a peer
 * cannot raise it. In return a look-up reads two places in memory. A `Map` of strings reads six to
 * eight, all of them cold at a thousand calls per second.
 */
export interface ExpiringSlots {
  /** The number of slots claimed, including dead ones that no claim has swept out yet. */
  readonly size: number;
  readonly capacity: number;
  /** @returns the live slot of `key`, or {@link NONE} */
  find(key: string, now: Millis): number;
  /**
   * Gives `key` its slot, live, dead or new, for one lifetime from `now`.
   * @returns the slot, or {@link NONE} when all slots are live
   */
  claim(key: string, now: Millis): number;
  /** @returns true when a key without a slot would get one */
  hasRoom(now: Millis): boolean;
  /** Gives up the slot of `key`. */
  release(key: string): void;
  /** Sweeps out some dead slots. */
  sweep(now: Millis): void;
}

/**
 * Creates an empty table.
 * @param capacity at most this many slots are held; at least 1. Memory is reserved at once and
 *   touched as slots are first used
 * @param lifetime milliseconds from a claim to expiry: a slot is live while its age is below this
 * @param claimed is called with each slot that is given to a key without one
 * @param released is called with each slot that is swept out or given up
 */
export function createExpiringSlots(
  capacity: number,
  lifetime: Millis,
  claimed: (slot: number) => void,
  released: (slot: number) => void,
): ExpiringSlots {
  // Slots are stored plus one, so that untouched memory means "none".
  const buckets = new Int32Array(2 ** Math.ceil(Math.log2(capacity)));
  const rows = new Int32Array(capacity * ROW);
  const times = new Float64Array(rows.buffer);
  const mask = buckets.length - 1;
  const hash: KeyHash = { low: 0, high: 0 };
  let hashed = "";
  let oldest = NONE;
  let newest = NONE;
  let free = NONE;
  let used = 0;
  let claims = 0;
  hashKey(hashed, hash);

  /**
   * Finds the slot of `key`, live or dead. Keeps the hash: a key is looked up before it is claimed.
   */
  const locate = (key: string): number => {
    if (key !== hashed) {
      hashed = key;
      hashKey(key, hash);
    }
    const { low, high } = hash;
    let slot = buckets[low & mask]! - 1;
    while (slot !== NONE && (rows[slot * ROW + LOW] !== low || rows[slot * ROW + HIGH] !== high))
      slot = rows[slot * ROW + CHAIN]! - 1;
    return slot;
  };

  // A clock that was set back leaves slots that expire far in the future. A slot that expires more
  // than two lifetimes ahead counts as dead.
  const isLive = (slot: number, now: Millis): boolean => {
    const expires = times[slot * DOUBLES + EXPIRES]!;
    return now < expires && expires - now <= 2 * lifetime;
  };

  const unlink = (slot: number): void => {
    const older = rows[slot * ROW + OLDER]!;
    const newer = rows[slot * ROW + NEWER]!;
    if (older === NONE) oldest = newer;
    else rows[older * ROW + NEWER] = newer;
    if (newer === NONE) newest = older;
    else rows[newer * ROW + OLDER] = older;
  };

  const linkNewest = (slot: number): void => {
    rows[slot * ROW + OLDER] = newest;
    rows[slot * ROW + NEWER] = NONE;
    if (newest === NONE) oldest = slot;
    else rows[newest * ROW + NEWER] = slot;
    newest = slot;
  };

  const drop = (slot: number): void => {
    unlink(slot);
    const bucket = rows[slot * ROW + LOW]! & mask;
    const next = rows[slot * ROW + CHAIN]!;
    let before = buckets[bucket]! - 1;
    if (before === slot) buckets[bucket] = next;
    else {
      while (rows[before * ROW + CHAIN] !== slot + 1) before = rows[before * ROW + CHAIN]! - 1;
      rows[before * ROW + CHAIN] = next;
    }
    rows[slot * ROW + OLDER] = free;
    free = slot;
    slots.size--;
    released(slot);
  };

  const sweep = (now: Millis): void => {
    for (let dead = 0; dead < SWEEP; dead++) {
      if (oldest === NONE || isLive(oldest, now)) return;
      drop(oldest);
    }
  };

  const take = (): number => {
    const slot = free === NONE ? used++ : free;
    if (slot === free) free = rows[slot * ROW + OLDER]!;
    slots.size++;
    const { low, high } = hash;
    rows[slot * ROW + LOW] = low;
    rows[slot * ROW + HIGH] = high;
    rows[slot * ROW + CHAIN] = buckets[low & mask]!;
    buckets[low & mask] = slot + 1;
    return slot;
  };

  const slots: Mutable<ExpiringSlots> = {
    capacity,
    size: 0,
    find(key, now) {
      const slot = locate(key);
      return slot !== NONE && isLive(slot, now) ? slot : NONE;
    },
    claim(key, now) {
      claims = (claims + 1) % CLAIMS_PER_SWEEP;
      if (claims === 0 || slots.size >= capacity) sweep(now);
      const known = locate(key);
      if (known === NONE && slots.size >= capacity) return NONE;
      const slot = known === NONE ? take() : known;
      if (known !== NONE) unlink(slot);
      linkNewest(slot);
      times[slot * DOUBLES + EXPIRES] = now + lifetime;
      if (known === NONE) claimed(slot);
      return slot;
    },
    hasRoom(now) {
      if (slots.size >= capacity) sweep(now);
      return slots.size < capacity;
    },
    release(key) {
      const slot = locate(key);
      if (slot !== NONE) drop(slot);
    },
    sweep,
  };
  return slots;
}
