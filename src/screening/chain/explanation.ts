// Explains the decision on a call, rule by rule, for `sigwall explain`.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { RuleId, RuleMode } from "../../domain/rule-id.ts";
import type { Decision, Verdict } from "../../domain/decision.ts";
import type { Step } from "./chain.ts";
import { asRefusal, isFreeCall, isMark, type Screen } from "./screen.ts";
import type { ScreeningState } from "../state.ts";

/** One rule of the chain and what it makes of the call. */
export interface RuleExplanation {
  readonly rule: RuleId;
  /** `monitor` also for a finding that the rule notes without enforcing it. */
  readonly mode: RuleMode;
  /**
   * The part that the rule has in the decision:
   * - `decided`: it gave the verdict.
   * - `ran`: it was asked, and the chain went on.
   * - `behind`: the verdict fell before it, or the call has paid this limit already. `said` is what
   *   it would have said.
   * - `off`: its mode is off. `said` is what it would have said.
   * - `idle`: it has nothing to do on this trunk.
   */
  readonly part: "decided" | "ran" | "behind" | "off" | "idle";
  readonly saw: string;
  /** What the rule says of the call, also when nothing follows from it. Undefined: it abstains. */
  readonly said: Verdict | undefined;
  /** The list line that decided, as `file:line`. */
  readonly line: string | undefined;
  readonly change: string | undefined;
}

/** Why a call gets its verdict. */
export interface CallExplanation {
  readonly decision: Decision;
  readonly rules: readonly RuleExplanation[];
  /** The smallest changes that would reverse the verdict. All of them are needed. */
  readonly changes: readonly string[];
}

/**
 * Judges `attempt` by the same chain as real calls, spends nothing, and explains the decision rule
 * by rule.
 */
export function explainAttempt(screen: Screen, attempt: CallAttempt, state: ScreeningState): CallExplanation {
  const decision = screen.preview(attempt, state);
  const decidedAt = screen.steps.findIndex(
    (step) => step.id === decision.rule && stopsChain(decision.verdict),
  );
  const isFree = isFreeCall(attempt, state);
  const rules = screen.steps.map((step, index) => {
    const part = isFree && step.stage === "limit" ? "behind" : partOf(step, index, decidedAt);
    return explainStep(step, part, attempt, state);
  });
  return { decision, rules, changes: findChanges(screen, decision, rules) };
}

function stopsChain(verdict: Verdict): boolean {
  return !isMark(verdict);
}

function partOf(step: Step, index: number, decidedAt: number): RuleExplanation["part"] {
  if (step.check === undefined) return "idle";
  if (step.mode === "off") return "off";
  if (index === decidedAt) return "decided";
  return decidedAt >= 0 && index > decidedAt ? "behind" : "ran";
}

function explainStep(
  step: Step,
  part: RuleExplanation["part"],
  attempt: CallAttempt,
  state: ScreeningState,
): RuleExplanation {
  const common = { rule: step.id, mode: step.mode, part };
  try {
    const report = step.explain(attempt, state);
    const { saw, line, change } = report?.explanation ?? { saw: "nothing to do on this trunk" };
    const said = report?.said;
    if (said?.kind !== "note") return { ...common, saw, said, line, change };
    return { ...common, mode: "monitor", saw, said: asRefusal(said), line, change };
  } catch (error) {
    const saw = `internal error: ${error instanceof Error ? error.message : String(error)}`;
    return { ...common, saw, said: undefined, line: undefined, change: undefined };
  }
}

function findChanges(
  screen: Screen,
  decision: Decision,
  rules: readonly RuleExplanation[],
): readonly string[] {
  const { trunk } = screen.tables;
  if (trunk.side === "core") return [`screen ${trunk.id} by giving it another side than core`];
  if (decision.rule === "exception") return ["report the fault, or change the trunk's exception policy"];
  if (isRefusal(decision.verdict)) {
    // Every enforced rule that refuses must change, not only the first.
    const changes = rules.filter((rule) => rule.mode === "enforce" && isRefusal(rule.said)).map(changeOf);
    // Behind the rules stands the default of the trunk. That of a lessee's trunk is what caller-authentication says.
    const isByDefault = changes.length === 0 || (trunk.fallback === "reject" && trunk.side !== "lessee");
    return isByDefault ? [...changes, `set default: accept on ${trunk.id}`] : changes;
  }
  const decisive = decision.verdict.reason === "listed" ? "caller-authentication" : decision.rule;
  const rule = rules.find((candidate) => candidate.rule === decisive);
  if (rule !== undefined) return [changeOf(rule)];
  const waiting = rules.find((candidate) => candidate.mode !== "enforce" && isRefusal(candidate.said));
  if (waiting !== undefined) {
    const isNoted = screen.steps.some((step) => step.id === waiting.rule && step.mode === "enforce");
    return [isNoted ? changeOf(waiting) : `set ${waiting.rule} to enforce`];
  }
  if (trunk.side !== "lessee") return [`set default: reject on ${trunk.id}`];
  // The caller is listed: enforcing the rule alone would change nothing.
  const listing = rules.find((candidate) => candidate.rule === "caller-authentication")?.change;
  return ["set caller-authentication to enforce", ...(listing === undefined ? [] : [listing])];
}

function isRefusal(verdict: Verdict | undefined): boolean {
  return verdict?.kind === "reject" || verdict?.kind === "drop";
}

function changeOf(rule: RuleExplanation): string {
  return rule.change ?? `set ${rule.rule} to monitor`;
}
