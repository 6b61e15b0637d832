// What the SIP proxy keeps from one message to the next: its parts, its tables, its output.
import type { Buffer } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import type { HostPort } from "../../net/host.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import { createCalls } from "../../calls/call-memory.ts";
import { createCallTags, type CallTags } from "../../calls/call-tag.ts";
import type { CallSlot } from "../../calls/calls.ts";
import type { SharingCalls } from "../../calls/calls-elsewhere.ts";
import type { CallEvent, CallNaming } from "../../domain/call.ts";
import { capabilitiesOf } from "../../domain/capabilities.ts";
import type { Counters } from "../../observe/counters.ts";
import { longestCallOf, type Policy } from "../../policy/policy.ts";
import type { Judge } from "../../judging/decide.ts";
import { createHeldRefusals, type EvidenceWait, type HeldRefusals } from "../../judging/held-refusals.ts";
import { createOverload, type Overload } from "../../judging/overload.ts";
import { createTeller, type Listen } from "../../judging/tell.ts";
import { createToldShare, type ToldShare } from "../../judging/told-share.ts";
import type { HopState } from "../../routing/hop-health.ts";
import type { Listener } from "../../routing/listener.ts";
import { createNextHops, type NextHops } from "../../routing/next-hops.ts";
import type { OwnPlaces } from "../../routing/own-places.ts";
import type { ScreeningState } from "../../screening/state.ts";
import { createEdits, type Edits } from "../../sip/edit.ts";
import { createMessage, type SipMessage } from "../../sip/message.ts";
import type { KeyedTags } from "../../sip/tag.ts";
import { createTokenBuckets, type TokenBuckets } from "../../state/token-bucket.ts";
import type { CallSetup } from "../memory/call-setup.ts";
import { createCallsInSetup, type CallsInSetup } from "../memory/calls-in-setup.ts";
import { trunkTag } from "../memory/dialog-token.ts";
import { createLedger, type Ledger } from "../memory/ledger.ts";
import type { SharedMemory } from "../memory/shared-memory.ts";
import { createOwnRequests, type OwnRequests } from "../memory/own-requests.ts";
import { createReleasedCalls, type ReleasedCalls } from "../memory/released-calls.ts";
import { createTransactions, type Transactions } from "../memory/transactions.ts";
import { createOutput, type Output, type Send } from "./output.ts";

/** Where the proxy's output goes. */
export interface Sink {
  /**
   * Sends the first `length` bytes. Returns false when the buffer is still in use; then the caller uses another. By a
   * stream listener, the bytes go over the open connection with this remote port, else over a new connection to it.
   * There it never returns false.
   */
  readonly send: Send;
  /**
   * Returns the names that the certificate of a connected stream peer proves, in lower case (none over TCP). Undefined:
   * the peer is not connected.
   */
  readonly namesOf?: (listener: Listener, address: string, port: number) => readonly string[] | undefined;
  /** Takes what happens to calls. Must return at once: bytes in the event are overwritten afterwards. */
  readonly happened: (event: CallEvent) => void;
  /**
   * Reports that a next hop changed its state: its key ("udp:192.0.2.1:5060"), the new state, and the reason in words.
   */
  readonly nextHop?: (key: string, state: HopState, why: string) => void;
  /** Takes an error of our own. It has been counted and answered by the trunk's exception policy. */
  readonly fault: (error: unknown) => void;
}

export interface ProxyParts {
  /** Returns the policy in force. It is one reference, which a reload replaces. */
  readonly policy: () => Policy;
  readonly listeners: readonly Listener[];
  /** Names of the filter beside its listeners. */
  readonly ownNames?: readonly HostPort[];
  readonly tags: KeyedTags;
  readonly state: ScreeningState;
  readonly counters: Counters;
  readonly sink: Sink;
  /** Returns monotonic milliseconds with fractions. They are used for the decision-time histogram only. */
  readonly elapsed: () => number;
  readonly naming: CallNaming;
  /**
   * Calls that are remembered, at most. The bound holds also for other requests, which are kept in a table of their
   * own.
   */
  readonly ledgerSize: number;
  /** Calls that may still go to another next hop, at most. */
  readonly failoverSize: number;
  /** The log of evidence, where answers to refused calls wait for it. */
  readonly evidence?: EvidenceWait | undefined;
  /** Octets that calls may keep for a BYE of our own, at most. */
  readonly callBytes?: number;
  /** Entries of each table of {@link Transactions}, at most. */
  readonly transactionsSize: number;
  /** Tells other nodes of calls; left out: there are none. */
  readonly sharing?: SharedMemory | undefined;
  /** For tests, which compare the two paths. False: every message takes the general one. A tally is kept up. */
  readonly ordinary?: OrdinaryTally | false;
}

/** Messages of known peers that the byte path took, and those that it handed on. */
export interface OrdinaryTally {
  taken: number;
  handedOn: number;
}

/**
 * A message and its edits, reused. One workspace holds the input. Another holds a kept INVITE that is handled at the
 * same time.
 */
export interface Workspace {
  readonly message: SipMessage;
  readonly edits: Edits;
}

