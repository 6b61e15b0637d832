// Judges recorded attempts by another policy, and counts what would change.
import type { Decision } from "../../domain/decision.ts";
import type { Millis } from "../../domain/time.ts";
import { type Endpoint, parseEndpoint } from "../../net/address.ts";
import type { Policy, TrunkPolicy } from "../../policy/policy.ts";
import { type Fields, objectsIn, textIn } from "../../records/lines/line-fields.ts";
import { createScreeningState } from "../../screening/state.ts";
import {
  compareJudgements,
  createChangeTally,
  type Judgement,
  type Rehearsed,
  sayJudgement,
} from "./change-tally.ts";
import { createGapCounter, isRefused } from "./record-gaps.ts";
import { createCallFeed, type CallFeed } from "../call-feed.ts";
import { readAttempt } from "../recorded-attempts.ts";
import { readRecordedEnd } from "../recorded-calls.ts";

export interface Rehearsal {
  /**
   * Takes a `decided` or an `ended` line, in order of time. Lines of other kinds are passed over. Never throws.
   *
   * @param at the time of the line. Unix milliseconds
   */
  take(line: Fields, at: Millis): void;
  result(): Rehearsed;
}

const limitRules: ReadonlySet<unknown> = new Set(["call-frequency", "call-rate", "channels"]);
/** Decided before the rules were asked. */
const beforeRules: ReadonlySet<unknown> = new Set(["protocol", "exception"]);

const causes = {
  limits: "refused by a limit: how many calls there were is not in the record",
  quarantine: "refused by quarantine: what was in force then is not in the record",
  before: "decided before the rules were asked: overload, malformed, an answer of RFC 3261",
  trunk: "its trunk is not in the new policy, and no other trunk claims its source",
  order: "stopped by an order: orders that were given by command are not in the record",
  unkept: "the record does not hold all that the rule reads, and the policy of then is not kept",
  itself: "the record does not give back its own verdict, so that it says nothing about another one",
} as const;

/**
 * @param policy the policy that is to come
 * @param policyOf a policy that was in force, to see whether a record gives back its own verdict; undefined: not kept
 * @param countsCalls true: limits, detectors and quarantine run too. They begin with the first line, as if no call had
 * been before
 */
