// The M3UA relay of a linkset: what it does with each message of its links, and as time passes.
import type { Buffer } from "node:buffer";
import type { ReleaseWork } from "../calls/release.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import { IsupType, readIsup } from "../ss7/isup.ts";
import { kindOfM3ua, type M3uaKind } from "../ss7/m3ua-kind.ts";
import { HEADER } from "../ss7/m3ua.ts";
import { ErrorCode, writeError } from "../ss7/m3ua-reply.ts";
import { isCallControl } from "../ss7/mtp3.ts";
import { calledBy, loseCalls, noteBackward, noteRelease } from "./call-progress.ts";
import { createCircuitAges } from "./circuit-age.ts";
import type { Circuit } from "./circuits.ts";
import { createGatewayScreening } from "./gateway-screening.ts";
import { beginCall, followHeld, judgeHeld } from "./iam.ts";
import { across, type LinkIndex, type LinkSide } from "./links.ts";
import { isMaintenance } from "./message-kinds.ts";
import {
  beginUnit,
  cameBy,
  connectEnds,
  createIsupState,
  formOf,
  pass,
  passOn,
  type AssociationPlace,
  type IsupRelayParts,
  type IsupTurn,
} from "./isup-turn.ts";
import { continueCall } from "./later-messages.ts";
import { beginIsupRelease } from "./order-release.ts";

/**
 * The M3UA relay of one linkset: links between the same two networks, with one memory of circuits. Sans-IO: messages and
 * time in, messages and decisions out.
 */
export interface IsupRelay {
  /** Takes the ends of both associations of a link once both are up. */
  connect(link: LinkIndex, places: readonly [AssociationPlace, AssociationPlace]): void;
  /** Takes one M3UA message of a side of a link. What follows from it is sent before this returns. Never throws. */
  handle(now: Millis, from: AssociationEnd, stream: number, bytes: Buffer): void;
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
  /**
   * The associations of a link are gone. Its refusals go on by the other links. Where it was the last one, every call
   * and refusal is forgotten.
   */
  disconnect(now: Millis, link: LinkIndex): void;
}

/** One association of a linkset. */
export interface AssociationEnd {
  readonly link: LinkIndex;
  readonly side: LinkSide;
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
  IsupType.sdm,
  0x28,
]);

/** ERR messages that leave between two ticks, at most. */
const MOST_ERRORS = 10;

