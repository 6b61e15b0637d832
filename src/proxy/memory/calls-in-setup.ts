// The calls that wait for an answer and could go to another next hop: where they wait, and which are sent again.
import type { Mutable } from "../../domain/mutable.ts";
import type { Millis } from "../../domain/time.ts";
import type { Destination } from "../../routing/hop-health.ts";
import { T1 } from "../../sip/timers.ts";
import { createShares } from "../../state/shares.ts";
import type { SentCall } from "./call-setup.ts";

/** Octets of INVITEs that are kept at one time, at most. */
const MOST_KEPT = 64 * 1024 * 1024;

/** The calls that can still go to another next hop. */
export interface CallsInSetup {
  /** Number of calls that are kept. */
  readonly size: number;
  /** Calls that were moved and have not been answered since. Only the filter repeats them. */
  readonly repeating: ReadonlySet<SentCall>;
  /** Keeps the bytes of a new call. @returns false when there is no room for them, or its trunk has more than its share */
  keep(call: SentCall): boolean;
  /** Returns the calls at a destination that have received nothing but 100 from there. */
  waitingAt(hop: Destination): ReadonlySet<SentCall>;
  /** Puts the call behind all others that wait at the same destination. */
  postpone(call: SentCall): void;
  /** Moves the call to another destination. From `now` on it is sent again until that destination answers. */
  move(call: SentCall, to: Destination, now: Millis): void;
  /** Notes that the destination has answered. The call is not sent again. */
  heard(call: SentCall): void;
  /** Ends the keeping of a call that stays where it is, or is over. Its bytes are released. */
  settle(call: SentCall): void;
}

const NONE: ReadonlySet<SentCall> = new Set();

/** @param capacity calls kept at once, at most */
export function createCallsInSetup(capacity: number): CallsInSetup {
  const waiting = new Map<Destination, Set<SentCall>>();
  const repeating = new Set<SentCall>();
  const entries = createShares(capacity);
  const octets = createShares(MOST_KEPT);

  function leave(call: SentCall): void {
    const hop = call.tried.at(-1);
    const there = hop === undefined ? undefined : waiting.get(hop);
    if (hop === undefined || there === undefined) return;
    there.delete(call);
    // Destinations are added and removed as DNS changes.
    if (there.size === 0) waiting.delete(hop);
  }

  function arrive(call: SentCall, hop: Destination): void {
    const there = waiting.get(hop) ?? new Set();
    waiting.set(hop, there.add(call));
  }

  const inSetup: Mutable<CallsInSetup> = {
    size: 0,
    repeating,
    keep(call) {
      const { trunk } = call.setup;
      const length = call.kept?.bytes.length ?? 0;
      const [hop] = call.tried;
      if (hop === undefined || !entries.hasRoom(trunk, 1) || !octets.hasRoom(trunk, length)) return false;
      inSetup.size++;
      entries.take(trunk, 1);
      octets.take(trunk, length);
      arrive(call, hop);
      return true;
    },
    waitingAt: (hop) => waiting.get(hop) ?? NONE,
    postpone(call) {
      const hop = call.tried.at(-1);
      leave(call);
      if (hop !== undefined) arrive(call, hop);
    },
    move(call, to, now) {
      leave(call);
      call.tried.push(to);
      arrive(call, to);
      call.repeatAfter = T1;
      call.repeatAt = now + T1;
      repeating.add(call);
    },
    heard: (call) => void repeating.delete(call),
    settle(call) {
      if (call.kept === undefined) return;
      inSetup.size--;
      entries.give(call.setup.trunk, 1);
      octets.give(call.setup.trunk, call.kept.bytes.length);
      call.kept = undefined;
      repeating.delete(call);
      leave(call);
    },
  };
  return inSetup;
}
