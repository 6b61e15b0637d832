// The compiled chain of a trunk: judges a call attempt and gives the decision.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import type { RuleId } from "../../domain/rule-id.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type {
  Accept,
  Decision,
  DecidedBy,
  Deny,
  Mark,
  PolicyRevision,
  ShadowHit,
  Verdict,
} from "../../domain/decision.ts";
import { isPassedOver } from "../identities.ts";
import { isPlainCall } from "../plain-call.ts";
import { compileStep, type ChainConfig, type Step } from "./chain.ts";
import type { Check, ExemptionLimit, Limit, Note, PolicyTables } from "../rule.ts";
import { rules } from "./rule-order.ts";
import type { ScreeningState } from "../state.ts";

export type { ChainConfig } from "./chain.ts";

/** The compiled chain of one trunk. */
export interface Screen {
  /**
   * Judges one attempt and spends its limits. Synchronous and total: a fault of our own becomes the
   * trunk's exception policy.
   */
  judge(attempt: CallAttempt, state: ScreeningState): Decision;
  /** Judges a request that begins no call: by every rule but the limits and the rules about the times of calls. */
  judgeRequest(attempt: CallAttempt, state: ScreeningState): Decision;
  /** Judges a call that pays no limit: by every rule but the limits. */
  judgeUnlimited(attempt: CallAttempt, state: ScreeningState): Decision;
  /**
   * Judges a change of the calling party in a call that has paid: by every rule but the limits, `line-state`,
   * `do-not-call` and `marketing`. An order that stops a line says itself what becomes of the calls that stand.
   *
   * @param attempt the whole request. It is what the decision is about
   * @param named the identities that are judged, all of the request when left out. The rules that compare fields or read
   *   display names see the whole request all the same. Where none of the identities counts in the whole request, only
   *   these rules run, and those that look at every identity
   */
  judgeChange(attempt: CallAttempt, state: ScreeningState, named?: readonly AssertedIdentity[]): Decision;
  /** Judges only what the body of a request carries: by the rule `bodies` alone. */
  judgeBody(attempt: CallAttempt, state: ScreeningState): Decision;
  /** Spends the limits for a call that another node has let go on. It is not judged. */
  count(attempt: CallAttempt, state: ScreeningState): void;
  /** Returns the same decision as `judge` without spending anything. */
  preview(attempt: CallAttempt, state: ScreeningState): Decision;
  /** Every rule in order, also those that are off or have nothing to do on this trunk. */
  readonly steps: readonly Step[];
  /** The verdict on a call that no rule refused. */
  readonly end: Accept | Deny;
  readonly tables: PolicyTables;
  readonly revision: PolicyRevision;
}

/** A step that runs. */
interface RunningStep {
  readonly id: RuleId;
  readonly enforced: boolean;
  readonly check: Check<Verdict | Note>;
  readonly exemption: ExemptionLimit | undefined;
  readonly spend: Limit["spend"] | undefined;
  readonly silentWhenPlain: boolean;
}

/** The steps that a call is judged by, the limits last, and where the limits begin. */
interface Asked {
  readonly steps: readonly RunningStep[];
  readonly firstLimit: number;
}

/** Whether the limits are checked and spent, only checked, or left out. */
type Limited = "pays" | "looks" | "no";

/** The findings that did not stop the chain. Made only when there are some. */
interface Collected {
  readonly marks: Mark[];
  readonly shadow: ShadowHit[];
  strongest: { readonly mark: Mark; readonly rule: RuleId } | undefined;
}

const noMarks: readonly Mark[] = [];
const noShadow: readonly ShadowHit[] = [];

/** The rules that compare fields of a request with each other, or read its display names. */
const wholeRequestRules: ReadonlySet<RuleId> = new Set(["cli-conflict", "display-name"]);
/** The rules that look at every identity, whether it counts on the trunk or not. */
const everyFieldRules: ReadonlySet<RuleId> = new Set(["hidden-caller", "deny-lists"]);