export function createRehearsal(
  policy: Policy,
  policyOf: (revision: string) => Policy | undefined,
  countsCalls = false,
): Rehearsal {
  const { callers, calls, subjects } = policy.tables;
  const sizes = countsCalls
    ? { callers, recentCalls: calls, subjects }
    : { callers: 1, recentCalls: 1, subjects: 64 };
  const state = createScreeningState(sizes);
  /** For policies of then, which count nothing here. */
  const idle = createScreeningState({ callers: 1, recentCalls: 1, subjects: 64 });
  const feed: CallFeed | undefined = countsCalls
    ? createCallFeed(policy, state, (finding, mode) => tally.found(finding, mode))
    : undefined;
  const endpointOf = createEndpointReader();
  const tally = createChangeTally();
  const gaps = createGapCounter(policy, countsCalls);

  function trunkOf(line: Fields): TrunkPolicy | undefined {
    const named = policy.trunkById(textIn(line["trunk"]));
    if (named !== undefined) return named;
    const source = endpointOf(textIn(line["source"]));
    return source && policy.matchTrunk(textIn(line["listener"]), source.address, source.port);
  }

  function judge(found: TrunkPolicy, line: Fields, at: Millis): Decision {
    const attempt = readAttempt(line, found.trunk, at, endpointOf);
    return feed === undefined
      ? found.screen.judgeUnlimited(attempt, state)
      : found.screen.judge(attempt, state);
  }

  /** Lets limits and detectors see a call that goes on under the new policy. */
  function follow(line: Fields, at: Millis, trunk: string, decision: Decision): void {
    if (feed === undefined || isRefused(decision)) return;
    const call = { id: textIn(line["id"]), trunk };
    const hop = textIn(line["nextHop"]);
    feed.happened({ kind: "decided", call, at, decision, action: { kind: "forwarded", hop } });
  }

  /** True when the policy of then gives the recorded verdict; undefined when it is not kept. */
  function givesBack(line: Fields, at: Millis): boolean | undefined {
    const then = policyOf(textIn(line["revision"]));
    const found = then?.trunkById(textIn(line["trunk"]));
    if (found === undefined) return undefined;
    const attempt = readAttempt(line, found.trunk, at, endpointOf);
    const again = judgementOf(found.screen.judgeUnlimited(attempt, idle));
    return compareJudgements(judgementIn(line), again) === "none";
  }

  /** Says why another verdict than the recorded one is no change. Undefined: it is one. */
  function whyUnsure(line: Fields, at: Millis, found: TrunkPolicy, decision: Decision): string | undefined {
    const { rule } = line;
    if (isOfCounts(line)) {
      if (feed !== undefined || isRefused(decision)) return undefined;
      return rule === "quarantine" ? causes.quarantine : causes.limits;
    }
    const isGiven = givesBack(line, at);
    if (isGiven === true) return undefined;
    if (isGiven === false) return rule === "line-state" ? causes.order : causes.itself;
    const call = { line, decision };
    const lacks = gaps.lacks(textIn(rule), call, found) || gaps.lacks(decision.rule, call, found);
    if (!lacks) return undefined;
    return rule === "line-state" ? causes.order : causes.unkept;
  }

  return {
    take(line, at) {
      const { record, rule } = line;
      if (record === "ended") {
        const event = feed && readRecordedEnd(line, at);
        if (event !== undefined) feed?.happened(event);
        return;
      }
      if (record !== "decided") return;
      if (beforeRules.has(rule)) {
        tally.leave(causes.before);
        return;
      }
      const found = trunkOf(line);
      if (found === undefined) {
        tally.leave(causes.trunk);
        return;
      }
      const decision = judge(found, line, at);
      gaps.note({ line, decision }, found);
      follow(line, at, found.trunk.id, decision);
      if (isSame(line, decision) && isUnmarked(line, decision)) {
        tally.same();
        return;
      }
      const [before, after] = [judgementIn(line), judgementOf(decision)];
      const difference = compareJudgements(before, after);
      if (difference === "none") {
        tally.same();
        return;
      }
      const why = whyUnsure(line, at, found, decision);
      if (why !== undefined) {
        tally.leave(why);
        return;
      }
      tally.change(
        difference,
        {
          trunk: found.trunk.id,
          lessee: found.trunk.lessee ?? "",
          before: sayJudgement(before),
          after: sayJudgement(after),
          rule: decision.rule,
        },
        textIn(line["id"]),
      );
    },
    result: () => ({ ...tally.result(), ...gaps.result() }),
  };
}

function isSame({ verdict, reason }: Fields, { verdict: anew }: Decision): boolean {
  return anew.kind === verdict && anew.reason === reason;
}

/** True for nearly every call: nothing of its message changes, then and now. */
function isUnmarked({ marks }: Fields, decision: Decision): boolean {
  return decision.marks.length === 0 && !Array.isArray(marks);
}

function judgementIn({ verdict, reason, marks }: Fields): Judgement {
  return {
    kind: textIn(verdict),
    reason: textIn(reason),
    marks: objectsIn(marks).map((mark) => textIn(mark["verdict"])),
  };
}

export function judgementOf({ verdict, marks }: Pick<Decision, "verdict" | "marks">): Judgement {
  return { kind: verdict.kind, reason: verdict.reason, marks: marks.map(({ kind }) => kind) };
}

/** True for a call that was refused by what was counted, or found, before it. */
function isOfCounts({ rule, verdict }: Fields): boolean {
  return limitRules.has(rule) || rule === "quarantine" || (rule === "emergency" && verdict !== "accept");
}

/** Endpoints that are remembered: a filter sees some hundred. */
const MOST_ENDPOINTS = 4096;

/** Reads endpoints, and remembers them: the same ones stand in line after line. */
function createEndpointReader(): (text: string) => Endpoint | undefined {
  const known = new Map<string, Endpoint | undefined>();
  return (text) => {
    let endpoint = known.get(text);
    if (endpoint !== undefined || known.has(text)) return endpoint;
    if (known.size >= MOST_ENDPOINTS) known.clear();
    endpoint = parseEndpoint(text);
    known.set(text, endpoint);
    return endpoint;
  };
}
