// The M3UA relay between two associations: what it does with each message, and as time passes.
import type { Buffer } from "node:buffer";
import type { ReleaseWork } from "../calls/release.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import { IsupType, readIsup } from "../ss7/isup.ts";
import { eachAffected, kindOfM3ua } from "../ss7/m3ua-kind.ts";
import { carriesNoCalls, isCallControl } from "../ss7/mtp3.ts";
import { calledBy, loseCalls, noteBackward, noteRelease } from "./call-progress.ts";
import { isMaintenance } from "./circuit-release.ts";
import { across, type Circuit, type LinkSide } from "./circuits.ts";
import { beginCall, followHeld, judgeHeld } from "./iam.ts";
import {
  beginUnit,
  connectEnds,
  createIsupState,
  pass,
  passOn,
  sourceOf,
  type AssociationPlace,
  type IsupRelayParts,
  type IsupTurn,
} from "./isup-turn.ts";
import { continueCall } from "./later-messages.ts";
import { beginIsupRelease } from "./order-release.ts";

/** The M3UA relay between two associations. Sans-IO: messages and time in, messages and decisions out. */
export interface IsupRelay {
  /** Takes the ends of both associations once both are up. */
  connect(places: readonly [AssociationPlace, AssociationPlace]): void;
  /** Takes one M3UA message of a side. What follows from it is sent before this returns. Never throws. */
  handle(now: Millis, side: LinkSide, stream: number, bytes: Buffer): void;
  /** Lets time pass, several times a second. Never throws. */
  tick(now: Millis): void;
  /** Notes that more evidence is on disk: REL messages that wait for it leave. Never throws. */
  evidenceKept(now: Millis): void;
  /** REL messages that wait for their evidence. */
  heldAnswers(): number;
  /** REL messages that left before their evidence was on disk. */
  unkept(): number;
  /** Begins to release the calls that these trunks have begun: REL to both exchanges. */
  release(trunks: ReadonlySet<TrunkId>): ReleaseWork;
  /** Forgets every call and refusal: the associations are gone. */
  disconnect(now: Millis): void;
}

/**
 * Messages that may bring a caller or more digits after an IAM. The last one is pass-along, which holds another message
 * (Q.763 table 4).
 */
const continuing: ReadonlySet<number> = new Set([
  IsupType.sam,
  IsupType.inf,
  IsupType.irs,
  IsupType.sgm,
  0x28,
]);

