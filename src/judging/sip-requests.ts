// Decisions about SIP requests that begin no call: MESSAGE and its like, and changes of caller inside a dialog.
import type { CallAttempt } from "../domain/attempt.ts";
import type { Decision } from "../domain/decision.ts";
import type { AssertedIdentity } from "../domain/identity.ts";
import { timeOf, type ScreeningState } from "../screening/state.ts";
import { refuseUnasked, withheldOrRefused } from "./decide.ts";
import { misrouted, unreadable, type SipCall } from "./sip-calls.ts";

/** Judges a request that begins no call, by every rule except the limits. MESSAGE has a limit of its own. */
export function judgeRequest(request: SipCall, attempt: CallAttempt, state: ScreeningState): Decision {
  const { message, policy } = request;
  const foreign = message.fault === undefined ? misrouted(request) : undefined;
  if (foreign !== undefined) return refuseUnasked(attempt, foreign, policy.revision);
  const refusal = unreadable(message, attempt);
  const decision =
    refusal === undefined
      ? withheldOrRefused(request.source.screen.judgeRequest(attempt, state))
      : refuseUnasked(attempt, refusal, policy.revision);
  return message.method === "MESSAGE" ? payMessage(decision, state) : decision;
}

/**
 * The decision about a MESSAGE, or its refusal when the trunk has sent too many. A refused MESSAGE does not count
 * against the limit.
 */
export function payMessage(decision: Decision, state: ScreeningState): Decision {
  const { trunk } = decision.attempt;
  const now = timeOf(decision.attempt, state);
  const rate = trunk.limits.messagesPerSecond;
  const { kind } = decision.verdict;
  if (rate === undefined || kind === "reject" || kind === "drop") return decision;
  if (state.messageRate.wait(trunk.id, rate, now) > 0)
    return { ...decision, verdict: { kind: "reject", reason: "message-rate-exceeded" }, rule: "protocol" };
  state.messageRate.take(trunk.id, rate, now);
  return decision;
}

/** Judges those identities of a request that its dialog does not name. The dialog was counted against its limits before. */
export function judgeNamed(
  { message, source, policy }: SipCall,
  attempt: CallAttempt,
  state: ScreeningState,
  named: readonly AssertedIdentity[],
): Decision {
  const refusal = unreadable(message, attempt);
  if (refusal !== undefined) return refuseUnasked(attempt, refusal, policy.revision);
  return withheldOrRefused(source.screen.judgeChange(attempt, state, named));
}

/** Accepts a request of a dialog that names nobody new. */
export function acceptUnasked({ policy }: SipCall, attempt: CallAttempt): Decision {
  const verdict = { kind: "accept", reason: "default" } as const;
  return { attempt, verdict, rule: "default", marks: [], shadow: [], revision: policy.revision };
}

/**
 * Judges a re-INVITE or UPDATE. A confirmed dialog was counted against its limits before. An unconfirmed one is judged
 * as a new call.
 */
export function judgeChange(
  { message, source, policy }: SipCall,
  attempt: CallAttempt,
  state: ScreeningState,
  isKnownDialog: boolean,
): Decision {
  const refusal = unreadable(message, attempt);
  if (refusal !== undefined) return refuseUnasked(attempt, refusal, policy.revision);
  const { screen } = source;
  return withheldOrRefused(isKnownDialog ? screen.judgeChange(attempt, state) : screen.judge(attempt, state));
}
