// Decides a call attempt, for every protocol: admission, protocol answers, chain, capabilities.
import type { CallAttempt } from "../domain/attempt.ts";
import type { Capabilities } from "../domain/capabilities.ts";
import type { Decision, DecidedBy, Deny, Mark, PolicyRevision } from "../domain/decision.ts";
import type { Trunk } from "../domain/trunk.ts";
import { countVerdict, observeDecision, type Counters } from "../observe/counters.ts";
import type { ScreeningState } from "../screening/state.ts";
import { isShed, isUnrecordable } from "./admission.ts";
import type { CallReader, CallToJudge } from "./call-reader.ts";
import type { Overload } from "./overload.ts";
import { refusalStatus } from "./refusal.ts";
import type { ToldShare } from "./told-share.ts";

/** What every engine judges calls with. */
export interface Judge {
  readonly state: ScreeningState;
  readonly overload: Overload;
  readonly counters: Counters;
  /** What the engine can do with a call. */
  readonly capabilities: Capabilities;
  readonly told: ToldShare;
  /** Monotonic milliseconds with fractions, for the decision-time histogram only. */
  readonly elapsed: () => number;
}

/** What was decided about a call attempt. */
export interface Judged {
  readonly decision: Decision;
  /**
   * The SIP status of a refusal, or of the answer in place of a verdict that the engine can't obey; 0: obey the
   * verdict.
   */
  readonly status: number;
}

/** @returns undefined for a call that is shed without being told one by one; it is counted */
export function decide<Call extends CallToJudge>(
  judge: Judge,
  reader: CallReader<Call>,
  call: Call,
): Judged | undefined {
  const { source, policy } = call;
  const { trunk } = source;
  if (isShed(judge.overload, reader, call) || isUnrecordable(judge.state.recording, reader, call))
    return shed(judge, reader, call);
  const begun = judge.elapsed();
  const attempt = reader.attemptOf(call);
  const answer = reader.protocolAnswer(call);
  if (answer !== undefined) {
    const refusal: Deny = { kind: "reject", reason: "protocol", facts: { fault: answer.why } };
    return { decision: refuseUnasked(attempt, refusal, policy.revision), status: answer.status };
  }
  const unjudgeable = reader.unjudgeable(call, attempt);
  const decision =
    unjudgeable === undefined
      ? strippedOrRefused(judge.capabilities, withheldOrRefused(source.screen.judge(attempt, judge.state)))
      : refuseUnasked(attempt, unjudgeable, policy.revision);
  observeDecision(judge.counters, (judge.elapsed() - begun) / 1000);
  return { decision, status: statusFor(judge.capabilities, trunk, decision) };
}

const overloaded: Deny = { kind: "reject", reason: "overload" };

/** Refuses a call that there is no room for. Above the share that is told one by one, the attempt is not even read. */
function shed<Call extends CallToJudge>(
  { counters, told }: Judge,
  reader: CallReader<Call>,
  call: Call,
): Judged | undefined {
  const { source, now, policy } = call;
  const { trunk } = source;
  const status = refusalStatus(trunk, "overload");
  if (told.take(trunk.id, "overload", status, now))
    return { decision: refuseUnasked(reader.attemptOf(call), overloaded, policy.revision), status };
  countVerdict(counters, trunk.id, "reject", "overload", "protocol");
  return undefined;
}

/** Makes the decision on a call without asking any rule. */
export function refuseUnasked(
  attempt: CallAttempt,
  verdict: Deny,
  revision: PolicyRevision,
  rule: DecidedBy = "protocol",
): Decision {
  return { attempt, verdict, rule, marks: [], shadow: [], revision };
}

/**
 * Turns `withhold`, and the removal of a name that ISUP shows, into a refusal. An ISUP body or message is sent on
 * unchanged and shows number and name: such a call can only be refused.
 */
export function withheldOrRefused(decision: Decision): Decision {
  const { attempt, verdict, marks } = decision;
  if (attempt.origin.signalling === "sip") return decision;
  if (verdict.kind === "withhold") return { ...decision, verdict: { ...verdict, kind: "reject" } };
  return marks.length === 0 || attempt.names === undefined ? decision : refuseStrip(decision, isOfIsup);
}

/** True for a finding about a name that stands in ISUP. */
function isOfIsup({ facts }: Mark): boolean {
  return facts?.["field"] === "isup-generic-name" || facts?.["field"] === "isup-display-information";
}

/**
 * Turns the removal of a display name into a refusal by the rule that wants it, where the engine can't remove fields:
 * such a call counts as refused.
 */
function strippedOrRefused({ removesFields }: Capabilities, decision: Decision): Decision {
  return removesFields ? decision : refuseStrip(decision, () => true);
}

/** Refuses a call whose display name would be removed, where `isMeant` says so. An emergency call goes on with the name. */
function refuseStrip(decision: Decision, isMeant: (strip: Mark) => boolean): Decision {
  const { verdict, marks } = decision;
  const strip = marks.find((mark) => mark.kind === "strip" && isMeant(mark));
  const wouldPass = verdict.kind === "accept" || verdict.kind === "label";
  if (strip === undefined || !wouldPass || verdict.reason === "emergency") return decision;
  return {
    ...decision,
    verdict: { ...strip, kind: "reject" },
    rule: "display-name",
    marks: marks.filter((mark) => mark !== strip),
  };
}

/**
 * The status of a refusal, or of the answer in place of a verdict that the engine can't obey; 0: the engine obeys
 * without one.
 */
function statusFor(capabilities: Capabilities, trunk: Trunk, { verdict }: Decision): number {
  const { kind, reason } = verdict;
  if (kind === "reject") return refusalStatus(trunk, reason);
  if (kind === "drop") return capabilities.silence ? 0 : (trunk.dropAs ?? refusalStatus(trunk, reason));
  return kind === "withhold" && !capabilities.removesFields ? refusalStatus(trunk, reason) : 0;
}
