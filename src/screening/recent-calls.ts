import type { CallAttempt } from "../domain/attempt.ts";
import type { PartyNumber } from "../domain/number.ts";
import type { Millis } from "../domain/time.ts";
import { createExpiringMap } from "../state/expiring-map.ts";

/** 64·T1 (RFC 3261 section 17.1.1.2): how long a peer may still be trying other branches of one call. */
const LIFETIME: Millis = 32_000;
/** Free repeats of a call that has paid; each further one pays again. */
const FREE_REPEATS = 4;
/** A longer Call-ID is never remembered, so that a peer can't choose how much memory an entry takes. */
const MAX_CALL_ID = 256;

interface PaidCall {
  readonly parties: number;
  free: number;
}

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

/** @param capacity most calls remembered at once, at least 1 */
export function createRecentCalls(capacity: number): RecentCalls {
  const calls = createExpiringMap<PaidCall>(capacity, LIFETIME);
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

  const find = (attempt: CallAttempt): PaidCall | undefined => {
    const paid = calls.get(keyOf(attempt), attempt.at);
    if (paid === undefined || paid.free === 0) return undefined;
    return paid.parties === hashOfParties(attempt) ? paid : undefined;
  };

  return {
    capacity,
    get size() {
      return calls.size;
    },
    isFree: (attempt) => find(attempt) !== undefined,
    takeFree(attempt) {
      const paid = find(attempt);
      if (paid === undefined) return false;
      paid.free--;
      return true;
    },
    remember(attempt) {
      if (attempt.callId.length > MAX_CALL_ID) return true;
      const paid = { parties: hashOfParties(attempt), free: FREE_REPEATS };
      return calls.set(keyOf(attempt), paid, attempt.at);
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