/** The answer to a refused call, while its evidence is written. */
export interface HeldAnswer {
  readonly listener: Listener;
  readonly address: string;
  readonly port: number;
  /** A copy in memory of its own. */
  readonly bytes: Buffer;
}

/** Everything that outlives a turn. Every member is read-only; the contents of the tables change. */
export interface ProxyState extends Omit<ProxyParts, "policy"> {
  readonly policyInForce: () => Policy;
  readonly own: OwnPlaces;
  readonly output: Output;
  /** The time of the first message or tick, taken as the start of the filter. */
  begunAt: Millis;
  /** Every call, from its INVITE to its end. */
  readonly calls: SharingCalls<CallSetup>;
  /** Writes and reads the names of calls in messages. */
  readonly callTags: CallTags;
  /** Requests that begin no call. */
  readonly ledger: Ledger;
  readonly hops: NextHops;
  readonly inSetup: CallsInSetup;
  readonly transactions: Transactions;
  readonly held: HeldRefusals<HeldAnswer>;
  /** The calls that the filter has ended, and its requests that wait for their answers. */
  readonly released: ReleasedCalls;
  readonly ownRequests: OwnRequests;
  /** The rate of ACK and CANCEL that belong to nothing that is remembered, by trunk. */
  readonly strayRate: TokenBuckets;
  readonly overload: Overload;
  readonly judge: Judge;
  /** Requests that are refused before any rule is asked, as long as they are few. */
  readonly toldRequests: ToldShare;
  /** Reports an event: counts it, then hands it to the sink. */
  readonly tell: Listen;
  /**
   * Trunks on which a number was withheld, whatever the policy says by now. The trunks that operators configured bound
   * its size.
   */
  readonly withheldOn: Set<TrunkId>;
  /** Returns {@link trunkTag} of a trunk, from a cache. */
  tagOfTrunk(id: string): string;
  /** The workspace of the input. */
  readonly workspace: Workspace;
  /** Workspaces for messages that are handled beside the input. */
  readonly spare: Workspace[];
}

export function createWorkspace(): Workspace {
  return { message: createMessage(), edits: createEdits() };
}

export function createProxyState(parts: ProxyParts): ProxyState {
  // Trunk ids come from the policy, so the trunks that operators configured bound the cache.
  const trunkTags = new Map<string, string>();
  const { state, counters, elapsed } = parts;
  const overload = createOverload();
  const tell = createTeller(counters, parts.sink.happened);
  const inSetup = createCallsInSetup(parts.failoverSize);
  const settle = ({ sent }: CallSetup): void => {
    if (sent !== undefined) inSetup.settle(sent);
  };
  const callTags = createCallTags(parts.tags, parts.naming.node);
  const { sharing } = parts;
  const calls = createCalls<CallSetup>({
    capacity: parts.ledgerSize,
    callBytes: parts.callBytes ?? 0,
    noRoom: () => void counters.callBytesFull++,
    wall: state.wall,
    ...parts.naming,
    longestCall: (trunk) => longestCallOf(parts.policy(), trunk),
    tell,
    finished: settle,
    released: settle,
    nodeNamed: (number, node) => callTags.know(node, number),
    ...(sharing === undefined ? {} : { changed: (slot: CallSlot) => sharing.changed(slot) }),
  });
  sharing?.opened(calls.elsewhere, calls.elsewhere);
  state.channels.of = (trunk) => calls.channels(trunk);
  const output = createOutput(parts.sink.send);
  const sendHeld = ({ listener, address, port, bytes }: HeldAnswer): void => {
    output.bufferFor(listener).set(bytes);
    output.transmit(listener, address, port, bytes.length);
  };
  return {
    ...parts,
    policyInForce: parts.policy,
    own: { listeners: parts.listeners, names: parts.ownNames ?? [] },
    output,
    held: createHeldRefusals(parts.evidence, sendHeld),
    ledger: createLedger(parts.ledgerSize),
    hops: createNextHops(parts.listeners, parts.tags),
    inSetup,
    transactions: createTransactions(parts.transactionsSize),
    released: createReleasedCalls(parts.ledgerSize),
    // Each call has two sides.
    ownRequests: createOwnRequests(2 * parts.ledgerSize),
    strayRate: createTokenBuckets(),
    overload,
    judge: {
      state,
      overload,
      counters,
      capabilities: capabilitiesOf.embedded,
      told: createToldShare(state.wall),
      elapsed,
    },
    toldRequests: createToldShare(state.wall, "requests"),
    tell,
    begunAt: Number.POSITIVE_INFINITY,
    calls,
    callTags,
    withheldOn: new Set(),
    tagOfTrunk(id) {
      let tag = trunkTags.get(id);
      if (tag === undefined) trunkTags.set(id, (tag = trunkTag(parts.tags, id)));
      return tag;
    },
    workspace: createWorkspace(),
    spare: [],
  };
}

/** Runs `step`; an error in it is counted and reported, not thrown. */
export function guard(proxy: ProxyState, step: () => unknown): void {
  try {
    step();
  } catch (error) {
    proxy.counters.faults++;
    proxy.sink.fault(error);
  }
}
