import type { CallAttempt } from "../domain/attempt.ts";
import type { Decision, Deny, PolicyRevision } from "../domain/verdict.ts";
import type { TrunkPolicy } from "../config/policy.ts";
import type { ScreeningState } from "../screening/state.ts";
import { claimsIsup } from "../sip/body.ts";
import type { SipMessage } from "../sip/message.ts";
import { protocolError } from "./protocol-error.ts";
import type { Routes } from "./route.ts";

/** What an INVITE that begins a call meets: a decision, or one of RFC 3261's own answers (416, 420, 483), before which no rule is asked. */
export type Judgement =
  | { readonly kind: "decision"; readonly decision: Decision }
  | { readonly kind: "answered"; readonly status: number };

/**
 * The one way from an INVITE to a decision: live calls and captures take it alike. `attempt` must have been read from
 * `message`, and its Route fields looked at, since each may have found the message malformed. Inside a dialog of ours the Route
 * values behind our own were recorded by the core: `routes` is undefined then.
 */
export function judgeCall(
  message: SipMessage,
  source: TrunkPolicy,
  attempt: CallAttempt,
  routes: Routes | undefined,
  state: ScreeningState,
  revision: PolicyRevision,
): Judgement {
  const status = message.fault === undefined ? protocolError(message, source.trunk) : 0;
  if (status !== 0) return { kind: "answered", status };
  const refusal = refuseUnjudged(message, source.trunk.side === "core", routes);
  if (refusal === undefined) return { kind: "decision", decision: source.screen.judge(attempt, state) };
  return {
    kind: "decision",
    decision: { attempt, verdict: refusal, rule: "protocol", marks: [], shadow: [], revision },
  };
}

/** What no rule may judge: a message that two readers would read differently, a Route the trunk may not choose, an ISUP body that nobody reads yet. */
function refuseUnjudged(message: SipMessage, trusted: boolean, routes: Routes | undefined): Deny | undefined {
  if (message.fault !== undefined)
    return { kind: "reject", reason: "message-malformed", facts: { fault: message.fault } };
  if (trusted) return undefined;
  const foreign = routes?.next;
  if (foreign !== undefined)
    return { kind: "reject", reason: "routing-refused", facts: { route: foreign.host } };
  return claimsIsup(message) ? { kind: "reject", reason: "isup-undecodable" } : undefined;
}
