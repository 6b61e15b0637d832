// Answers of our own to requests: those of a stateless UAS, each counted for what it is.
import { ordinaryMethods } from "../../domain/method.ts";
import { statusOf, type ReasonCode } from "../../domain/reason.ts";
import { causeField, refusalStatus } from "../../judging/refusal.ts";
import { countProtocolError } from "../../observe/counters.ts";
import type { Policy } from "../../policy/policy.ts";
import { fillVia } from "../../routing/request-in-hand.ts";
import { bytesOf, type SipMessage } from "../../sip/message.ts";
import { formatResponse } from "../../sip/response.ts";
import { formatTag, type KeyedTags } from "../../sip/tag.ts";
import type { Via } from "../../sip/fields/via.ts";
import { senderOf, type RequestTurn } from "./turn.ts";

/** The parts that our To tag for a request is made of. */
interface TaggedRequest {
  readonly via: Via;
  readonly callId: string;
  readonly fromTag: string;
}

/**
 * Returns our To tag for a request. It is the same for every repeat, and for the ACK of the refusal (RFC 3261 section
 * 8.2.7).
 */
export function ownTag(
  tags: KeyedTags,
  { cseq }: SipMessage,
  { via, callId, fromTag }: TaggedRequest,
): string {
  return formatTag(tags.mac("tag", `${via.sentBy}\n${via.branch}\n${callId}\n${cseq}\n${fromTag}`));
}

/** True for the ACK of an answer of ours. Such an ACK is not sent on. */
export function hasOwnTag({ proxy, message, request }: RequestTurn): boolean {
  return request.toTag.startsWith("sw") && request.toTag === ownTag(proxy.tags, message, request);
}

/**
 * Answers as a stateless UAS: the same request always gets the same bytes. `extra` holds whole header lines. An ACK is
 * never answered.
 *
 * @returns the answer, which is in the output buffer until the next message is rendered; undefined where there is none
 */
export function answer(
  { proxy, message, request }: RequestTurn,
  status: number,
  extra: string,
): Uint8Array | undefined {
  if (message.method === "ACK") return undefined;
  const { listener, address, replyPort } = request;
  const out = proxy.output.bufferFor(listener);
  const tag = request.toTag === "" ? ownTag(proxy.tags, message, request) : "";
  const text = formatResponse(message, status, fillVia(request), tag, extra);
  if (text.length > out.length) return undefined;
  const length = out.write(text, 0, "latin1");
  proxy.output.transmit(listener, address, replyPort, length);
  return out.subarray(0, length);
}

/** Answers a request that begins no call with one of RFC 3261's own answers. It is counted by status. */
export function answerError(turn: RequestTurn, status: number, extra = ""): void {
  countProtocolError(turn.proxy.counters, senderOf(turn), status);
  answer(turn, status, extra);
}

/** Refuses a request for its kind, before a caller is judged. The request is none that begins a call by INVITE. */
export function refuseRequest(turn: RequestTurn, reason: ReasonCode, extra = ""): void {
  const { source } = turn;
  refuseAs(
    turn,
    source === undefined ? statusOf(reason) : refusalStatus(source.trunk, reason),
    reason,
    extra,
  );
}

/** Refuses in the same way, with a status other than that of the reason. */
export function refuseAs(turn: RequestTurn, status: number, reason: ReasonCode, extra: string): void {
  const { proxy, message, at } = turn;
  answer(turn, status, extra);
  proxy.tell({
    kind: "request",
    call: undefined,
    trunk: senderOf(turn),
    method: message.method,
    at,
    reason,
    decision: undefined,
    action: { kind: "answered", status },
    bytes: bytesOf(message),
  });
}

/** Answers 405 with the methods that the trunk allows (RFC 3261 section 21.4.6). */
export function refuseMethod(turn: RequestTurn): void {
  const { allow } = turn.source?.trunk.methods ?? ordinaryMethods;
  refuseRequest(turn, "method-not-allowed", `Allow: ${allow}\r\n`);
}

/** Refuses with the Q.850 cause of the reason (RFC 3326). The text does not reveal the rule that fired. */
export function refuse(turn: RequestTurn, status: number, reason: ReasonCode): Uint8Array | undefined {
  const cause = causeField(reason);
  const why = cause === undefined ? "" : `Reason: ${cause}\r\n`;
  return answer(turn, status, reason === "overload" ? why + retryAfter(turn.policy) : why);
}

/**
 * Returns the Retry-After line (RFC 3261 section 21.5.4). With it the peer sends nothing at all for that time, so the
 * operator decides about it.
 */
export function retryAfter({ overload: { retryAfterSeconds } }: Policy): string {
  return retryAfterSeconds === undefined ? "" : `Retry-After: ${retryAfterSeconds}\r\n`;
}
