// Answers in the place of a hop that stays silent or can't be reached: 408 and 503, or another next hop.
import { Buffer } from "node:buffer";
import { withdrawInvite } from "../../routing/hop-health.ts";
import { fromTagOf, toTagOf } from "../../routing/request-in-hand.ts";
import { Header } from "../../sip/header.ts";
import { readVia, type Via } from "../../sip/fields/via.ts";
import { headerValue, nextHeader, type SipMessage } from "../../sip/message.ts";
import { formatResponse } from "../../sip/response.ts";
import { parseBranch } from "../../sip/tag.ts";
import { findTried } from "../memory/call-setup.ts";
import { relayResponse } from "../responses/response-path.ts";
import { readMark, type MarkedCall } from "../sending/call-mark.ts";
import { moveCall } from "../sending/failover.ts";
import { ownTag } from "../turn/answers.ts";
import type { ProxyState } from "../turn/proxy-state.ts";
import { returnWorkspace, scanBeside, type Moment, type Origin } from "../turn/turn.ts";

/** A request that we sent: the message, and the caller's Via behind ours. */
interface SentRequest {
  readonly message: SipMessage;
  readonly via: Via;
}

/** Answers a request 408 when its datagram hop stayed silent (RFC 3261 section 16.8). */
export function answerSilence(moment: Moment, hop: Origin, request: Buffer): void {
  const workspace = scanBeside(moment, request);
  const sent = asSent(workspace.message);
  if (sent !== undefined) answerInstead(moment, hop, sent, 408);
  returnWorkspace(moment, workspace);
}

/**
 * Handles a request that could not be sent to its target. Its call goes to another next hop, or the request is answered
 * 503 (RFC 3261 section 16.9).
 */
export function answerUnreached(moment: Moment, hop: Origin, request: Buffer): void {
  const workspace = scanBeside(moment, request);
  const sent = asSent(workspace.message);
  if (sent !== undefined && !moveUnreached(moment, hop, sent)) answerInstead(moment, hop, sent, 503);
  returnWorkspace(moment, workspace);
}

/** True when the call of an INVITE has gone to another next hop. */
function moveUnreached(moment: Moment, place: Origin, { message }: SentRequest): boolean {
  const { proxy } = moment;
  if (proxy.inSetup.size === 0 || message.method !== "INVITE") return false;
  const ours = headerValue(message, message.first[Header.via]!);
  const marked = readSentMark(proxy, ours);
  const call = marked === undefined ? undefined : proxy.calls.setupOf(marked.slot)?.sent;
  const { listener, address, port } = place;
  const hop =
    call === undefined ? undefined : findTried(call, { transport: listener.transport, address, port });
  if (call === undefined || hop === undefined || call.tried.at(-1) !== hop) return false;
  // The INVITE never arrived. So the hop does not count as silent, and nothing is left to cancel.
  if (!call.ended.includes(hop)) {
    call.ended.push(hop);
    withdrawInvite(hop);
  }
  return moveCall(moment, call, "unreached");
}

/** Returns the call that our own Via names. The Via is as we wrote it. */
function readSentMark(proxy: ProxyState, value: string): MarkedCall | undefined {
  const via = readVia(value, 0);
  const branch = via === undefined ? undefined : parseBranch(via.branch);
  if (via === undefined || branch === undefined) return undefined;
  const marked = readMark(proxy, value, via.paramsStart, branch.mac);
  return marked?.isWithin === true ? undefined : marked;
}

/** Returns the request that was sent. Undefined for responses and ACK, which get no answer. */
function asSent(message: SipMessage): SentRequest | undefined {
  if (message.kind !== "request" || message.method === "ACK") return undefined;
  const callers = nextHeader(message, Header.via, message.first[Header.via]!);
  const via = callers < 0 ? undefined : readVia(headerValue(message, callers), 0);
  return via === undefined ? undefined : { message, via };
}

/** Answers in the place of the hop. The answer takes the same way as an answer of the hop. */
function answerInstead(moment: Moment, hop: Origin, { message, via }: SentRequest, status: 408 | 503): void {
  const { proxy, now, at, policy } = moment;
  const ours = headerValue(message, message.first[Header.via]!);
  const callId = headerValue(message, message.first[Header.callId]!);
  const tag =
    toTagOf(message) === "" ? ownTag(proxy.tags, message, { via, callId, fromTag: fromTagOf(message) }) : "";
  const text = formatResponse(message, status, ours, tag, "");
  const workspace = scanBeside(moment, Buffer.from(text, "latin1"));
  const { listener, address, port } = hop;
  relayResponse({ proxy, now, at, policy, ...workspace, listener, address, port }, true);
  returnWorkspace(moment, workspace);
}
