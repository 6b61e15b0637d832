// What another SIP stack is told to do with a request.
import type { ReasonCode } from "../domain/reason.ts";
import type { Trunk } from "../domain/trunk.ts";
import { causeField, refusalStatus } from "../judging/refusal.ts";
import type { Policy } from "../policy/policy.ts";
import type { Destination } from "../routing/hop-health.ts";
import type { Target } from "../routing/listener.ts";

/** Header fields that the other stack adds, by name. */
export type Fields = Readonly<Record<string, string>>;

/** The other stack answers. */
export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  readonly fields: Fields;
  /** Where a 302 sends the caller. */
  readonly redirectedTo?: Target;
  /** True: the answer waits for the evidence of the refusal, which was told last. */
  readonly isHeld?: boolean;
}

/** The other stack passes the request on, to the first of `targets` that takes it. */
export interface Passage {
  readonly kind: "proxy";
  readonly targets: readonly string[];
  readonly first: Target;
  /** The next hop at `first`, where there is one. */
  readonly hop: Destination | undefined;
  readonly fields: Fields;
}

/** What the other stack is to do with a request. */
export type Order = Answer | Passage;

export const NO_FIELDS: Fields = {};

export function answer(status: number, fields: Fields = NO_FIELDS): Answer {
  return { kind: "answer", status, fields };
}

/**
 * The answer to a call that there is no room for. It may ask the peer to wait for a while (RFC 3261 section 21.5.4).
 */
export function shedOrder({ overload: { retryAfterSeconds } }: Policy, trunk: Trunk): Answer {
  const order = refusal(refusalStatus(trunk, "overload"), "overload");
  if (retryAfterSeconds === undefined) return order;
  return { ...order, fields: { ...order.fields, "Retry-After": String(retryAfterSeconds) } };
}

export function refusal(status: number, reason: ReasonCode): Answer {
  const cause = causeField(reason);
  return answer(status, cause === undefined ? NO_FIELDS : { Reason: cause });
}

/**
 * The answer after a fault of the filter outside a rule: the request does not pass. Where the policy asks for silence,
 * the substitute of a drop is answered.
 */
export function faultOrder(trunk: Trunk | undefined): Answer {
  if (trunk === undefined) return refusal(500, "rule-fault");
  const status = refusalStatus(trunk, "rule-fault");
  return refusal(trunk.exception === "drop" ? (trunk.dropAs ?? status) : status, "rule-fault");
}
