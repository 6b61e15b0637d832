import t from "tap";
import type { TrunkLimits } from "../../src/domain/trunk.ts";
import { compileScreen, type ChainConfig, type Screen } from "../../src/screening/chain/screen.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import {
  type AttemptSpec,
  makeAttempt,
  makeChain,
  makeState,
  makeTables,
  makeTrunk,
  NOW,
} from "../support/attempt.ts";
import { sayVerdict } from "../support/rule-table.ts";

const accepted = "accept listed";
const tooOften = "reject frequency-exceeded";
const tooFast = "reject call-rate-exceeded";

let calls = 0;

/** A leased line with these limits, and a function that judges one new call on it. */
function makeLine(limits: TrunkLimits, chain: Partial<ChainConfig> = {}, state = makeState()) {
  const trunk = makeTrunk({ limits });
  const screen: Screen = compileScreen(makeChain(chain), makeTables(trunk), "r1");
  const judge = (ms: number, spec: AttemptSpec = {}): string =>
    sayVerdict(screen.judge(makeAttempt(trunk, { callId: `call-${++calls}`, ...spec, at: NOW + ms }), state));
  return { trunk, screen, state, judge };
}

void t.test("call-rate: one second's worth, then one a period", (t) => {
  const { judge } = makeLine({ callsPerSecond: 2 });
  const table: readonly [ms: number, says: string][] = [
    [0, accepted],
    [0, accepted],
    [0, tooFast],
    [499, tooFast],
    [500, accepted],
    [500, tooFast],
    [999, tooFast],
    [1000, accepted],
    [60_000, accepted],
    [60_000, accepted],
    [60_000, tooFast],
  ];
  for (const [ms, says] of table) t.equal(judge(ms), says, `${ms} ms`);
  t.end();
});

void t.test("call-rate: only survivors of the other rules spend", (t) => {
  const { judge } = makeLine({ callsPerSecond: 1 });
  for (let i = 0; i < 5; i++) t.equal(judge(0, { calling: ["from 95566"] }), "reject cli-not-listed");
  for (let i = 0; i < 5; i++) t.equal(judge(0, { called: "110" }), "accept emergency");
  t.equal(judge(0), accepted);
  t.equal(judge(0), tooFast);
  t.end();
});

void t.test("call-frequency: attempts of one calling number in any minute", (t) => {
  const { judge } = makeLine({ attemptsPerCallerPerMinute: 3 });
  const table: readonly [ms: number, caller: string, says: string][] = [
    [0, "+861087654321", accepted],
    [20_000, "01087654321", accepted],
    [59_000, "87654321", accepted],
    [59_000, "+861087654321", tooOften],
    [59_000, "+861087654322", accepted],
    [60_000, "+861087654321", tooOften],
    [61_000, "+861087654321", accepted],
    [61_000, "+861087654321", tooOften],
    [80_000, "+861087654321", tooOften],
    [81_000, "+861087654321", accepted],
    [81_000, "+861087654321", tooOften],
    // A code has one window, however it is written.
    [81_000, "95588", accepted],
    [81_000, "01095588", accepted],
    [81_000, "+8695588", accepted],
    [81_000, "+862195588", tooOften],
    [81_000, "8695588", tooOften],
  ];
  for (const [ms, caller, says] of table)
    t.equal(judge(ms, { calling: [`from ${caller}`] }), says, `${ms} ms ${caller}`);
  t.end();
});

void t.test("call-frequency: a number counts in whatever field it stands, once a call", (t) => {
  const { judge } = makeLine({ attemptsPerCallerPerMinute: 2 });
  t.equal(
    judge(0, { calling: ["pai +861087654321", "from 01087654321"] }),
    accepted,
    "one number twice is one attempt",
  );
  t.equal(judge(0, { calling: ["pai +861087654322", "from +861087654321"] }), accepted);
  t.equal(
    judge(0, { calling: ["pai +861087654323", "from +861087654321"] }),
    tooOften,
    "its third, behind another PAI",
  );
  t.equal(
    judge(0, { calling: ["pai +861087654323", "from +861087654322"] }),
    accepted,
    "a refused call spent nothing for 323",
  );
  t.equal(judge(0, { calling: ["from +861087654322"] }), tooOften);
  t.end();
});

void t.test("a call pays nothing unless it passes all limits", (t) => {
  const { judge, state, trunk } = makeLine({ callsPerSecond: 1, attemptsPerCallerPerMinute: 2 });
  t.equal(judge(0), accepted);
  for (let i = 0; i < 5; i++) t.equal(judge(0), tooFast);
  t.equal(
    state.callerAttempts.count(`${trunk.id} 861087654321`, NOW),
    1,
    "refused for speed, not counted as attempts",
  );
  t.equal(judge(1000), accepted);
  t.equal(judge(2000), tooOften);
  t.equal(
    judge(2000, { calling: ["from +861087654322"] }),
    accepted,
    "refused for frequency, the token is still there",
  );
  t.end();
});

