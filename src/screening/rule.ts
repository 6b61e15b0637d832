// What a rule is: the types that every rule and limit implements.
import type { z } from "zod";
import type { CallAttempt } from "../domain/attempt.ts";
import type { PlacedOrder } from "../domain/line-state.ts";
import type { ReasonCode } from "../domain/reason.ts";
import type { RuleId, RuleMode } from "../domain/rule-id.ts";
import type { Millis } from "../domain/time.ts";
import type { LesseeId, Side, Trunk } from "../domain/trunk.ts";
import type { Accept, Deny, Facts, Mark } from "../domain/decision.ts";
import type { RestCalendar } from "../hours/rest-hours.ts";
import type { NumberSet } from "../numbering/number-set.ts";
import type { ScreeningState, TableFull } from "./state.ts";

/**
 * A number for which named checks are switched off on one trunk, until a date, for a written
 * reason.
 */
export interface SpecialUser {
  /** The key of the number, as in `PartyNumber`. */
  readonly key: number;
  /** The number as the policy writes it. */
  readonly number: string;
  readonly allow: ReadonlySet<"hidden">;
  /** The first moment at which the exemption no longer holds. */
  readonly until: Millis;
  readonly reason: string;
}

/** A list of numbers and the file it was read from. */
export interface NumberList {
  readonly id: string;
  /** The file as the policy names it. People look for a line there. */
  readonly file: string;
  readonly numbers: NumberSet;
}

/** The list of a lessee, as one trunk of the lessee sees it. */
export interface LesseeList extends NumberList {
  /** By the mark of a row: 1 where the row is good on the trunk. Undefined: every row is. */
  readonly onTrunk?: Uint8Array | undefined;
  /** What rows say of their trunks, by their marks from 1 on. For explanations; a policy out of a parcel has none. */
  readonly trunkSets?: readonly string[] | undefined;
}

/** A list of numbers whose calls are refused. */
export interface DenyList extends NumberList {
  readonly kind: "police" | "deny" | "shutdown";
  /** The notices that rows came with, by their marks from 1 on. */
  readonly notices?: readonly string[] | undefined;
  /** Of kind shutdown: the order. It stands for the notice of rows without one. */
  readonly order?: string | undefined;
  /** The file without whose line no number leaves the list, as the policy writes it. */
  readonly releases?: string;
  /** True: no number leaves the list. */
  readonly noReturn?: boolean;
}

/** What becomes of calls from a score on. */
export interface ScoreBand {
  /** The lowest score, in steps of `numbering/lists/score.ts`. */
  readonly from: number;
  readonly do: "reject" | "withhold" | "label" | "monitor";
}

/** A list whose rows have a score: their mark in `numbers`, in steps of `numbering/lists/score.ts`. */
export interface ScoreList extends NumberList {
  /** The highest band first. */
  readonly bands: readonly ScoreBand[];
}

/** A list of called numbers that marketing must not call. */
export interface DoNotCallList extends NumberList {
  /** Only marketing of this industry is meant. Undefined: the mark of a row says which. */
  readonly industry: string | undefined;
  /** Industries by the marks of rows, from mark 1 on. A row of mark 0 is meant for every industry. */
  readonly industries: readonly string[];
}

/** What `marketing` of the policy says, the same for all lessees. Plain values: they travel between threads. */
export interface MarketingPolicy {
  readonly rest: RestCalendar;
  /** Index of the rest hours of an area, by its area code; 0: those of no area. */
  readonly areas: Uint8Array;
  /** The numbers that marketing may call from. */
  readonly platformNumbers: NumberSet;
  /** As the policy writes them. */
  readonly platformsWritten: string;
  /** How long a call back is free of rest hours and do-not-call lists; 0: never. Milliseconds. */
  readonly callBack: Millis;
  /** The numbers of all marketing lessees. The mark of a row is the place in `lessees`, plus one. */
  readonly ownNumbers: NumberSet;
  readonly lessees: readonly LesseeId[];
}

/** What the rules about marketing know of the lessee of a trunk. */
export interface LesseeMarketing {
  readonly lessee: LesseeId;
  /** In the form in which names of industries are compared. */
  readonly industry: string | undefined;
  readonly policy: MarketingPolicy;
}

