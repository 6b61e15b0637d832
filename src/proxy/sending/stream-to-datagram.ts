import { Buffer } from "node:buffer";
import type { SipMessage } from "../../sip/message.ts";
import type { Via } from "../../sip/fields/via.ts";
import type { RequestInHand } from "../../routing/request-in-hand.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import { guard, type Relay } from "../turn/proxy-state.ts";
import { REPEATED_FOR, T2 } from "../memory/repeats.ts";
import { keyOfRequest, sentCallKey } from "../memory/calls-in-setup.ts";
import { refusalStatus } from "../../judging/refusal.ts";
import { refuse } from "../turn/answers.ts";
import { transmit } from "../turn/output.ts";

/** Answers longer than this are not kept for repeats: a full table must not take all memory. Octets. */
const LONGEST_KEPT = 4096;

function copyOf(bytes: Buffer, length: number): Buffer {
  return Buffer.from(bytes.subarray(0, length));
}

/**
 * Our branch is the same for an INVITE, its ACK and its CANCEL: with the method it names a transaction (RFC 3261 section 17.1.3).
 * The port tells apart stream hops at one address, which the branch does not.
 */
function keyOf(branch: string, port: number, method: string): string {
  return `${branch} ${port} ${method === "ACK" ? "INVITE" : method}`;
}

/** Octets that our Via and both our Record-Routes add to a request, about. */
const ADDED = 512;

/** False: a request in hand that begins something could go to `target`, but not be repeated or answered for on the way. */
export function hasRoomToBridge(
  { transactions, message, now }: Relay,
  { listener }: RequestInHand,
  target: Target,
): boolean {
  const isReliable = target.transport !== "udp";
  if (isReliable === listener.isReliable) return true;
  const { start, end } = message;
  return isReliable ? transactions.served.hasRoom(now) : transactions.repeats.hasRoom(end - start + ADDED);
}

/**
 * Sends a request on to a hop that differs from its sender's in reliability: the first `length` octets of `out`, from `egress` to
 * `address` and `port`, under our `branch`.
 */
export function bridgeRequest(
  relay: Relay,
  exchange: RequestInHand,
  egress: Listener,
  address: string,
  port: number,
  branch: string,
  out: Buffer,
  length: number,
): void {
  const goesOn = egress.isReliable
    ? serve(relay, exchange, keyOf(branch, port, relay.message.method))
    : undertake(relay, exchange, egress, address, port, branch, out, length);
  if (goesOn) transmit(relay, egress, address, port, length);
}

/** From a stream to datagrams: repeated until there is an answer (timers A and E). False: there is no room, and the request is refused. */
function undertake(
  relay: Relay,
  exchange: RequestInHand,
  egress: Listener,
  address: string,
  port: number,
  branch: string,
  out: Buffer,
  length: number,
): boolean {
  const { transactions, now } = relay;
  const { method } = relay.message;
  const key = keyOf(branch, port, method);
  if (method === "ACK") {
    const settled = transactions.settled.get(key, now);
    if (settled !== undefined) settled.ack ??= copyOf(out, length);
    return true;
  }
  // RFC 3261 section 9.1: an INVITE that comes behind its CANCEL would ring.
  if (method === "CANCEL") transactions.repeats.stop(keyOf(branch, port, "INVITE"));
  if (transactions.repeats.has(key)) return true;
  if (!transactions.repeats.hasRoom(length)) return isExcepted(relay, exchange);
  const longest = method === "INVITE" ? REPEATED_FOR : T2;
  const bytes = copyOf(out, length);
  return transactions.repeats.start(
    key,
    { kind: "request", listener: egress, address, port, bytes },
    longest,
    now,
  );
}

/**
 * From datagrams to a stream: a repeat gets what answer there is, and goes no further. Before there is any it goes on, or a call would
 * be lost with its connection; a hop that has it takes it for what it is (RFC 3261 section 17.2).
 */
function serve(relay: Relay, exchange: RequestInHand, key: string): boolean {
  const { transactions, now, message } = relay;
  const seen = transactions.served.get(key, now);
  if (message.method === "ACK") {
    transactions.repeats.stop(keyOfRequest(exchange));
    if (seen === undefined) return true;
    const isFirst = !seen.isAcknowledged;
    seen.isAcknowledged = true;
    return isFirst;
  }
  if (seen === undefined) {
    const entry = { isHeard: false, answer: undefined, isAcknowledged: false };
    return transactions.served.set(key, entry, now) || isExcepted(relay, exchange);
  }
  const { isHeard, answer } = seen;
  if (answer !== undefined)
    relay.sink.send(exchange.listener, exchange.address, exchange.replyPort, answer, answer.length);
  return !isHeard;
}

/** The ACK of an answer that we gave in the place of a stream hop. */
export function acknowledged(relay: Relay, exchange: RequestInHand): void {
  const { repeats } = relay.transactions;
  if (repeats.size > 0 && !exchange.listener.isReliable) repeats.stop(keyOfRequest(exchange));
}