void t.test(
  "another branch of a call that has paid is free: same trunk, caller and called number, 32 s, four times",
  (t) => {
    const rows: readonly (readonly [name: string, ms: number, spec: AttemptSpec, says: string])[] = [
      ["the same call", 0, {}, accepted],
      ["to the last moment", 31_999, {}, accepted],
      ["another Call-ID", 0, { callId: "other" }, tooFast],
      ["another From tag", 0, { fromTag: "tag-2" }, tooFast],
      ["no From tag", 0, { fromTag: "" }, tooFast],
      ["another called number, equal in its last 32 bits", 0, { called: "+8615203623601" }, tooFast],
      ["another caller, listed too", 0, { calling: ["from +861087654322"] }, tooFast],
      [
        "another field with another number",
        0,
        { calling: ["pai +861087654322", "from +861087654321"] },
        tooFast,
      ],
      ["another called number", 0, { called: "02787654322" }, tooFast],
      [
        "another spelling of the same numbers",
        0,
        { calling: ["from 87654321"], called: "+862787654321" },
        accepted,
      ],
      ["still screened: hidden now", 0, { privacy: ["id"] }, "reject cli-hidden"],
      ["still screened: another, not listed", 0, { calling: ["from 95566"] }, "reject cli-not-listed"],
    ];
    for (const [name, ms, spec, says] of rows) {
      const { judge, state, trunk } = makeLine({ callsPerSecond: 1 });
      t.equal(judge(0, { callId: "same" }), accepted);
      // Keeps the bucket empty, however much time has passed.
      for (let second = 1000; second <= ms + 1000; second += 1000)
        state.callRate.take(trunk.id, 1, NOW + Math.min(second, ms));
      t.equal(judge(ms, { callId: "same", ...spec }), says, name);
    }
    const { judge } = makeLine({ attemptsPerCallerPerMinute: 1 });
    t.equal(judge(0, { callId: "same" }), accepted);
    for (let i = 0; i < 4; i++) t.equal(judge(10, { callId: "same" }), accepted, `free repeat ${i + 1}`);
    t.equal(judge(20, { callId: "same" }), tooOften, "the fifth pays");
    const late = makeLine({ attemptsPerCallerPerMinute: 1 });
    t.equal(late.judge(0, { callId: "same" }), accepted);
    t.equal(late.judge(32_000, { callId: "same" }), tooOften, "after 32 s it pays");
    t.end();
  },
);

void t.test("a refused call has not paid: its repeats pay", (t) => {
  const { judge } = makeLine({ callsPerSecond: 1 });
  t.equal(judge(0, { callId: "first" }), accepted);
  t.equal(judge(0, { callId: "second" }), tooFast);
  t.equal(judge(0, { callId: "second" }), tooFast);
  t.equal(judge(1000, { callId: "second" }), accepted);
  t.equal(judge(1000, { callId: "second" }), accepted, "and then they are free");
  t.end();
});

void t.test("the same call on another trunk is another call", (t) => {
  const state = makeState();
  const trunks = ["a", "b"].map((id) =>
    makeTrunk({ id, limits: { callsPerSecond: 1, attemptsPerCallerPerMinute: 1 } }),
  );
  for (const trunk of trunks) {
    const screen = compileScreen(makeChain(), makeTables(trunk), "r1");
    t.equal(sayVerdict(screen.judge(makeAttempt(trunk), state)), accepted, trunk.id);
    const next = screen.judge(makeAttempt(trunk, { callId: "next" }), state);
    t.equal(sayVerdict(next), tooOften, trunk.id);
  }
  t.equal(state.recentCalls.size(), 2);
  t.end();
});

void t.test("a long Call-ID is remembered by its hash: every octet of it counts", (t) => {
  for (const length of [256, 257, 60_000]) {
    const { judge, state } = makeLine({ callsPerSecond: 1 });
    const callId = "x".repeat(length);
    t.equal(judge(0, { callId }), accepted);
    t.equal(state.recentCalls.size(), 1);
    t.equal(judge(0, { callId }), accepted, `a repeat of ${length} octets is free`);
    t.equal(judge(0, { callId: `${callId.slice(1)}y` }), tooFast, "near miss: the last octet differs");
    t.equal(judge(0, { callId: `y${callId.slice(1)}` }), tooFast, "near miss: the first octet differs");
    t.equal(judge(0, { callId: `${callId}x` }), tooFast, "near miss: one octet more");
    t.equal(state.recentCalls.size(), 1);
  }
  t.end();
});

void t.test("limits in monitor count what passes and refuse nothing", (t) => {
  const { judge, state, trunk } = makeLine(
    { callsPerSecond: 1, attemptsPerCallerPerMinute: 1 },
    { "call-rate": { mode: "monitor", options: {} }, "call-frequency": { mode: "monitor", options: {} } },
  );
  for (let i = 0; i < 5; i++) t.equal(judge(0), accepted);
  t.equal(state.callerAttempts.count(`${trunk.id} 861087654321`, NOW), 5);
  t.end();
});

void t.test("counters survive a reload of the policy", (t) => {
  const { judge, state } = makeLine({ callsPerSecond: 1, attemptsPerCallerPerMinute: 1 });
  t.equal(judge(0), accepted);
  const reloaded = makeLine({ callsPerSecond: 1, attemptsPerCallerPerMinute: 1 }, {}, state);
  t.equal(reloaded.judge(0), tooOften);
  t.equal(reloaded.judge(0, { calling: ["from +861087654322"] }), tooFast);
  t.end();
});

