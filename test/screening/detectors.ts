// The detectors at virtual time: findings are told once, tables are bounded, what is off sees nothing.
import t from "tap";
import type { CallEvent } from "../../src/domain/call.ts";
import type { DetectorMode, Finding } from "../../src/domain/finding.ts";
import { createBombers } from "../../src/screening/detectors/bombers.ts";
import type { DetectorSettings, SeenCall } from "../../src/screening/detectors/detector.ts";
import { createFindings } from "../../src/screening/detectors/findings.ts";
import { createScores } from "../../src/screening/detectors/scores.ts";
import { createSubjectTable } from "../../src/screening/detectors/subject-table.ts";
import { createWatch, defaultSettings } from "../../src/screening/detectors/watch.ts";
import {
  HOUR,
  MINUTE,
  SECOND,
  cut,
  eventsOf,
  lease,
  moment,
  network,
  person,
  play,
  series,
  sizes,
} from "./played-calls.ts";

const seenCall: SeenCall = {
  ref: { id: "gw-1-1", trunk: "lease" },
  trunk: lease,
  place: 0,
  caller: 8,
  callerClass: "fixed",
  called: 42,
  isDiverted: false,
  begun: 0,
  end: {
    rang: 7000,
    talked: 4000,
    by: "called",
    isBusy: false,
    isDead: false,
    isCancelled: false,
  },
  backPlace: -1,
  backAfter: -1,
  print: 0,
};

void t.test("rows of subjects are given up when no detector reads anything in them", (t) => {
  const table = createSubjectTable(64);
  const scores = createScores(table, { score: 5, anHour: 2, parties: 1, strong: 0 });
  for (let i = 0; i < 1000; i++)
    scores.add(0, i, 1, 1, { id: "gw-1-1", trunk: "lease" }, (i * HOUR) / 4 / SECOND);
  t.equal(table.full, 0);
  t.ok(table.size < 16, `${table.size} of 1000 subjects stand`);
  t.end();
});

void t.test("a finding names its calls, is told once, and again when it has grown or expired", (t) => {
  const bombed = series(8, MINUTE, () => ({ ...cut }));
  const { findings } = play(bombed);
  t.equal(findings.length, 1);
  const [finding] = findings;
  t.match(finding, { profile: "1", detector: "call-bombing", facts: { callers: 1 } });
  t.equal((finding?.until ?? 0) - (finding?.at ?? 0), 24 * HOUR);
  t.ok((finding?.evidence.length ?? 0) > 1);
  t.same(new Set(finding?.evidence.map(({ trunk }) => trunk)), new Set(["lease"]));
  t.equal(
    play(series(60, MINUTE, () => ({ ...cut }))).findings.length,
    3,
    "each time at four times the strength",
  );
  const nextDay = bombed.map((call) => ({ ...call, at: call.at + 25 * HOUR }));
  t.equal(play([...bombed, ...nextDay]).findings.length, 2, "and when the first one has expired");
  t.end();
});

void t.test("the same events give the same findings, byte for byte", (t) => {
  const calls = [
    ...series(40, MINUTE, (i) => ({ ...moment, called: person(i) })),
    ...series(40, MINUTE, (i) => ({ ...cut, caller: person(i), trunk: network })),
  ];
  const once = JSON.stringify(play(calls));
  t.ok(play(calls).findings.length > 1);
  t.equal(JSON.stringify(play(calls)), once);
  t.end();
});

void t.test("tables are bounded: what finds no room is counted, and nothing breaks", (t) => {
  const crowd = series(2000, 10, (i) => ({
    ...(i % 2 === 0 ? moment : cut),
    caller: person(i),
    called: person(i + 7),
  }));
  for (const given of [{ calls: 10 }, { subjects: 16 }, { findings: 1 }]) {
    const calls =
      "findings" in given ? series(40, MINUTE, (i) => ({ ...cut, called: person(i % 4) })) : crowd;
    const { full, findings } = play(calls, defaultSettings, given);
    t.ok(full > 0, `${JSON.stringify(given)}: ${full} not watched`);
    t.ok(findings.length < 10);
  }
  t.end();
});

