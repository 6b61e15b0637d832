// An IAM: judged, with the segment that follows it where it says so, and sent on or released.
import { NO_CALL, type CallSlot } from "../calls/calls.ts";
import type { Action } from "../domain/call.ts";
import type { Decision } from "../domain/decision.ts";
import { causeOf, type ReasonCode } from "../domain/reason.ts";
import type { TrunkPolicy } from "../policy/policy.ts";
import { decide } from "../judging/decide.ts";
import { isEmergencyIam, isupCalls, type IsupCall } from "../judging/isup-calls.ts";
import { emergencyNumber } from "../judging/isup-messages.ts";
import { isSegmented, IsupType, readIsup, type IsupMessage } from "../ss7/isup.ts";
import { labelUnit } from "../ss7/m3ua-reply.ts";
import { endCall } from "./call-progress.ts";
import { isMaintenance, type SendUnit } from "./circuit-release.ts";
import { across, keepMessage, type Circuit, type HeldCall, type PassedCall } from "./circuits.ts";
import {
  beginUnit,
  type HeldRelease,
  originOf,
  pass,
  sourceOf,
  type IsupState,
  type IsupTurn,
} from "./isup-turn.ts";
import { MOST_KEPT } from "./segmented-iams.ts";

/** Q.850 "call rejected": for reasons without a cause of their own, and towards an exchange that was not at fault. */
export const CALL_REJECTED = 21;

/** Takes an IAM on a circuit where nothing under way on this side keeps it from being judged. */
export function beginCall(turn: IsupTurn): void {
  const { relay, now, side, stream, bytes, msu, isup, start } = turn;
  const source = sourceOf(turn);
  const circuit = relay.circuits.obtain(msu);
  if (source === undefined) {
    relay.counters.ss7.unknownRoute++;
    relay.counters.strangers.note(originOf(turn).sourceAddress);
    refuse(turn, circuit, "drop", "source-unknown");
    return;
  }
  readIsup(isup, relay.variant, bytes, start, msu.end);
  const waits = source.trunk.side !== "core" && isup.fault === undefined && isSegmented(isup);
  if (waits && circuit !== undefined && relay.held.hold({ circuit, side, stream, bytes }, now)) return;
  judgeIam(turn, source, circuit, waits ? withoutSegment({ isup, source }) : undefined);
}

/** Says why an IAM is judged without its segment. No segment changes who is called, so an emergency call is read all the same. */
function withoutSegment(call: Pick<IsupCall, "isup" | "source">): string | undefined {
  const isExempt = call.source.trunk.side !== "international" && isEmergencyIam(call);
  return isExempt ? undefined : "no room to wait for the segment";
}

/**
 * Takes a message of `type` from an exchange whose IAM waits for its segment. Any other message means that no segment
 * will come.
 *
 * @returns false when the message is handled like any other
 */
export function followHeld(turn: IsupTurn, call: HeldCall, type: number): boolean {
  const { relay, now } = turn;
  const { circuit, side } = call;
  if (isMaintenance(type)) return false;
  if (type === IsupType.iam) {
    relay.counters.ss7.absorbed++;
    return true;
  }
  relay.held.drop(call);
  if (type === IsupType.rel) {
    // The other exchange has never heard of the call.
    relay.releases.ignore(turn, circuit, side, "silent", now);
    const refusal = circuit.refusals[side];
    return refusal !== undefined && relay.releases.absorb(refusal, type);
  }
  const isSegment = type === IsupType.sgm;
  const isPassed = judgeHeld(relay, call, isSegment ? turn : undefined, now);
  if (isSegment && isPassed) pass(turn);
  return isSegment;
}

/**
 * Judges an IAM together with its segment. The IAM is not held any more.
 *
 * @returns true when it passed
 */
export function judgeHeld(
  relay: IsupState,
  call: HeldCall,
  following: IsupTurn | undefined,
  now: number,
): boolean {
  const { segment, variant } = relay;
  if (following !== undefined)
    readIsup(segment, variant, following.bytes, following.start, following.msu.end);
  const turn = beginUnit(relay, now, call, relay.heldWorkspace);
  readIsup(turn.isup, variant, turn.bytes, turn.start, turn.msu.end);
  const source = sourceOf(turn);
  if (source !== undefined)
    return judgeIam(turn, source, call.circuit, following === undefined ? undefined : segment);
  refuse(turn, call.circuit, "drop", "source-unknown");
  return false;
}

/**
 * `segment`: the segmentation message, or in words why there is none that could be read. @returns true when the IAM
 * passed
 */
function judgeIam(
  turn: IsupTurn,
  source: TrunkPolicy,
  circuit: Circuit | undefined,
  segment: IsupMessage | string | undefined,
): boolean {
  const { relay, at, bytes, isup } = turn;
  const judged = decide(relay.judge, isupCalls, { ...isupCallOf(turn, source), segment });
  if (judged === undefined) {
    refuse(turn, circuit, "reject", "overload");
    return false;
  }
  const { slot, decision } = remember(turn, source, judged.decision);
  const { kind, reason } = decision.verdict;
  const isPassed = kind !== "reject" && kind !== "drop";
  const { calls } = relay;
  const name = slot === NO_CALL ? undefined : calls.nameOf(slot);
  const begun = { name, attempt: decision.attempt, emergency: emergencyNumber(decision, isup) };
  const isHeld = !isPassed && relay.heldReleases.isHeld(decision);
  const waiting: HeldRelease[] = [];
  const hold = isHeld ? collectInto(waiting) : undefined;
  const action = isPassed ? accept(turn, circuit, begun) : refuse(turn, circuit, kind, reason, hold);
  const call = slot === NO_CALL ? calls.nameless(source.trunk.id) : calls.refOf(slot);
  relay.tell({ kind: "decided", call, at, decision, action, bytes });
  const [first] = waiting;
  if (first !== undefined) relay.heldReleases.hold(keyOf(turn), first, turn.now);
  return isPassed;
}

