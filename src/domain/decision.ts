// The outcome of judging a call attempt: the verdict, the marks, and what rules in monitor mode found.
import type { CallAttempt } from "./attempt.ts";
import type { ReasonCode } from "./reason.ts";
import type { RuleId } from "./rule-id.ts";

/** What a rule saw, for people and evidence: short names, plain values. */
export type Facts = Readonly<Record<string, string | number | boolean>>;

export interface Accept {
  readonly kind: "accept";
  readonly reason: ReasonCode;
  readonly facts?: Facts;
}
/** `drop` is silence: the peer gets no answer. */
export interface Deny {
  readonly kind: "reject" | "drop";
  readonly reason: ReasonCode;
  readonly facts?: Facts;
}
/**
 * A mark: the chain collects it and goes on. `strip` removes the display name. `observe` changes nothing in the call: it
 * asks for evidence. Neither of the two is ever the verdict itself.
 */
export interface Mark {
  readonly kind: "withhold" | "label" | "strip" | "observe";
  readonly reason: ReasonCode;
  readonly facts?: Facts;
}
export type Verdict = Accept | Deny | Mark;
export type VerdictKind = Verdict["kind"];

export const verdictKinds = [
  "accept",
  "reject",
  "drop",
  "withhold",
  "label",
  "strip",
  "observe",
] as const satisfies readonly VerdictKind[];

/** A finding of a rule in monitor mode: counted, never enforced. */
export interface ShadowHit {
  readonly rule: RuleId;
  readonly verdict: Deny | Mark;
}

/** Who decided: a rule, the end of the chain (`default`), the trunk's exception policy, or the protocol itself. */
export type DecidedBy = RuleId | "default" | "exception" | "protocol";

/** Hash of the normalised policy source. */
export type PolicyRevision = string;

/** The outcome for one call attempt. `verdict` is final. `marks` are the marks that the chain collected. */
export interface Decision {
  readonly attempt: CallAttempt;
  readonly verdict: Verdict;
  readonly rule: DecidedBy;
  readonly marks: readonly Mark[];
  readonly shadow: readonly ShadowHit[];
  readonly revision: PolicyRevision;
}

/** True for a call of a line that is observed: it is recorded with evidence, also where it passes. */
export function isObserved({ marks }: Pick<Decision, "marks">): boolean {
  return marks.some(({ kind }) => kind === "observe");
}
