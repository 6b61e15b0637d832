// Answers of next hops to calls that may be, or were, sent to several of them.
import type { Destination } from "../../routing/hop-health.ts";
import { egressListener, type Listener, type Target } from "../../routing/listener.ts";
import { branchFields, hopPort, type TransactionPath } from "../../routing/request-in-hand.ts";
import { Header } from "../../sip/header.ts";
import { headerValue, type SipMessage } from "../../sip/message.ts";
import { formatBranch } from "../../sip/tag.ts";
import { findTried, type SentCall } from "../memory/call-setup.ts";
import { markOf } from "../sending/call-mark.ts";
import { moveCall, nextFor } from "../sending/failover.ts";
import type { Moment, ResponseTurn } from "../turn/turn.ts";

/** Where a response comes from and goes to: the caller's side, and the listener its request came in by. */
export interface ResponseWay {
  readonly path: TransactionPath;
  readonly from: Target;
  /** The call that its request began, where that is known. */
  readonly call: SentCall | undefined;
  readonly ingress: Listener;
}

/**
 * Takes the answers of next hops to calls that may be, or were, sent to several. True: it is not for the caller. What one that was
 * given up says late is acknowledged or cancelled here, a 2xx apart: that call stands, and the others end (RFC 3261 section 16.7
 * steps 5 and 10).
 */
export function takeAnswer(turn: ResponseTurn, way: ResponseWay): boolean {
  const { message } = turn;
  const { inSetup } = turn.proxy;
  const { call } = way;
  const hop = call === undefined ? undefined : findTried(call, way.from);
  if (call === undefined || hop === undefined) return false;
  const isCurrent = hop === call.tried.at(-1);
  // The caller's CANCEL went to all of them; it gets one answer.
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
    // Nobody waits for it any more: it need not ring on. Behind the 2xx of another hop nothing but a 2xx is for the caller.
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

/** Asked before the 503 is acknowledged: from then on it is ours. */
function canMove(moment: Moment, call: SentCall): boolean {
  const isWanted = moment.policy.trunkById(call.setup.trunk)?.trunk.failoverOn503 === true;
  return isWanted && nextFor(moment, call) !== undefined;
}

/** True when the response answers a request of this method. */
export function hasMethod({ text, cseqMethodStart }: SipMessage, method: string): boolean {
  return text.startsWith(method, cseqMethodStart);
}

/** ACK of a final answer that the caller does not see, and CANCEL of an INVITE that nobody waits for (RFC 3261 sections 9.1, 17.1.1.3). */
function sendOwn(
  { proxy, message }: ResponseTurn,
  method: "ACK" | "CANCEL",
  call: SentCall,
  hop: Destination,
  way: ResponseWay,
): void {
  const { path, ingress } = way;
  const egress = egressListener(proxy.listeners, ingress, hop);
  if (egress === undefined) return;
  const fields = branchFields(path, hop.address, hopPort(egress, hop.port), ingress.id);
  const mac = proxy.tags.mac("branch", fields);
  const mark = markOf(proxy, { slot: call.setup.slot, isWithin: false }, mac);
  const from = headerValue(message, message.first[Header.from]!);
  const to = method === "ACK" ? headerValue(message, message.first[Header.to]!) : call.to;
  const text =
    `${method} ${call.uri} SIP/2.0\r\n` +
    `Via: ${egress.via}${formatBranch(ingress.index, mac)}${mark}\r\n` +
    "Max-Forwards: 70\r\n" +
    `From: ${from}\r\nTo: ${to}\r\nCall-ID: ${path.callId}\r\nCSeq: ${message.cseq} ${method}\r\n` +
    "Content-Length: 0\r\n\r\n";
  const out = proxy.output.bufferFor(egress);
  if (text.length > out.length) return;
  proxy.output.transmit(egress, hop.address, hop.port, out.write(text, 0, "latin1"));
}
