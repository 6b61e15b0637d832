import { Buffer } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import type { Decision } from "../../domain/decision.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Counters } from "../../observe/counters.ts";
import type { ScreeningState } from "../../screening/state.ts";
import { createEdits, type Edits } from "../../sip/edit.ts";
import { createMessage, type SipMessage } from "../../sip/message.ts";
import type { KeyedTags } from "../../sip/tag.ts";
import { trunkTag } from "../memory/dialog-token.ts";
import type { HopState } from "../../routing/hop-health.ts";
import { createLedger, type Ledger } from "../memory/ledger.ts";
import type { Listener } from "../../routing/listener.ts";
import { createNextHops, type NextHops } from "../../routing/next-hops.ts";
import { createSentCalls, type SentCalls } from "../memory/calls-in-setup.ts";
import { createTransactions, type Transactions } from "../memory/transactions.ts";
import { createOverload, type Overload } from "../../judging/overload.ts";

/** What a source is called that is no trunk, only a next hop: it may go on with dialogs of ours, and begin nothing. */
export const NEXT_HOP = "next-hop";

/** Where the proxy's output goes. */
export interface Sink {
  /**
   * Sends the first `length` bytes; false when the buffer is still in use, so that the caller takes another. By a stream listener:
   * over the open connection with this remote port, else over a new one to it; never false there.
   */
  send(listener: Listener, address: string, port: number, bytes: Buffer, length: number): boolean;
  /** The names that the certificate of a connected stream peer proves, in lower case (none over TCP); undefined: it is not connected. */
  readonly namesOf?: (listener: Listener, address: string, port: number) => readonly string[] | undefined;
  /** Every decision about a call attempt, repeats left out, and the message it is about, which the next one overwrites. */
  readonly decided: (decision: Decision, message: Uint8Array) => void;
  /** A next hop changed its state: "udp:192.0.2.1:5060", the new state, and why in words. */
  readonly nextHop?: (key: string, state: HopState, why: string) => void;
  /** An error of our own, already counted and answered by the trunk's exception policy. */
  readonly fault: (error: unknown) => void;
}

export interface RelayParts {
  /** The policy in force: one reference, swapped by a reload. */
  readonly policy: () => Policy;
  readonly listeners: readonly Listener[];
  readonly tags: KeyedTags;
  readonly state: ScreeningState;
  readonly counters: Counters;
  readonly sink: Sink;
  /** Monotonic milliseconds with fractions, for the decision-time histogram only. */
  readonly elapsed: () => number;
  /** Entries of the ledger. */
  readonly ledgerSize: number;
  /** Calls that may still go to another next hop. */
  readonly failoverSize: number;
  /** Entries of each table of {@link Transactions}. */
  readonly transactionsSize: number;
}

/** What every step of the proxy works with. Message, edits and output buffer are reused from datagram to datagram. */
export interface Relay extends Omit<RelayParts, "policy"> {
  readonly message: SipMessage;
  readonly edits: Edits;
  out: Buffer;
  /** The output buffer for streams, which carry more than a datagram; undefined until there is one. */
  bulk: Buffer | undefined;
  /** Time of what is in hand, and the policy that was in force when it came: see {@link turnTo}. */
  now: Millis;
  policy: Policy;
  readonly policyInForce: () => Policy;
  readonly ledger: Ledger;
  readonly hops: NextHops;
  readonly sentCalls: SentCalls;
  readonly transactions: Transactions;
  readonly overload: Overload;
  /** Trunks on which a number was withheld, whatever the policy says by now: bounded by what operators configured. */
  readonly withheldOn: Set<TrunkId>;
  /** {@link trunkTag} of a trunk, remembered. */
  tagOfTrunk(id: string): string;
}

export function createRelay(parts: RelayParts): Relay {
  // Trunk ids come from the policy, so the cache is bounded by what operators configured.
  const trunkTags = new Map<string, string>();
  return {
    ...parts,
    message: createMessage(),
    edits: createEdits(),
    out: Buffer.allocUnsafe(OUT_SIZE),
    bulk: undefined,
    now: 0,
    policy: parts.policy(),
    policyInForce: parts.policy,
    ledger: createLedger(parts.ledgerSize),
    hops: createNextHops(parts.listeners, parts.tags),
    sentCalls: createSentCalls(parts.failoverSize),
    transactions: createTransactions(parts.transactionsSize),
    overload: createOverload(),
    withheldOn: new Set(),
    tagOfTrunk(id) {
      let tag = trunkTags.get(id);
      if (tag === undefined) trunkTags.set(id, (tag = trunkTag(parts.tags, id)));
      return tag;
    },
  };
}

/** Turns to what happens `now`: every step until the next turn is taken at this time and under one policy. */
export function turnTo(relay: Relay, now: Millis): void {
  relay.now = now;
  relay.policy = relay.policyInForce();
  relay.hops.adopt(relay.policy, now);
}

/** Runs what no message in hand is to blame for when it fails. */
export function guard(relay: Relay, step: () => unknown): void {
  try {
    step();
  } catch (error) {
    relay.counters.faults++;
    relay.sink.fault(error);
  }
}

export const OUT_SIZE = 65_536;
