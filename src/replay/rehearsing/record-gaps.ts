// What a record does not hold of what each rule reads, and on which calls that matters.
import type { Decision } from "../../domain/decision.ts";
import { type RuleId, ruleIds } from "../../domain/rule-id.ts";
import type { Policy, TrunkPolicy } from "../../policy/policy.ts";
import { MOST_PARTIES } from "../../records/lines/frame-layout.ts";
import { type Fields, isFields, textsIn } from "../../records/lines/line-fields.ts";

/** A call that is judged anew: its record, and what the new policy decides. */
export interface JudgedLine {
  readonly line: Fields;
  readonly decision: Decision;
}

/** Something that a rule reads and a record may not hold. */
export interface RecordGap {
  /** In words: the record does not hold it. */
  readonly what: string;
  /** The fields of `CallAttempt` and `ScreeningState` that it stands for. */
  readonly fields: readonly string[];
  /** True where it comes from calls before: a rehearsal with counts has it. */
  readonly isCounted?: true;
  /** True when it matters for this call: with it, the rule might say something else. */
  readonly matters: (call: JudgedLine, trunk: TrunkPolicy) => boolean;
}

/** A call that the rules before the limits let pass. */
function isPassed({ decision }: JudgedLine): boolean {
  return !isRefused(decision);
}

/** @returns true for a call that goes no further */
export function isRefused({ verdict: { kind } }: Decision): boolean {
  return kind === "reject" || kind === "drop";
}

/** True when the rule refuses the call: only then may an exemption be missing. */
function refuses(rule: RuleId): RecordGap["matters"] {
  return ({ decision }) => decision.rule === rule && isRefused(decision);
}

const moreParties: RecordGap = {
  what: `calling parties beyond the ${MOST_PARTIES}th`,
  fields: [],
  matters: ({ line: { calling } }) => Array.isArray(calling) && calling.length >= MOST_PARTIES,
};

const lostText: RecordGap = {
  what: "text that was no UTF-8",
  fields: [],
  matters: ({ line }) => isFields(line["rawHex"]),
};

const callsBefore = "how many calls there were; --counts counts them";

const earlierCalls: Omit<RecordGap, "matters"> = {
  what: "who had called the lessee or an emergency service before; --counts remembers it",
  fields: ["emergencyParties", "callBacks"],
  isCounted: true,
};

/**
 * What each rule reads beside what a record holds. An empty list: the record holds all of it. A new rule does not compile
 * before it is listed here.
 */
export const recordGaps: Readonly<Record<RuleId, readonly RecordGap[]>> = {
  emergency: [
    {
      what: "how many emergency calls there were; --counts counts them",
      fields: ["emergencyRate", "emergencyCallers", "recentCalls"],
      isCounted: true,
      matters: ({ decision }, { trunk }) =>
        decision.rule === "emergency" && trunk.limits.emergency?.above === "reject",
    },
  ],
  "line-state": [
    {
      what: "orders that were given by command",
      fields: ["lineOrders"],
      matters: ({ line, decision }) => line["rule"] === "line-state" && decision.rule !== "line-state",
    },
  ],
  "hidden-caller": [moreParties],
  "caller-form": [moreParties, lostText],
  bodies: [
    {
      what: "what stood in bodies other than SDP",
      fields: ["unreadBody"],
      matters: ({ line }) => textsIn(line["bodies"]).some((type) => type !== "application/sdp"),
    },
  ],
  "cli-conflict": [moreParties],
  "display-name": [
    {
      what: "which display name belongs to which identity",
      fields: [],
      matters: ({ line: { displays, calling } }) => {
        const count = textsIn(displays).length;
        return count > 0 && Array.isArray(calling) && count !== calling.length;
      },
    },
    moreParties,
    lostText,
  ],
  "home-cli-from-abroad": [moreParties, lostText],
  "number-class": [
    {
      what: "the category of the caller (operator, police, test)",
      fields: ["privilege"],
      matters: ({ decision }, { trunk }) => trunk.side !== "national" && decision.rule !== "number-class",
    },
    moreParties,
  ],
  "diversion-licence": [
    {
      what: `diverting parties beyond the ${MOST_PARTIES}th`,
      fields: [],
      matters: ({ line: { diversion } }) => Array.isArray(diversion) && diversion.length >= MOST_PARTIES,
    },
  ],
  "deny-lists": [moreParties, lostText],
  "caller-authentication": [moreParties],
  "do-not-call": [{ ...earlierCalls, matters: refuses("do-not-call") }, lostText],
  marketing: [{ ...earlierCalls, matters: refuses("marketing") }],
  quarantine: [
    {
      what: "what was in quarantine; --counts runs the detectors",
      fields: ["quarantine", "emergencyParties", "answered", "callBacks"],
      isCounted: true,
      matters: (call) => isPassed(call) || call.decision.rule === "quarantine",
    },
  ],
  "call-frequency": [
    { what: callsBefore, fields: ["frequency", "callerAttempts"], isCounted: true, matters: isPassed },
  ],
  "call-rate": [{ what: callsBefore, fields: ["callRate"], isCounted: true, matters: isPassed }],
  channels: [{ what: callsBefore, fields: ["channels"], isCounted: true, matters: isPassed }],
};

