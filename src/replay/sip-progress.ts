// What SIP messages of a capture say of calls that have begun: alerting, answer, refusal, CANCEL, BYE.
import { endOfSetup } from "../calls/answer-end.ts";
import type { Millis } from "../domain/time.ts";
import { fromTagOf, toTagOf } from "../routing/request-in-hand.ts";
import { readMessageCause } from "../sip/fields/reason.ts";
import { readVia } from "../sip/fields/via.ts";
import { Header } from "../sip/header.ts";
import { headerValue, type SipMessage } from "../sip/message.ts";
import { dialogKey, transactionKey } from "./capture-keys.ts";
import type { CapturedCalls } from "./captured-calls.ts";

/** Takes an answer, a CANCEL or a BYE. What belongs to no call that was seen to begin changes nothing. Never throws. */
export function followSip(calls: CapturedCalls, message: SipMessage, now: Millis): void {
  const first = message.first[Header.callId]!;
  if (message.fault !== undefined || first < 0) return;
  const callId = headerValue(message, first);
  if (message.kind === "response") followAnswer(calls, message, callId, now);
  else if (message.method === "CANCEL") followCancel(calls, message, callId, now);
  else if (message.method === "BYE") followBye(calls, message, callId, now);
}

function branchOf(message: SipMessage): string {
  const index = message.first[Header.via]!;
  return index < 0 ? "" : (readVia(headerValue(message, index), 0)?.branch ?? "");
}

/** True for an answer to a request of this method. */
function answers({ bytes, cseqMethodStart, cseqMethodEnd }: SipMessage, method: string): boolean {
  if (cseqMethodEnd - cseqMethodStart !== method.length) return false;
  for (let i = 0; i < method.length; i++)
    if (bytes[cseqMethodStart + i] !== method.charCodeAt(i)) return false;
  return true;
}

function followAnswer(calls: CapturedCalls, message: SipMessage, callId: string, now: Millis): void {
  const { status } = message;
  if (answers(message, "BYE")) {
    followByeAnswer(calls, message, callId, now);
    return;
  }
  if (!answers(message, "INVITE")) return;
  // The answer of another hop has another branch: what a proxy makes of it is seen on the hop of the call.
  const call = calls.find(transactionKey(callId, fromTagOf(message), branchOf(message)));
  if (call === undefined) return;
  const { rows } = calls;
  if (status < 200) rows.provisional(call.slot, status === 180, now);
  // A session may be refreshed where the capture does not see it: none is taken to expire.
  else if (status < 300) rows.answered(call.slot, toTagOf(message), 0, now);
  else if (rows.stateOf(call.slot) === "setup") rows.ended(call.slot, endOfSetup(message, false), now);
}

function followCancel(calls: CapturedCalls, message: SipMessage, callId: string, now: Millis): void {
  const call = calls.find(transactionKey(callId, fromTagOf(message), branchOf(message)));
  if (call !== undefined) calls.rows.cancelled(call.slot, now);
}

function followBye(calls: CapturedCalls, message: SipMessage, callId: string, now: Millis): void {
  const from = fromTagOf(message);
  const to = toTagOf(message);
  const asCaller = calls.find(dialogKey(callId, from));
  const call = asCaller ?? calls.find(dialogKey(callId, to));
  if (call === undefined) return;
  // The capture has not the answer: whether and when the call was answered can't be told.
  if (calls.rows.stateOf(call.slot) === "setup") {
    calls.forget(call, now);
    return;
  }
  const isCaller = asCaller !== undefined;
  const by = isCaller ? "caller" : "called";
  calls.rows.leaving(call.slot, isCaller ? to : from, by, readMessageCause(message), now);
}

function followByeAnswer(calls: CapturedCalls, message: SipMessage, callId: string, now: Millis): void {
  const from = fromTagOf(message);
  const to = toTagOf(message);
  const call = calls.find(dialogKey(callId, from)) ?? calls.find(dialogKey(callId, to));
  if (call !== undefined) calls.rows.left(call.slot, from, to, message.status, now);
}
