import type { Buffer } from "node:buffer";
import { causeOf, type ReasonCode } from "../domain/reason.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkPolicy } from "../policy/policy.ts";
import { countDecision, observeDecision } from "../observe/counters.ts";
import { isSegmented, type IsupMessage, IsupType, readIsup } from "../ss7/isup.ts";
import {
  across,
  type Circuit,
  type HeldCall,
  keepMessage,
  type PassedCall,
  type LinkSide,
} from "./circuits.ts";
import { MOST_KEPT } from "./segmented-iams.ts";
import { emergencyNumber, type JudgedBy } from "../judging/judge-isup.ts";
import { isMaintenance } from "./circuit-release.ts";
import type { IsupWork } from "./isup-turn.ts";

/** Q.850 "call rejected": for reasons without a cause of their own, and towards an exchange that was not at fault. */
const CALL_REJECTED = 21;

/** An IAM on a circuit where this side has nothing under way that keeps it from being judged. It is the message in hand. */
export function beginCall(work: IsupWork, now: Millis, side: LinkSide, bytes: Buffer, start: number): void {
  const { unit, isup, circuits, counters, held } = work;
  const { msu, stream } = unit;
  const source = work.sourceOf(side);
  const circuit = circuits.obtain(msu);
  if (source === undefined) {
    counters.ss7.unknownRoute++;
    counters.strangers.note(work.originOf(side).sourceAddress);
    refuse(work, now, side, circuit, "drop", "source-unknown");
    return;
  }
  if (source.trunk.side === "core") {
    accept(work, side, bytes, circuit, { attempt: undefined, emergency: undefined });
    return;
  }
  readIsup(isup, work.variant, bytes, start, msu.end);
  const waits = isup.fault === undefined && isSegmented(isup);
  if (waits && circuit !== undefined && held.hold(circuit, side, stream, bytes, now)) return;
  decide(work, now, side, bytes, source, circuit, waits ? "no room to wait for the segment" : undefined);
}

/**
 * A message of `type` from an exchange whose IAM waits for its segment; false: it goes on, and is the message in hand again. Whatever
 * comes instead of the segment says that there will be none.
 */
export function followHeld(
  work: IsupWork,
  now: Millis,
  call: HeldCall,
  type: number,
  stream: number,
  bytes: Buffer,
): boolean {
  const { circuit, side } = call;
  if (isMaintenance(type)) return false;
  if (type === IsupType.iam) {
    work.counters.ss7.absorbed++;
    return true;
  }
  work.held.drop(call);
  if (type === IsupType.rel) {
    // The other exchange has never heard of the call.
    work.refusals.ignore(work.unit, circuit, side, "silent", now);
    const refusal = circuit.refusals[side];
    return refusal !== undefined && work.refusals.absorb(refusal, type);
  }
  const isSegment = type === IsupType.sgm;
  const isPassed = decideHeld(work, now, call, isSegment ? bytes : undefined);
  work.read(stream, bytes);
  if (!isSegment) return false;
  if (isPassed) work.pass(side, stream, bytes);
  return true;
}

/** Judges an IAM that was held, no more held now, and its segment with it. True when it passed. The message in hand is another then. */
export function decideHeld(
  work: IsupWork,
  now: Millis,
  { side, stream, bytes, circuit }: HeldCall,
  following: Buffer | undefined,
): boolean {
  const { unit, isup, segment, variant } = work;
  const { msu } = unit;
  if (following !== undefined)
    readIsup(segment, variant, following, work.read(unit.stream, following), msu.end);
  readIsup(isup, variant, bytes, work.read(stream, bytes), msu.end);
  const source = work.sourceOf(side);
  if (source !== undefined)
    return decide(work, now, side, bytes, source, circuit, following === undefined ? undefined : segment);
  refuse(work, now, side, circuit, "drop", "source-unknown");
  return false;
}

/** Judges the IAM in hand and obeys. `more`: its segment, or in words why there is none that could be read. True when it passed. */
function decide(
  work: IsupWork,
  now: Millis,
  side: LinkSide,
  bytes: Buffer,
  source: TrunkPolicy,
  circuit: Circuit | undefined,
  more: IsupMessage | string | undefined,
): boolean {
  const { counters, isup, unit } = work;
  const begun = work.elapsed();
  const decision = work.judge.iam(judgedBy(work, side, source, now), unit.msu, isup, more);
  observeDecision(counters, (work.elapsed() - begun) / 1000);
  countDecision(counters, decision);
  const { kind, reason } = decision.verdict;
  const isPassed = kind !== "reject" && kind !== "drop";
  if (isPassed)
    accept(work, side, bytes, circuit, {
      attempt: decision.attempt,
      emergency: emergencyNumber(decision, isup),
    });
  else refuse(work, now, side, circuit, kind, reason);
  work.sink.decided(decision);
  return isPassed;
}

export function judgedBy(work: IsupWork, side: LinkSide, source: TrunkPolicy, now: Millis): JudgedBy {
  return { source, origin: work.originOf(side), now, revision: work.policy().revision };
}

function accept(
  work: IsupWork,
  side: LinkSide,
  bytes: Buffer,
  circuit: Circuit | undefined,
  call: Pick<PassedCall, "attempt" | "emergency">,
): void {
  const { stream } = work.unit;
  if (circuit !== undefined) {
    const outstanding = bytes.length <= MOST_KEPT ? keepMessage(stream, bytes) : undefined;
    work.circuits.setCall(circuit, side, { ...call, outstanding });
    const waiting = circuit.refusals[across(side)];
    if (waiting !== undefined) waiting.isSeized = true;
  }
  work.pass(side, stream, bytes);
}

/**
 * The IAM in hand does not pass. Where both exchanges have seized the circuit and neither has heard of it (Q.764 section 2.9.1.4), even circuits
 * belong to the one with the higher point code, odd ones to the other. Belongs it to the other exchange, then ours gives way by itself.
 * Otherwise ours has passed over the other's IAM: that one is sent again after the release.
 */
function refuse(
  work: IsupWork,
  now: Millis,
  side: LinkSide,
  circuit: Circuit | undefined,
  kind: "reject" | "drop",
  reason: ReasonCode,
): void {
  const { refusals, counters, unit } = work;
  const { msu } = unit;
  if (circuit === undefined) {
    if (kind === "reject") refusals.release(unit, undefined, side, true, causeFor(reason), now);
    else counters.ss7.circuitsFull++;
    return;
  }
  const seized = circuit.calls[across(side)]?.outstanding;
  const isTheirs = (msu.cic % 2 === 0) === msu.dpc > msu.opc;
  if (seized !== undefined) counters.ss7.dualSeizures++;
  // A second IAM on a circuit in use: whoever sent it knows no more of the first call.
  if (circuit.calls[side] !== undefined) giveUp(work, now, circuit, side);
  if (seized !== undefined && isTheirs) refusals.ignore(unit, circuit, side, "yielding", now);
  else if (kind === "drop") refusals.ignore(unit, circuit, side, "silent", now);
  else refusals.release(unit, circuit, side, true, causeFor(reason), now, seized);
}

export function causeFor(reason: ReasonCode): number {
  return causeOf(reason) ?? CALL_REJECTED;
}

/** Releases the call of `side` towards the other exchange, as `side` would. The message in hand came from `side`. */
export function giveUp(work: IsupWork, now: Millis, circuit: Circuit, side: LinkSide): void {
  work.circuits.setCall(circuit, side, undefined);
  work.refusals.release(work.unit, circuit, across(side), false, CALL_REJECTED, now);
}
