// Compiles one rule for one trunk: a step of its chain.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { RuleId, RuleMode } from "../../domain/rule-id.ts";
import type { Verdict } from "../../domain/decision.ts";
import type {
  Check,
  ExemptionLimit,
  Explanation,
  Limit,
  Note,
  PolicyTables,
  Rule,
  Subject,
} from "../rule.ts";
import type { ScreeningState } from "../state.ts";

/** What a policy says about each rule on one trunk. `options` has passed the rule's schema. */
export type ChainConfig = Readonly<Record<RuleId, { readonly mode: RuleMode; readonly options: unknown }>>;

/** A rule compiled for one trunk. */
export interface Step {
  readonly id: RuleId;
  readonly stage: Rule["stage"];
  readonly summary: string;
  readonly mode: RuleMode;
  /** Undefined when the rule has nothing to do on this trunk. */
  readonly check: Check<Verdict | Note> | undefined;
  /** Whether the rule finds nothing in a plain call, and need not be asked. */
  readonly silentWhenPlain: boolean;
  /** Whether the check may note a finding without enforcing it. */
  readonly mayNote: boolean;
  /** Of exemptions only: the limit of the calls that they accept. */
  readonly exemption: ExemptionLimit | undefined;
  /** Of limits only: spends for a call that passed all limits. */
  readonly spend: Limit["spend"] | undefined;
  /**
   * Says what the rule finds for the attempt and why, whatever its mode.
   * @returns undefined when the rule has nothing to do on this trunk
   */
  readonly explain: (attempt: CallAttempt, state: ScreeningState) => StepReport | undefined;
}

export interface StepReport {
  readonly said: Verdict | Note | undefined;
  readonly explanation: Explanation;
}

/**
 * Compiles one rule for a trunk.
 * @throws ZodError on options that the rule's schema refuses; the policy reader must have reported
 *   them before
 */
export function compileStep(rule: Rule, setting: ChainConfig[RuleId], tables: PolicyTables): Step {
  const { id, stage, summary } = rule;
  const options: unknown = rule.options.parse(setting.options);
  const { mode } = setting;
  const silentWhenPlain = rule.silentWhenPlain === true;
  const common = { id, stage, summary, mode, mayNote: false, silentWhenPlain };
  if (rule.stage === "limit") {
    const limit = rule.compile(options, tables);
    const explain = describe(rule, limit?.check, options, tables);
    return { ...common, check: limit?.check, exemption: undefined, spend: limit?.spend, explain };
  }
  // The two branches look alike but differ in type: an exemption finds something else than a
  // screen.
  if (rule.stage === "exempt") {
    const check = rule.compile(options, tables);
    const exemption = check === undefined ? undefined : rule.limitOf?.(tables);
    return { ...common, check, exemption, spend: undefined, explain: describe(rule, check, options, tables) };
  }
  const check = rule.compile(options, tables);
  const mayNote = rule.mayNote?.(options, tables) ?? false;
  const explain = describe(rule, check, options, tables);
  return { ...common, check, mayNote, exemption: undefined, spend: undefined, explain };
}

function describe<Finding extends Verdict | Note>(
  rule: { explain(subject: Subject<unknown>, finding: Finding | undefined): Explanation },
  check: Check<Finding> | undefined,
  options: unknown,
  tables: PolicyTables,
): Step["explain"] {
  return (attempt, state) => {
    if (check === undefined) return undefined;
    const said = check(attempt, state);
    return { said, explanation: rule.explain({ attempt, state, tables, options }, said) };
  };
}
