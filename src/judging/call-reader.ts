// How a protocol shows a call attempt to the judge.
import type { CallAttempt } from "../domain/attempt.ts";
import type { Deny } from "../domain/decision.ts";
import type { Instant } from "../domain/time.ts";
import type { Policy, TrunkPolicy } from "../policy/policy.ts";
import type { ProtocolAnswer } from "./protocol-answers.ts";

/** A call attempt that a trunk has sent. */
export interface CallToJudge extends Instant {
  readonly source: TrunkPolicy;
  readonly policy: Policy;
}

/** How a protocol shows a call attempt to the judge. Never throws, whatever peers send. */
export interface CallReader<Call extends CallToJudge> {
  /**
   * The name of the call for overload control, which admits calls by a hash of it. A repeated attempt has the same
   * name.
   */
  nameOf(call: Call): string;
  isEmergency(call: Call): boolean;
  attemptOf(call: Call): CallAttempt;
  /** The refusal that the protocol itself asks for before any rule runs (RFC 3261 section 16.3). Undefined: none. */
  protocolAnswer(call: Call): ProtocolAnswer | undefined;
  /** Why no rule may judge the attempt: two readers could read it differently, or none can read it. */
  unjudgeable(call: Call, attempt: CallAttempt): Deny | undefined;
}
