// What messages of ISUP say about the life of a call: alerting, answered, released, lost.
import { across, type LinkSide } from "./links.ts";
import { NO_CALL, type CallSlot } from "../calls/calls.ts";
import type { CallEnd } from "../domain/call.ts";
import type { Millis } from "../domain/time.ts";
import { IsupType, readIsup } from "../ss7/isup.ts";
import { readReleaseCause, tellsAlerting } from "../ss7/isup-progress.ts";
import type { Circuit, CircuitPhase, PassedCall } from "./circuits.ts";
import { isBackward } from "./message-kinds.ts";
import { formOf, type IsupState, type IsupTurn } from "./isup-turn.ts";

/** Notes a message that passes from the exchange of the called party, by whatever link. */
export function noteBackward(turn: IsupTurn, call: PassedCall): void {
  const { relay, now, bytes, start, msu } = turn;
  const { calls } = relay;
  const type = bytes[start]!;
  if (!isBackward(type)) return;
  call.outstanding = undefined;
  enter(call, type === IsupType.con || type === IsupType.anm ? "answered" : "heard", now);
  const slot = slotOf(relay, call);
  if (slot === NO_CALL) return;
  switch (type) {
    case IsupType.acm:
    case IsupType.cpg:
      calls.provisional(slot, tellsAlerting(bytes, start, msu.end), now);
      break;
    case IsupType.con:
    case IsupType.anm:
      calls.answered(slot, "", 0, now);
      break;
    default:
  }
}

/** Notes a REL: it ends the calls of its circuit, whoever sent it (Q.764 section 2.3). */
export function noteRelease(turn: IsupTurn, circuit: Circuit): void {
  const cause = causeOf(turn);
  for (const side of [0, 1] as const) {
    const call = circuit.calls[side];
    if (call === undefined) continue;
    const by = side === turn.side ? "caller" : "called";
    call.outstanding = undefined;
    enter(call, "released", turn.now);
    endCall(turn.relay, call, { by, ...(cause === undefined ? {} : { cause }) }, turn.now);
  }
}

/** A call goes forward only: a CPG behind the ANM doesn't make it unanswered, nor a repeated message younger. */
function enter(call: PassedCall, phase: CircuitPhase, now: Millis): void {
  if (order[phase] <= order[call.phase]) return;
  call.phase = phase;
  call.since = now;
}

const order: Readonly<Record<CircuitPhase, number>> = { begun: 0, heard: 1, answered: 2, released: 3 };

/** Tells the end of a call that passed, once. `how` follows from the state of the call when left out. */
export function endCall(
  relay: IsupState,
  call: PassedCall,
  end: Omit<CallEnd, "how"> & { readonly how?: CallEnd["how"] },
  now: Millis,
): void {
  const slot = slotOf(relay, call);
  if (slot === NO_CALL) return;
  const isAnswered = relay.calls.stateOf(slot) === "answered";
  const before = end.by === "caller" ? "cancelled" : "refused";
  relay.calls.ended(slot, { how: isAnswered ? "released" : before, ...end }, now);
}

/** Ends the calls of a circuit as lost: it was reset, or the associations are gone, and no REL will come. */
export function loseCalls(relay: IsupState, circuit: Circuit, by: LinkSide | undefined, now: Millis): void {
  for (const side of [0, 1] as const) {
    const call = circuit.calls[side];
    if (call === undefined) continue;
    const who = by === undefined ? "filter" : by === side ? "caller" : "called";
    endCall(relay, call, { by: who, how: "lost" }, now);
  }
}

/** Returns the call whose called party is at `side`: messages of that side answer it. */
export function calledBy(circuit: Circuit, side: LinkSide): PassedCall | undefined {
  return circuit.calls[across(side)];
}

function slotOf({ calls }: IsupState, { name }: PassedCall): CallSlot {
  return name === undefined ? NO_CALL : calls.named(name);
}

function causeOf({ relay, link, bytes, isup, msu, start }: IsupTurn): number | undefined {
  if (!readIsup(isup, formOf(relay, link), bytes, start, msu.end)) return undefined;
  return readReleaseCause(isup);
}
