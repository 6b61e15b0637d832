// Judges a recorded call again: by the policy of then, and by the policy of today.
import type { Verdict } from "../../domain/decision.ts";
import type { Millis } from "../../domain/time.ts";
import { isReasonCode, meaningOf } from "../../domain/reason.ts";
import { readListRow } from "../../config/lists/list-row.ts";
import type { ReadFile } from "../../config/yaml/config-files.ts";
import type { Policy } from "../../policy/policy.ts";
import type { ReadLine } from "../../records/asking/record-filter.ts";
import { readAttempt } from "../../replay/recorded-attempts.ts";
import { type CallExplanation, explainAttempt } from "../../screening/chain/explanation.ts";
import { fillQuarantine } from "../../screening/quarantine/enforced.ts";
import { createScreeningState } from "../../screening/state.ts";
import type { KeptOrders } from "./kept-orders.ts";

/** A policy and the files that it was read from. */
export interface Judging {
  readonly policy: Policy;
  readonly readFile: ReadFile;
  /** What was ordered by command, and what findings bind. Left out: nothing is known. */
  readonly orders?: KeptOrders | undefined;
}

/** What a policy says of a recorded call. */
export interface Judged {
  readonly revision: string;
  readonly verdict: Verdict["kind"];
  readonly reason: Verdict["reason"];
  readonly decidedBy: string;
  /** What the rule that decided saw. Empty where no rule did. */
  readonly saw: string;
  /** The list line that decided, as `file:line`, and what stands in it. */
  readonly line: string | undefined;
  readonly row: Readonly<Record<string, string>> | undefined;
  /** What would turn the verdict around. */
  readonly changes: readonly string[];
}

/** Rules and reasons that stand before the rules are asked: no policy alone gives them again. */
const beforeRules: ReadonlySet<unknown> = new Set(["protocol", "exception"]);

/**
 * Judges a recorded call.
 *
 * @param at the moment at which the call is judged: list dates count. Unix milliseconds
 * @returns a string that says why it can't be judged
 */
export function judgeAgain(
  line: ReadLine,
  { policy, readFile, orders }: Judging,
  at: Millis,
): Judged | string {
  const trunk = String(line["trunk"]);
  const found = policy.trunkById(trunk);
  if (found === undefined) return `policy ${policy.revision} has no trunk "${trunk}"`;
  if (beforeRules.has(line["rule"])) return `the rules were not asked: ${sayReason(line["reason"])}`;
  const attempt = readAttempt(line, found.trunk, at);
  const state = createScreeningState({ callers: 1, recentCalls: 1, subjects: 64 });
  if (orders !== undefined) {
    state.lineOrders.orders = orders.lines;
    fillQuarantine(state.quarantine, orders.quarantine, policy.detectors, at);
  }
  return describe(explainAttempt(found.screen, attempt, state), readFile);
}

function describe({ decision, rules, changes }: CallExplanation, readFile: ReadFile): Judged {
  const decisive = decision.verdict.reason === "listed" ? "caller-authentication" : decision.rule;
  const rule = rules.find((candidate) => candidate.rule === decisive);
  const line = rule?.line?.split(", ", 1)[0];
  return {
    revision: decision.revision,
    verdict: decision.verdict.kind,
    reason: decision.verdict.reason,
    decidedBy: decision.rule,
    saw: rule?.saw ?? "",
    line: rule?.line,
    row: line === undefined ? undefined : readRow(line, readFile),
    changes,
  };
}

/** Reads a row of a list, as `file:line` names it. Undefined: there is none, or it says nothing beside the number. */
export function readRow(line: string, readFile: ReadFile): Readonly<Record<string, string>> | undefined {
  const colon = line.lastIndexOf(":");
  if (colon < 0) return undefined;
  const read = readFile(line.slice(0, colon));
  if ("error" in read) return undefined;
  const cells = readListRow(read.bytes, Number(line.slice(colon + 1)));
  return cells.length === 0 ? undefined : Object.fromEntries(cells);
}

/** A reason code with its meaning. */
export function sayReason(reason: unknown): string {
  const code = String(reason);
  return isReasonCode(code) ? `${code}, ${meaningOf(code)}` : code;
}
