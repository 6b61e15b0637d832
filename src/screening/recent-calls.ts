import type { CallAttempt } from "../domain/attempt.ts";
import type { PartyNumber } from "../domain/number.ts";
import type { Millis } from "../domain/time.ts";
import { createExpiringSlots, NONE } from "../state/expiring-slots.ts";

/** 64·T1 (RFC 3261 section 17.1.1.2): how long a peer may still be trying other branches of one call. */
const LIFETIME: Millis = 32_000;
/** Free repeats of a call that has paid; each further one pays again. */
const FREE_REPEATS = 4;
/** A longer Call-ID is never remembered, so that a peer can't choose how much work a key takes. */
const MAX_CALL_ID = 256;

/** What is kept of a call: {@link hashOfParties} and its free repeats. */
const ROW = 2;
const PARTIES = 0;
const FREE = 1;

/**
 * Calls that have paid their limits: a new branch of the same call (same Call-ID, trunk, calling and called number)
 * costs nothing, a bounded number of times. It is always screened again.
 */
export interface RecentCalls {
  readonly size: number;
  readonly capacity: number;
  /** True when the attempt repeats a call that has paid and has free repeats left. Changes nothing. */
  isFree(attempt: CallAttempt): boolean;
  /** As `isFree`, and uses up one free repeat. */
  takeFree(attempt: CallAttempt): boolean;
  /** Remembers that the call has paid; false when the table is full. */
  remember(attempt: CallAttempt): boolean;
}

const ignore = (): void => undefined;

/** @param capacity most calls remembered at once, at least 1 */
export function createRecentCalls(capacity: number): RecentCalls {
  const rows = new Int32Array(capacity * ROW);
  const calls = createExpiringSlots(capacity, LIFETIME, ignore, ignore);
  // One attempt is asked about, then remembered: its key is built and hashed once.
  let keyed: CallAttempt | undefined;
  let key = "";

  const keyOf = (attempt: CallAttempt): string => {
    if (attempt !== keyed) {
      keyed = attempt;
      key = `${attempt.trunk.id} ${attempt.callId}`;
    }
    return key;
  };

  /** The slot of the call when it has paid and has free repeats left, or NONE. */
  const find = (attempt: CallAttempt): number => {
    // A call without a name (ISUP) repeats nothing.
    if (attempt.callId === "") return NONE;
    const slot = calls.find(keyOf(attempt), attempt.at);
    if (slot === NONE || rows[slot * ROW + FREE] === 0) return NONE;
    return rows[slot * ROW + PARTIES] === hashOfParties(attempt) ? slot : NONE;
  };

  return {
    capacity,
    get size() {
      return calls.size;
    },
    isFree: (attempt) => find(attempt) !== NONE,
    takeFree(attempt) {
      const slot = find(attempt);
      if (slot === NONE) return false;
      rows[slot * ROW + FREE]!--;
      return true;
    },
    remember(attempt) {
      if (attempt.callId === "" || attempt.callId.length > MAX_CALL_ID) return true;
      const slot = calls.claim(keyOf(attempt), attempt.at);
      if (slot === NONE) return false;
      rows[slot * ROW + PARTIES] = hashOfParties(attempt);
      rows[slot * ROW + FREE] = FREE_REPEATS;
      return true;
    },
  };
}

/** The key of a number; 0, which no number has, when it is unusable. */
function keyOfNumber(number: PartyNumber): number {
  return number.kind === "unusable" ? 0 : number.key;
}

/**
 * The called number and all asserted callers in their order: another caller in any field is another call. 32 bits, so
 * two combinations can meet; that is worth at most the free repeats of one call.
 */
function hashOfParties(attempt: CallAttempt): number {
  let hash = keyOfNumber(attempt.called) | 0;
  for (const identity of attempt.calling)
    hash = (Math.imul(hash, 31) + (keyOfNumber(identity.number) | 0)) | 0;
  return hash;
}