void t.test("a trunk without limits remembers nothing", (t) => {
  const { judge, state } = makeLine({});
  for (let i = 0; i < 10; i++) t.equal(judge(0), accepted);
  t.equal(state.recentCalls.size() + state.callerAttempts.size(), 0);
  t.end();
});

void t.test("a full table: the trunk's exception policy, counted", (t) => {
  const table = [
    ["reject", "reject overload"],
    ["drop", "drop overload"],
    ["accept", "accept overload"],
  ] as const;
  for (const [exception, says] of table) {
    for (const [name, limits, sizes] of [
      ["callers", { attemptsPerCallerPerMinute: 100 }, { callers: 2, recentCalls: 64, subjects: 64 }],
      ["recentCalls", { callsPerSecond: 100 }, { callers: 64, recentCalls: 2, subjects: 64 }],
    ] as const) {
      const state = createScreeningState(sizes);
      const trunk = makeTrunk({ exception, limits });
      const screen = compileScreen(makeChain(), makeTables(trunk), "r1");
      const judge = (caller: number, ms: number): string => {
        const spec = { calling: [`from +8610876543${caller}`], callId: `full-${caller}`, at: NOW + ms };
        const decision = screen.judge(makeAttempt(trunk, spec), state);
        return `${sayVerdict(decision)} by ${decision.rule}`;
      };
      t.equal(judge(21, 0), "accept listed by default");
      t.equal(judge(22, 0), "accept listed by default");
      t.equal(judge(23, 0), `${says} by exception`, `${name} full, ${exception}`);
      t.equal(state.tableFull[name], 1);
      t.equal(judge(23, 61_000), "accept listed by default", `${name}: room again`);
    }
  }
  t.end();
});

void t.test("preview decides alike and pays nothing", (t) => {
  const { screen, trunk, state } = makeLine({ callsPerSecond: 1, attemptsPerCallerPerMinute: 1 });
  const attempt = makeAttempt(trunk);
  for (let i = 0; i < 5; i++) t.equal(sayVerdict(screen.preview(attempt, state)), accepted);
  t.equal(sayVerdict(screen.judge(attempt, state)), accepted);
  for (let i = 0; i < 9; i++)
    t.equal(sayVerdict(screen.preview(attempt, state)), accepted, "a free repeat stays free");
  t.equal(sayVerdict(screen.preview(makeAttempt(trunk, { callId: "next" }), state)), tooOften);
  t.end();
});

void t.test("emergency calls: a limit of the trunk and of each caller, and what follows above it", (t) => {
  const above = "emergency call-rate-exceeded";
  // milliseconds, caller, whether the call is above the limit
  const rows: readonly (readonly [ms: number, caller: string, isAbove: boolean])[] = [
    [0, "+861087654321", false],
    [0, "01087654321", true],
    [0, "+861087654322", false],
    [1000, "+861087654322", false],
    [1000, "anonymous", false],
    [1000, "anonymous", false],
    [1000, "+861087654323", true],
    [3000, "+861087654323", false],
  ];
  for (const action of ["alarm", "reject"] as const) {
    const trunk = makeTrunk({
      limits: { emergency: { perSecond: 3, perCallerPerSecond: 1, above: action } },
    });
    const screen = compileScreen(makeChain(), makeTables(trunk), "r1");
    const state = makeState();
    for (const [ms, caller, isAbove] of rows) {
      const attempt = makeAttempt(trunk, {
        called: "110",
        calling: [`from ${caller}`],
        callId: `call-${++calls}`,
        at: NOW + ms,
      });
      const name = `${action}, ${ms} ms, ${caller}`;
      const preview = screen.preview(attempt, state);
      const decision = screen.judge(attempt, state);
      const isRefused = isAbove && action === "reject";
      t.equal(sayVerdict(decision), isRefused ? "reject call-rate-exceeded" : "accept emergency", name);
      t.equal(sayVerdict(preview), sayVerdict(decision), `${name}: told without paying`);
      t.equal(decision.rule, "emergency", name);
      const shadow = decision.shadow.map(({ rule, verdict }) => `${rule} ${verdict.reason}`);
      t.same(shadow, isAbove && !isRefused ? [above] : [], `${name}: the finding`);
    }
  }
  t.end();
});

void t.test("emergency calls: a repeat of a call counts once", (t) => {
  const trunk = makeTrunk({
    limits: { emergency: { perSecond: 1, perCallerPerSecond: 1, above: "reject" } },
  });
  const screen = compileScreen(makeChain(), makeTables(trunk), "r1");
  const state = makeState();
  const judge = (callId: string): string =>
    sayVerdict(screen.judge(makeAttempt(trunk, { called: "110", callId }), state));
  for (let i = 0; i < 5; i++) t.equal(judge("one"), "accept emergency", `try ${i}`);
  t.equal(judge("another"), "reject call-rate-exceeded");
  t.end();
});
