// Limits by contract: who is counted, what costs nothing, and whom nothing of it may silence.
import t from "tap";
import type { CallEvent } from "../../src/domain/call.ts";
import type { FrequencyLimit, Trunk } from "../../src/domain/trunk.ts";
import { isToEmergencyParty, noteEmergencyCall } from "../../src/screening/emergency-parties.ts";
import { createScreeningListener } from "../../src/screening/limits/call-events.ts";
import { limitsInUse } from "../../src/screening/limits/limit-use.ts";
import { compileScreen } from "../../src/screening/chain/screen.ts";
import {
  type AttemptSpec,
  makeAttempt,
  makeChain,
  makeState,
  makeTables,
  makeTrunk,
  NOW,
} from "../support/attempt.ts";
import { compileText } from "../support/proxy.ts";
import { sayVerdict } from "../support/rule-table.ts";

const accepted = "accept listed";
const tooOften = "reject frequency-exceeded";
const MINUTE = 60_000;

function limit(given: Partial<FrequencyLimit>): FrequencyLimit {
  const whole = {
    per: "caller",
    calls: 2,
    within: MINUTE,
    written: "1m",
    onlyUnanswered: false,
    ...given,
  } as const;
  return { name: `trunk lease ${whole.per} ${whole.written} ${whole.onlyUnanswered}`, ...whole };
}

let calls = 0;

/** Leased lines that share what is counted, and functions that judge a call on one of them and tell what became of it. */
function makeLines(...frequencies: readonly (readonly FrequencyLimit[])[]) {
  const state = makeState();
  const listen = createScreeningListener(state, 100);
  const lines = frequencies.map((frequency, index) => {
    const trunk = makeTrunk({ id: `lease-${index}`, limits: { frequency } });
    return { trunk, screen: compileScreen(makeChain(), makeTables(trunk), "r1") };
  });
  const judge = (ms: number, spec: AttemptSpec = {}, line = 0): string => {
    const { trunk, screen } = lines[line]!;
    const id = `call-${++calls}`;
    const decision = screen.judge(makeAttempt(trunk, { callId: id, ...spec, at: NOW + ms }), state);
    const { kind } = decision.verdict;
    const action =
      kind === "accept"
        ? ({ kind: "forwarded", hop: "core" } as const)
        : ({ kind: "answered", status: 403 } as const);
    listen({ kind: "decided", call: { id, trunk: trunk.id }, at: NOW + ms, decision, action });
    return sayVerdict(decision);
  };
  /** Tells the end of the newest call. */
  const end = (ms: number, given: Partial<Extract<CallEvent, { kind: "ended" }>> = {}): void =>
    listen({
      kind: "ended",
      call: { id: `call-${calls}`, trunk: "lease-0" },
      at: NOW + ms,
      by: "caller",
      how: "cancelled",
      ...given,
    });
  return { state, judge, end, listen };
}

void t.test("per caller: whoever is asserted, however it is written, until the window has passed", (t) => {
  const { judge } = makeLines([limit({ per: "caller" })]);
  for (const [ms, caller, says] of [
    [0, "+861087654321", accepted],
    [1000, "01087654321", accepted],
    [59_999, "87654321", tooOften],
    [59_999, "+861087654322", accepted],
    [60_000, "+861087654321", accepted],
    [60_999, "+861087654321", tooOften],
    [61_000, "+861087654321", accepted],
  ] as const)
    t.equal(judge(ms, { calling: [`from ${caller}`] }), says, `${ms} ms: ${caller}`);
  t.end();
});

void t.test("per block, called party, trunk and lessee", (t) => {
  const rows: readonly (readonly [
    FrequencyLimit,
    readonly (readonly [caller: string, called: string, says: string])[],
  ])[] = [
    [
      limit({ per: "callerBlock" }),
      [
        ["+861087654321", "13800138000", accepted],
        ["+861087654322", "13800138001", accepted],
        ["+861087654323", "13800138002", tooOften],
        ["95588", "13800138002", accepted],
      ],
    ],
    [
      limit({ per: "called" }),
      [
        ["+861087654321", "13800138000", accepted],
        ["+861087654322", "+8613800138000", accepted],
        ["+861087654323", "013800138000", tooOften],
        ["+861087654323", "13800138001", accepted],
      ],
    ],
    [
      limit({ per: "trunk" }),
      [
        ["+861087654321", "13800138000", accepted],
        ["+861087654322", "13800138001", accepted],
        ["+861087654323", "13800138002", tooOften],
      ],
    ],
  ];
  for (const [frequency, steps] of rows) {
    const { judge } = makeLines([frequency]);
    for (const [caller, called, says] of steps)
      t.equal(
        judge(0, { calling: [`from ${caller}`], called }),
        says,
        `per ${frequency.per}: ${caller} to ${called}`,
      );
  }
  const shared = limit({ per: "lessee", name: "lessee acme" });
  const { judge } = makeLines([shared], [shared]);
  t.same(
    [judge(0, {}, 0), judge(0, {}, 1), judge(0, {}, 0), judge(0, {}, 1)],
    [accepted, accepted, tooOften, tooOften],
  );
  t.end();
});