function collectInto(waiting: HeldRelease[]): SendUnit {
  return (side, stream, bytes) => void waiting.push({ side, stream, bytes });
}

/** The circuit of an IAM, also where the table of circuits is full. */
function keyOf({ msu: { opc, dpc, cic } }: IsupTurn): string {
  return `${opc} ${dpc} ${cic}`;
}

/**
 * Gives a row to a call that passes. When no row is left, the trunk's exception policy decides; emergency calls pass.
 */
function remember(
  { relay, now }: IsupTurn,
  { trunk }: TrunkPolicy,
  decision: Decision,
): { readonly slot: CallSlot; readonly decision: Decision } {
  const { kind, reason } = decision.verdict;
  if (kind === "reject" || kind === "drop") return { slot: NO_CALL, decision };
  const slot = relay.calls.begin("", trunk.id, now);
  if (slot !== NO_CALL) {
    relay.calls.forwarded(slot, now);
    return { slot, decision };
  }
  relay.counters.ledgerFull++;
  if (trunk.exception === "accept" || reason === "emergency") return { slot, decision };
  const verdict = { kind: trunk.exception, reason: "overload" } as const;
  return { slot, decision: { ...decision, verdict, rule: "exception" } };
}

/** The message as the judge sees it. */
export function isupCallOf(turn: IsupTurn, source: TrunkPolicy): IsupCall {
  const { now, at, policy, msu, isup } = turn;
  return { source, now, at, policy, msu, isup, origin: originOf(turn) };
}

function accept(
  turn: IsupTurn,
  circuit: Circuit | undefined,
  begun: Omit<PassedCall, "outstanding" | "label" | "stream">,
): Action {
  const { relay, side, stream, bytes } = turn;
  if (circuit !== undefined) {
    const outstanding = bytes.length <= MOST_KEPT ? keepMessage(stream, bytes) : undefined;
    // The same exchange seizes its circuit again: it has forgotten the former call.
    const former = circuit.calls[side];
    if (former !== undefined) endCall(relay, former, { by: "caller", how: "lost" }, turn.now);
    const label = labelUnit(turn.message, turn.msu, false);
    relay.circuits.setCall(circuit, side, { ...begun, label, stream, outstanding });
    const waiting = circuit.refusals[across(side)];
    if (waiting !== undefined) waiting.isSeized = true;
  }
  pass(turn);
  return { kind: "forwarded", hop: relay.ends?.places[across(side)].id ?? "" };
}

/**
 * Refuses the IAM. Where both exchanges have seized the circuit and neither has heard of it, even circuits belong to
 * the exchange with the higher point code, odd ones to the other (Q.764 section 2.9.1.4). If the circuit belongs to the
 * other exchange, this one gives way by itself. Otherwise this exchange has ignored the other's IAM, which is sent
 * again after the release.
 *
 * @param hold takes the REL in place of its sending
 */
function refuse(
  turn: IsupTurn,
  circuit: Circuit | undefined,
  kind: "reject" | "drop",
  reason: ReasonCode,
  hold?: SendUnit,
): Action {
  const { relay, now, side, msu } = turn;
  const { releases, counters } = relay;
  const cause = causeFor(reason);
  if (circuit === undefined) {
    if (kind === "drop") {
      counters.ss7.circuitsFull++;
      return { kind: "silent" };
    }
    releases.release(turn, undefined, side, { turned: true, cause, hold }, now);
    return { kind: "released", cause };
  }
  const seized = circuit.calls[across(side)]?.outstanding;
  const isTheirs = (msu.cic % 2 === 0) === msu.dpc > msu.opc;
  if (seized !== undefined) counters.ss7.dualSeizures++;
  // A second IAM on a circuit in use: its sender has forgotten the first call.
  if (circuit.calls[side] !== undefined) giveUp(turn, circuit);
  if (seized !== undefined && isTheirs) releases.ignore(turn, circuit, side, "yielding", now);
  else if (kind === "drop") releases.ignore(turn, circuit, side, "silent", now);
  else {
    releases.release(turn, circuit, side, { turned: true, cause, resend: seized, hold }, now);
    return { kind: "released", cause };
  }
  return { kind: "silent" };
}

export function causeFor(reason: ReasonCode): number {
  return causeOf(reason) ?? CALL_REJECTED;
}

/** Releases the call of the message's side towards the other exchange, as that side would. */
export function giveUp(turn: IsupTurn, circuit: Circuit): void {
  const { relay, now, side } = turn;
  const call = circuit.calls[side];
  if (call !== undefined) endCall(relay, call, { by: "filter", cause: CALL_REJECTED }, now);
  relay.circuits.setCall(circuit, side, undefined);
  relay.releases.release(turn, circuit, across(side), { turned: false, cause: CALL_REJECTED }, now);
}
