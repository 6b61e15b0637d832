import { type ReasonCode, statusOf } from "../../domain/reason.ts";
import { ordinaryMethods } from "../../domain/method.ts";
import type { Trunk } from "../../domain/trunk.ts";
import { countProtocolError, countRefusal } from "../../observe/counters.ts";
import { formatResponse } from "../../sip/response.ts";
import { formatTag } from "../../sip/tag.ts";
import { type RequestInHand, fillVia } from "../../routing/request-in-hand.ts";
import { causeField, refusalStatus } from "../../judging/refusal.ts";
import { NEXT_HOP, type Relay } from "./proxy-state.ts";
import { outputFor, transmit } from "./output.ts";

/** Our To tag for a request: the same for every repeat, and for the ACK of the refusal (RFC 3261 section 8.2.7). */
export function ownTag(
  relay: Relay,
  { via, callId, fromTag }: Pick<RequestInHand, "via" | "callId" | "fromTag">,
): string {
  return formatTag(
    relay.tags.mac("tag", `${via.sentBy}\n${via.branch}\n${callId}\n${relay.message.cseq}\n${fromTag}`),
  );
}

/** True for the ACK of an answer of ours: it is absorbed. */
export function hasOwnTag(relay: Relay, exchange: RequestInHand): boolean {
  return exchange.toTag.startsWith("sw") && exchange.toTag === ownTag(relay, exchange);
}

/** Answers as a stateless UAS: the same request always gets the same bytes. `extra` holds whole header lines. An ACK is never answered. */
export function answer(relay: Relay, exchange: RequestInHand, status: number, extra: string): void {
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
  exchange: RequestInHand,
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
  exchange: RequestInHand,
  reason: ReasonCode,
  extra = "",
): void {
  countRefusal(relay.counters, trunk?.id ?? NEXT_HOP, relay.message.method, reason);
  answer(relay, exchange, trunk === undefined ? statusOf(reason) : refusalStatus(trunk, reason), extra);
}

/** 405 with what the trunk really allows (RFC 3261 section 21.4.6). */
export function refuseMethod(relay: Relay, trunk: Trunk | undefined, exchange: RequestInHand): void {
  const { allow } = trunk?.methods ?? ordinaryMethods;
  refuseRequest(relay, trunk, exchange, "method-not-allowed", `Allow: ${allow}\r\n`);
}

/** A refusal with the Q.850 cause of its reason (RFC 3326). The text says nothing of the rule that fired. */
export function refuse(relay: Relay, exchange: RequestInHand, status: number, reason: ReasonCode): void {
  const cause = causeField(reason);
  const why = cause === undefined ? "" : `Reason: ${cause}\r\n`;
  answer(relay, exchange, status, reason === "overload" ? why + retryAfter(relay) : why);
}

/** RFC 3261 section 21.5.4: with it the peer sends nothing at all for that long, so it is the operator's choice. */
export function retryAfter(relay: Relay): string {
  const { retryAfterSeconds } = relay.policy.overload;
  return retryAfterSeconds === undefined ? "" : `Retry-After: ${retryAfterSeconds}\r\n`;
}