/** Tells which rules were asked by the record and which had to do without something. */
export interface GapCount {
  /** Attempts of which the record does not hold all that an enforced rule reads. Their verdicts may be others. */
  readonly unheld: readonly Unheld[];
  /** Enforced rules of which the records held all that they read, of every attempt. */
  readonly held: readonly RuleId[];
}

export interface Unheld {
  readonly rule: RuleId;
  readonly what: string;
  readonly count: number;
}

/** Finds and counts gaps. */
export interface GapCounter {
  /** Takes every attempt that is judged anew. */
  note(call: JudgedLine, trunk: TrunkPolicy): void;
  /** True when the record does not hold all that the rule reads of this call. */
  lacks(rule: string, call: JudgedLine, trunk: TrunkPolicy): boolean;
  result(): GapCount;
}

interface CountedGap extends RecordGap {
  readonly rule: RuleId;
  count: number;
}

/** Collects the rules that trunks enforce. */
export interface EnforcedRules {
  note(trunk: TrunkPolicy): void;
  all(): readonly RuleId[];
}

export function createEnforcedRules(): EnforcedRules {
  const noted = new Set<TrunkPolicy>();
  const enforced = new Set<RuleId>();
  return {
    note(trunk) {
      if (noted.has(trunk)) return;
      noted.add(trunk);
      for (const rule of enforcedOn(trunk)) enforced.add(rule);
    },
    all: () => ruleIds.filter((rule) => enforced.has(rule)),
  };
}

/** The rules that run on a trunk and are not only monitored. */
function enforcedOn({ screen }: TrunkPolicy): readonly RuleId[] {
  return screen.steps
    .filter(({ mode, check }) => mode === "enforce" && check !== undefined)
    .map(({ id }) => id);
}

/** @param countsCalls true: limits, detectors and quarantine run */
export function createGapCounter({ detectors }: Policy, countsCalls: boolean): GapCounter {
  const asked = new Set<RuleId>();
  const gaps: readonly CountedGap[] = ruleIds.flatMap((rule) =>
    recordGaps[rule]
      .filter(({ isCounted }) => isCounted !== true || !countsCalls)
      .map((gap) => ({ ...gap, rule, count: 0 })),
  );
  const binds = [...detectors.values()].some(({ mode }) => mode === "enforce");
  /** Of each trunk: the gaps of the rules that it enforces. */
  const ofTrunks = new Map<TrunkPolicy, readonly CountedGap[]>();

  function gapsOf(trunk: TrunkPolicy): readonly CountedGap[] {
    let known = ofTrunks.get(trunk);
    if (known === undefined) {
      const enforced = new Set(enforcedOn(trunk));
      // No finding binds anybody: orders alone fill the quarantine, and a policy changes none of them.
      if (!binds) enforced.delete("quarantine");
      for (const rule of enforced) asked.add(rule);
      known = gaps.filter(({ rule }) => enforced.has(rule));
      ofTrunks.set(trunk, known);
    }
    return known;
  }

  return {
    note(call, trunk) {
      for (const gap of gapsOf(trunk)) if (gap.matters(call, trunk)) gap.count++;
    },
    lacks: (rule, call, trunk) => gaps.some((gap) => gap.rule === rule && gap.matters(call, trunk)),
    result: () => ({
      unheld: gaps.filter(({ count }) => count > 0).map(({ rule, what, count }) => ({ rule, what, count })),
      held: ruleIds.filter(
        (rule) => asked.has(rule) && gaps.every((gap) => gap.rule !== rule || gap.count === 0),
      ),
    }),
  };
}
