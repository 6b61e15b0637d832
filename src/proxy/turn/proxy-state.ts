// What the SIP proxy keeps from one message to the next: its parts, its tables, its output.
import type { Millis } from "../../domain/time.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import { createCalls } from "../../calls/call-memory.ts";
import { createCallTags, type CallTags } from "../../calls/call-tag.ts";
import type { Calls } from "../../calls/calls.ts";
import type { CallEvent, CallNaming } from "../../domain/call.ts";
import { capabilitiesOf } from "../../domain/capabilities.ts";
import type { Counters } from "../../observe/counters.ts";
import { longestCallOf, type Policy } from "../../policy/policy.ts";
import type { Judge } from "../../judging/decide.ts";
import { createOverload, type Overload } from "../../judging/overload.ts";
import { createTeller, type Listen } from "../../judging/tell.ts";
import { createToldShare } from "../../judging/told-share.ts";
import type { HopState } from "../../routing/hop-health.ts";
import type { Listener } from "../../routing/listener.ts";
import { createNextHops, type NextHops } from "../../routing/next-hops.ts";
import type { ScreeningState } from "../../screening/state.ts";
import { createEdits, type Edits } from "../../sip/edit.ts";
import { createMessage, type SipMessage } from "../../sip/message.ts";
import type { KeyedTags } from "../../sip/tag.ts";
import type { CallSetup } from "../memory/call-setup.ts";
import { createCallsInSetup, type CallsInSetup } from "../memory/calls-in-setup.ts";
import { trunkTag } from "../memory/dialog-token.ts";
import { createLedger, type Ledger } from "../memory/ledger.ts";
import { createTransactions, type Transactions } from "../memory/transactions.ts";
import { createOutput, type Output, type Send } from "./output.ts";

/** What a source is called that is no trunk, only a next hop: it may go on with dialogs of ours, and begin nothing. */
export const NEXT_HOP = "next-hop";

/** Where the proxy's output goes. */
export interface Sink {
  /**
   * Sends the first `length` bytes; false when the buffer is still in use, so that the caller takes another. By a
   * stream listener: over the open connection with this remote port, else over a new one to it; never false there.
   */
  readonly send: Send;
  /**
   * The names that the certificate of a connected stream peer proves, in lower case (none over TCP); undefined: it is
   * not connected.
   */
  readonly namesOf?: (listener: Listener, address: string, port: number) => readonly string[] | undefined;
  /** Takes what happens to calls. Must return at once; bytes in the event are overwritten afterwards. */
  readonly happened: (event: CallEvent) => void;
  /** A next hop changed its state: "udp:192.0.2.1:5060", the new state, and why in words. */
  readonly nextHop?: (key: string, state: HopState, why: string) => void;
  /** An error of our own, already counted and answered by the trunk's exception policy. */
  readonly fault: (error: unknown) => void;
}

export interface ProxyParts {
  /** The policy in force: one reference, swapped by a reload. */
  readonly policy: () => Policy;
  readonly listeners: readonly Listener[];
  readonly tags: KeyedTags;
  readonly state: ScreeningState;
  readonly counters: Counters;
  readonly sink: Sink;
  /** Monotonic milliseconds with fractions, for the decision-time histogram only. */
  readonly elapsed: () => number;
  readonly naming: CallNaming;
  /** Calls that are remembered; also other requests, which are kept apart. */
  readonly ledgerSize: number;
  /** Calls that may still go to another next hop. */
  readonly failoverSize: number;
  /** Octets that calls may keep for a BYE of our own. */
  readonly callBytes?: number;
  /** As the memory of calls takes it: a longer step of time is that of a clock which was set ahead. */
  readonly longestPause?: Millis;
  /** Entries of each table of {@link Transactions}. */
  readonly transactionsSize: number;
}

/** A message and its edits, reused: one input is worked on in one of these, and a kept INVITE beside it in another. */
export interface Workspace {
  readonly message: SipMessage;
  readonly edits: Edits;
}

/** Everything that outlives a turn. Every member is read-only; the tables change inside. */
export interface ProxyState extends Omit<ProxyParts, "policy"> {
  readonly policyInForce: () => Policy;
  readonly output: Output;
  /** When the filter was started: the time of its first message or tick. */
  begunAt: Millis;
  /** Every call, from its INVITE to its end. */
  readonly calls: Calls<CallSetup>;
  /** The names of calls on the wire. */
  readonly callTags: CallTags;
  /** Requests that begin no call. */
  readonly ledger: Ledger;
  readonly hops: NextHops;
  readonly inSetup: CallsInSetup;
  readonly transactions: Transactions;
  readonly overload: Overload;
  readonly judge: Judge;
  /** Tells what happened: counted, then handed to the sink. */
  readonly tell: Listen;
  /** Trunks on which a number was withheld, whatever the policy says by now: bounded by what operators configured. */
  readonly withheldOn: Set<TrunkId>;
  /** {@link trunkTag} of a trunk, remembered. */
  tagOfTrunk(id: string): string;
  /** Of the input. */
  readonly workspace: Workspace;
  /** For what is worked on beside the input. */
  readonly spare: Workspace[];
}

export function createWorkspace(): Workspace {
  return { message: createMessage(), edits: createEdits() };
}

export function createProxyState(parts: ProxyParts): ProxyState {
  // Trunk ids come from the policy, so the cache is bounded by what operators configured.
  const trunkTags = new Map<string, string>();
  const { state, counters, elapsed } = parts;
  const overload = createOverload();
  const tell = createTeller(counters, parts.sink.happened);
  const inSetup = createCallsInSetup(parts.failoverSize);
  const settle = ({ sent }: CallSetup): void => {
    if (sent !== undefined) inSetup.settle(sent);
  };
  const calls = createCalls<CallSetup>({
    capacity: parts.ledgerSize,
    callBytes: parts.callBytes ?? 0,
    longestPause: parts.longestPause ?? Infinity,
    ...parts.naming,
    longestCall: (trunk) => longestCallOf(parts.policy(), trunk),
    tell,
    finished: settle,
    released: settle,
  });
  state.channels.of = (trunk) => calls.channels(trunk);
  return {
    ...parts,
    policyInForce: parts.policy,
    output: createOutput(parts.sink.send),
    ledger: createLedger(parts.ledgerSize),
    hops: createNextHops(parts.listeners, parts.tags),
    inSetup,
    transactions: createTransactions(parts.transactionsSize),
    overload,
    judge: {
      state,
      overload,
      counters,
      capabilities: capabilitiesOf.embedded,
      told: createToldShare(),
      elapsed,
    },
    tell,
    begunAt: Number.POSITIVE_INFINITY,
    calls,
    callTags: createCallTags(parts.tags, parts.naming.node),
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