void t.test(
  "where all findings are in force, they are looked through once a second, not at each call",
  (t) => {
    const findings = createFindings(1, () => "f1");
    const as = { detector: "one-ring", profile: "1", isEnforced: false } as const;
    const seen = { kind: "caller", facts: {}, evidence: [], strength: 1 } as const;
    const take = (caller: number, at: number, lasts: number): boolean =>
      findings.take({ ...as, lasts }, seen, { ...seenCall, caller }, at) !== undefined;
    const rows: readonly (readonly [caller: number, at: number, isTold: boolean])[] = [
      [1, 0, true],
      [2, 100, false],
      [2, 700, false],
      [2, 1100, true],
      [3, 1200, false],
      // The wall clock was set back.
      [3, -9000, false],
      [3, -8000, false],
      [3, 9000, true],
    ];
    for (const [caller, at, isTold] of rows) t.equal(take(caller, at, 500), isTold, `${caller} at ${at} ms`);
    t.equal(findings.full, 5);
    t.end();
  },
);

void t.test(
  "bombers: many numbers that call once spare none that calls again; a participant is not replaced",
  (t) => {
    const bombers = createBombers(6 * HOUR);
    for (let i = 0; i < 200; i++) bombers.add({ ...seenCall, caller: 1000 + i }, 0.4, 3 + i, i);
    t.equal(bombers.full(), 72, "128 have room");
    t.equal(bombers.add({ ...seenCall, caller: 7 }, 0.4, 300, 300), undefined);
    t.equal(bombers.add({ ...seenCall, caller: 7 }, 1.6, 301, 301), undefined);
    t.match(bombers.add({ ...seenCall, caller: 7 }, 1.6, 302, 302), { number: "+7" });
    for (let i = 0; i < 200; i++) bombers.add({ ...seenCall, caller: 2000 + i }, 3, 400 + i, 400 + i);
    t.equal(bombers.of(42).length, 128);
    t.match(bombers.of(42), [{ number: "+7" }]);
    t.end();
  },
);

void t.test("bombers: who calls thousands of parties takes nobody's shield", (t) => {
  const bombers = createBombers(6 * HOUR);
  for (let i = 0; i < 5000; i++) bombers.add({ ...seenCall, called: 1_000_000 + i }, 0.4, 3, i);
  t.equal(bombers.full(), 5000 - 4096, "those that were called least recently are forgotten");
  t.equal(bombers.add(seenCall, 1.8, 3, 6000), undefined);
  t.same(
    bombers.add(seenCall, 1.8, 4, 7000),
    { trunk: "lease", number: "+8" },
    "a party that is bombed then",
  );
  t.same(bombers.of(42), [{ trunk: "lease", number: "+8" }]);
  t.end();
});

function allIn(mode: DetectorMode): DetectorSettings {
  return new Map([...defaultSettings].map(([id, setting]) => [id, { ...setting, mode }]));
}

void t.test("what is refused, an emergency call or switched off is not watched", (t) => {
  const findings: Finding[] = [];
  let settings = defaultSettings;
  const watch = createWatch({
    sizes,
    settings: () => settings,
    ahead: () => 0,
    tell: (f) => void findings.push(f),
  });
  const feed = (change: (event: Extract<CallEvent, { kind: "decided" }>) => CallEvent): number => {
    findings.length = 0;
    for (const [i, call] of series(10, MINUTE, () => ({ ...cut })).entries())
      for (const event of eventsOf(call, `gw-1-${i}`))
        watch.happened(event.kind === "decided" ? change(event) : event);
    return findings.length;
  };
  t.equal(
    feed((event) => ({ ...event, action: { kind: "answered", status: 403 } })),
    0,
    "refused",
  );
  t.equal(
    feed((event) => ({ ...event, decision: { ...event.decision, rule: "emergency" } })),
    0,
    "for help",
  );
  t.equal(
    feed((event) => {
      const { decision } = event;
      return { ...event, decision: { ...decision, attempt: { ...decision.attempt, emergencyUrn: true } } };
    }),
    0,
    "for help, where the rule emergency is off",
  );
  settings = allIn("off");
  t.equal(
    feed((event) => event),
    0,
    "off",
  );
  settings = allIn("monitor");
  t.equal(
    feed((event) => event),
    1,
    "and on again",
  );
  t.end();
});

void t.test("a score never falls below nothing, and time takes from it", (t) => {
  const rows = createScores(createSubjectTable(16), { score: 5, anHour: 2, parties: 1, strong: 0 });
  const add = (weight: number, now: number): number =>
    rows.add(0, 7, weight, 1, { id: "gw-1-1", trunk: "lease" }, now / SECOND);
  t.same([add(-100, 0), add(3, 0), add(2.5, 0)], [0, 0, 5.5], "what was good before excuses nothing");
  t.equal(add(1, HOUR / 2), 5.5, "half an hour takes half of it");
  t.same([add(-9, HOUR), rows.callsOf(0, 7)], [0, 0], "and at nothing it begins anew");
  t.end();
});
