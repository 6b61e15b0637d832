// Answers of our own to requests: those of a stateless UAS, each counted for what it is.
import type { CallRef } from "../../domain/call.ts";
import type { Facts } from "../../domain/decision.ts";
import { ordinaryMethods } from "../../domain/method.ts";
import { statusOf, type ReasonCode } from "../../domain/reason.ts";
import { type ProtocolAnswer, unsupported } from "../../judging/protocol-answers.ts";
import { causeLine, refusalStatus } from "../../judging/refusal.ts";
import { tellRefused, type RequestRefusal } from "../../judging/refused-requests.ts";
import { countRefusedRequest } from "../../observe/counters.ts";
import type { Policy } from "../../policy/policy.ts";
import { putFilledVia } from "../../routing/request-in-hand.ts";
import type { SipMessage } from "../../sip/message.ts";
import { copyOctets, createPen } from "../../sip/octet-pen.ts";
import { putFields, putStatus } from "../../sip/response.ts";
import { formatTag, type KeyedTags } from "../../sip/tag.ts";
import type { Via } from "../../sip/fields/via.ts";
import { isOfTrunk, senderOf, type RequestTurn } from "./turn.ts";

/** Reused: an answer is written to its end before the next one begins. */
const pen = createPen();

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
export function answer(turn: RequestTurn, status: number, extra: string): Uint8Array | undefined {
  const rendered = renderAnswer(turn, status, extra);
  if (rendered === undefined) return undefined;
  const { listener, address, replyPort } = turn.request;
  turn.proxy.output.transmit(listener, address, replyPort, rendered.length);
  return rendered;
}

/**
 * Writes such an answer and does not send it.
 *
 * @returns the answer, which is in the output buffer until the next message is rendered; undefined where there is none
 */
export function renderAnswer(
  { proxy, message, request }: RequestTurn,
  status: number,
  extra: string,
): Uint8Array | undefined {
  if (message.method === "ACK") return undefined;
  const out = proxy.output.bufferFor(request.listener);
  const tag = request.toTag === "" ? ownTag(proxy.tags, message, request) : "";
  pen.at = 0;
  putStatus(pen, message, status);
  putFilledVia(pen, request);
  putFields(pen, 0, message, tag, extra);
  const length = pen.at;
  if (length > out.length) return undefined;
  copyOctets(pen.bytes, 0, length, out, 0);
  return out.subarray(0, length);
}

/** Answers a request that begins no call with one of RFC 3261's own answers. It is counted by status. */
export function answerError(turn: RequestTurn, { status, why }: ProtocolAnswer): void {
  const extra = status === 420 ? unsupported(turn.message) : "";
  const reason = turn.message.fault === undefined ? "protocol" : "message-malformed";
  refuseAs(turn, { as: "protocol", reason, status, facts: { fault: why }, extra });
}

/** What is told of a request for which there is no target. */
export const noTarget: ProtocolAnswer = { status: 404, why: "no next hop can take it" };

/** Why a request is refused for its kind. */
export interface KindRefusal {
  readonly reason: ReasonCode;
  /** The SIP status, where it is not that of the reason. */
  readonly status?: number;
  readonly facts: Facts;
  /** Whole header lines of the answer. */
  readonly extra?: string;
  /** The call that the request belongs to, where it is known. */
  readonly call?: CallRef | undefined;
}

/** Refuses a request for its kind, before a caller is judged. The request is none that begins a call by INVITE. */
export function refuseRequest(turn: RequestTurn, refusal: KindRefusal): void {
  const { source } = turn;
  const { reason } = refusal;
  const usual = source === undefined ? statusOf(reason) : refusalStatus(source.trunk, reason);
  refuseAs(turn, { status: usual, extra: "", ...refusal, as: "kind" });
}

/** Answers 405 with the methods that the trunk allows (RFC 3261 section 21.4.6). */
export function refuseMethod(turn: RequestTurn, call?: CallRef): void {
  const { allow } = turn.source?.trunk.methods ?? ordinaryMethods;
  refuseRequest(turn, {
    reason: "method-not-allowed",
    facts: { fault: `${turn.message.method} is not carried on this trunk` },
    extra: `Allow: ${allow}\r\n`,
    call,
  });
}

/** Answers 400 to a request that has the key of an earlier one and other content. */
export function refuseForgedRepeat(turn: RequestTurn): void {
  refuseAs(turn, { as: "repeat", reason: "message-malformed", status: 400, facts: otherContent, extra: "" });
}

const otherContent: Facts = {
  fault: "the branch, Call-ID and CSeq of an earlier request, with other content",
};

/**
 * Answers and counts. Refusals are told where a trunk sent the request and got an answer: strangers are only counted,
 * and an ACK gets none.
 */
function refuseAs(
  turn: RequestTurn,
  { extra, ...refusal }: RequestRefusal & { readonly extra: string },
): void {
  const { proxy, message } = turn;
  const { as, reason, status } = refusal;
  answer(turn, status, extra);
  if (isOfTrunk(turn) && message.method !== "ACK") tellRefused(proxy, turn, refusal);
  else
    countRefusedRequest(proxy.counters, {
      trunk: senderOf(turn),
      method: message.method,
      as,
      reason,
      status,
    });
}

/** Refuses with the Q.850 cause of the reason (RFC 3326). The text does not reveal the rule that fired. */
export function refuse(turn: RequestTurn, status: number, reason: ReasonCode): Uint8Array | undefined {
  return answer(turn, status, refusalLines(turn, reason));
}

/** Returns the header lines of a refusal for this reason. */
export function refusalLines({ policy }: RequestTurn, reason: ReasonCode): string {
  const why = causeLine(reason);
  return reason === "overload" ? why + retryAfter(policy) : why;
}

/**
 * Returns the Retry-After line (RFC 3261 section 21.5.4). With it the peer sends nothing at all for that time, so the
 * operator decides about it.
 */
export function retryAfter({ overload: { retryAfterSeconds } }: Policy): string {
  return retryAfterSeconds === undefined ? "" : `Retry-After: ${retryAfterSeconds}\r\n`;
}
