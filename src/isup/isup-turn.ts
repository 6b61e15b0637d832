import type { Buffer } from "node:buffer";
import type { SignallingSource } from "../domain/attempt.ts";
import type { Decision } from "../domain/decision.ts";
import type { Policy, TrunkPolicy } from "../policy/policy.ts";
import type { Counters } from "../observe/counters.ts";
import type { ScreeningState } from "../screening/state.ts";
import { createIsupMessage, type IsupMessage, type IsupVariant } from "../ss7/isup.ts";
import { createM3uaMessage, readM3ua, readProtocolData, type M3uaMessage } from "../ss7/m3ua.ts";
import { createMsu, isCallControl, readCircuit, type Msu } from "../ss7/mtp3.ts";
import { across, createCircuits, type Circuits, type LinkSide } from "./circuits.ts";
import { createHeldCalls, type HeldCalls } from "./segmented-iams.ts";
import { createIsupJudge, type IsupJudge } from "../judging/judge-isup.ts";
import { createCircuitReleases, type CircuitReleases } from "./circuit-release.ts";
import type { Overload } from "../judging/overload.ts";

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
  readonly send: (side: LinkSide, stream: number, bytes: Buffer) => void;
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
  readonly refusals: CircuitReleases;
  readonly held: HeldCalls;
  readonly judge: IsupJudge;
  readonly unit: { readonly message: M3uaMessage; readonly msu: Msu; stream: number };
  readonly isup: IsupMessage;
  readonly segment: IsupMessage;
  /** Both associations are there: who is at their ends. */
  connect(places: readonly [AssociationPlace, AssociationPlace]): void;
  /** The trunk that the label of the message in hand belongs to. */
  sourceOf(side: LinkSide): TrunkPolicy | undefined;
  originOf(side: LinkSide): SignallingSource;
  /** Reads one DATA message; returns where its ISUP message begins, -1 when it has none. */
  read(stream: number, bytes: Buffer): number;
  /** Sends a message on as it came. */
  pass(side: LinkSide, stream: number, bytes: Buffer): void;
}

export function createIsupWork(parts: IsupRelayParts): IsupWork {
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
    refusals: createCircuitReleases({ circuits, counters: count, send: sink.send, alarm: sink.alarm }),
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
