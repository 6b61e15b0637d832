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
import { hashOctets, type KeyHash } from "../state/key-hash.ts";
import { createIsupMessage, type IsupLayout, type IsupMessage, type IsupVariant } from "../ss7/isup.ts";
import { createM3uaMessage, readM3ua, readProtocolData, type M3uaMessage } from "../ss7/m3ua.ts";
import { codeOf, type ReleaseLocation } from "../ss7/m3ua-reply.ts";
import { createMsu, isCallControl, readCircuit, type Msu } from "../ss7/mtp3.ts";
import { createCircuitReleases, type CameBy, type CircuitReleases } from "./circuit-release.ts";
import {
  createCircuits,
  isCurrent,
  type CircuitRelease,
  type Circuits,
  type KeptMessage,
} from "./circuits.ts";
import {
  across,
  createLinks,
  type LinkIndex,
  type Links,
  type LinkSide,
  NO_LINK,
  type SendByLink,
} from "./links.ts";
import { createLinkContexts, type LinkContexts } from "./link-contexts.ts";
import { networksOf } from "./networks.ts";
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
  readonly send: SendByLink;
  /** Takes the events of calls. Must return at once: bytes in the event are overwritten afterwards. */
  readonly happened: (event: CallEvent) => void;
  /** Takes a message for the operator about a circuit, in words. */
  readonly alarm: (message: string) => void;
  /** Takes an error of the filter. The message was not sent on. */
  readonly fault: (error: unknown) => void;
}

/** How the peers of a link write ISUP, and how refused calls are released there. */
export interface LinkForm extends IsupLayout {
  /** Cause of Q.850 where the table of reasons has 21, "call rejected". */
  readonly releaseCause: number;
  readonly releaseLocation: ReleaseLocation;
}

