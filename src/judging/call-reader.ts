// How a protocol shows a call attempt to the judge.
import type { CallAttempt } from "../domain/attempt.ts";
import type { Deny } from "../domain/decision.ts";
import type { Millis } from "../domain/time.ts";
import type { Policy, TrunkPolicy } from "../policy/policy.ts";

/** A call attempt that a trunk has sent. */
export interface CallToJudge {
  readonly source: TrunkPolicy;
  readonly now: Millis;
  readonly policy: Policy;
}

/** How a protocol shows a call attempt to the judge. Total: what peers send is never a reason to throw. */
export interface CallReader<Call extends CallToJudge> {
  /** The name by which an overloaded filter draws the calls that it takes. A call that is tried again has the same one. */
  nameOf(call: Call): string;
  isEmergency(call: Call): boolean;
  attemptOf(call: Call): CallAttempt;
  /** The status of one of the protocol's own refusals, before which no rule is asked (RFC 3261 section 16.3); 0: none. */
  protocolAnswer(call: Call): number;
  /** Why no rule may judge the attempt: two readers would read it differently, or nobody can. */
  unjudgeable(call: Call, attempt: CallAttempt): Deny | undefined;
}