/**
 * A full table: the trunk's exception policy for what begins and was not judged. True: the request goes on without being repeated.
 */
function isExcepted(relay: Relay, exchange: RequestInHand): boolean {
  const { listener, address, port, toTag } = exchange;
  const { method } = relay.message;
  relay.counters.transactionsFull++;
  // What is in progress must not suffer; whether a call may go on all the same was decided by `hasRoomToBridge`.
  if (toTag !== "" || method === "CANCEL" || method === "INVITE") return true;
  const names = relay.sink.namesOf?.(listener, address, port);
  const trunk = relay.policy.matchTrunk(listener.id, address, port, names)?.trunk;
  if (trunk?.exception === "accept") return true;
  if (trunk?.exception === "reject") refuse(relay, exchange, refusalStatus(trunk, "overload"), "overload");
  return false;
}

/** A response on its way over the bridge: where it came from, and the caller's Via with where it leads to. */
export interface BridgedAnswer {
  readonly from: Listener;
  readonly address: string;
  readonly port: number;
  /** Our own branch, which it carried. */
  readonly branch: string;
  readonly to: Listener;
  readonly via: Via;
  readonly replyAddress: string;
  readonly replyPort: number;
  readonly callId: string;
}

/** True when the response, the first `length` octets of `out`, is to be sent on; false when it is a repeat that ends here. */
export function bridgeResponse(relay: Relay, answer: BridgedAnswer, out: Buffer, length: number): boolean {
  return answer.to.isReliable ? isNews(relay, answer) : keepAnswer(relay, answer, copyOf(out, length));
}

/** A datagram hop has answered a request of a stream, whoever the answer is for: it is not repeated any more, or less often. */
export function hushRequest(relay: Relay, branch: string, port: number): void {
  const { transactions, now, message } = relay;
  const method = methodOf(message);
  const key = keyOf(branch, port, method);
  if (message.status < 200 && method !== "INVITE") transactions.repeats.slowDown(key, now);
  else transactions.repeats.stop(key);
}

/** From datagrams to a stream: of the repeats of a refusal the first goes on; ours is the ACK of the others. */
function isNews(relay: Relay, { from, address, port, branch }: BridgedAnswer): boolean {
  const { transactions, now, message } = relay;
  const { status } = message;
  const method = methodOf(message);
  // Every 2xx goes on: caller and called side see to these themselves (RFC 3261 section 13.3.1.4).
  if (status < 200 || (method === "INVITE" && status < 300)) return true;
  const key = keyOf(branch, port, method);
  const settled = transactions.settled.get(key, now);
  if (settled === undefined) {
    transactions.settled.set(key, { ack: undefined }, now);
    return true;
  }
  if (settled.ack !== undefined) relay.sink.send(from, address, port, settled.ack, settled.ack.length);
  return false;
}

/** From a stream to datagrams: kept for repeats of the request. A refusal of an INVITE is repeated until its ACK (timers G and H). */
function keepAnswer(relay: Relay, answer: BridgedAnswer, bytes: Buffer): boolean {
  const { transactions, now, message } = relay;
  const { to, via, branch, port, replyAddress, replyPort, callId } = answer;
  const { status } = message;
  const method = methodOf(message);
  const key = keyOf(branch, port, method);
  const kept = bytes.length > LONGEST_KEPT ? undefined : bytes;
  const seen = transactions.served.get(key, now);
  if (seen?.isAcknowledged === true) return false;
  if (status < 200 || (method === "INVITE" && status < 300)) {
    if (seen !== undefined) {
      seen.isHeard = true;
      seen.answer = status < 200 ? kept : undefined;
    }
    return true;
  }
  transactions.served.set(key, { isHeard: true, answer: kept, isAcknowledged: false }, now);
  if (method === "INVITE") {
    const refusal = { kind: "answer", listener: to, address: replyAddress, port: replyPort, bytes } as const;
    const call = sentCallKey(via, replyAddress, replyPort, callId, message.cseq);
    transactions.repeats.start(call, refusal, T2, now);
  }
  return true;
}

function methodOf({ text, cseqMethodStart, cseqMethodEnd }: SipMessage): string {
  return text.slice(cseqMethodStart, cseqMethodEnd);
}

/** Sends again what is due; `unanswered` takes the requests that no answer came for. */
export function tickBridge(
  relay: Relay,
  unanswered: (listener: Listener, address: string, port: number, bytes: Buffer) => void,
): void {
  const { now } = relay;
  relay.transactions.repeats.tick(
    now,
    ({ listener, address, port, bytes }) =>
      guard(relay, () => relay.sink.send(listener, address, port, bytes, bytes.length)),
    ({ kind, listener, address, port, bytes }) => {
      if (kind === "request") guard(relay, () => unanswered(listener, address, port, bytes));
    },
  );
}
