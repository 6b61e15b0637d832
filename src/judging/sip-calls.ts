// Shows an INVITE that begins a call to the judge, a live one or one of a capture.
import type { CallAttempt } from "../domain/attempt.ts";
import type { Deny, Facts } from "../domain/decision.ts";
import { originOf, type RequestInHand } from "../routing/request-in-hand.ts";
import { foreignRoute, type Routes } from "../routing/route.ts";
import { isEmergencyCall } from "../screening/emergency-call.ts";
import { readRequestCallee } from "../sip/attempt/called.ts";
import type { KnownParts } from "../sip/attempt/sip-attempt.ts";
import type { SipMessage } from "../sip/message.ts";
import type { CallReader, CallToJudge } from "./call-reader.ts";
import { protocolError } from "./protocol-answers.ts";
import { readCall } from "./sip-i-attempt.ts";

/** An INVITE that begins a call. Its Route fields have been read: that may have found the message malformed. */
export interface SipCall extends CallToJudge {
  readonly message: SipMessage;
  readonly request: RequestInHand;
  readonly routes: Routes;
}

export const sipCalls: CallReader<SipCall> = {
  nameOf: ({ request }) => request.callId,
  isEmergency: isEmergencyRequest,
  attemptOf: ({ message, source, at, request, routes }) =>
    readCall(message, source.trunk, at, originOf(request), knownOf(request, routes)),
  protocolAnswer: ({ message, source }) =>
    message.fault === undefined ? protocolError(message, source.trunk, false) : undefined,
  unjudgeable: (call, attempt) => unreadable(call.message, attempt) ?? misroutedCall(call),
};

/** Returns what the request in hand has shown already. */
export function knownOf({ fromTag, toTag }: RequestInHand, { uri }: Routes): KnownParts {
  return { uri, fromTag, isContact: toTag !== "" };
}

/**
 * Refuses a foreign Route, but not that of an emergency call of a domestic trunk. The engine must remove all Route
 * values of such a call: its next hop is the trunk's.
 */
export function misroutedCall(call: SipCall): Deny | undefined {
  const refusal = misrouted(call);
  if (refusal === undefined || call.source.trunk.side === "international") return refusal;
  return isEmergencyRequest(call) ? undefined : refusal;
}

/** Tells whether the Request-URI names an emergency service. False for a malformed request. */
export function isEmergencyRequest({ message, source }: Pick<SipCall, "message" | "source">): boolean {
  return message.fault === undefined && isEmergencyCall(readRequestCallee(message, source.trunk.dialPlan));
}

/** Refuses what no rule may judge: a message that two readers would read differently, or an unreadable ISUP body. */
export function unreadable({ fault }: SipMessage, { undecodable }: CallAttempt): Deny | undefined {
  if (fault !== undefined) return { kind: "reject", reason: "message-malformed", facts: { fault } };
  if (undecodable === undefined) return undefined;
  return { kind: "reject", reason: "isup-undecodable", facts: { fault: undecodable } };
}

/**
 * Refuses a Route that leads elsewhere, unless the core sent it: nothing in a message of another trunk chooses its
 * target.
 */
export function misrouted({ source, routes }: Pick<SipCall, "source" | "routes">): Deny | undefined {
  const foreign = source.trunk.side === "core" ? undefined : foreignRoute(routes);
  return foreign === undefined
    ? undefined
    : { kind: "reject", reason: "routing-refused", facts: factsOfRoute(routes) };
}

/** What is told of a Route that leads elsewhere: its host. */
export function factsOfRoute(routes: Routes): Facts {
  return { route: foreignRoute(routes)?.host ?? "" };
}