export interface IsupRelayParts {
  /** The log of evidence, where the REL of refused calls waits for it. */
  readonly evidence?: EvidenceWait | undefined;
  /** The policy in force: one reference, swapped by a reload. */
  readonly policy: () => Policy;
  /** How the peers of each link write ISUP, and how they are answered. */
  readonly forms: readonly LinkForm[];
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

/** The ends of both associations of a link, once both are up. */
interface Ends {
  readonly places: readonly [AssociationPlace, AssociationPlace];
  readonly origins: readonly [SignallingSource, SignallingSource];
}

/** The first REL of a refused call, while the evidence is written. */
export interface HeldRelease {
  readonly link: LinkIndex;
  readonly side: LinkSide;
  readonly stream: number;
  readonly bytes: Buffer;
  /** Where the refusal is remembered; undefined: the table of circuits was full. */
  readonly refusal: CircuitRelease | undefined;
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
  readonly links: Links;
  readonly contexts: LinkContexts;
  /** By link; undefined while it is down. */
  readonly ends: (Ends | undefined)[];
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
  /** Where it came from. */
  readonly link: LinkIndex;
  readonly side: LinkSide;
  readonly stream: number;
  readonly bytes: Buffer;
  /** Where its ISUP message begins; -1 when it has none. */
  readonly start: number;
  /** The trunk that its label belongs to. */
  readonly source: TrunkPolicy | undefined;
}

function createWorkspace(): UnitWorkspace {
  return { message: createM3uaMessage(), msu: createMsu(), isup: createIsupMessage() };
}

export function createIsupState(parts: IsupRelayParts): IsupState {
  const { state, overload, counters, elapsed, sink } = parts;
  const circuits = createCircuits(parts.circuits, counters.ss7, networksOf(parts.policy()));
  const links = createLinks();
  const contexts = createLinkContexts();
  const { alarm } = sink;
  const send: SendByLink = (link, side, stream, bytes) =>
    sink.send(link, side, stream, contexts.fit(link, side, bytes));
  return {
    ...parts,
    circuits,
    links,
    contexts,
    releases: createCircuitReleases({
      circuits,
      counters: counters.ss7,
      links,
      locationOf: (link) => parts.forms[link]?.releaseLocation,
      send,
      alarm,
    }),
    held: createHeldCalls(),
    heldReleases: createHeldRefusals<HeldRelease>(
      parts.evidence,
      ({ link, side, stream, bytes, refusal }) => {
        // The exchange has left the call meanwhile: REL would end its next one.
        if (refusal !== undefined && !isCurrent(refusal)) return;
        const by = links.choose(link, side, codeOf(bytes));
        if (by !== NO_LINK) send(by, side, stream, bytes);
      },
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
    ends: [],
    workspace: createWorkspace(),
    heldWorkspace: createWorkspace(),
    segment: createIsupMessage(),
  };
}

/** Takes the ends of both associations of a link once both are up. */
export function connectEnds(
  relay: IsupState,
  link: LinkIndex,
  places: readonly [AssociationPlace, AssociationPlace],
): void {
  while (relay.ends.length < link) relay.ends.push(undefined);
  relay.ends[link] = { places, origins: [originAt(places[0]), originAt(places[1])] };
  relay.contexts.forget(link);
  relay.links.up(link);
}

/** Begins the turn of one DATA message: reads it as far as its ISUP message begins. */
export function beginUnit(
  relay: IsupState,
  now: Millis,
  unit: KeptMessage & { readonly side: LinkSide },
  workspace: UnitWorkspace = relay.workspace,
): IsupTurn {
  const { message, msu, isup } = workspace;
  const { link, side, stream, bytes } = unit;
  const start = findIsup(formOf(relay, link).variant, workspace, bytes);
  const at = now + relay.state.wall.ahead;
  const policy = relay.policy();
  const place = relay.ends[link]?.places[side];
  const source =
    place === undefined || msu.si < 0
      ? undefined
      : policy.matchTrunk(place.id, place.address, place.port, undefined, msu);
  return { relay, now, at, policy, link, side, stream, bytes, message, msu, isup, start, source };
}

function findIsup(variant: IsupVariant, { message, msu }: UnitWorkspace, bytes: Buffer): number {
  msu.si = -1;
  if (!readM3ua(message, bytes, 0, bytes.length) || !readProtocolData(msu, message, bytes)) return -1;
  return isCallControl(msu) ? readCircuit(msu, variant === "ansi" ? 14 : 12) : -1;
}

/** How the peers of a link write ISUP. */
export function formOf({ forms }: IsupState, link: LinkIndex): LinkForm {
  return forms[link] ?? forms[0] ?? usualForm;
}

/** ISUP as the ITU has it, and its usual cause and location. */
export const usualForm: LinkForm = {
  variant: "itu",
  endMayBeMissing: false,
  releaseCause: 21,
  releaseLocation: "transit",
};

export function originOf({ relay, link, side }: IsupTurn): SignallingSource {
  const ends = relay.ends[link];
  if (ends === undefined) throw new Error("a message without association");
  return ends.origins[side];
}

/** The association by which a message of this turn goes on, for the log. */
export function hopOf({ relay, link, side }: IsupTurn): string {
  return relay.ends[link]?.places[across(side)].id ?? "";
}

/** A hash of the ISUP message, from its type on: equal octets are equal messages. Positive. */
export function hashUnit({ bytes, start, msu }: IsupTurn): number {
  hashOctets(bytes, start, msu.end, hash);
  const low = hash.low >>> 0;
  return low === 0 ? 1 : low;
}

const hash: KeyHash = { low: 0, high: 0 };

/** Where the message came from, for one that answers the refusal of a call. */
export function cameBy(turn: IsupTurn): CameBy {
  const { now, link, stream, bytes, start } = turn;
  return { now, link, stream, type: bytes[start]!, iam: () => hashUnit(turn) };
}

/**
 * Sends the message on as it came, by the link that it came by: so its order among the messages of its call stays what
 * the sender made it.
 */
export function pass(turn: IsupTurn): void {
  passOn(turn.relay, turn);
}

/** Sends a message on as it came. */
export function passOn(
  { counters, sink }: IsupState,
  { link, side, stream, bytes }: KeptMessage & { readonly side: LinkSide },
): void {
  counters.ss7.relayed++;
  counters.forwarded++;
  sink.send(link, across(side), stream, bytes);
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
