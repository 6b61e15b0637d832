import t from "tap";
import type { RuleId } from "../../src/domain/rule-id.ts";
import type { Trunk } from "../../src/domain/trunk.ts";
import type { Decision } from "../../src/domain/decision.ts";
import type { PolicyTables } from "../../src/screening/rule.ts";
import { compileScreen } from "../../src/screening/chain/screen.ts";
import { type AttemptSpec, makeAttempt, makeState, makeTables, makeTrunk, setEveryRule } from "./attempt.ts";

/** One row of a rule's table: a call, what differs from the defaults, and what the rule must say. */
export interface Row extends AttemptSpec {
  readonly name: string;
  readonly trunk?: Partial<Trunk>;
  readonly tables?: Partial<PolicyTables>;
  readonly options?: unknown;
  /** `reject cli-hidden`, `accept emergency`, …, `note number-class` where it is only noted, or `abstains`. */
  readonly says: string;
}

/** Runs one rule alone, enforced, over a table of calls. */
export function testRule(rule: RuleId, rows: readonly Row[]): void {
  void t.test(rule, (t) => {
    for (const row of rows) t.equal(judgeAlone(rule, row), row.says, row.name);
    t.end();
  });
}

function judgeAlone(rule: RuleId, row: Row): string {
  const trunk = makeTrunk(row.trunk);
  const chain = { ...setEveryRule("off"), [rule]: { mode: "enforce", options: row.options ?? {} } };
  const screen = compileScreen(chain, makeTables(trunk, row.tables), "r1");
  const decision = screen.judge(makeAttempt(trunk, row), makeState());
  if (decision.rule === rule) return sayVerdict(decision);
  const [note] = decision.shadow;
  return note === undefined ? "abstains" : `note ${note.verdict.reason}`;
}

/** The verdict in two words. */
export function sayVerdict({ verdict }: Decision): string {
  return `${verdict.kind} ${verdict.reason}`;
}
