// Remembers the calls that have paid their limits, so that a repeat does not pay again.
import { createHash } from "node:crypto";
import type { CallAttempt } from "../domain/attempt.ts";
import type { PartyNumber } from "../domain/number.ts";
import type { Millis, WallClock } from "../domain/time.ts";
import { createExpiringSlots, NONE } from "../state/expiring-slots.ts";

/** 64·T1: how long a peer may try other branches of one call (RFC 3261 section 17.1.1.2). */
const LIFETIME: Millis = 32_000;
/** At most this many repeats of a call are free. Each further one pays again. */
const FREE_REPEATS = 4;
/** At most this many characters stand in a key. A longer key is replaced by its hash: a peer must not choose its size. */
const MAX_KEY = 512;

/**
 * The calls that have paid their limits. A new branch of the same call costs nothing, a bounded number of times: after a
 * 401 or 407, or when the peer tries again. It is the same call when trunk, Call-ID, From tag, called number and all
 * asserted calling numbers in their order are the same, each compared whole. It is always screened again.
 */
export interface RecentCalls {
  size(): number;
  readonly capacity: number;
  /**
   * Changes nothing.
   * @returns true when the attempt repeats a call that has paid and has free repeats left
   */
  isFree(attempt: CallAttempt): boolean;
  /** Does the same as `isFree`, and uses up one free repeat. */
  takeFree(attempt: CallAttempt): boolean;
  /**
   * Remembers that the call has paid.
   * @returns false when the table is full
   */
  remember(attempt: CallAttempt): boolean;
}

const ignore = (): void => undefined;

/**
 * Creates an empty table.
 * @param capacity at most this many calls are remembered; at least 1
 * @param wall how the clock of attempts stands to the one that lifetimes are measured on
 */
export function createRecentCalls(capacity: number, wall: WallClock): RecentCalls {
  const free = new Uint8Array(capacity);
  const calls = createExpiringSlots(capacity, LIFETIME, ignore, ignore);
  // An attempt is looked up, then remembered: its key is built and hashed once.
  let keyed: CallAttempt | undefined;
  let key = "";

  const keyOf = (attempt: CallAttempt): string => {
    if (attempt !== keyed) {
      keyed = attempt;
      key = writeKey(attempt);
    }
    return key;
  };

  /** Returns the slot of the call when it has paid and has free repeats left, otherwise NONE. */
  const find = (attempt: CallAttempt): number => {
    // A call without Call-ID (ISUP) repeats no other.
    if (attempt.callId === "") return NONE;
    const slot = calls.find(keyOf(attempt), attempt.at - wall.ahead);
    return slot === NONE || free[slot] === 0 ? NONE : slot;
  };

  return {
    capacity,
    size: () => calls.size,
    isFree: (attempt) => find(attempt) !== NONE,
    takeFree(attempt) {
      const slot = find(attempt);
      if (slot === NONE) return false;
      free[slot]!--;
      return true;
    },
    remember(attempt) {
      if (attempt.callId === "") return true;
      const slot = calls.claim(keyOf(attempt), attempt.at - wall.ahead);
      if (slot === NONE) return false;
      free[slot] = FREE_REPEATS;
      return true;
    },
  };
}

/** The key of a call. The table keeps a hash of it under a secret, so no peer finds two calls with one key. */
function writeKey({ trunk, callId, fromTag, called, calling }: CallAttempt): string {
  let key = `${trunk.id}\n${callId}\n${fromTag}\n${wholeNumber(called)}`;
  for (const { number } of calling) key += `\n${wholeNumber(number)}`;
  return key.length <= MAX_KEY ? key : createHash("sha256").update(key, "latin1").digest("hex");
}

/**
 * Returns the key of a number as "#" and seven octets, or what was received where it is unusable. Octets, because decimal
 * digits are made of a number beyond 31 bits several times slower.
 */
export function wholeNumber(number: PartyNumber): string {
  if (number.kind === "unusable") return `"${number.raw}`;
  const high = Math.floor(number.key / 0x1000000);
  const low = number.key - high * 0x1000000;
  return String.fromCharCode(
    0x23,
    high >>> 24,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    low >>> 16,
    (low >>> 8) & 0xff,
    low & 0xff,
  );
}
