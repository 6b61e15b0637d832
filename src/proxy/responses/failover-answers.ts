// Answers of next hops to calls that may be, or were, sent to several of them.
import type { Destination } from "../../routing/hop-health.ts";
import { egressListener } from "../../routing/egress.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import type { TransactionPath } from "../../routing/request-in-hand.ts";
import { Header } from "../../sip/header.ts";
import { headerValue, type SipMessage } from "../../sip/message.ts";
import { findTried, type SentCall } from "../memory/call-setup.ts";
import { moveCall, nextFor } from "../sending/failover.ts";
import { sendFollowing } from "../sending/own-following.ts";
import type { Moment, ResponseTurn } from "../turn/turn.ts";

/** Where a response comes from, the caller's side that it goes to, and the listener that its request came in by. */
export interface ResponseWay {
  readonly path: TransactionPath;
  readonly from: Target;
  /** The call that its request began, where it is known. */
  readonly call: SentCall | undefined;
  readonly ingress: Listener;
}

/**
 * Takes the answers of next hops to calls that may be, or were, sent to several. Returns true when the answer is not
 * for the caller.
 *
 * A late answer of a next hop that was given up is acknowledged or cancelled here. A late 2xx is different: its call
 * stands, and the calls at the other next hops are cancelled (RFC 3261 section 16.7 steps 5 and 10).
 */
export function takeAnswer(turn: ResponseTurn, way: ResponseWay): boolean {
  const { message } = turn;
  const { inSetup } = turn.proxy;
  const { call } = way;
  const hop = call === undefined ? undefined : findTried(call, way.from);
  if (call === undefined || hop === undefined) return false;
  const isCurrent = hop === call.tried.at(-1);
  // The CANCEL of the caller went to all of them. The caller gets one answer.
  if (hasMethod(message, "CANCEL")) return !isCurrent;
  if (!hasMethod(message, "INVITE")) return false;
  const { status } = message;
  if (status >= 200 && status < 300) {
    inSetup.settle(call);
    call.answered = hop;
    for (const other of call.tried)
      if (other !== hop && !call.ended.includes(other)) sendOwn(turn, "CANCEL", call, other, way);
    return false;
  }
  if (status >= 300 && !call.ended.includes(hop)) call.ended.push(hop);
  const isWaitedFor = isCurrent && (call.answered === undefined || call.answered === hop);
  if (!isWaitedFor) {
    // Nobody waits for this answer any more, so the next hop must stop ringing. After the 2xx of another next hop, only
    // a 2xx goes to the caller.
    sendOwn(turn, status < 200 ? "CANCEL" : "ACK", call, hop, way);
    return true;
  }
  inSetup.heard(call);
  if (status === 100) return false;
  if (status === 503 && canMove(turn, call)) {
    sendOwn(turn, "ACK", call, hop, way);
    return moveCall(turn, call, "503");
  }
  inSetup.settle(call);
  if (status >= 300) call.answered = hop;
  return false;
}

/**
 * True when the call may move after a 503. This is asked before the 503 is acknowledged. After the ACK, the filter
 * alone handles the call.
 */
function canMove(moment: Moment, call: SentCall): boolean {
  const isWanted = moment.policy.trunkById(call.setup.trunk)?.trunk.failoverOn503 === true;
  return isWanted && nextFor(moment, call) !== undefined;
}

/** True when the response answers a request of this method. */
export function hasMethod({ text, cseqMethodStart, cseqMethodEnd }: SipMessage, method: string): boolean {
  return cseqMethodEnd - cseqMethodStart === method.length && text.startsWith(method, cseqMethodStart);
}

/**
 * Sends an ACK of a final answer that the caller does not see, or a CANCEL of an INVITE that nobody waits for (RFC 3261
 * sections 9.1, 17.1.1.3).
 */
function sendOwn(
  { proxy, policy, message }: ResponseTurn,
  method: "ACK" | "CANCEL",
  call: SentCall,
  hop: Destination,
  way: ResponseWay,
): void {
  const { path, ingress } = way;
  const sender = policy.trunkById(call.setup.trunk)?.trunk;
  const egress = egressListener(proxy.listeners, policy, hop, sender, ingress);
  if (egress === undefined) return;
  const from = headerValue(message, message.first[Header.from]!);
  const to = method === "ACK" ? headerValue(message, message.first[Header.to]!) : call.to;
  const invite = { uri: call.uri, from, to: call.to, routes: "", path, ingress };
  sendFollowing(proxy, method, { invite, name: proxy.calls.nameOf(call.setup.slot), to }, egress, hop);
}