export function createIsupRelay(parts: IsupRelayParts): IsupRelay {
  const relay = createIsupState(parts);
  const { circuits, releases, held, links } = relay;
  const count = parts.counters.ss7;
  const ages = createCircuitAges(relay);
  const screening = createGatewayScreening(relay);
  let errorsLeft = MOST_ERRORS;
  /** Links whose refusals the next tick hands over. */
  const changed = new Set<LinkIndex>();
  let hasHandedOver = false;

  function guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      parts.counters.faults++;
      parts.sink.fault(error);
    }
  }

  function handleMessage(now: Millis, { link, side }: AssociationEnd, stream: number, bytes: Buffer): void {
    const kind = kindOfM3ua(bytes);
    if (kind === "none" || kind === "unsupported-class" || kind === "unsupported-type") {
      count.malformed++;
      answerError(link, side, kind, bytes);
    } else if (kind === "data") {
      links.activate(link);
      handleUnit(beginUnit(relay, now, { link, side, stream, bytes }));
    } else {
      noteState(now, { link, side }, kind, bytes);
      passOn(relay, { link, side, stream, bytes });
    }
  }

  /** Every refusal is looked at: a peer that sends DUNA after DUNA has it done once between two ticks, and by the tick. */
  function handOver(link: LinkIndex, now: Millis): void {
    if (hasHandedOver) changed.add(link);
    else releases.handOver(link, now);
    hasHandedOver = true;
  }

  /** Notes what the ends of a link tell each other about it (RFC 4666 section 4.3.4). */
  function noteState(now: Millis, { link, side }: AssociationEnd, kind: M3uaKind, bytes: Buffer): void {
    if (kind === "active") links.activate(link);
    else if (kind === "available") links.note(link, side, bytes, true);
    else if (kind === "down" || kind === "inactive" || kind === "unavailable") {
      if (kind === "unavailable") links.note(link, side, bytes, false);
      else links.deactivate(link);
      handOver(link, now);
    }
  }

  function handleUnit(turn: IsupTurn): void {
    const { msu, start } = turn;
    if (msu.si < 0 || (start < 0 && isCallControl(msu))) {
      count.malformed++;
      return;
    }
    if (!screening.admits(turn)) return;
    relay.contexts.note(turn.link, turn.side, turn.message);
    if (isCallControl(msu)) handleIsup(turn);
    else pass(turn);
  }

  /** Tells the sender what is not understood (RFC 4666 section 3.8.1), a few times a tick at most. */
  function answerError(link: LinkIndex, side: LinkSide, kind: M3uaKind, bytes: Buffer): void {
    const isOtherVersion = kind === "none" && bytes.length >= HEADER && bytes[0] !== 1;
    if ((kind === "none" && !isOtherVersion) || errorsLeft === 0) return;
    errorsLeft--;
    const code =
      kind === "unsupported-class"
        ? ErrorCode.unsupportedClass
        : kind === "unsupported-type"
          ? ErrorCode.unsupportedType
          : ErrorCode.invalidVersion;
    parts.sink.send(link, side, 0, writeError(code, bytes));
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
    if (refusal !== undefined && releases.absorb(refusal, cameBy(turn))) return;
    if (type === IsupType.iam) beginCall(turn);
    else if (continuing.has(type)) continueCall(turn, circuit);
    else {
      if (circuit !== undefined && !isMaintenance(type)) follow(turn, circuit, type);
      pass(turn);
    }
  }

  /** Takes a message that ends a call, or that answers one. */
  function follow(turn: IsupTurn, circuit: Circuit, type: number): void {
    const { side } = turn;
    const call = calledBy(circuit, side);
    if (call !== undefined) noteBackward(turn, call);
    if (type === IsupType.rel) {
      noteRelease(turn, circuit);
      giveUpResend(circuit, across(side));
    }
    if (type === IsupType.rlc) completeRelease(circuit);
  }

  /** RLC ends what REL has begun: a repeated one, behind a changeover, ends no later call. */
  function completeRelease(circuit: Circuit): void {
    for (const side of [0, 1] as const)
      if (circuit.calls[side]?.phase === "released") circuits.setCall(circuit, side, undefined);
    circuits.settle(circuit);
  }

  function clear(circuit: Circuit): void {
    circuits.setCall(circuit, 0, undefined);
    circuits.setCall(circuit, 1, undefined);
    circuits.settle(circuit);
  }

  /** RSC and GRS: the exchange has forgotten the calls of the circuits (Q.764 section 2.9.3). */
  function reset({ now, link, side, msu, isup, start }: IsupTurn, type: number): void {
    let range = 0;
    if (type === IsupType.grs && readIsup(isup, formOf(relay, link), msu.bytes, start, msu.end))
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

  return {
    connect: (link, places) => connectEnds(relay, link, places),
    handle(now, from, stream, bytes) {
      try {
        handleMessage(now, from, stream, bytes);
      } catch (error) {
        parts.counters.faults++;
        parts.sink.fault(error);
      }
    },
    tick(now) {
      errorsLeft = MOST_ERRORS;
      hasHandedOver = false;
      for (const link of changed) guard(() => releases.handOver(link, now));
      changed.clear();
      guard(() => relay.heldReleases.release(now));
      guard(() => relay.judge.told.flush(now, relay.tell));
      guard(() => relay.calls.tick(now));
      guard(() => releases.tick(now));
      guard(() => ages.tick(now));
      for (let call = held.nextOverdue(now); call !== undefined; call = held.nextOverdue(now)) {
        const overdue = call;
        guard(() => void judgeHeld(relay, overdue, undefined, now));
      }
    },
    evidenceKept: (now) => guard(() => relay.heldReleases.release(now)),
    heldAnswers: () => relay.heldReleases.size(),
    unkept: () => relay.heldReleases.overdue(),
    release: (trunks) => beginIsupRelease(relay, trunks, guard),
    disconnect(now, link) {
      relay.ends[link] = undefined;
      links.down(link);
      releases.handOver(link, now);
      if (!links.areDown) return;
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
