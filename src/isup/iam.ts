// An IAM: judged, with the segment that follows it where it says so, and sent on or released.
import { NO_CALL, type CallSlot } from "../calls/calls.ts";
import type { Action } from "../domain/call.ts";
import type { Decision } from "../domain/decision.ts";
import { causeOf, type ReasonCode } from "../domain/reason.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkPolicy } from "../policy/policy.ts";
import { decide } from "../judging/decide.ts";
import { isEmergencyIam, isupCalls, type IsupCall } from "../judging/isup-calls.ts";
import { emergencyNumber } from "../judging/isup-messages.ts";
import { isSegmented, IsupType, readIsup, type IsupMessage } from "../ss7/isup.ts";
import { labelUnit } from "../ss7/m3ua-reply.ts";
import { ANY_IAM, NO_IAM } from "./circuit-release.ts";
import { endCall } from "./call-progress.ts";
import { keepMessage, type Circuit, type HeldCall, type KeptMessage } from "./circuits.ts";
import type { PassedCall } from "./circuits.ts";
import { across, type LinkIndex, NO_LINK, type SendByLink } from "./links.ts";
import { isMaintenance } from "./message-kinds.ts";
import {
  beginUnit,
  formOf,
  cameBy,
  hashUnit,
  type HeldRelease,
  hopOf,
  originOf,
  pass,
  type IsupState,
  type IsupTurn,
} from "./isup-turn.ts";
import { MOST_KEPT } from "./segmented-iams.ts";

/** How long an exchange waits for the answer to its IAM at least; then it gives the call up (Q.764 table A.1: T7). */
export const T7: Millis = 20_000;

/** Q.850 "call rejected": for reasons without a cause of their own, and towards an exchange that was not at fault. */
export const CALL_REJECTED = 21;

