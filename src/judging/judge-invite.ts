import type { CallAttempt } from "../domain/attempt.ts";
import type { Decision, Deny, PolicyRevision } from "../domain/decision.ts";
import type { TrunkPolicy } from "../policy/policy.ts";
import type { ScreeningState } from "../screening/state.ts";
import type { SipMessage } from "../sip/message.ts";
import { protocolError } from "./protocol-answers.ts";
import { foreignRoute, type Routes } from "../routing/route.ts";

/** What an INVITE that begins a call meets: a decision, or one of RFC 3261's own answers (416, 420, 483), before which no rule is asked. */
export type Judgement =
  | { readonly kind: "decision"; readonly decision: Decision }
  | { readonly kind: "answered"; readonly status: number };

/**
 * The one way from an INVITE to a decision: live calls and captures take it alike. `attempt` must have been read from
 * `message`, and its Route fields too, since each may have found the message malformed.
 */
export function judgeCall(
  message: SipMessage,
  source: TrunkPolicy,
  attempt: CallAttempt,
  routes: Routes,
  state: ScreeningState,
  revision: PolicyRevision,
): Judgement {
  const status = message.fault === undefined ? protocolError(message, source.trunk, false) : 0;
  if (status !== 0) return { kind: "answered", status };
  const isCore = source.trunk.side === "core";
  const foreign = isCore ? undefined : foreignRoute(routes);
  const refusal =
    refuseUnjudged(message, attempt) ?? (foreign === undefined ? undefined : refuseRoute(foreign.host));
  const decision =
    refusal === undefined
      ? withheldOrRefused(source.screen.judge(attempt, state))
      : decideUnasked(attempt, refusal, revision);
  return { kind: "decision", decision };
}

/** The same for a request that begins no call: every rule but the limits, and a limit of its own for MESSAGE. */
export function judgeRequest(
  message: SipMessage,
  source: TrunkPolicy,
  attempt: CallAttempt,
  routes: Routes,
  state: ScreeningState,
  revision: PolicyRevision,
): Decision {
  const foreign = foreignRoute(routes);
  if (message.fault === undefined && foreign !== undefined)
    return decideUnasked(attempt, refuseRoute(foreign.host), revision);
  const decision = judgeChange(message, source, attempt, state, revision, true);
  return message.method === "MESSAGE" ? payMessage(decision, state) : decision;
}

/** The decision about a MESSAGE, or its refusal when the trunk has sent too many. Refused ones cost nothing. */
export function payMessage(decision: Decision, state: ScreeningState): Decision {
  const { at, trunk } = decision.attempt;
  const rate = trunk.limits.messagesPerSecond;
  const { kind } = decision.verdict;
  if (rate === undefined || kind === "reject" || kind === "drop") return decision;
  if (state.messageRate.wait(trunk.id, rate, at) > 0)
    return { ...decision, verdict: { kind: "reject", reason: "message-rate-exceeded" }, rule: "protocol" };
  state.messageRate.take(trunk.id, rate, at);
  return decision;
}

/** The same for a re-INVITE or UPDATE. A dialog that stands has paid its limits; one that nothing confirms is a new call. */
export function judgeChange(
  message: SipMessage,
  source: TrunkPolicy,
  attempt: CallAttempt,
  state: ScreeningState,
  revision: PolicyRevision,
  isKnownDialog: boolean,
): Decision {
  const refusal = refuseUnjudged(message, attempt);
  if (refusal !== undefined) return decideUnasked(attempt, refusal, revision);
  return withheldOrRefused(
    isKnownDialog ? source.screen.judgeChange(attempt, state) : source.screen.judge(attempt, state),
  );
}

/** What no rule may judge: a message that two readers would read differently, and an ISUP body that can't be read. */
function refuseUnjudged({ fault }: SipMessage, { undecodable }: CallAttempt): Deny | undefined {
  if (fault !== undefined) return { kind: "reject", reason: "message-malformed", facts: { fault } };
  if (undecodable === undefined) return undefined;
  return { kind: "reject", reason: "isup-undecodable", facts: { fault: undecodable } };
}

/** A body goes as it came, and its ISUP part tells the number: such a call can't be withheld, only refused. */
function withheldOrRefused(decision: Decision): Decision {
  const { attempt, verdict } = decision;
  if (verdict.kind !== "withhold" || attempt.origin.signalling !== "sip-i") return decision;
  return { ...decision, verdict: { ...verdict, kind: "reject" } };
}

function refuseRoute(route: string): Deny {
  return { kind: "reject", reason: "routing-refused", facts: { route } };
}

function decideUnasked(attempt: CallAttempt, verdict: Deny, revision: PolicyRevision): Decision {
  return { attempt, verdict, rule: "protocol", marks: [], shadow: [], revision };
}
