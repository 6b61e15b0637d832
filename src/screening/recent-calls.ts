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
/** At most this many characters of a Call-ID stand in a key. A longer Call-ID is kept as its hash. */
const MAX_CALL_ID = 256;

/** What is kept of a call: {@link hashOfParties} and its free repeats. */
const ROW = 2;
const PARTIES = 0;
const FREE = 1;

/**
 * The calls that have paid their limits. A new branch of the same call (same Call-ID, trunk,
 * calling and called number) costs nothing, a bounded number of times. It is always screened again.
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
  const rows = new Int32Array(capacity * ROW);
  const calls = createExpiringSlots(capacity, LIFETIME, ignore, ignore);
  // An attempt is looked up, then remembered: its key is built and hashed once.
  let keyed: CallAttempt | undefined;
  let key = "";

  const keyOf = (attempt: CallAttempt): string => {
    if (attempt !== keyed) {
      keyed = attempt;
      key = `${attempt.trunk.id} ${boundedCallId(attempt.callId)}`;
    }
    return key;
  };

  /** Returns the slot of the call when it has paid and has free repeats left, otherwise NONE. */
  const find = (attempt: CallAttempt): number => {
    // A call without Call-ID (ISUP) repeats no other.
    if (attempt.callId === "") return NONE;
    const slot = calls.find(keyOf(attempt), attempt.at - wall.ahead);
    if (slot === NONE || rows[slot * ROW + FREE] === 0) return NONE;
    return rows[slot * ROW + PARTIES] === hashOfParties(attempt) ? slot : NONE;
  };

  return {
    capacity,
    size: () => calls.size,
    isFree: (attempt) => find(attempt) !== NONE,
    takeFree(attempt) {
      const slot = find(attempt);
      if (slot === NONE) return false;
      rows[slot * ROW + FREE]!--;
      return true;
    },
    remember(attempt) {
      if (attempt.callId === "") return true;
      const slot = calls.claim(keyOf(attempt), attempt.at - wall.ahead);
      if (slot === NONE) return false;
      rows[slot * ROW + PARTIES] = hashOfParties(attempt);
      rows[slot * ROW + FREE] = FREE_REPEATS;
      return true;
    },
  };
}

/** Returns the Call-ID, or the hash of a long one: a peer must not choose the size of a key. */
function boundedCallId(callId: string): string {
  return callId.length <= MAX_CALL_ID ? callId : createHash("sha256").update(callId, "latin1").digest("hex");
}

/** Returns the key of a number, or 0, which no number has, when it is unusable. */
function keyOfNumber(number: PartyNumber): number {
  return number.kind === "unusable" ? 0 : number.key;
}

/**
 * Hashes the called number and all asserted calling numbers in their order: another number in any
 * field makes another call. The hash has 32 bits, so two combinations may collide. A collision
 * gains at most the free repeats of one call.
 */
function hashOfParties(attempt: CallAttempt): number {
  let hash = keyOfNumber(attempt.called) | 0;
  for (const identity of attempt.calling)
    hash = (Math.imul(hash, 31) + (keyOfNumber(identity.number) | 0)) | 0;
  return hash;
}
