import { Buffer } from "node:buffer";
import { Header } from "../../sip/header.ts";
import { headerValue, nextHeader } from "../../sip/message.ts";
import { formatResponse } from "../../sip/response.ts";
import { scan } from "../../sip/scan.ts";
import { readVia, type Via } from "../../sip/fields/via.ts";
import { withdrawInvite } from "../../routing/hop-health.ts";
import { fromTagOf, toTagOf } from "../../routing/request-in-hand.ts";
import { moveCall } from "../sending/failover.ts";
import type { Listener } from "../../routing/listener.ts";
import type { Relay } from "../turn/proxy-state.ts";
import { relayResponse, replyAddressOf, replyPortOf } from "../responses/response-path.ts";
import { findTried, sentCallKey } from "../memory/calls-in-setup.ts";
import { ownTag } from "../turn/answers.ts";

/** A request of a datagram hop that stayed silent: 408 for it (RFC 3261 section 16.8). */
export function answerSilence(
  relay: Relay,
  listener: Listener,
  address: string,
  port: number,
  request: Buffer,
): void {
  const via = readSent(relay, request);
  if (via !== undefined) answerInstead(relay, listener, address, port, via, 408);
}

/** A request that could not be sent to where it went: its call goes to another next hop, or it is answered 503 (RFC 3261 section 16.9). */
export function answerUnreached(
  relay: Relay,
  listener: Listener,
  address: string,
  port: number,
  request: Buffer,
): void {
  const via = readSent(relay, request);
  if (via === undefined) return;
  const { message, sentCalls, now } = relay;
  if (sentCalls.isActive && message.method === "INVITE") {
    const callId = headerValue(message, message.first[Header.callId]!);
    const call = sentCalls.find(
      sentCallKey(via, replyAddressOf(via), replyPortOf(via), callId, message.cseq),
      now,
    );
    const hop =
      call === undefined ? undefined : findTried(call, { transport: listener.transport, address, port });
    if (call !== undefined && hop !== undefined && call.tried.at(-1) === hop) {
      // It never got there: nobody there is silent, and nothing is left to cancel.
      if (!call.ended.includes(hop)) {
        call.ended.push(hop);
        withdrawInvite(hop);
      }
      if (moveCall(relay, call, "down")) return;
    }
  }
  answerInstead(relay, listener, address, port, via, 503);
}

/** Reads a request that we sent; the caller's Via behind ours, or undefined for what nobody answers. */
function readSent(relay: Relay, request: Buffer): Via | undefined {
  const { message } = relay;
  scan(message, request);
  // An answer that did not get through is its receiver's loss; nothing answers an ACK.
  if (message.kind !== "request" || message.method === "ACK") return undefined;
  const callers = nextHeader(message, Header.via, message.first[Header.via]!);
  return callers < 0 ? undefined : readVia(headerValue(message, callers), 0);
}

/** Answers the request in hand in the place of the hop; the answer takes the way that the hop's own would have taken. */
function answerInstead(
  relay: Relay,
  listener: Listener,
  address: string,
  port: number,
  via: Via,
  status: 408 | 503,
): void {
  const { message } = relay;
  const ours = headerValue(message, message.first[Header.via]!);
  const callId = headerValue(message, message.first[Header.callId]!);
  const tag = toTagOf(message) === "" ? ownTag(relay, { via, callId, fromTag: fromTagOf(message) }) : "";
  scan(message, Buffer.from(formatResponse(message, status, ours, tag, ""), "latin1"));
  relayResponse(relay, listener, address, port, true);
}