/** Takes an IAM on a circuit where nothing under way on this side keeps it from being judged. */
export function beginCall(turn: IsupTurn): void {
  const { relay, now, link, side, stream, bytes, msu, isup, start, source } = turn;
  if (source === undefined) return;
  const circuit = relay.circuits.obtain(msu);
  const former = outstandingOf(circuit?.calls[side], now);
  if (former !== undefined && former.bytes.equals(bytes)) {
    // The same octets again, as a changeover may send them: the call was judged, and nobody has answered it.
    pass(turn);
    return;
  }
  readIsup(isup, formOf(relay, link), bytes, start, msu.end);
  const waits = source.trunk.side !== "core" && isup.fault === undefined && isSegmented(isup);
  if (waits && circuit !== undefined) {
    const iam = hashUnit(turn);
    if (relay.held.hold({ circuit, side, link, stream, bytes, iam }, now)) return;
  }
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
  if (type === IsupType.iam && hashUnit(turn) === call.iam) {
    relay.counters.ss7.absorbed++;
    return true;
  }
  relay.held.drop(call);
  // Another call: the exchange has given the held one up, of which the other exchange has never heard.
  if (type === IsupType.iam) return false;
  if (type === IsupType.rel) {
    // The other exchange has never heard of the call.
    relay.releases.ignore(turn, circuit, side, { kind: "silent", iam: NO_IAM }, now);
    const refusal = circuit.refusals[side];
    return refusal !== undefined && relay.releases.absorb(refusal, cameBy(turn));
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
  const { segment } = relay;
  if (following !== undefined) {
    const form = formOf(relay, following.link);
    readIsup(segment, form, following.bytes, following.start, following.msu.end);
  }
  const turn = beginHeld(relay, call, now);
  readIsup(turn.isup, formOf(relay, call.link), turn.bytes, turn.start, turn.msu.end);
  const { source } = turn;
  if (source !== undefined)
    return judgeIam(turn, source, call.circuit, following === undefined ? undefined : segment);
  refuse(turn, call.circuit, "drop", "source-unknown");
  return false;
}

/** Begins the turn of an IAM that has waited. Where its link was lost meanwhile, it goes on by another one. */
function beginHeld(relay: IsupState, call: HeldCall, now: Millis): IsupTurn {
  const turn = beginUnit(relay, now, call, relay.heldWorkspace);
  if (relay.ends[call.link] !== undefined) return turn;
  const link = relay.links.choose(call.link, across(call.side), turn.msu.dpc);
  if (link === NO_LINK) return turn;
  const bytes = relay.contexts.fit(link, across(call.side), call.bytes);
  return beginUnit(relay, now, { ...call, link, bytes }, relay.heldWorkspace);
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
  const waiting: Omit<HeldRelease, "refusal">[] = [];
  const hold = isHeld ? collectInto(waiting) : undefined;
  const action = isPassed ? accept(turn, circuit, begun) : refuse(turn, circuit, kind, reason, hold);
  const call = slot === NO_CALL ? calls.nameless(source.trunk.id) : calls.refOf(slot);
  relay.tell({ kind: "decided", call, at, decision, action, bytes });
  const [first] = waiting;
  if (first !== undefined) {
    const refusal = circuit?.refusals[turn.side];
    relay.heldReleases.hold(circuit?.key ?? keyOf(turn), { ...first, refusal }, turn.now);
  }
  return isPassed;
}

function collectInto(waiting: Omit<HeldRelease, "refusal">[]): SendByLink {
  return (link, side, stream, bytes) => void waiting.push({ link, side, stream, bytes });
}

/** The circuit of an IAM, also where the table of circuits is full. */
function keyOf({ msu: { opc, dpc, cic, ni, si } }: IsupTurn): string {
  return `${opc} ${dpc} ${cic} ${ni} ${si}`;
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
  begun: Pick<PassedCall, "name" | "attempt" | "emergency">,
): Action {
  const { relay, now, link, side, stream, bytes } = turn;
  if (circuit !== undefined) {
    const outstanding = bytes.length <= MOST_KEPT ? keepMessage(turn) : undefined;
    // The same exchange seizes its circuit again: it has forgotten the former call.
    const former = circuit.calls[side];
    if (former !== undefined) endCall(relay, former, { by: "caller", how: "lost" }, now);
    relay.circuits.setCall(circuit, side, {
      ...begun,
      label: labelUnit(turn.message, turn.msu, false),
      link,
      stream,
      outstanding,
      phase: "begun",
      since: now,
    });
    const waiting = circuit.refusals[across(side)];
    if (waiting !== undefined) waiting.isSeized = true;
  }
  pass(turn);
  return { kind: "forwarded", hop: hopOf(turn) };
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
  hold?: SendByLink,
): Action {
  const { relay, now, side, msu } = turn;
  const { releases, counters } = relay;
  const cause = causeFor(relay, turn.link, reason);
  if (circuit === undefined) {
    if (kind === "drop") {
      counters.ss7.circuitsFull++;
      return { kind: "silent" };
    }
    releases.release(turn, undefined, side, { turned: true, cause, hold }, now);
    return { kind: "released", cause };
  }
  const seized = outstandingOf(circuit.calls[across(side)], now);
  const iam = hashUnit(turn);
  const isTheirs = (msu.cic % 2 === 0) === msu.dpc > msu.opc;
  if (seized !== undefined) counters.ss7.dualSeizures++;
  // A second IAM on a circuit in use: its sender has forgotten the first call. One that REL has ended needs no other.
  const former = circuit.calls[side];
  if (former?.phase === "released") relay.circuits.setCall(circuit, side, undefined);
  else if (former !== undefined) giveUp(turn, circuit);
  if (seized !== undefined && isTheirs) releases.ignore(turn, circuit, side, { kind: "yielding", iam }, now);
  else if (kind === "drop") releases.ignore(turn, circuit, side, { kind: "silent", iam }, now);
  else {
    releases.release(turn, circuit, side, { turned: true, cause, iam, resend: seized, hold }, now);
    return { kind: "released", cause };
  }
  return { kind: "silent" };
}

/** The IAM of a call that the exchange of the called party may not have seen yet. */
function outstandingOf(call: PassedCall | undefined, now: Millis): KeptMessage | undefined {
  return call === undefined || now - call.since >= T7 ? undefined : call.outstanding;
}

/** The cause that the peers of a link are told. */
export function causeFor(relay: IsupState, link: LinkIndex, reason: ReasonCode): number {
  const cause = causeOf(reason) ?? CALL_REJECTED;
  return cause === CALL_REJECTED ? formOf(relay, link).releaseCause : cause;
}

/** Releases the call of the message's side towards the other exchange, as that side would. */
export function giveUp(turn: IsupTurn, circuit: Circuit): void {
  const { relay, now, link, side } = turn;
  const call = circuit.calls[side];
  const cause = formOf(relay, link).releaseCause;
  if (call !== undefined) endCall(relay, call, { by: "filter", cause }, now);
  relay.circuits.setCall(circuit, side, undefined);
  const iam = call === undefined || call.phase === "begun" ? NO_IAM : ANY_IAM;
  relay.releases.release(turn, circuit, across(side), { turned: false, cause, iam }, now);
}