/** The rules about the beginning of a call: a call that stands goes on, whatever they say of its time and its parties. */
const callRules: ReadonlySet<RuleId> = new Set(["line-state", "do-not-call", "marketing"]);
/** The rules about whom a call may reach, and when. No other request disturbs anybody. */
const disturbanceRules: ReadonlySet<RuleId> = new Set(["do-not-call", "marketing"]);

const listed: Accept = { kind: "accept", reason: "listed" };
const acceptedByDefault: Accept = { kind: "accept", reason: "default" };
const refusedByDefault: Deny = { kind: "reject", reason: "cli-not-listed" };

/**
 * Compiles the chain of a trunk, in the order of {@link rules}.
 * @throws ZodError on options that a rule's schema refuses
 */
export function compileScreen(chain: ChainConfig, tables: PolicyTables, revision: PolicyRevision): Screen {
  const { trunk } = tables;
  // The core is our own network: its calls are not screened.
  const steps = trunk.side === "core" ? [] : rules.map((rule) => compileStep(rule, chain[rule.id], tables));
  const running = steps.flatMap(startStep);
  const limits = running.filter((step) => step.spend !== undefined);
  const whole = askedOf(running);
  const plain = askedOf(running.filter((step) => !step.silentWhenPlain));
  const aboutBodies = askedOf(running.filter((step) => step.id === "bodies"));
  const aboutRequests = askedOf(
    running.filter((step) => step.spend === undefined && !disturbanceRules.has(step.id)),
  );
  const aboutChanges = askedOf(running.filter((step) => step.spend === undefined && !callRules.has(step.id)));
  const end = endOf(trunk, running);
  const onFault = exceptionOf(trunk, "rule-fault");
  // A full table is our overload, not a fault of the call (RFC 3261 section 21.5.4).
  const onFull = exceptionOf(trunk, "overload");
  // A redirected caller sends the call itself, so marks cannot be applied: a number to be withheld
  // would be shown.
  const keepsMessage = trunk.mode === "redirect";

  const decide = (
    attempt: CallAttempt,
    verdict: Verdict,
    rule: DecidedBy,
    collected: Collected | undefined,
  ): Decision => {
    const marks = collected === undefined || collected.marks.length === 0 ? noMarks : collected.marks;
    const shadow = collected === undefined || collected.shadow.length === 0 ? noShadow : collected.shadow;
    return { attempt, verdict, rule, marks, shadow, revision };
  };

  let lastRow = -1;
  let lastListed = listed;
  /** The acceptance by a row of the lessee's list. Calls of one row after the other share it. */
  const listedAt = (row: number): Accept => {
    const { lesseeNumbers: list } = tables;
    if (list === undefined || row < 0) return listed;
    if (row !== lastRow) {
      const line = `${list.file}:${list.numbers.line(row)}`;
      lastListed = { kind: "accept", reason: "listed", facts: { line } };
      lastRow = row;
    }
    return lastListed;
  };

  /**
   * Decides by the exception policy. When that accepts, a call that is to be marked stays marked.
   */
  const except = (
    attempt: CallAttempt,
    exception: Accept | Deny,
    collected: Collected | undefined,
  ): Decision => {
    const strongest = collected?.strongest;
    if (exception.kind !== "accept" || strongest === undefined)
      return decide(attempt, exception, "exception", collected);
    return decide(attempt, strongest.mark, strongest.rule, collected);
  };

  const run = (
    attempt: CallAttempt,
    state: ScreeningState,
    limited: Limited,
    judged: CallAttempt = attempt,
    { steps: asked, firstLimit }: Asked = whole,
  ): Decision => {
    const isPartial = judged !== attempt && areAllPassedOver(attempt, judged.calling);
    let collected: Collected | undefined;
    state.listed.row = -1;
    let isFree = limits.length === 0;
    for (let i = 0; i < asked.length; i++) {
      if (i === firstLimit) {
        if (limited === "no") break;
        isFree = limited === "pays" ? takeFree(attempt, state) : isFreeCall(attempt, state);
        if (isFree) break;
      }
      const step = asked[i];
      if (step === undefined) break;
      let finding: Verdict | Note | undefined;
      try {
        const readsWhole = judged !== attempt && wholeRequestRules.has(step.id);
        if (isPartial && !readsWhole && !(judged.calling.length > 0 && everyFieldRules.has(step.id)))
          continue;
        finding = step.check(readsWhole ? attempt : judged, state);
      } catch (error) {
        noteFault(state, step.id, error);
        if (step.enforced) return except(attempt, onFault, collected);
        continue;
      }
      if (finding === undefined) continue;
      if (finding.kind === "note") {
        collected = collectShadow(collected, step.id, asRefusal(finding));
        continue;
      }
      if (!step.enforced || isMark(finding)) {
        if (step.enforced && keepsMessage && finding.kind !== "label" && finding.kind !== "observe")
          return decide(attempt, { ...finding, kind: "reject" }, step.id, collected);
        collected = collect(collected, step, finding);
        continue;
      }
      return step.exemption === undefined
        ? decide(attempt, finding, step.id, collected)
        : exempt(attempt, state, step, finding, limited);
    }
    if (!isFree && limited === "pays") {
      const exception = pay(attempt, state);
      if (exception !== undefined) return except(attempt, exception, collected);
    }
    if (isPartial) return decide(attempt, acceptedByDefault, "default", collected);
    const strongest = collected?.strongest;
    if (strongest === undefined || end.kind !== "accept")
      return decide(attempt, end === listed ? listedAt(state.listed.row) : end, "default", collected);
    return decide(attempt, strongest.mark, strongest.rule, collected);
  };

  /** Decides a call that `step` accepts: it passes unless it is above an enforced limit of the exemption. */
  const exempt = (
    attempt: CallAttempt,
    state: ScreeningState,
    { id, exemption }: RunningStep,
    finding: Verdict,
    limited: Limited,
  ): Decision => {
    if (exemption === undefined || limited === "no") return decide(attempt, finding, id, undefined);
    try {
      const above = payExemption(attempt, state, exemption, limited === "pays");
      if (above === undefined) return decide(attempt, finding, id, undefined);
      return exemption.enforced
        ? decide(attempt, above, id, undefined)
        : decide(attempt, finding, id, collectShadow(undefined, id, above));
    } catch (error) {
      // A fault in counting takes nobody's exemption away.
      noteFault(state, id, error);
      return decide(attempt, finding, id, undefined);
    }
  };

  /**
   * Spends every limit and remembers that the call has paid.
   * @returns the verdict when that is not possible, otherwise undefined
   */
  const pay = (attempt: CallAttempt, state: ScreeningState): Accept | Deny | undefined => {
    state.paid.attempt = attempt;
    for (const step of limits) {
      try {
        const full = step.spend?.(attempt, state);
        if (full === undefined) continue;
        state.tableFull[full.table]++;
        if (step.enforced) return onFull;
      } catch (error) {
        noteFault(state, step.id, error);
        if (step.enforced) return onFault;
      }
    }
    if (state.recentCalls.remember(attempt)) return undefined;
    state.tableFull.recentCalls++;
    return limits.some((step) => step.enforced) ? onFull : undefined;
  };

  return {
    judge: (attempt, state) => run(attempt, state, "pays", attempt, isPlainCall(attempt) ? plain : whole),
    judgeRequest: (attempt, state) => run(attempt, state, "no", attempt, aboutRequests),
    judgeUnlimited: (attempt, state) => run(attempt, state, "no"),
    judgeChange: (attempt, state, named) =>
      run(attempt, state, "no", named === undefined ? attempt : { ...attempt, calling: named }, aboutChanges),
    judgeBody: (attempt, state) => run(attempt, state, "no", attempt, aboutBodies),
    count(attempt, state) {
      state.paid.isElsewhere = true;
      if (limits.length > 0) pay(attempt, state);
      state.paid.isElsewhere = false;
    },
    preview: (attempt, state) => run(attempt, state, "looks"),
    steps,
    end,
    tables,
    revision,
  };
}

