import type { Buffer } from "node:buffer";
import type { SignallingSource } from "../domain/attempt.ts";
import type { Millis } from "../domain/time.ts";
import type { Decision } from "../domain/verdict.ts";
import type { Policy, TrunkPolicy } from "../config/policy.ts";
import type { Counters } from "../observe/counters.ts";
import type { ScreeningState } from "../screening/state.ts";
import { createIsupMessage, type IsupMessage, IsupType, readIsup, type IsupVariant } from "../ss7/isup.ts";
import { createM3uaMessage, readM3ua, readProtocolData, type M3uaMessage } from "../ss7/m3ua.ts";
import { eachAffected, kindOfM3ua } from "../ss7/m3ua-kind.ts";
import { carriesNoCalls, createMsu, isCallControl, readCircuit, type Msu } from "../ss7/mtp3.ts";
import { across, createCircuits, type Circuit, type Circuits, type Side } from "./isup-circuits.ts";
import { beginCall, continueCall, decideHeld, followHeld } from "./isup-calls.ts";
import { createHeldCalls, type HeldCalls } from "./isup-held.ts";
import { createIsupJudge, type IsupJudge } from "./isup-judge.ts";
import { createRefusals, isMaintenance, type Refusals } from "./isup-refusals.ts";
import type { Overload } from "./overload.ts";

/** One association as trunks match it. */
export interface AssociationPlace {
  /** "sctp:192.0.2.1:2905": our end. */
  readonly id: string;
  readonly transport: "sctp" | "tcp";
  readonly localAddress: string;
  readonly localPort: number;
  readonly address: string;
  readonly port: number;
}

export interface IsupSink {
  /** Sends to one side; the bytes are valid during the call only. */
  readonly send: (side: Side, stream: number, bytes: Buffer) => void;
  /** Every decision about a call attempt, and every refusal of a call that goes on. */
  readonly decided: (decision: Decision) => void;
  /** Somebody should look at a circuit; in words. */
  readonly alarm: (message: string) => void;
  /** An error of our own; what was in hand has not been sent on. */
  readonly fault: (error: unknown) => void;
}

export interface IsupRelayParts {
  /** The policy in force: one reference, swapped by a reload. */
  readonly policy: () => Policy;
  readonly variant: IsupVariant;
  readonly state: ScreeningState;
  readonly overload: Overload;
  readonly counters: Counters;
  /** Circuits that are remembered. */
  readonly circuits: number;
  /** Monotonic milliseconds with fractions, for the decision-time histogram only. */
  readonly elapsed: () => number;
  readonly sink: IsupSink;
}

/** What every step of the relay works with. The message in hand is reused from one to the next. */
export interface IsupWork extends Omit<IsupRelayParts, "circuits"> {
  readonly circuits: Circuits;
  readonly refusals: Refusals;
  readonly held: HeldCalls;
  readonly judge: IsupJudge;
  readonly unit: { readonly message: M3uaMessage; readonly msu: Msu; stream: number };
  readonly isup: IsupMessage;
  readonly segment: IsupMessage;
  /** The trunk that the label of the message in hand belongs to. */
  sourceOf(side: Side): TrunkPolicy | undefined;
  originOf(side: Side): SignallingSource;
  /** Reads one DATA message; returns where its ISUP message begins, -1 when it has none. */
  read(stream: number, bytes: Buffer): number;
  /** Sends a message on as it came. */
  pass(side: Side, stream: number, bytes: Buffer): void;
}

/** The M3UA relay between two associations. Sans-IO: messages and time in, messages and decisions out. */
export interface IsupRelay {
  /** Both associations are there: who is at their ends. */
  connect(places: readonly [AssociationPlace, AssociationPlace]): void;
  /** Takes one M3UA message of a side; what follows from it has been sent when this returns. Never throws. */
  handle(now: Millis, side: Side, stream: number, bytes: Buffer): void;
  /** Lets time pass, several times a second. Never throws. */
  tick(now: Millis): void;
  /** The associations are gone, and with them every call and refusal that is known. */
  disconnect(): void;
}

/** Messages in which a caller or more digits may follow an IAM; the last is pass-along (Q.763 table 4), another message inside. */
const continuing: ReadonlySet<number> = new Set([
  IsupType.sam,
  IsupType.inf,
  IsupType.irs,
  IsupType.sgm,
  0x28,
]);