export function createIsupRelay(parts: IsupRelayParts): IsupRelay {
  const relay = createIsupState(parts);
  const { circuits, releases, held } = relay;
  const count = parts.counters.ss7;

  function guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      parts.counters.faults++;
      parts.sink.fault(error);
    }
  }

  function handleMessage(now: Millis, side: LinkSide, stream: number, bytes: Buffer): void {
    const kind = kindOfM3ua(bytes);
    if (kind === "none" || kind === "unsupported-class" || kind === "unsupported-type") count.malformed++;
    else if (kind === "data") handleUnit(beginUnit(relay, now, { side, stream, bytes }));
    else {
      if (kind === "down") forget(() => true);
      else if (kind === "unavailable") forgetAffected(bytes);
      passOn(relay, side, stream, bytes);
    }
  }

  function handleUnit(turn: IsupTurn): void {
    const { msu, start } = turn;
    if (msu.si < 0 || (start < 0 && isCallControl(msu))) count.malformed++;
    else if (isCallControl(msu)) handleIsup(turn);
    else if (carriesNoCalls(msu.si) || sourceOf(turn)?.trunk.side === "core") pass(turn);
    else count.userPart++;
  }

  function handleIsup(turn: IsupTurn): void {
    const { side, bytes, start, msu } = turn;
    const type = bytes[start]!;
    const circuit = circuits.find(msu);
    if (type === IsupType.rsc || type === IsupType.grs) {
      reset(turn, type);
      pass(turn);
      return;
    }
    const waiting = circuit?.held[side];
    if (waiting !== undefined && followHeld(turn, waiting, type)) return;
    const refusal = circuit?.refusals[side];
    if (refusal !== undefined && releases.absorb(refusal, type)) return;
    if (type === IsupType.iam) beginCall(turn);
    else if (continuing.has(type)) continueCall(turn, circuit);
    else {
      if (circuit !== undefined && !isMaintenance(type)) follow(turn, circuit, type);
      pass(turn);
    }
  }

  /** Takes a message that ends a call, or the first message of the called exchange. */
  function follow(turn: IsupTurn, circuit: Circuit, type: number): void {
    const { side } = turn;
    const call = calledBy(circuit, side);
    if (call !== undefined) {
      call.outstanding = undefined;
      noteBackward(turn, call);
    }
    if (type === IsupType.rel) {
      noteRelease(turn, circuit);
      giveUpResend(circuit, across(side));
    }
    if (type === IsupType.rlc) clear(circuit);
  }

  function clear(circuit: Circuit): void {
    circuits.setCall(circuit, 0, undefined);
    circuits.setCall(circuit, 1, undefined);
    circuits.settle(circuit);
  }

  /** RSC and GRS: the exchange has forgotten the calls of the circuits (Q.764 section 2.9.3). */
  function reset({ now, side, msu, isup, start }: IsupTurn, type: number): void {
    let range = 0;
    if (type === IsupType.grs && readIsup(isup, parts.variant, msu.bytes, start, msu.end))
      range = isup.variableStart < isup.variableEnd ? msu.bytes[isup.variableStart]! : 0;
    for (let offset = 0; offset <= range; offset++) {
      const circuit = circuits.find(msu, offset);
      if (circuit === undefined) continue;
      const refusal = circuit.refusals[side];
      const waiting = circuit.held[side];
      if (refusal !== undefined) releases.forget(refusal);
      if (waiting !== undefined) held.drop(waiting);
      giveUpResend(circuit, across(side));
      loseCalls(relay, circuit, side, now);
      clear(circuit);
    }
  }

  function forget(isMeant: (codes: readonly [number, number]) => boolean): void {
    if (count.refusals === 0) return;
    for (const { codes, refusals: both } of circuits.all()) {
      if (!isMeant(codes)) continue;
      for (const refusal of both) if (refusal !== undefined) releases.forget(refusal);
    }
  }

  function forgetAffected(bytes: Buffer): void {
    if (count.refusals === 0) return;
    eachAffected(bytes, (code, anyBits) => {
      const isCode = (own: number): boolean => own >>> anyBits === code >>> anyBits;
      forget(([one, other]) => isCode(one) || isCode(other));
    });
  }

  return {
    connect: (places) => connectEnds(relay, places),
    handle(now, side, stream, bytes) {
      try {
        handleMessage(now, side, stream, bytes);
      } catch (error) {
        parts.counters.faults++;
        parts.sink.fault(error);
      }
    },
    tick(now) {
      guard(() => relay.heldReleases.release(now));
      guard(() => relay.judge.told.flush(now, relay.tell));
      guard(() => relay.calls.tick(now));
      guard(() => releases.tick(now));
      for (let call = held.nextOverdue(now); call !== undefined; call = held.nextOverdue(now)) {
        const overdue = call;
        guard(() => void judgeHeld(relay, overdue, undefined, now));
      }
    },
    evidenceKept: (now) => guard(() => relay.heldReleases.release(now)),
    heldAnswers: () => relay.heldReleases.size(),
    unkept: () => relay.heldReleases.overdue(),
    release: (trunks) => beginIsupRelease(relay, trunks, guard),
    disconnect(now) {
      forget(() => true);
      for (const circuit of circuits.all()) {
        for (const waiting of circuit.held) if (waiting !== undefined) held.drop(waiting);
        loseCalls(relay, circuit, undefined, now);
        clear(circuit);
      }
    },
  };
}

/** Drops the kept IAM of an exchange that has given its call up: the IAM is not sent again. */
function giveUpResend(circuit: Circuit, side: LinkSide): void {
  const waiting = circuit.refusals[side];
  if (waiting !== undefined) waiting.resend = undefined;
}
