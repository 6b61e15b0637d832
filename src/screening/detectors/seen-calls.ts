// The calls that detectors wait for: from the decision that forwards a call to its end. Bounded.
import { type CallDecided, type CallEnded, type CallRef, wantsCredentials } from "../../domain/call.ts";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { NumberClass, PartyNumber } from "../../domain/number.ts";
import type { Mutable } from "../../domain/mutable.ts";
import type { Millis } from "../../domain/time.ts";
import type { Trunk } from "../../domain/trunk.ts";
import { makesEmergencyParty } from "../emergency-parties.ts";
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
  begin(event: CallDecided, now: Millis): Mutable<SeenCall> | undefined;
  /** A call that goes on. @returns undefined for a call whose begin was not seen */
  of(id: string): SeenCall | undefined;
  /** @returns undefined for a call whose begin or end was not seen, or that was no call */
  end(event: CallEnded, now: Millis): SeenCall | undefined;
}

/** @param capacity calls at one time */
export function createSeenCalls(capacity: number): SeenCalls {
  /** Slots by the ids of calls. What is known of a call stands in flat tables: thousands of calls wait for their end. */
  const slots = new Map<string, number>();
  const callers = new Float64Array(capacity);
  const calleds = new Float64Array(capacity);
  const times = new Float64Array(capacity);
  const diverted = new Uint8Array(capacity);
  const classes: NumberClass[] = [];
  const placesOf = new Int32Array(capacity);
  /** The trunk of each place, as it was with the last call. */
  const trunks: Trunk[] = [];
  const free = new Int32Array(capacity);
  let freed = 0;
  let fresh = 0;
  const places = new Map<string, number>();
  let full = 0;
  let call: Mutable<SeenCall> | undefined;

  function placeOf(trunk: Trunk): number {
    const known = places.get(trunk.id);
    const place = known ?? places.size;
    if (known === undefined) places.set(trunk.id, place);
    trunks[place] = trunk;
    return place;
  }

  function show(slot: number, { id, trunk }: CallRef, end: SeenEnd): Mutable<SeenCall> {
    call ??= {
      ref: { id, trunk },
      trunk: trunks[0]!,
      place: 0,
      caller: 0,
      callerClass: "foreign",
      called: 0,
      isDiverted: false,
      begun: 0,
      end: notYet,
      backPlace: NONE,
      backAfter: 0,
      print: 0,
    };
    call.ref = { id, trunk };
    call.place = placesOf[slot]!;
    call.trunk = trunks[call.place]!;
    call.caller = callers[slot]!;
    call.callerClass = classes[slot]!;
    call.called = calleds[slot]!;
    call.isDiverted = diverted[slot] === 1;
    call.begun = times[slot]!;
    call.end = end;
    call.backPlace = NONE;
    call.print = 0;
    return call;
  }

  return {
    get size() {
      return slots.size;
    },
    get full() {
      return full;
    },
    begin({ call: ref, decision: { attempt, rule }, action }, now) {
      // Calls for help are nobody's pattern.
      if (action.kind !== "forwarded" || rule === "emergency" || makesEmergencyParty(attempt))
        return undefined;
      const { called } = attempt;
      const caller = callerOf(attempt);
      if (caller === undefined || called.kind === "unusable") return undefined;
      if (slots.size >= capacity) {
        full++;
        return undefined;
      }
      const slot = slots.get(ref.id) ?? (freed > 0 ? free[--freed]! : fresh++);
      slots.set(ref.id, slot);
      callers[slot] = caller.key;
      classes[slot] = caller.class;
      calleds[slot] = called.key;
      times[slot] = now;
      diverted[slot] = attempt.diversion.length > 0 ? 1 : 0;
      placesOf[slot] = placeOf(attempt.trunk);
      return show(slot, ref, notYet);
    },
    of(id) {
      const slot = slots.get(id);
      return slot === undefined ? undefined : show(slot, { id, trunk: trunks[placesOf[slot]!]!.id }, notYet);
    },
    end(event, now) {
      const slot = slots.get(event.call.id);
      if (slot === undefined) return undefined;
      slots.delete(event.call.id);
      free[freed++] = slot;
      // Of a lost call nobody has seen the end.
      if (event.how === "lost" || wantsCredentials.has(event.status ?? 0)) return undefined;
      return show(slot, event.call, endOf(event, now - times[slot]!));
    },
  };
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
