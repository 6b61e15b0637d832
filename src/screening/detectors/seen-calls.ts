// The calls that detectors wait for: from the decision that forwards a call to its end. Bounded.
import { type CallDecided, type CallEnded, type CallRef, wantsCredentials } from "../../domain/call.ts";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { PartyNumber } from "../../domain/number.ts";
import type { Mutable } from "../../domain/mutable.ts";
import type { Millis } from "../../domain/time.ts";
import { isCounted } from "../identities.ts";
import { NONE, type SeenCall, type SeenEnd } from "./detector.ts";

type Usable = Exclude<PartyNumber, { readonly kind: "unusable" }>;

/** Before the end nothing of it is known. */
const notYet: SeenEnd = {
  rang: NONE,
  talked: NONE,
  by: "filter",
  isBusy: false,
  isDead: false,
  isCancelled: false,
};

/** Statuses of SIP and causes of Q.850 that say that there is no such number. */
const deadStatuses: ReadonlySet<number> = new Set([404, 410, 604]);
const deadCauses: ReadonlySet<number> = new Set([1, 22]);
const busyStatuses: ReadonlySet<number> = new Set([486, 600]);
const BUSY_CAUSE = 17;

export interface SeenCalls {
  readonly size: number;
  /** Calls that were not watched because there was no room. */
  readonly full: number;
  /** @returns undefined for a call that was not forwarded, or whose parties can't be read */
  begin(event: CallDecided, now: Millis): SeenCall | undefined;
  /** A call that goes on. @returns undefined for a call whose begin was not seen */
  of(id: string): SeenCall | undefined;
  /** @returns undefined for a call whose begin or end was not seen, or that was no call */
  end(event: CallEnded, now: Millis): SeenCall | undefined;
}

/** @param capacity calls at one time */
export function createSeenCalls(capacity: number): SeenCalls {
  const calls = new Map<string, Mutable<SeenCall>>();
  const places = new Map<string, number>();
  let full = 0;

  function placeOf(trunk: string): number {
    const known = places.get(trunk);
    if (known !== undefined) return known;
    places.set(trunk, places.size);
    return places.size - 1;
  }

  return {
    get size() {
      return calls.size;
    },
    get full() {
      return full;
    },
    begin({ call: ref, decision: { attempt, rule }, action }, now) {
      // Calls for help are nobody's pattern.
      if (action.kind !== "forwarded" || rule === "emergency") return undefined;
      const { called } = attempt;
      const caller = callerOf(attempt);
      if (caller === undefined || called.kind === "unusable") return undefined;
      if (calls.size >= capacity) {
        full++;
        return undefined;
      }
      const { trunk } = attempt;
      const call = {
        ref: refOf(ref),
        trunk,
        place: placeOf(trunk.id),
        caller: caller.key,
        callerClass: caller.class,
        called: called.key,
        isDiverted: attempt.diversion.length > 0,
        begun: now,
        end: notYet,
      };
      calls.set(ref.id, call);
      return call;
    },
    of: (id) => calls.get(id),
    end(event, now) {
      const call = calls.get(event.call.id);
      if (call === undefined) return undefined;
      calls.delete(event.call.id);
      // Of a lost call nobody has seen the end.
      if (event.how === "lost" || wantsCredentials.has(event.status ?? 0)) return undefined;
      call.end = endOf(event, now - call.begun);
      return call;
    },
  };
}

/** The event's own object may be used again. */
function refOf({ id, trunk }: CallRef): CallRef {
  return { id, trunk };
}

/** The first asserted number that counts on the trunk. */
function callerOf(attempt: CallAttempt): Usable | undefined {
  for (const identity of attempt.calling)
    if (identity.number.kind !== "unusable" && identity.party === undefined && isCounted(attempt, identity))
      return identity.number;
  return undefined;
}

function endOf(event: CallEnded, whole: Millis): SeenEnd {
  const { ringingMs, answeredMs, talkedMs, status = 0, cause = 0 } = event;
  const isAnswered = answeredMs !== undefined;
  // What no engine told of the ringing is not guessed: a call that was answered without it rang for no time.
  const rang = ringingMs === undefined ? NONE : Math.max(0, (isAnswered ? answeredMs : whole) - ringingMs);
  return {
    rang: isAnswered && rang === NONE ? 0 : rang,
    talked: isAnswered ? (talkedMs ?? Math.max(0, whole - answeredMs)) : NONE,
    by: event.by,
    isBusy: !isAnswered && (busyStatuses.has(status) || cause === BUSY_CAUSE),
    isDead: !isAnswered && (deadStatuses.has(status) || deadCauses.has(cause)),
    isCancelled: !isAnswered && event.how === "cancelled",
  };
}