export function createIsupRelay(parts: IsupRelayParts): IsupRelay {
  const work = createWork(parts);
  const { circuits, refusals, held, unit } = work;
  const { msu } = unit;
  const count = parts.counters.ss7;

  function guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      parts.counters.faults++;
      parts.sink.fault(error);
    }
  }

  function handleMessage(now: Millis, side: Side, stream: number, bytes: Buffer): void {
    const kind = kindOfM3ua(bytes);
    if (kind === "none") count.malformed++;
    else if (kind === "data") handleUnit(now, side, stream, bytes);
    else {
      if (kind === "down") forget(() => true);
      else if (kind === "unavailable") forgetAffected(bytes);
      work.pass(side, stream, bytes);
    }
  }

  function handleUnit(now: Millis, side: Side, stream: number, bytes: Buffer): void {
    const start = work.read(stream, bytes);
    if (msu.si < 0 || (start < 0 && isCallControl(msu))) count.malformed++;
    else if (isCallControl(msu)) handleIsup(now, side, stream, bytes, start);
    else if (carriesNoCalls(msu.si) || work.sourceOf(side)?.trunk.side === "core")
      work.pass(side, stream, bytes);
    else count.userPart++;
  }

  function handleIsup(now: Millis, side: Side, stream: number, bytes: Buffer, start: number): void {
    const type = bytes[start]!;
    const circuit = circuits.find(msu);
    if (type === IsupType.rsc || type === IsupType.grs) {
      reset(side, type, start);
      work.pass(side, stream, bytes);
      return;
    }
    const waiting = circuit?.held[side];
    if (waiting !== undefined && followHeld(work, now, waiting, type, stream, bytes)) return;
    const refusal = circuit?.refusals[side];
    if (refusal !== undefined && refusals.absorb(refusal, type)) return;
    if (type === IsupType.iam) beginCall(work, now, side, bytes, start);
    else if (continuing.has(type)) continueCall(work, now, side, bytes, start, circuit);
    else {
      if (circuit !== undefined && !isMaintenance(type)) follow(side, circuit, type);
      work.pass(side, stream, bytes);
    }
  }

  /** A message that ends a call, or the first word of the exchange that it goes to. */
  function follow(side: Side, circuit: Circuit, type: number): void {
    const other = across(side);
    const call = circuit.calls[other];
    if (call !== undefined) call.outstanding = undefined;
    if (type === IsupType.rel) giveUpResend(circuit, other);
    if (type === IsupType.rlc) clear(circuit);
  }

  function clear(circuit: Circuit): void {
    circuits.setCall(circuit, 0, undefined);
    circuits.setCall(circuit, 1, undefined);
    circuits.settle(circuit);
  }

  /** RSC and GRS: whatever the exchange knew of the circuits is over (Q.764 section 2.9.3). */
  function reset(side: Side, type: number, start: number): void {
    const { isup } = work;
    let range = 0;
    if (type === IsupType.grs && readIsup(isup, parts.variant, msu.bytes, start, msu.end))
      range = isup.variableStart < isup.variableEnd ? msu.bytes[isup.variableStart]! : 0;
    for (let offset = 0; offset <= range; offset++) {
      const circuit = circuits.find(msu, offset);
      if (circuit === undefined) continue;
      const refusal = circuit.refusals[side];
      const waiting = circuit.held[side];
      if (refusal !== undefined) refusals.forget(refusal);
      if (waiting !== undefined) held.drop(waiting);
      giveUpResend(circuit, across(side));
      clear(circuit);
    }
  }

  function forget(isMeant: (codes: readonly [number, number]) => boolean): void {
    if (count.refusals === 0) return;
    for (const { codes, refusals: both } of circuits.all()) {
      if (!isMeant(codes)) continue;
      for (const refusal of both) if (refusal !== undefined) refusals.forget(refusal);
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
    connect: (places) => work.connect(places),
    handle(now, side, stream, bytes) {
      try {
        handleMessage(now, side, stream, bytes);
      } catch (error) {
        parts.counters.faults++;
        parts.sink.fault(error);
      }
    },
    tick(now) {
      guard(() => refusals.tick(now));
      for (let call = held.nextOverdue(now); call !== undefined; call = held.nextOverdue(now)) {
        const overdue = call;
        guard(() => void decideHeld(work, now, overdue, undefined));
      }
    },
    disconnect() {
      forget(() => true);
      for (const circuit of circuits.all()) {
        for (const waiting of circuit.held) if (waiting !== undefined) held.drop(waiting);
        clear(circuit);
      }
    },
  };
}

function createWork(parts: IsupRelayParts): IsupWork & Pick<IsupRelay, "connect"> {
  const { policy, variant, counters, sink } = parts;
  const count = counters.ss7;
  const message = createM3uaMessage();
  const msu = createMsu();
  const unit = { message, msu, stream: 0 };
  const circuits = createCircuits(parts.circuits, count);
  let places: readonly [AssociationPlace, AssociationPlace] | undefined;
  let origins: readonly [SignallingSource, SignallingSource] | undefined;
  return {
    ...parts,
    circuits,
    refusals: createRefusals({ circuits, counters: count, send: sink.send, alarm: sink.alarm }),
    held: createHeldCalls(),
    judge: createIsupJudge(parts.state, parts.overload),
    unit,
    isup: createIsupMessage(),
    segment: createIsupMessage(),
    connect(both) {
      places = both;
      origins = [originAt(both[0]), originAt(both[1])];
    },
    sourceOf(side) {
      const place = places?.[side];
      return place && policy().matchTrunk(place.id, place.address, place.port, undefined, msu);
    },
    originOf(side) {
      if (origins === undefined) throw new Error("a message without association");
      return origins[side];
    },
    read(stream, bytes) {
      unit.stream = stream;
      msu.si = -1;
      if (!readM3ua(message, bytes, 0, bytes.length) || !readProtocolData(msu, message, bytes)) return -1;
      return isCallControl(msu) ? readCircuit(msu, variant === "ansi" ? 14 : 12) : -1;
    },
    pass(side, stream, bytes) {
      count.relayed++;
      counters.forwarded++;
      sink.send(across(side), stream, bytes);
    },
  };
}

function originAt(place: AssociationPlace): SignallingSource {
  const { transport, address, port, localAddress, localPort } = place;
  return {
    signalling: "isup",
    transport,
    sourceAddress: address,
    sourcePort: port,
    destinationAddress: localAddress,
    destinationPort: localPort,
  };
}

/** What the exchange across has given up is not tried again for it. */
function giveUpResend(circuit: Circuit, side: Side): void {
  const waiting = circuit.refusals[side];
  if (waiting !== undefined) waiting.resend = undefined;
}
