// One M3UA message on its way through the ISUP relay, as a value, and what the relay keeps between messages.
import type { Buffer } from "node:buffer";
import type { SignallingSource } from "../domain/attempt.ts";
import type { Calls } from "../calls/calls.ts";
import type { CallEvent } from "../domain/call.ts";
import { capabilitiesOf } from "../domain/capabilities.ts";
import type { Instant, Millis } from "../domain/time.ts";
import type { Judge } from "../judging/decide.ts";
import { createHeldRefusals, type EvidenceWait, type HeldRefusals } from "../judging/held-refusals.ts";
import type { Overload } from "../judging/overload.ts";
import { createTeller, type Listen } from "../judging/tell.ts";
import { createToldShare } from "../judging/told-share.ts";
import type { Counters } from "../observe/counters.ts";
import type { Policy, TrunkPolicy } from "../policy/policy.ts";
import type { ScreeningState } from "../screening/state.ts";
import { createIsupMessage, type IsupMessage, type IsupVariant } from "../ss7/isup.ts";
import { createM3uaMessage, readM3ua, readProtocolData, type M3uaMessage } from "../ss7/m3ua.ts";
import { createMsu, isCallControl, readCircuit, type Msu } from "../ss7/mtp3.ts";
import { createCircuitReleases, type CircuitReleases } from "./circuit-release.ts";
import { across, createCircuits, type Circuits, type LinkSide } from "./circuits.ts";
import { createHeldCalls, type HeldCalls } from "./segmented-iams.ts";

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
  /** Takes the events of calls. Must return at once: bytes in the event are overwritten afterwards. */
  readonly happened: (event: CallEvent) => void;
  /** Takes a message for the operator about a circuit, in words. */
  readonly alarm: (message: string) => void;
  /** Takes an error of the filter. The message was not sent on. */
  readonly fault: (error: unknown) => void;
}

export interface IsupRelayParts {
  /** The log of evidence, where the REL of refused calls waits for it. */
  readonly evidence?: EvidenceWait | undefined;
  /** The policy in force: one reference, swapped by a reload. */
  readonly policy: () => Policy;
  readonly variant: IsupVariant;
  readonly state: ScreeningState;
  readonly overload: Overload;
  readonly counters: Counters;
  /** The memory of every call of the engine. */
  readonly calls: Calls<undefined>;
  /** At most this many circuits are remembered. */
  readonly circuits: number;
  /** Monotonic milliseconds with fractions, for the decision-time histogram only. */
  readonly elapsed: () => number;
  readonly sink: IsupSink;
}

/** One message, read as M3UA, as MTP3 and as ISUP. Reused for every message. */
export interface UnitWorkspace {
  readonly message: M3uaMessage;
  readonly msu: Msu;
  readonly isup: IsupMessage;
}

/** The ends of both associations, once both are up. */
interface Ends {
  readonly places: readonly [AssociationPlace, AssociationPlace];
  readonly origins: readonly [SignallingSource, SignallingSource];
}

/** The first REL of a refused call, while the evidence is written. */
export interface HeldRelease {
  readonly side: LinkSide;
  readonly stream: number;
  readonly bytes: Buffer;
}

/** Everything that outlives a turn. */
export interface IsupState extends Omit<IsupRelayParts, "circuits"> {
  readonly circuits: Circuits;
  readonly releases: CircuitReleases;
  readonly held: HeldCalls;
  /** REL messages that wait for the evidence of their refusal. */
  readonly heldReleases: HeldRefusals<HeldRelease>;
  readonly judge: Judge;
  /** Counts an event, then hands it to the sink. */
  readonly tell: Listen;
  ends: Ends | undefined;
  /** For the message that came in. */
  readonly workspace: UnitWorkspace;
  /** For a held IAM, and for the segment that is read with it. */
  readonly heldWorkspace: UnitWorkspace;
  readonly segment: IsupMessage;
}

/** One DATA message of a side. */
export interface IsupTurn extends UnitWorkspace, Instant {
  readonly relay: IsupState;
  readonly policy: Policy;
  readonly side: LinkSide;
  readonly stream: number;
  readonly bytes: Buffer;
  /** Where its ISUP message begins; -1 when it has none. */
  readonly start: number;
}

function createWorkspace(): UnitWorkspace {
  return { message: createM3uaMessage(), msu: createMsu(), isup: createIsupMessage() };
}

export function createIsupState(parts: IsupRelayParts): IsupState {
  const { state, overload, counters, elapsed, sink } = parts;
  const circuits = createCircuits(parts.circuits, counters.ss7);
  return {
    ...parts,
    circuits,
    releases: createCircuitReleases({ circuits, counters: counters.ss7, send: sink.send, alarm: sink.alarm }),
    held: createHeldCalls(),
    heldReleases: createHeldRefusals<HeldRelease>(parts.evidence, ({ side, stream, bytes }) =>
      sink.send(side, stream, bytes),
    ),
    judge: {
      state,
      overload,
      counters,
      capabilities: capabilitiesOf.m3ua,
      told: createToldShare(state.wall),
      elapsed,
    },
    tell: createTeller(counters, sink.happened),
    ends: undefined,
    workspace: createWorkspace(),
    heldWorkspace: createWorkspace(),
    segment: createIsupMessage(),
  };
}

/** Takes the ends of both associations once both are up. */
export function connectEnds(relay: IsupState, places: readonly [AssociationPlace, AssociationPlace]): void {
  relay.ends = { places, origins: [originAt(places[0]), originAt(places[1])] };
}

/** Begins the turn of one DATA message: reads it as far as its ISUP message begins. */
export function beginUnit(
  relay: IsupState,
  now: Millis,
  unit: { readonly side: LinkSide; readonly stream: number; readonly bytes: Buffer },
  workspace: UnitWorkspace = relay.workspace,
): IsupTurn {
  const { message, msu, isup } = workspace;
  const { side, stream, bytes } = unit;
  const start = findIsup(relay.variant, workspace, bytes);
  const at = now + relay.state.wall.ahead;
  return { relay, now, at, policy: relay.policy(), side, stream, bytes, message, msu, isup, start };
}

function findIsup(variant: IsupVariant, { message, msu }: UnitWorkspace, bytes: Buffer): number {
  msu.si = -1;
  if (!readM3ua(message, bytes, 0, bytes.length) || !readProtocolData(msu, message, bytes)) return -1;
  return isCallControl(msu) ? readCircuit(msu, variant === "ansi" ? 14 : 12) : -1;
}

/** The trunk that the label of the message belongs to. */
export function sourceOf({ relay, policy, side, msu }: IsupTurn): TrunkPolicy | undefined {
  const place = relay.ends?.places[side];
  return place && policy.matchTrunk(place.id, place.address, place.port, undefined, msu);
}

export function originOf({ relay, side }: IsupTurn): SignallingSource {
  if (relay.ends === undefined) throw new Error("a message without association");
  return relay.ends.origins[side];
}

/** Sends the message on as it came. */
export function pass({ relay, side, stream, bytes }: IsupTurn): void {
  passOn(relay, side, stream, bytes);
}

/** Sends a message of `side` on as it came. */
export function passOn({ counters, sink }: IsupState, side: LinkSide, stream: number, bytes: Buffer): void {
  counters.ss7.relayed++;
  counters.forwarded++;
  sink.send(across(side), stream, bytes);
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
