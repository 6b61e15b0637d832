// Counts and tells a request that is refused before any rule is asked: 405, 481, 489, a foreign Route, a repeat that is none.
import type { CallRef, RefusedAs } from "../domain/call.ts";
import type { Facts } from "../domain/decision.ts";
import type { ReasonCode } from "../domain/reason.ts";
import { countRefusedRequest, type Counters } from "../observe/counters.ts";
import { originOf } from "../routing/request-in-hand.ts";
import { bytesOf } from "../sip/message.ts";
import { bareAttempt } from "./bare-attempt.ts";
import { refuseUnasked } from "./decide.ts";
import type { SipCall } from "./sip-calls.ts";
import type { Listen } from "./tell.ts";
import type { ToldShare } from "./told-share.ts";

/** A request of a trunk. */
export type RequestOfTrunk = Omit<SipCall, "routes">;

/** Why a request is refused, and with what it is answered. */
export interface RequestRefusal {
  readonly as: RefusedAs;
  readonly reason: ReasonCode;
  readonly status: number;
  /** What was wrong. `fault` alone is told as it stands. */
  readonly facts: Facts;
  /** The call that the request belongs to, where it is known. */
  readonly call?: CallRef | undefined;
}

/** Where refusals are told. */
export interface RefusalTeller {
  readonly counters: Counters;
  /** The share of requests. Calls have a share of their own: a flood of requests hides no call. */
  readonly toldRequests: ToldShare;
  readonly tell: Listen;
}

/** Counts a refusal. It is told by itself as long as there are few of its trunk within a second. */
export function tellRefused(
  { counters, toldRequests, tell }: RefusalTeller,
  { message, request, source: { trunk }, policy, now, at }: RequestOfTrunk,
  { as, reason, status, facts, call }: RequestRefusal,
): void {
  const { method } = message;
  if (!toldRequests.take(trunk.id, reason, status, now)) {
    countRefusedRequest(counters, { trunk: trunk.id, method, as, reason, status });
    return;
  }
  const attempt = bareAttempt(trunk, at, originOf(request), request.callId);
  tell({
    kind: "request",
    call,
    trunk: trunk.id,
    method,
    at,
    reason,
    decision: refuseUnasked(attempt, { kind: "reject", reason, facts }, policy.revision),
    refusedAs: as,
    action: { kind: "answered", status },
    bytes: bytesOf(message),
  });
}