void t.test("a repeat counts once, a refusal costs nothing", (t) => {
  const { judge } = makeLines([limit({ per: "caller" })]);
  t.equal(judge(0, { callId: "same" }), accepted);
  t.equal(judge(500, { callId: "same" }), accepted, "with credentials, or by another branch");
  for (let i = 0; i < 5; i++) t.equal(judge(600, { calling: ["from 95566"] }), "reject cli-not-listed");
  t.equal(judge(700), accepted);
  for (let i = 0; i < 5; i++) t.equal(judge(800), tooOften);
  t.equal(judge(60_000), accepted, "the refused ones prolong nothing");
  t.equal(judge(60_000, { called: "110" }), "accept emergency", "nor does it ever refuse an emergency call");
  t.end();
});

void t.test("only unanswered calls: those that stand count, an answer takes them back", (t) => {
  const { judge, end, listen } = makeLines([limit({ onlyUnanswered: true })]);
  t.equal(judge(0), accepted);
  listen({ kind: "answered", call: { id: `call-${calls}`, trunk: "lease-0" }, at: NOW + 100 });
  end(200, { how: "released", answeredMs: 100 });
  t.equal(judge(1000), accepted);
  end(2000);
  t.equal(judge(3000), accepted, "one has failed");
  t.equal(judge(4000), tooOften, "one has failed, one stands");
  end(5000, { how: "refused", status: 407 });
  const before = calls;
  t.equal(judge(6000), tooOften);
  calls = before - 1;
  end(6000, { how: "refused", status: 407 });
  t.equal(judge(7000), accepted, "asked for credentials: it was no failed call");
  end(8000, { by: "filter", how: "lost" });
  t.equal(judge(9000), accepted, "a call whose end nobody saw: it was no failed call either");
  end(10_000, { by: "filter", how: "timed-out" });
  t.equal(judge(11_000), tooOften, "nobody answered within the time");
  t.end();
});

void t.test("a number that called an emergency service is reached for a day, whatever was counted", (t) => {
  const { judge } = makeLines([limit({ per: "called" }), limit({ per: "caller", calls: 9 })]);
  const victim = "+861087654399";
  for (const says of [accepted, accepted, tooOften]) t.equal(judge(0, { called: victim }), says);
  t.equal(judge(1000, { calling: [`from ${victim}`], called: "110" }), "accept emergency");
  for (let i = 0; i < 5; i++) t.equal(judge(2000, { called: victim }), accepted);
  for (let i = 0; i < 4; i++)
    t.equal(judge(2000, { called: "13800138000" }), i < 2 ? accepted : tooOften, "others are not");
  t.equal(judge(24 * 3_600_000 + 2000, { called: victim, calling: ["from +861087654311"] }), accepted);
  t.end();
});

void t.test("whoever calls a number that called an emergency service is above no limit", (t) => {
  const victim = "+861087654399";
  for (const per of ["trunk", "lessee", "caller", "callerBlock", "called"] as const) {
    const { judge } = makeLines([limit({ per })]);
    for (const says of [accepted, accepted, tooOften]) t.equal(judge(0, { called: victim }), says, per);
    judge(1000, { calling: [`from ${victim}`], called: "110" });
    t.equal(judge(2000, { called: victim }), accepted, `per ${per}: the service calls back`);
    if (per !== "called") t.equal(judge(2000), tooOften, `per ${per}: others are not called`);
  }
  const trunk = makeTrunk({ limits: { attemptsPerCallerPerMinute: 1 } });
  const state = makeState();
  const screen = compileScreen(makeChain(), makeTables(trunk), "r1");
  const judge = (called: string): string =>
    sayVerdict(screen.judge(makeAttempt(trunk, { callId: `call-${++calls}`, called }), state));
  t.equal(judge("13800138000"), accepted);
  t.equal(judge(victim), tooOften);
  noteEmergencyCall(makeAttempt(trunk, { calling: [`from ${victim}`], called: "110" }), state);
  t.equal(judge(victim), accepted, "attempts per minute");
  t.equal(judge("13800138000"), tooOften);
  t.end();
});

