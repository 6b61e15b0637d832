// Between a stream and datagrams: repeats what the stream's side says once, absorbs what the other side repeats.
import { Buffer } from "node:buffer";
import { NEXT_HOP } from "../../domain/trunk.ts";
import { refusalStatus } from "../../judging/refusal.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import type { SipMessage } from "../../sip/message.ts";
import { REPEATED_FOR, T2 } from "../../sip/timers.ts";
import { type TransactionPath } from "../../routing/request-in-hand.ts";
import { transactionKey, transactionKeyOf } from "../memory/transaction-path.ts";
import { refuse } from "../turn/answers.ts";
import { trunkOf } from "../turn/peer-port.ts";
import { guard } from "../turn/proxy-state.ts";
import {
  isOfCore,
  senderOf,
  type Moment,
  type Origin,
  type RequestTurn,
  type ResponseTurn,
} from "../turn/turn.ts";

/** Octets. Longer answers are not kept for repeats, so that a full table does not take all memory. */
const LONGEST_KEPT = 4096;

function copyOf(bytes: Buffer, length: number): Buffer {
  return Buffer.from(bytes.subarray(0, length));
}

/**
 * Returns the key of a transaction. Our branch is the same for an INVITE, its ACK and its CANCEL, so the method is part
 * of the key (RFC 3261 section 17.1.3). The port distinguishes stream hops at one address, which the branch does not.
 */
function keyOf(branch: string, port: number, method: string): string {
  return `${branch} ${port} ${method === "ACK" ? "INVITE" : method}`;
}

/** Octets that our Via and both our Record-Routes add to a request, approximately. */
const ADDED = 512;

/**
 * Returns whether a request to `target` has room here. False: the request begins something, and could be sent but not
 * repeated or answered for.
 */
export function hasRoomToBridge(turn: RequestTurn, target: Target): boolean {
  const { proxy, message, now, request } = turn;
  const { transactions } = proxy;
  const owner = payerOf(turn);
  const isReliable = target.transport !== "udp";
  if (isReliable === request.listener.isReliable) return true;
  const { start, end } = message;
  return isReliable
    ? transactions.served.hasRoom(owner, now)
    : transactions.repeats.hasRoom(owner, end - start + ADDED);
}

/** A hop, and the branch under which a request goes to it. */
export interface HopTransaction extends Origin {
  readonly branch: string;
}

/**
 * Sends a request on to a hop that differs from its sender in reliability. The request is the first `length` octets of
 * the output buffer of the hop's listener.
 */
export function bridgeRequest(turn: RequestTurn, hop: HopTransaction, length: number): void {
  const { output } = turn.proxy;
  const goesOn = hop.listener.isReliable
    ? serve(turn, keyOf(hop.branch, hop.port, turn.message.method))
    : undertake(turn, hop, output.bufferFor(hop.listener).subarray(0, length));
  if (goesOn) output.transmit(hop.listener, hop.address, hop.port, length);
}

/**
 * Takes a request from a stream to datagrams. Repeats it until there is an answer (timers A and E). Returns false when
 * there is no room; then the request is refused.
 */
function undertake(turn: RequestTurn, hop: HopTransaction, rendered: Buffer): boolean {
  const { now } = turn;
  const { transactions } = turn.proxy;
  const { method } = turn.message;
  const { listener, address, port, branch } = hop;
  const key = keyOf(branch, port, method);
  if (method === "ACK") {
    const settled = transactions.settled.get(key, now);
    if (settled !== undefined) settled.ack ??= Buffer.from(rendered);
    return true;
  }
  // An INVITE that arrives after its CANCEL would ring (RFC 3261 section 9.1).
  if (method === "CANCEL") transactions.repeats.stop(keyOf(branch, port, "INVITE"));
  if (transactions.repeats.has(key)) return true;
  const owner = payerOf(turn);
  if (!transactions.repeats.hasRoom(owner, rendered.length)) return isExcepted(turn);
  const longest = method === "INVITE" ? REPEATED_FOR : T2;
  const message = { kind: "request", listener, address, port, owner, bytes: Buffer.from(rendered) } as const;
  return transactions.repeats.start(key, message, longest, now);
}

/**
 * Takes a request from datagrams to a stream. A repeat gets the answer that is there, and is not sent on. As long as
 * there is no answer, the repeat is sent on; otherwise a call would be lost when its connection breaks. A hop that has
 * the request recognises the repeat (RFC 3261 section 17.2).
 */
function serve(turn: RequestTurn, key: string): boolean {
  const { proxy, now, message, request } = turn;
  const { transactions } = proxy;
  const seen = transactions.served.get(key, now);
  if (message.method === "ACK") {
    transactions.repeats.stop(transactionKeyOf(request));
    if (seen === undefined) return true;
    const isFirst = !seen.isAcknowledged;
    seen.isAcknowledged = true;
    return isFirst;
  }
  if (seen === undefined) {
    const entry = { isHeard: false, answer: undefined, isAcknowledged: false };
    return transactions.served.set(key, entry, payerOf(turn), now) || isExcepted(turn);
  }
  const { isHeard, answer } = seen;
  if (answer !== undefined)
    proxy.sink.send(request.listener, request.address, request.replyPort, answer, answer.length);
  return !isHeard;
}

/** Repeats an INVITE no more that nobody waits for: a hop that has not answered it has nothing to cancel. */
export function giveUpInvite({ proxy }: Moment, branch: string, port: number): void {
  proxy.transactions.repeats.stop(keyOf(branch, port, "INVITE"));
}

/**
 * Repeats a final answer of our own to a datagram peer until its ACK comes (RFC 3261 section 17.2.1, timers G and H). It
 * is for an INVITE whose sender has heard a provisional answer, and repeats the INVITE no more.
 */
