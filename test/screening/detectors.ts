// The detectors at virtual time: findings are told once, tables are bounded, what is off sees nothing.
import t from "tap";
import type { CallEvent } from "../../src/domain/call.ts";
import type { DetectorMode, Finding } from "../../src/domain/finding.ts";
import type { DetectorSettings } from "../../src/screening/detectors/detector.ts";
import { createScores } from "../../src/screening/detectors/scores.ts";
import { createSubjectTable } from "../../src/screening/detectors/subject-table.ts";
import { createWatch, defaultSettings } from "../../src/screening/detectors/watch.ts";
import {
  HOUR,
  MINUTE,
  SECOND,
  cut,
  eventsOf,
  moment,
  network,
  person,
  play,
  series,
  sizes,
} from "./played-calls.ts";

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