void t.test("who called an emergency service is known whatever the rule emergency is set to", (t) => {
  const rows: readonly (readonly [Partial<Trunk>, "enforce" | "monitor" | "off", string, boolean])[] = [
    [{ side: "lessee" }, "enforce", "110", true],
    [{ side: "lessee" }, "monitor", "110", true],
    [{ side: "lessee" }, "off", "110", true],
    [{ side: "national" }, "off", "010120", true],
    [{ side: "core" }, "enforce", "110", true],
    [{ side: "lessee" }, "enforce", "12110", false],
    [{ side: "lessee" }, "enforce", "13800138110", false],
    [{ side: "international", fallback: "accept" }, "enforce", "110", false],
  ];
  for (const [given, mode, called, isKnown] of rows) {
    const trunk = makeTrunk(given);
    const state = makeState();
    const screen = compileScreen(makeChain({ emergency: { mode, options: {} } }), makeTables(trunk), "r1");
    const attempt = makeAttempt(trunk, { called });
    createScreeningListener(
      state,
      10,
    )({
      kind: "decided",
      call: { id: "call-1", trunk: trunk.id },
      at: attempt.at,
      decision: screen.judge(attempt, state),
      action: { kind: "forwarded", hop: "core" },
    });
    const back = makeAttempt(trunk, { called: "+861087654321" });
    t.equal(isToEmergencyParty(back, state), isKnown, `${given.side}, ${mode}, ${called}`);
  }
  t.end();
});

void t.test(
  "every number that an emergency call asserts is called back, whatever counts on the trunk",
  (t) => {
    for (const identity of ["all", "pai-first", "presented"] as const) {
      const trunk = makeTrunk({ side: "national", identity });
      const state = makeState();
      const calling = ["pai +861087654321", "from +861087654399"];
      noteEmergencyCall(makeAttempt(trunk, { called: "110", calling }), state);
      for (const [called, isKnown] of [
        ["+861087654321", true],
        ["+861087654399", true],
        ["+861087654322", false],
      ] as const)
        t.equal(isToEmergencyParty(makeAttempt(trunk, { called }), state), isKnown, `${identity}: ${called}`);
    }
    t.end();
  },
);

void t.test("limits that are nearly used up are told, those of numbers are not", (t) => {
  const shared = limit({ per: "lessee", name: "lessee acme", calls: 10 });
  const { judge, state } = makeLines(
    [shared, limit({ per: "trunk", name: "a", calls: 9 }), limit({ calls: 9 })],
    [shared],
  );
  const policy = ["lease-0", "lease-1"].map((id) => ({
    trunk: makeTrunk({
      id,
      limits: {
        frequency: id === "lease-0" ? [shared, limit({ per: "trunk", name: "a", calls: 9 })] : [shared],
      },
    }),
  }));
  const told = () =>
    limitsInUse(policy, state, NOW).map(({ limit: name, ratio }) => `${name} ${ratio.toFixed(2)}`);
  for (let i = 0; i < 7; i++) judge(0);
  t.same(told(), []);
  judge(0);
  t.same(told(), ["lessee acme per lessee 1m 0.80", "trunk lease-0 per trunk 1m 0.89"]);
  t.end();
});

void t.test("the limits of a policy: those of the trunk, and those of its lessee over all trunks", (t) => {
  const policy = compileText(
    `
version: 1
trunks:
  - id: a
    side: lessee
    match: { addresses: [192.0.2.1] }
    lessee: bank
    limits: { frequency: [{ per: caller, calls: 5, within: 1m }, { per: trunk, calls: 900, within: 1d }] }
  - { id: b, side: lessee, match: { addresses: [192.0.2.2] }, lessee: bank }
lessees:
  - id: bank
    numbers: bank.csv
    limits: { frequency: [{ per: lessee, calls: 1000, within: 30d }, { per: called, calls: 3, within: 1h, onlyUnanswered: true }] }
`,
    { "bank.csv": "number\n+861087654321\n" },
  );
  const of = (id: string) => policy.trunkById(id)?.trunk.limits.frequency ?? [];
  t.same(
    of("a").map(({ name, per, calls: most, within }) => `${name}: ${per} ${most} ${within}`),
    [
      "trunk a: trunk a per caller 1m: caller 5 60000",
      "trunk a: trunk a per trunk 1d: trunk 900 86400000",
      "lessee bank: lessee bank per lessee 30d: lessee 1000 2592000000",
      "lessee bank: lessee bank per called 1h unanswered: called 3 3600000",
    ],
  );
  t.same(of("b"), of("a").slice(2), "the same names: the calls of both are counted together");
  t.end();
});
