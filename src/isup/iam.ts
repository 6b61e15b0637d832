import type { Buffer } from "node:buffer";
import { causeOf, type ReasonCode } from "../domain/reason.ts";
import type { Millis } from "../domain/time.ts";
import type { Decision } from "../domain/decision.ts";
import type { TrunkPolicy } from "../policy/policy.ts";
import { countDecision, countRequest, observeDecision } from "../observe/counters.ts";
import { isSegmented, IsupType, readIsup, type IsupMessage } from "../ss7/isup.ts";
import { across, keepMessage, type Circuit, type HeldCall, type PassedCall, type Side } from "./circuits.ts";
import { MOST_KEPT } from "./segmented-iams.ts";
import { emergencyNumber, type JudgedBy } from "../judging/judge-isup.ts";
import { isMaintenance } from "./circuit-release.ts";
import type { IsupWork } from "./isup-turn.ts";

/** Q.850 "call rejected": for reasons without a cause of their own, and towards an exchange that was not at fault. */
const CALL_REJECTED = 21;

/** An IAM on a circuit where this side has nothing under way that keeps it from being judged. It is the message in hand. */
export function beginCall(work: IsupWork, now: Millis, side: Side, bytes: Buffer, start: number): void {
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
  side: Side,
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

function judgedBy(work: IsupWork, side: Side, source: TrunkPolicy, now: Millis): JudgedBy {
  return { source, origin: work.originOf(side), now, revision: work.policy().revision };
}

function accept(
  work: IsupWork,
  side: Side,
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
  side: Side,
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

function causeFor(reason: ReasonCode): number {
  return causeOf(reason) ?? CALL_REJECTED;
}

/** Releases the call of `side` towards the other exchange, as `side` would. The message in hand came from `side`. */
function giveUp(work: IsupWork, now: Millis, circuit: Circuit, side: Side): void {
  work.circuits.setCall(circuit, side, undefined);
  work.refusals.release(work.unit, circuit, across(side), false, CALL_REJECTED, now);
}

/**
 * SAM, SGM, INF, IRS and pass-along, the message in hand. From the exchange of the calling party they may say who calls, or whom; a call that
 * turns out to be one that is refused is released towards both exchanges.
 */
export function continueCall(
  work: IsupWork,
  now: Millis,
  side: Side,
  bytes: Buffer,
  start: number,
  circuit: Circuit | undefined,
): void {
  const { counters, unit } = work;
  const { stream } = unit;
  const type = bytes[start]!;
  const source = work.sourceOf(side);
  const call = circuit?.calls[side];
  const answered = circuit?.calls[across(side)];
  if (source?.trunk.side === "core" || (call === undefined && answered !== undefined)) {
    if (answered !== undefined) answered.outstanding = undefined;
    work.pass(side, stream, bytes);
    return;
  }
  const decision =
    source === undefined ? undefined : judgeLaterMessage(work, now, side, source, bytes, start, call);
  if (decision === "stray" || source === undefined) {
    counters.ss7.stray++;
    return;
  }
  if (decision !== undefined) {
    countRequest(counters, typeNames.get(type) ?? "ISUP", decision);
    work.sink.decided(decision);
    const { kind, reason } = decision.verdict;
    if (kind === "reject" || kind === "drop") {
      const place = circuit ?? work.circuits.obtain(unit.msu);
      if (place !== undefined) giveUp(work, now, place, side);
      work.refusals.release(unit, place, side, true, causeFor(reason), now);
      return;
    }
  }
  work.pass(side, stream, bytes);
}

const typeNames: ReadonlyMap<number, string> = new Map([
  [IsupType.sam, "SAM"],
  [IsupType.inf, "INF"],
  [IsupType.irs, "IRS"],
  [IsupType.sgm, "SGM"],
]);

/** Undefined: there is nothing to judge. A message in a message is not looked into, and digits belong to a call that is known. */
function judgeLaterMessage(
  work: IsupWork,
  now: Millis,
  side: Side,
  source: TrunkPolicy,
  bytes: Buffer,
  start: number,
  call: PassedCall | undefined,
): Decision | "stray" | undefined {
  const { isup, judge, unit, variant } = work;
  const { msu } = unit;
  const type = bytes[start]!;
  if (!typeNames.has(type)) return "stray";
  readIsup(isup, variant, bytes, start, msu.end);
  const by = judgedBy(work, side, source, now);
  if (type !== IsupType.sam) return judge.later(by, msu, isup, call);
  return call === undefined ? "stray" : judge.digits(by, msu, isup, call);
}
