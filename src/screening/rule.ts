import type { z } from "zod";
import type { CallAttempt } from "../domain/attempt.ts";
import type { ReasonCode } from "../domain/reason.ts";
import type { RuleId } from "../domain/rule-id.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import type { Accept, Deny, Mark } from "../domain/decision.ts";
import type { NumberSet } from "../numbering/number-set.ts";
import type { ScreeningState, TableFull } from "./state.ts";

/** A number for which named checks are switched off on one trunk, until a date, for a written reason. */
export interface SpecialUser {
  /** Key of the number, as in `PartyNumber`. */
  readonly key: number;
  /** The number as the policy writes it. */
  readonly number: string;
  readonly allow: ReadonlySet<"hidden">;
  /** First moment at which the exemption no longer holds. */
  readonly until: Millis;
  readonly reason: string;
}

/** A list of numbers and the file it was read from. */
export interface NumberList {
  readonly id: string;
  /** As the policy names it: people look there for a line. */
  readonly file: string;
  readonly numbers: NumberSet;
}

/** A list of numbers whose calls are refused. */
export interface DenyList extends NumberList {
  readonly kind: "police" | "deny";
}

/** What the rules of one trunk may look up; built at load, frozen. */
export interface PolicyTables {
  readonly trunk: Trunk;
  /** The numbers of the trunk's lessee; undefined on a trunk without lessee. */
  readonly lesseeNumbers: NumberList | undefined;
  readonly denyLists: readonly DenyList[];
  /** Special users of this trunk only. */
  readonly specialUsers: readonly SpecialUser[];
}

/** Judges one attempt; undefined: abstains. Synchronous, total, changes nothing, allocates nothing when it abstains. */
export type Check<Finding> = (attempt: CallAttempt, state: ScreeningState) => Finding | undefined;

/** A limit of the trunk: `check` only looks, `spend` pays, so that a call pays nothing unless it passes them all. */
export interface Limit {
  readonly check: Check<Deny>;
  readonly spend: (attempt: CallAttempt, state: ScreeningState) => TableFull | undefined;
}

/** What a rule tells people about one attempt. */
export interface Explanation {
  /** What the rule looked at, with its values. */
  readonly saw: string;
  /** The list line that decided, as `file:line`. */
  readonly line?: string;
  /** The smallest change that would turn the rule's answer around: one sentence an operator can act on. */
  readonly change?: string;
}

interface RuleBase<Options, Finding> {
  readonly id: RuleId;
  /** One sentence for `explain` and the reference. */
  readonly summary: string;
  readonly reasons: readonly ReasonCode[];
  /** Options beside `mode`; a strict object: unknown keys are errors. No transforms: parsing twice changes nothing. */
  readonly options: z.ZodType<Options>;
  /** Puts into words what the rule saw and said; `finding` is what its check returned. Not in the path of calls. */
  explain(subject: Subject<Options>, finding: Finding | undefined): Explanation;
}

/** Everything that an explanation may draw on. */
export interface Subject<Options> {
  readonly attempt: CallAttempt;
  readonly state: ScreeningState;
  readonly tables: PolicyTables;
  readonly options: Options;
}

/** May only accept; nothing after it runs. */
export interface ExemptRule<Options = unknown> extends RuleBase<Options, Accept> {
  readonly stage: "exempt";
  /** Returns undefined where the rule has nothing to do on this trunk. */
  compile(options: Options, tables: PolicyTables): Check<Accept> | undefined;
}

/** May only deny, mark or abstain. The types forbid a list from letting a call past the rules behind it. */
export interface ScreenRule<Options = unknown> extends RuleBase<Options, Deny | Mark> {
  readonly stage: "screen";
  /** Returns undefined where the rule has nothing to do on this trunk. */
  compile(options: Options, tables: PolicyTables): Check<Deny | Mark> | undefined;
}

/** May only deny or abstain; does not run for a repeat of a call that has already paid. */
export interface LimitRule<Options = unknown> extends RuleBase<Options, Deny> {
  readonly stage: "limit";
  /** Returns undefined where the trunk has no such limit. */
  compile(options: Options, tables: PolicyTables): Limit | undefined;
}

export type Rule<Options = unknown> = ExemptRule<Options> | ScreenRule<Options> | LimitRule<Options>;
