import t from "tap";
import type { LineId, LineOrder, LineState, PlacedOrder } from "../../src/domain/line-state.ts";
import type { ReasonCode } from "../../src/domain/reason.ts";
import { isObserved } from "../../src/domain/decision.ts";
import type { Side } from "../../src/domain/trunk.ts";
import { explainAttempt } from "../../src/screening/chain/explanation.ts";
import { possibleDecisions } from "../../src/screening/chain/possible-decisions.ts";
import { compileScreen, type ChainConfig, type Screen } from "../../src/screening/chain/screen.ts";
import { areCallsReleased } from "../../src/screening/line-orders.ts";
import type { ScreeningState } from "../../src/screening/state.ts";
import {
  type AttemptSpec,
  makeAttempt,
  makeChain,
  makeDenyList,
  makeState,
  makeTables,
  makeTrunk,
  NOW,
} from "../support/attempt.ts";

/** An order in short: its state, and its dates as milliseconds before or after the call. */
type Short = LineState | { readonly state: LineState; readonly since?: number; readonly until?: number };

function orderOf(short: Short): LineOrder {
  if (typeof short === "string") return { state: short, order: "JG-1", calls: "keep" };
  const { state, since, until } = short;
  return {
    state,
    calls: "keep",
    ...(since === undefined ? {} : { since: NOW + since }),
    ...(until === undefined ? {} : { until: NOW + until }),
  };
}

const places: Readonly<Record<"trunk:trunk-1" | "lessee:acme", string>> = {
  "trunk:trunk-1": "policy.yaml:7:5",
  "lessee:acme": "policy.yaml:31:5",
};

/** Orders of policy and command for the trunk and for its lessee, and for others. */
interface Given {
  readonly file?: Partial<Record<keyof typeof places, Short>>;
  readonly command?: readonly (readonly [LineId, Short])[];
  readonly side?: Side;
  readonly chain?: Partial<ChainConfig>;
}

function build({ file = {}, command = [], side = "lessee", chain = {} }: Given): [Screen, ScreeningState] {
  const trunk = makeTrunk({ side });
  const lineOrders = (["trunk:trunk-1", "lessee:acme"] as const).flatMap((line): PlacedOrder[] => {
    const short = file[line];
    return short === undefined ? [] : [{ line, order: orderOf(short), place: places[line] }];
  });
  const denyLists = [makeDenyList("police", "police", ["+861087654322"])];
  const state = makeState();
  state.lineOrders.orders = new Map(command.map(([line, short]) => [line, orderOf(short)]));
  return [compileScreen(makeChain(chain), makeTables(trunk, { lineOrders, denyLists }), "r1"), state];
}

interface Row extends Given, AttemptSpec {
  readonly name: string;
  /** `stopped by LINE`, or the verdict of other rules; `, observed` where the call is marked. */
  readonly says: string;
}

const stopped = (line: string): string => `reject line-stopped by line-state: ${line}`;
const passes = "accept listed by default";

