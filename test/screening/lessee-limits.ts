// Limits of a lessee over all of its trunks: calls a second, calls at one time, and what a flood of one trunk takes.
import t from "tap";
import { createScreeningState } from "../../src/screening/state.ts";
import { limitsInUse } from "../../src/screening/limits/limit-use.ts";
import { explainAttempt } from "../../src/screening/chain/explanation.ts";
import { makeAttempt, NOW } from "../support/attempt.ts";
import { compileText } from "../support/proxy.ts";
import { sayVerdict } from "../support/rule-table.ts";

const accepted = "accept listed";
const tooFast = "reject call-rate-exceeded";
const noChannel = "reject channels-exceeded";
let calls = 0;

/** A line of the policy. */
function trunkLine(id: string, host: number, lessee: string, more = ""): string {
  return `  - { id: ${id}, side: lessee, match: { addresses: [192.0.2.${host}] }, lessee: ${lessee}, areaCode: "10"${more} }`;
}

/** Two trunks of a bank, a redirecting third one, and a shop beside them. */
function makeLines(bank: string, { first = "", subjects = 1000 } = {}) {
  const policy = compileText(
    `version: 1
trunks:
${trunkLine("a", 1, "bank", first)}
${trunkLine("b", 2, "bank")}
${trunkLine("c", 3, "bank", ", mode: redirect")}
${trunkLine("d", 4, "shop", ", limits: { frequency: [{ per: caller, calls: 3, within: 1h }] }")}
lessees:
  - { id: bank, numbers: all.csv, limits: ${bank} }
  - { id: shop, numbers: all.csv }
`,
    { "all.csv": "number\n+861087*\n" },
  );
  const state = createScreeningState({ callers: 1000, recentCalls: 1000, subjects });
  const standing = new Map<string, number>();
  state.channels.of = (id) => standing.get(id) ?? 0;
  const call = (id: string, ms: number, number = "+861087654321", called = "02787654321") => {
    const { trunk: line, screen } = policy.trunkById(id)!;
    const spec = {
      callId: `call-${++calls}`,
      calling: [`pai ${number}`, `from ${number}`],
      called,
      at: NOW + ms,
    };
    return { screen, attempt: makeAttempt(line, spec) };
  };
  const judge = (id: string, ms: number, number?: string, called?: string): string => {
    const { screen, attempt } = call(id, ms, number, called);
    return sayVerdict(screen.judge(attempt, state));
  };
  return { policy, state, standing, judge, call };
}

void t.test("callsPerSecond: one bucket for both trunks, beside that of each", (t) => {
  const { judge } = makeLines("{ callsPerSecond: 3 }", { first: ", limits: { callsPerSecond: 2 }" });
  const table: readonly (readonly [trunk: string, ms: number, says: string, why: string])[] = [
    ["a", 0, accepted, "its first"],
    ["a", 0, accepted, "its second"],
    ["a", 0, tooFast, "its own limit"],
    ["b", 0, accepted, "the third of the lessee: what was refused on the other trunk has spent nothing"],
    ["b", 0, tooFast, "the limit of the lessee"],
    ["d", 0, accepted, "another lessee"],
    ["b", 334, accepted, "one token more"],
    ["a", 334, tooFast, "it was spent on the other trunk"],
    ["a", 667, accepted, "refusals have cost the own bucket nothing"],
  ];
  for (const [trunk, ms, says, why] of table) t.equal(judge(trunk, ms), says, why);
  t.end();
});

void t.test("channels: calls of all trunks together, each on the trunk that it came from", (t) => {
  const { judge, standing } = makeLines("{ channels: 4 }", { first: ", limits: { channels: 3 }" });
  const table: readonly (readonly [a: number, b: number, trunk: string, says: string])[] = [
    [0, 0, "a", accepted],
    [2, 1, "a", accepted],
    [3, 0, "a", noChannel],
    [3, 0, "b", accepted],
    [2, 2, "a", noChannel],
    [2, 2, "b", noChannel],
    [2, 2, "c", accepted],
    [2, 2, "d", accepted],
    [0, 4, "a", noChannel],
    [0, 3, "a", accepted],
  ];
  for (const [a, b, trunk, says] of table) {
    standing.set("a", a).set("b", b);
    t.equal(judge(trunk, 0), says, `${a} on a, ${b} on b: a call on ${trunk}`);
  }
  t.end();
});

void t.test("explain and the limits that are nearly used up name the lessee", (t) => {
  const { policy, state, standing, judge, call } = makeLines("{ callsPerSecond: 5, channels: 10 }", {
    first: ", limits: { callsPerSecond: 50, channels: 20 }",
  });
  standing.set("a", 4).set("b", 3);
  const told = () =>
    limitsInUse(policy.trunks, state, NOW).map(
      ({ lessee, limit, ratio }) => `${lessee}: ${limit} ${ratio.toFixed(2)}`,
    );
  for (let i = 0; i < 3; i++) judge("a", 0);
  t.same(told(), [], "70 % of the channels, 60 % of the rate");
  standing.set("b", 5);
  judge("b", 0);
  t.same(told(), ["bank: lessee bank channels 0.90", "bank: lessee bank callsPerSecond 0.80"]);
  const { attempt } = call("a", 0);
  const { rules } = explainAttempt(policy.trunkById("a")!.screen, attempt, state);
  const saw = Object.fromEntries(rules.map((each) => [each.rule, each.saw]));
  t.equal(saw["call-rate"], "50 calls a second allowed; 5 calls a second allowed to the lessee bank");
  t.equal(saw["channels"], "4 of 20 channels in use; 9 of 10 channels in use of the lessee bank");
  t.end();
});

void t.test("a flood of one trunk takes its share of tables.subjects; limits of other trunks go on", (t) => {
  for (const per of ["caller", "called"] as const) {
    const { judge, state } = makeLines(`{ frequency: [{ per: ${per}, calls: 3, within: 1h }] }`, {
      subjects: 320,
    });
    const flood = (i: number): string => {
      const number = `+861087${String(500_000 + i)}`;
      return per === "caller"
        ? judge("a", 0, number.slice(0, 12) + "0")
        : judge("a", 0, undefined, `0278765${4000 + i}`);
    };
    const verdicts = new Map<string, number>();
    for (let i = 0; i < 1000; i++) {
      const says = flood(per === "caller" ? i * 10 : i);
      verdicts.set(says, (verdicts.get(says) ?? 0) + 1);
    }
    t.ok(
      (verdicts.get("reject overload") ?? 0) > 600,
      `${per}: the flood meets its share, ${[...verdicts].join(" ")}`,
    );
    t.ok(state.tableFull.subjects > 0, "and it is counted");
    for (let i = 0; i < 3; i++) t.equal(judge("d", 1), accepted, "another lessee is counted");
    t.equal(judge("d", 1), "reject frequency-exceeded", "and limited");
    t.equal(
      judge("b", 1, "+861087111111", "02711111111"),
      accepted,
      "so is another trunk of the same lessee",
    );
  }
  t.end();
});