/** @returns true for a repeat of a call that has paid, and for its continuation with more digits; nothing is spent */
export function isFreeCall(attempt: CallAttempt, { recentCalls, overlaps }: ScreeningState): boolean {
  return recentCalls.isFree(attempt) || overlaps.isFree(attempt);
}

/** Does the same as {@link isFreeCall}, and uses up what makes the call free. */
function takeFree(attempt: CallAttempt, { recentCalls, overlaps }: ScreeningState): boolean {
  if (recentCalls.takeFree(attempt)) return true;
  if (!overlaps.takeFree(attempt)) return false;
  // Its own repeats are free too. Where the table is full, they pay.
  recentCalls.remember(attempt);
  return true;
}

/** Apart from the chain: a closure in there would cost each call a context. */
function areAllPassedOver(attempt: CallAttempt, identities: readonly AssertedIdentity[]): boolean {
  return identities.every((identity) => isPassedOver(attempt, identity));
}

/** @returns true for a finding after which the chain goes on */
export function isMark(finding: Verdict): finding is Mark {
  const { kind } = finding;
  return kind === "withhold" || kind === "label" || kind === "strip" || kind === "observe";
}

function startStep({ id, mode, check, exemption, spend, silentWhenPlain }: Step): readonly RunningStep[] {
  if (check === undefined || mode === "off") return [];
  return [{ id, enforced: mode === "enforce", check, exemption, spend, silentWhenPlain }];
}