const rows: readonly Row[] = [
  { name: "no order", says: passes },
  // One order.
  { name: "active in the file", file: { "trunk:trunk-1": "active" }, says: passes },
  { name: "suspended in the file", file: { "trunk:trunk-1": "suspended" }, says: stopped("trunk:trunk-1") },
  { name: "closed in the file", file: { "trunk:trunk-1": "closed" }, says: stopped("trunk:trunk-1") },
  { name: "observed in the file", file: { "trunk:trunk-1": "observe" }, says: `${passes}, observed` },
  { name: "its lessee in the file", file: { "lessee:acme": "suspended" }, says: stopped("lessee:acme") },
  { name: "by command", command: [["trunk:trunk-1", "suspended"]], says: stopped("trunk:trunk-1") },
  { name: "its lessee by command", command: [["lessee:acme", "closed"]], says: stopped("lessee:acme") },
  {
    name: "its lessee observed by command",
    command: [["lessee:acme", "observe"]],
    says: `${passes}, observed`,
  },
  // Near misses: another line, and a name of the other kind.
  { name: "another trunk", command: [["trunk:trunk-2", "closed"]], says: passes },
  { name: "another lessee", command: [["lessee:acme-2", "closed"]], says: passes },
  { name: "a lessee of the trunk's name", command: [["lessee:trunk-1", "closed"]], says: passes },
  { name: "a trunk of the lessee's name", command: [["trunk:acme", "closed"]], says: passes },
  {
    name: "a lessee is of no account on a national trunk",
    side: "national",
    command: [["lessee:acme", "closed"]],
    says: "accept default by default",
  },
  // The stricter of two holds.
  {
    name: "file active, command suspends",
    file: { "trunk:trunk-1": "active" },
    command: [["trunk:trunk-1", "suspended"]],
    says: stopped("trunk:trunk-1"),
  },
  {
    name: "file closed, command observes",
    file: { "trunk:trunk-1": "closed" },
    command: [["trunk:trunk-1", "observe"]],
    says: stopped("trunk:trunk-1"),
  },
  {
    name: "file observes, command suspends the lessee",
    file: { "trunk:trunk-1": "observe" },
    command: [["lessee:acme", "suspended"]],
    says: stopped("lessee:acme"),
  },
  {
    name: "trunk suspended, lessee closed",
    file: { "trunk:trunk-1": "suspended", "lessee:acme": "closed" },
    says: stopped("lessee:acme"),
  },
  {
    name: "trunk closed, lessee active",
    file: { "trunk:trunk-1": "closed", "lessee:acme": "active" },
    says: stopped("trunk:trunk-1"),
  },
  // Dates: the last millisecond, and the first one after.
  {
    name: "until is to come",
    command: [["trunk:trunk-1", { state: "closed", until: 1 }]],
    says: stopped("trunk:trunk-1"),
  },
  { name: "until is now", command: [["trunk:trunk-1", { state: "closed", until: 0 }]], says: passes },
  {
    name: "since is now",
    file: { "trunk:trunk-1": { state: "closed", since: 0 } },
    says: stopped("trunk:trunk-1"),
  },
  { name: "since is to come", file: { "trunk:trunk-1": { state: "closed", since: 1 } }, says: passes },
  {
    name: "until removes only the entry that carries it",
    file: { "trunk:trunk-1": { state: "closed", until: 0 }, "lessee:acme": "observe" },
    says: `${passes}, observed`,
  },
  // Emergency calls.
  {
    name: "110",
    called: "110",
    command: [["trunk:trunk-1", "closed"]],
    says: "accept emergency by emergency",
  },
  {
    name: "110 where the rule emergency is off",
    called: "110",
    chain: { emergency: { mode: "off", options: {} } },
    command: [["trunk:trunk-1", "closed"]],
    says: passes,
  },
  {
    name: "11010 is no emergency number",
    called: "11010",
    command: [["trunk:trunk-1", "closed"]],
    says: stopped("trunk:trunk-1"),
  },
  {
    name: "110 from abroad",
    side: "international",
    called: "110",
    calling: ["from +442079460000"],
    command: [["trunk:trunk-1", "closed"]],
    says: stopped("trunk:trunk-1"),
  },
  // Before every other rule, and beside them.
  {
    name: "stopped and hidden",
    privacy: ["id"],
    command: [["trunk:trunk-1", "closed"]],
    says: stopped("trunk:trunk-1"),
  },
  {
    name: "observed and police-listed: refused, and marked",
    calling: ["from +861087654322"],
    command: [["trunk:trunk-1", "observe"]],
    says: "reject police-listed by deny-lists, observed",
  },
  {
    name: "observed and not listed: refused, and marked",
    calling: ["from 95566"],
    command: [["trunk:trunk-1", "observe"]],
    says: "reject cli-not-listed by caller-authentication, observed",
  },
  // Modes.
  {
    name: "monitor: only counted",
    chain: { "line-state": { mode: "monitor", options: {} } },
    command: [["trunk:trunk-1", "closed"]],
    says: `${passes}, shadow line-stopped`,
  },
  {
    name: "off",
    chain: { "line-state": { mode: "off", options: {} } },
    command: [["trunk:trunk-1", "closed"]],
    says: passes,
  },
  {
    name: "the core is not screened",
    side: "core",
    command: [["trunk:trunk-1", "closed"]],
    says: "accept default by default",
  },
];

void t.test("line-state: trunk and lessee, file and command, dates, emergency", (t) => {
  for (const row of rows) {
    const [screen, state] = build(row);
    const trunk = screen.tables.trunk;
    const decision = screen.judge(makeAttempt(trunk, row), state);
    const { verdict, rule, shadow } = decision;
    const line = verdict.reason === "line-stopped" ? `: ${String(verdict.facts?.["line"])}` : "";
    const seen = isObserved(decision) ? ", observed" : "";
    const noted = shadow.map((hit): ReasonCode => hit.verdict.reason).join();
    const says = `${verdict.kind} ${verdict.reason} by ${rule}${line}${seen}${noted === "" ? "" : `, shadow ${noted}`}`;
    t.equal(says, row.says, row.name);
    t.equal(
      screen.preview(makeAttempt(trunk, row), state).verdict.reason,
      verdict.reason,
      `${row.name}: preview`,
    );
  }
  t.end();
});

