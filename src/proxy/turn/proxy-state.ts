import { Buffer } from "node:buffer";
import { causeOf, statusOf, type ReasonCode } from "../../domain/reason.ts";
import type { CallAttempt } from "../../domain/attempt.ts";
import { ordinaryMethods } from "../../domain/method.ts";
import type { Millis } from "../../domain/time.ts";
import type { Trunk, TrunkId } from "../../domain/trunk.ts";
import type { Decision } from "../../domain/decision.ts";
import type { Policy } from "../../policy/policy.ts";
import { countProtocolError, countRefusal, type Counters } from "../../observe/counters.ts";
import type { ScreeningState } from "../../screening/state.ts";
import type { UriParts } from "../../sip/fields/name-addr.ts";
import { createEdits, MAX_DATAGRAM, type Edits } from "../../sip/edit.ts";
import { FramingLimit } from "../../sip/framer.ts";
import { formatResponse } from "../../sip/response.ts";
import { createMessage, type SipMessage } from "../../sip/message.ts";
import { formatTag, type KeyedTags } from "../../sip/tag.ts";
import { trunkTag } from "../memory/dialog-token.ts";
import type { HopState } from "../../routing/hop-health.ts";
import { fillVia, originOf, type Exchange } from "../../routing/request-in-hand.ts";
import { createLedger, type Ledger } from "../memory/ledger.ts";
import type { Listener } from "../../routing/listener.ts";
import { createNextHops, type NextHops } from "../../routing/next-hops.ts";
import { createSentCalls, type SentCalls } from "../memory/calls-in-setup.ts";
import { readCall } from "../../judging/sip-i-attempt.ts";
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

const OUT_SIZE = 65_536;

/** A message as long as its framing allows, and what we add to it. */
const BULK_SIZE = FramingLimit.startLine + FramingLimit.headers + FramingLimit.body + OUT_SIZE;

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

/** The output buffer for messages that leave by `listener`. */
export function outputFor(relay: Relay, listener: Listener): Buffer {
  return listener.isReliable ? (relay.bulk ??= Buffer.allocUnsafe(BULK_SIZE)) : relay.out;
}

/** Octets that one message may have which leaves by `listener`. */
export function mostOctets(listener: Listener): number {
  return listener.isReliable ? BULK_SIZE : MAX_DATAGRAM;
}

/** Sends the first `length` bytes of the output buffer. */
export function transmit(
  relay: Relay,
  listener: Listener,
  address: string,
  port: number,
  length: number,
): void {
  if (!relay.sink.send(listener, address, port, outputFor(relay, listener), length))
    relay.out = Buffer.allocUnsafe(OUT_SIZE);
}

/** Our To tag for a request: the same for every repeat, and for the ACK of the refusal (RFC 3261 section 8.2.7). */
export function ownTag(
  relay: Relay,
  { via, callId, fromTag }: Pick<Exchange, "via" | "callId" | "fromTag">,
): string {
  return formatTag(
    relay.tags.mac("tag", `${via.sentBy}\n${via.branch}\n${callId}\n${relay.message.cseq}\n${fromTag}`),
  );
}

/** True for the ACK of an answer of ours: it is absorbed. */
export function hasOwnTag(relay: Relay, exchange: Exchange): boolean {
  return exchange.toTag.startsWith("sw") && exchange.toTag === ownTag(relay, exchange);
}

/** Answers as a stateless UAS: the same request always gets the same bytes. `extra` holds whole header lines. An ACK is never answered. */
export function answer(relay: Relay, exchange: Exchange, status: number, extra: string): void {
  const { message } = relay;
  if (message.method === "ACK") return;
  const out = outputFor(relay, exchange.listener);
  const tag = exchange.toTag === "" ? ownTag(relay, exchange) : "";
  const text = formatResponse(message, status, fillVia(exchange), tag, extra);
  if (text.length > out.length) return;
  transmit(relay, exchange.listener, exchange.address, exchange.replyPort, out.write(text, 0, "latin1"));
}

/** One of RFC 3261's own answers: counted by status, no decision about a call. */
export function answerError(
  relay: Relay,
  trunkId: string,
  exchange: Exchange,
  status: number,
  extra = "",
): void {
  countProtocolError(relay.counters, trunkId, status);
  answer(relay, exchange, status, extra);
}

/** Refuses a request other than an INVITE that begins a call for what it is: counted by reason, no decision about a call. */
export function refuseRequest(
  relay: Relay,
  trunk: Trunk | undefined,
  exchange: Exchange,
  reason: ReasonCode,
  extra = "",
): void {
  countRefusal(relay.counters, trunk?.id ?? NEXT_HOP, relay.message.method, reason);
  answer(relay, exchange, trunk === undefined ? statusOf(reason) : refusalStatus(trunk, reason), extra);
}

/** 405 with what the trunk really allows (RFC 3261 section 21.4.6). */
export function refuseMethod(relay: Relay, trunk: Trunk | undefined, exchange: Exchange): void {
  const { allow } = trunk?.methods ?? ordinaryMethods;
  refuseRequest(relay, trunk, exchange, "method-not-allowed", `Allow: ${allow}\r\n`);
}

/** A refusal with the Q.850 cause of its reason (RFC 3326). The text says nothing of the rule that fired. */
export function refuse(relay: Relay, exchange: Exchange, status: number, reason: ReasonCode): void {
  const cause = causeField(reason);
  const why = cause === undefined ? "" : `Reason: ${cause}\r\n`;
  answer(relay, exchange, status, reason === "overload" ? why + retryAfter(relay) : why);
}

/** RFC 3261 section 21.5.4: with it the peer sends nothing at all for that long, so it is the operator's choice. */
export function retryAfter(relay: Relay): string {
  const { retryAfterSeconds } = relay.policy.overload;
  return retryAfterSeconds === undefined ? "" : `Retry-After: ${retryAfterSeconds}\r\n`;
}

/** Value of the Reason field of a refusal; undefined: it has none. */
export function causeField(reason: ReasonCode): string | undefined {
  const cause = causeOf(reason);
  return cause === undefined ? undefined : `Q.850;cause=${cause};text="Call rejected"`;
}

/** The SIP status of a reason on a trunk: its own override, or the table's. */
export function refusalStatus(trunk: Trunk, reason: ReasonCode): number {
  return trunk.status.get(reason) ?? statusOf(reason);
}

/** The attempt that the message in hand makes on `trunk`. */
export function attemptOf(relay: Relay, trunk: Trunk, exchange: Exchange, uri?: UriParts): CallAttempt {
  const { now } = relay;
  return readCall(relay.message, trunk, now, originOf(exchange), uri);
}
