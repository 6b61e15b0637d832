// The calls of captures that stand at one time: what messages say of them becomes the events of calls.
import { createCalls } from "../calls/call-memory.ts";
import { type Calls, type CallSlot, NO_CALL } from "../calls/calls.ts";
import type { CallEnded, CallProgress, CallRef } from "../domain/call.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";

/** A call of a capture whose end has not been seen. */
export interface OpenCall {
  /** By its frame, as lines name it. */
  readonly ref: CallRef;
  readonly lessee: string | undefined;
  /** False: the policy refuses the call, so limits and detectors see nothing of it. */
  readonly isPassed: boolean;
  /** What its messages are found by: of SIP the dialog and the transaction of the INVITE, of ISUP the circuit. */
  readonly keys: readonly string[];
  readonly slot: CallSlot;
}

/** What {@link CapturedCalls.begin} is told of a call. */
export type BegunCall = Omit<OpenCall, "slot">;

/** Bounded; what has waited for too long for its end is forgotten. */
export interface CapturedCalls {
  /** What messages do to the row of a call. */
  readonly rows: Calls<never>;
  /** Calls that were not followed because there was no room. */
  readonly full: number;
  /** A call with the same key before is not found by it any more. */
  begin(call: BegunCall, now: Millis): void;
  find(key: string): OpenCall | undefined;
  /** What became of the call can't be told: its channel is free, and nothing follows from its end. */
  forget(call: OpenCall, now: Millis): void;
  /** Lets time pass. */
  pass(now: Millis): void;
  /** Calls of the trunk that the policy lets through and that stand. */
  channels(trunk: TrunkId): number;
}

export interface CapturedCallsParts {
  /** Calls at one time. */
  readonly capacity: number;
  /** Most time that a call may stand without an end, by trunk. Milliseconds. */
  readonly longestCall: (trunk: TrunkId) => Millis;
  /** Takes the events after the decision. An end that no message told is `lost`, by the filter. */
  readonly tell: (call: OpenCall, event: CallProgress | CallEnded) => void;
}

/** How often calls are looked through for those that have waited for too long. */
const TICK: Millis = 100;
/** Calls that the policy refuses hold no channel of their trunk. No trunk has this name. */
const REFUSED = "";

export function createCapturedCalls({ capacity, longestCall, tell }: CapturedCallsParts): CapturedCalls {
  const byKey = new Map<string, OpenCall>();
  const byId = new Map<string, OpenCall>();
  let full = 0;
  let ticked: Millis = -Infinity;

  const rows = createCalls<never>({
    capacity,
    node: "c",
    epoch: 0,
    longestCall,
    tell(event) {
      if (event.kind !== "ringing" && event.kind !== "answered" && event.kind !== "ended") return;
      const call = byId.get(event.call.id);
      if (call === undefined) return;
      if (event.kind !== "ended") {
        tell(call, { ...event, call: call.ref });
        return;
      }
      byId.delete(event.call.id);
      for (const key of call.keys) if (byKey.get(key) === call) byKey.delete(key);
      // Nobody stands in the place of the filter: what it would have ended by itself, the capture did not show.
      const isSeen = event.by !== "filter";
      tell(call, { ...event, call: call.ref, ...(isSeen ? {} : { how: "lost" as const }) });
    },
  });

  return {
    rows,
    get full() {
      return full;
    },
    begin({ ref, lessee, isPassed, keys }, now) {
      const slot = rows.begin("", isPassed ? ref.trunk : REFUSED, now);
      if (slot === NO_CALL) {
        full++;
        return;
      }
      const call: OpenCall = { ref, lessee, isPassed, keys, slot };
      byId.set(rows.refOf(slot).id, call);
      for (const key of keys) byKey.set(key, call);
      rows.forwarded(slot, now);
    },
    find: (key) => byKey.get(key),
    forget({ slot }, now) {
      rows.ended(slot, { by: "filter", how: "lost" }, now);
    },
    pass(now) {
      if (now - ticked < TICK) return;
      ticked = now;
      rows.tick(now);
    },
    channels: (trunk) => rows.channels(trunk),
  };
}