function askedOf(steps: readonly RunningStep[]): Asked {
  return { steps, firstLimit: steps.filter(({ spend }) => spend === undefined).length };
}

/**
 * Looks at the limit of an exemption, and pays where the call may still pass. A repeat of the call is free.
 * @returns the refusal of a call above the limit
 */
function payExemption(
  attempt: CallAttempt,
  state: ScreeningState,
  { limit, enforced }: ExemptionLimit,
  pays: boolean,
): Deny | undefined {
  const { recentCalls } = state;
  if (pays ? recentCalls.takeFree(attempt) : recentCalls.isFree(attempt)) return undefined;
  const above = limit.check(attempt, state);
  if (!pays || (above !== undefined && enforced)) return above;
  limit.spend(attempt, state);
  // Where there is no room, a repeat pays again.
  recentCalls.remember(attempt);
  return above;
}

/**
 * Adds a mark or a monitor finding. An exemption in monitor mode exempts no call and is no finding.
 */
function collect(
  collected: Collected | undefined,
  step: RunningStep,
  finding: Verdict,
): Collected | undefined {
  if (finding.kind === "accept") return collected;
  if (!step.enforced) return collectShadow(collected, step.id, finding);
  const found = collected ?? collectNothing();
  if (isMark(finding)) {
    found.marks.push(finding);
    if (finding.kind === "strip" || finding.kind === "observe") return found;
    // Withholding is stronger than labelling: a withheld number has no label to show.
    const weaker =
      found.strongest === undefined || (found.strongest.mark.kind === "label" && finding.kind === "withhold");
    if (weaker) found.strongest = { mark: finding, rule: step.id };
  }
  return found;
}

function collectShadow(collected: Collected | undefined, rule: RuleId, verdict: Deny | Mark): Collected {
  const found = collected ?? collectNothing();
  found.shadow.push({ rule, verdict });
  return found;
}

function collectNothing(): Collected {
  return { marks: [], shadow: [], strongest: undefined };
}

/** Returns the refusal that a note would be if its rule enforced it. */
export function asRefusal({ reason, facts }: Note): Deny {
  return facts === undefined ? { kind: "reject", reason } : { kind: "reject", reason, facts };
}

/** Returns the verdict at the end of the chain, on a call that no rule refused. */
function endOf(trunk: Trunk, running: readonly RunningStep[]): Accept | Deny {
  if (trunk.side === "core") return acceptedByDefault;
  if (trunk.side !== "lessee") return trunk.fallback === "accept" ? acceptedByDefault : refusedByDefault;
  // At the end of a chain with an enforced authentication, every asserted identity has been found
  // in the list.
  const authenticates = running.some((step) => step.id === "caller-authentication" && step.enforced);
  return authenticates ? listed : acceptedByDefault;
}

function exceptionOf(trunk: Trunk, reason: ReasonCode): Accept | Deny {
  return { kind: trunk.exception, reason };
}

function noteFault(state: ScreeningState, rule: RuleId, error: unknown): void {
  state.ruleFaults[rule]++;
  state.lastFault = { rule, error };
}