export function repeatAnswer({ proxy, request, now, source }: RequestTurn, sent: Uint8Array): void {
  const { listener, address, replyPort: port } = request;
  if (listener.isReliable) return;
  const owner = source?.trunk.id ?? NEXT_HOP;
  const answer = { kind: "answer", listener, address, port, owner, bytes: Buffer.from(sent) } as const;
  proxy.transactions.repeats.start(transactionKeyOf(request), answer, T2, now);
}

/** Notes the ACK of an answer that we gave in the place of a stream hop. */
export function acknowledged({ proxy, request }: RequestTurn): void {
  const { repeats } = proxy.transactions;
  if (repeats.size() > 0 && !request.listener.isReliable) repeats.stop(transactionKeyOf(request));
}

/**
 * Applies the trunk's exception policy when the table is full. It concerns requests that begin something and were not
 * judged. Returns true when the request goes on without being repeated.
 */
function isExcepted(turn: RequestTurn): boolean {
  const { request, message } = turn;
  turn.proxy.counters.transactionsFull++;
  // A full table must not disturb what is in progress. `hasRoomToBridge` has already decided whether a call may go on
  // without room.
  if (request.toTag !== "" || message.method === "CANCEL" || message.method === "INVITE") return true;
  const trunk = trunkOf(turn, request)?.trunk;
  if (trunk?.exception === "accept") return true;
  if (trunk?.exception === "reject") refuse(turn, refusalStatus(trunk, "overload"), "overload");
  return false;
}

/**
 * A response between a stream and datagrams: the branch of ours that it carried, and the listener and path that lead to
 * the caller.
 */
export interface BridgedAnswer {
  readonly path: TransactionPath;
  readonly branch: string;
  readonly to: Listener;
}

/**
 * Returns true when the response is to be sent on, false when it is a repeat and ends here. The response is the first
 * `length` octets of `out`.
 */
export function bridgeResponse(
  turn: ResponseTurn,
  answer: BridgedAnswer,
  out: Buffer,
  length: number,
): boolean {
  return answer.to.isReliable ? isNews(turn, answer) : keepAnswer(turn, answer, copyOf(out, length));
}

/**
 * Notes that a datagram hop has answered a request of a stream, also where the answer is not for the caller. The
 * request is repeated no more, or less often.
 */
export function hushRequest({ proxy, now, message, port }: ResponseTurn, branch: string): void {
  const { repeats } = proxy.transactions;
  const method = methodOf(message);
  const key = keyOf(branch, port, method);
  if (message.status < 200 && method !== "INVITE") repeats.slowDown(key, now);
  else repeats.stop(key);
}

/**
 * Handles an answer from datagrams to a stream. The first copy of a refusal goes on. We acknowledge the repeats
 * ourselves.
 */
function isNews(turn: ResponseTurn, answer: BridgedAnswer): boolean {
  const { proxy, now, message, listener, address, port } = turn;
  const { settled } = proxy.transactions;
  const { status } = message;
  const method = methodOf(message);
  // Every 2xx goes on: the caller and the called side handle its repeats themselves (RFC 3261 section 13.3.1.4).
  if (status < 200 || (method === "INVITE" && status < 300)) return true;
  const key = keyOf(answer.branch, port, method);
  const seen = settled.get(key, now);
  if (seen === undefined) {
    settled.set(key, { ack: undefined }, payerOfAnswer(turn, answer), now);
    return true;
  }
  if (seen.ack !== undefined) proxy.sink.send(listener, address, port, seen.ack, seen.ack.length);
  return false;
}

/**
 * Handles an answer from a stream to datagrams. Keeps it for repeats of the request. Repeats a refusal of an INVITE
 * until its ACK comes (timers G and H).
 */
function keepAnswer(turn: ResponseTurn, answer: BridgedAnswer, bytes: Buffer): boolean {
  const { proxy, now, message, port } = turn;
  const { transactions } = proxy;
  const { status } = message;
  const method = methodOf(message);
  const key = keyOf(answer.branch, port, method);
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
  const owner = payerOfAnswer(turn, answer);
  transactions.served.set(key, { isHeard: true, answer: kept, isAcknowledged: false }, owner, now);
  if (method === "INVITE") {
    const { to, path } = answer;
    const { replyAddress: address, replyPort } = path;
    const refusal = { kind: "answer", listener: to, address, port: replyPort, owner, bytes } as const;
    transactions.repeats.start(transactionKey(path), refusal, T2, now);
  }
  return true;
}

/** Returns who pays for what is kept of a request: its trunk. The core counts among the next hops. */
function payerOf(turn: RequestTurn): string {
  return isOfCore(turn) ? NEXT_HOP : senderOf(turn);
}

/** Returns the same by an answer: it goes to the peer that sent the request. */
function payerOfAnswer(turn: ResponseTurn, { to: listener, path }: BridgedAnswer): string {
  const { replyAddress: address, replyPort: port } = path;
  const trunk = trunkOf(turn, { listener, address, port })?.trunk;
  return trunk === undefined || trunk.side === "core" ? NEXT_HOP : trunk.id;
}

function methodOf({ text, cseqMethodStart, cseqMethodEnd }: SipMessage): string {
  return text.slice(cseqMethodStart, cseqMethodEnd);
}

/** Sends again the messages that are due. Hands each request that got no answer to `unanswered`. */
export function tickBridge({ proxy, now }: Moment, unanswered: (hop: Origin, request: Buffer) => void): void {
  proxy.transactions.repeats.tick(
    now,
    ({ listener, address, port, bytes }) =>
      guard(proxy, () => proxy.sink.send(listener, address, port, bytes, bytes.length)),
    (repeated) => {
      if (repeated.kind === "request") guard(proxy, () => unanswered(repeated, repeated.bytes));
    },
  );
}