/** What the rules of one trunk may look up. Built when the policy is loaded, and frozen. */
export interface PolicyTables {
  readonly trunk: Trunk;
  /** The numbers of the trunk's lessee. Undefined on a trunk without lessee. */
  readonly lesseeNumbers: LesseeList | undefined;
  readonly denyLists: readonly DenyList[];
  /** Numbers whose scores count as 0, and that no shield of a called party refuses. */
  readonly trustedLists: readonly NumberList[];
  readonly scoreLists: readonly ScoreList[];
  readonly doNotCallLists: readonly DoNotCallList[];
  /** Undefined where the calls of the trunk are no marketing. */
  readonly marketing?: LesseeMarketing | undefined;
  /** The special users of this trunk only. */
  readonly specialUsers: readonly SpecialUser[];
  /** The orders of `policy.yaml` for this trunk and for its lessee. */
  readonly lineOrders: readonly PlacedOrder[];
}

/**
 * Judges one attempt. Synchronous and total; it changes nothing but `state.listed`, and allocates nothing when it
 * abstains.
 * @returns undefined when it abstains
 */
export type Check<Finding> = (attempt: CallAttempt, state: ScreeningState) => Finding | undefined;

/**
 * A limit of the trunk. `check` only looks and `spend` pays, so a call pays nothing unless it
 * passes all limits.
 */
export interface Limit {
  readonly check: Check<Deny>;
  readonly spend: (attempt: CallAttempt, state: ScreeningState) => TableFull | undefined;
}

/** The limit of an exemption. Where it is not enforced, a call above it is exempt all the same, as a monitor finding. */
export interface ExemptionLimit {
  /** The reason of its refusals. */
  readonly reason: ReasonCode;
  readonly limit: Limit;
  readonly enforced: boolean;
}

/** What a rule tells people about one attempt. */
export interface Explanation {
  /** What the rule looked at, with the values. */
  readonly saw: string;
  /** The list line that decided, as `file:line`. */
  readonly line?: string;
  /**
   * The smallest change that would reverse the rule's answer: one sentence an operator can act on.
   */
  readonly change?: string;
}

/**
 * A finding that is recorded and counted like one of mode `monitor`, also where the rule enforces.
 * The chain goes on.
 */
export interface Note {
  readonly kind: "note";
  readonly reason: ReasonCode;
  readonly facts?: Facts;
}

interface RuleBase<Options, Finding> {
  readonly id: RuleId;
  /** One sentence for `explain` and the reference. */
  readonly summary: string;
  readonly reasons: readonly ReasonCode[];
  /** Those of `reasons` that only mark a call, and are never the reason of its verdict. */
  readonly markReasons?: readonly ReasonCode[];
  /**
   * The options beside `mode`. A strict object: unknown keys are errors. No transforms: parsing
   * twice changes nothing.
   */
  readonly options: z.ZodType<Options>;
  /** True: whatever its options and the trunk, the rule finds nothing in a plain call (`isPlainCall`). */
  readonly silentWhenPlain?: true;
  /** The mode of a side where the policy says none. Sides that are left out: enforce. */
  readonly modes?: Readonly<Partial<Record<Side, RuleMode>>>;
  /** Says what the rule saw and found. `finding` is what its check returned. Calls never run it. */
  explain(subject: Subject<Options>, finding: Finding | undefined): Explanation;
}

/** Everything that an explanation may use. */
export interface Subject<Options> {
  readonly attempt: CallAttempt;
  readonly state: ScreeningState;
  readonly tables: PolicyTables;
  readonly options: Options;
}

/** A rule that may only accept, below a limit of its own where it has one. Nothing after it runs. */
export interface ExemptRule<Options = unknown> extends RuleBase<Options, Accept> {
  readonly stage: "exempt";
  /** What the calls that the rule accepts pay. */
  limitOf?(tables: PolicyTables): ExemptionLimit;
  /** @returns undefined when the rule has nothing to do on this trunk */
  compile(options: Options, tables: PolicyTables): Check<Accept> | undefined;
}

/**
 * A rule that may only deny, mark, note or abstain. The types prevent a list from letting a call
 * past the rules after it.
 */
export interface ScreenRule<Options = unknown> extends RuleBase<Options, Deny | Mark | Note> {
  readonly stage: "screen";
  /** @returns undefined when the rule has nothing to do on this trunk */
  compile(options: Options, tables: PolicyTables): Check<Deny | Mark | Note> | undefined;
  /** Tells whether the rule may note its reasons on this trunk, see {@link Note}. */
  mayNote?(options: Options, tables: PolicyTables): boolean;
}

/** A rule that may only deny or abstain. It does not run for a repeat of a call that has paid. */
export interface LimitRule<Options = unknown> extends RuleBase<Options, Deny> {
  readonly stage: "limit";
  /** @returns undefined when the trunk has no such limit */
  compile(options: Options, tables: PolicyTables): Limit | undefined;
}

export type Rule<Options = unknown> = ExemptRule<Options> | ScreenRule<Options> | LimitRule<Options>;