void t.test("line-state: what stands goes on, what begins is refused", (t) => {
  const [screen, state] = build({ command: [["trunk:trunk-1", "closed"]] });
  const attempt = makeAttempt(screen.tables.trunk);
  t.equal(screen.judgeChange(attempt, state).verdict.kind, "accept", "a change in a call that stands");
  t.equal(
    screen.judgeChange(attempt, state, [...attempt.calling]).verdict.kind,
    "accept",
    "also where a caller is named anew",
  );
  t.equal(screen.judgeRequest(attempt, state).verdict.reason, "line-stopped", "a MESSAGE");
  t.equal(
    screen.judgeChange(makeAttempt(screen.tables.trunk, { calling: ["from 95566"] }), state).verdict.reason,
    "cli-not-listed",
    "every other rule judges the change",
  );
  const limited = makeTrunk({ limits: { callsPerSecond: 1 } });
  const busy = compileScreen(makeChain(), makeTables(limited), "r1");
  for (const callId of ["a", "b", "c"])
    t.equal(busy.judgeChange(makeAttempt(limited, { callId }), state).verdict.kind, "accept", "and no limit");
  t.end();
});

void t.test("line-state: an observed call of a redirecting trunk is redirected", (t) => {
  const trunk = makeTrunk({ mode: "redirect" });
  const screen = compileScreen(makeChain(), makeTables(trunk), "r1");
  const state = makeState();
  state.lineOrders.orders = new Map([["trunk:trunk-1", orderOf("observe")]]);
  const decision = screen.judge(makeAttempt(trunk), state);
  t.equal(decision.verdict.kind, "accept");
  t.ok(isObserved(decision));
  t.end();
});

function explain(given: Given, spec: AttemptSpec = {}): readonly [string, string | undefined] {
  const [screen, state] = build(given);
  const { rules, changes } = explainAttempt(screen, makeAttempt(screen.tables.trunk, spec), state);
  const found = rules.find(({ rule }) => rule === "line-state");
  return [`${found?.part}: ${found?.saw}`, changes[0]];
}

void t.test("line-state: explained, with the line of the file or the command that opens", (t) => {
  t.same(explain({})[0], "ran: trunk:trunk-1 and lessee:acme: no order in force");
  t.same(explain({ file: { "lessee:acme": "closed" } }), [
    "decided: lessee:acme is closed by policy.yaml:31:5, order JG-1",
    "set the state of lessee:acme at policy.yaml:31:5 to active",
  ]);
  t.same(explain({ command: [["trunk:trunk-1", "suspended"]] }), [
    "decided: trunk:trunk-1 is suspended by command, order JG-1",
    "take the order away: sigwall line open trunk:trunk-1",
  ]);
  t.same(
    explain({ command: [["trunk:trunk-1", "suspended"]] }, { called: "110" })[0],
    "behind: trunk:trunk-1 is suspended by command, order JG-1; an emergency call passes",
  );
  t.same(
    explain({ command: [["trunk:trunk-1", "observe"]] })[0],
    "ran: trunk:trunk-1 is observed by command, order JG-1",
  );
  t.end();
});

function announced(mode: "enforce" | "monitor"): readonly string[] {
  return possibleDecisions(build({ chain: { "line-state": { mode, options: {} } } })[0])
    .filter(({ rule }) => rule === "line-state")
    .map(({ verdict, reason, isMonitored }) => `${verdict} ${reason}${isMonitored ? ", monitored" : ""}`);
}

void t.test("line-state: a stop has a series from the start, a mark has none", (t) => {
  t.same(announced("enforce"), ["reject line-stopped"]);
  t.same(announced("monitor"), ["reject line-stopped, monitored", "observe line-observed, monitored"]);
  t.end();
});

void t.test("line-state: which orders release the calls that stand", (t) => {
  const lines = ["trunk:trunk-1", "lessee:acme"] as const;
  const released: LineOrder = { state: "closed", calls: "release" };
  const cases: readonly (readonly [
    string,
    PlacedOrder[],
    readonly (readonly [LineId, LineOrder])[],
    boolean,
  ])[] = [
    ["no order", [], [], false],
    ["keep", [], [["trunk:trunk-1", orderOf("closed")]], false],
    ["by command", [], [["trunk:trunk-1", released]], true],
    ["of the lessee", [], [["lessee:acme", released]], true],
    ["of another trunk", [], [["trunk:trunk-2", released]], false],
    ["by the file", [{ line: "lessee:acme", order: released, place: "policy.yaml:1:1" }], [], true],
    ["that has ended", [], [["trunk:trunk-1", { ...released, until: NOW }]], false],
    ["that is to begin", [], [["trunk:trunk-1", { ...released, since: NOW + 1 }]], false],
    [
      "beside a stricter one that keeps",
      [{ line: "trunk:trunk-1", order: orderOf("closed"), place: "policy.yaml:1:1" }],
      [["trunk:trunk-1", { ...released, state: "suspended" }]],
      true,
    ],
  ];
  for (const [name, placed, commanded, is] of cases)
    t.equal(areCallsReleased(placed, lines, { orders: new Map(commanded) }, NOW), is, name);
  t.end();
});
