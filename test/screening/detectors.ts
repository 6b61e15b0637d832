// The detectors at virtual time: the pattern of each is found, what honest callers do is not.
import t from "tap";
import type { CallEnded, CallEvent } from "../../src/domain/call.ts";
import type { DetectorMode, Finding } from "../../src/domain/finding.ts";
import type { Trunk } from "../../src/domain/trunk.ts";
import type { DetectorSettings } from "../../src/screening/detectors/detector.ts";
import { createScores } from "../../src/screening/detectors/scores.ts";
import { createSubjectTable } from "../../src/screening/detectors/subject-table.ts";
import { createWatch, defaultSettings, type WatchSizes } from "../../src/screening/detectors/watch.ts";
import { makeAttempt, makeTrunk, NOW } from "../support/attempt.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const lease = makeTrunk({ id: "lease", lessee: "acme" });
const spare = makeTrunk({ id: "spare", lessee: "acme", index: 1 });
const other = makeTrunk({ id: "other", lessee: "bolt", index: 2 });
const network = makeTrunk({ id: "network", side: "national", lessee: undefined, index: 3 });
const overflow = makeTrunk({ id: "overflow", side: "national", lessee: undefined, index: 4 });

/** What becomes of a call. Lengths of time in milliseconds. */
interface Course {
  readonly rings?: number;
  readonly talks?: number;
  readonly by?: "caller" | "called" | "filter";
  readonly status?: number;
}

interface Played extends Course {
  readonly at: number;
  readonly caller?: string;
  readonly called?: string;
  readonly trunk?: Trunk;
  readonly diverted?: boolean;
}

const moment: Course = { rings: 2 * SECOND, by: "caller", status: 487 };
const missed: Course = { rings: 30 * SECOND, by: "caller", status: 487 };
const busy: Course = { by: "called", status: 486 };
const dead: Course = { by: "filter", status: 404 };
const dropped: Course = { rings: 7 * SECOND, talks: 2 * SECOND, by: "caller" };
const cut: Course = { rings: 7 * SECOND, talks: 4 * SECOND, by: "called" };
const brief: Course = { rings: 7 * SECOND, talks: 14 * SECOND, by: "caller" };
const talk: Course = { rings: 8 * SECOND, talks: 90 * SECOND, by: "called" };

/** Set-up until the first ringing, or until the refusal. */
const SET_UP = 900;

function eventsOf(call: Played, id: string): readonly CallEvent[] {
  const { at, caller = "+861087654321", called = "+8613800138000", trunk = lease, diverted } = call;
  const { rings, talks, by = "caller", status = 200 } = call;
  const attempt = makeAttempt(trunk, {
    callId: id,
    at: NOW + at,
    called,
    calling: [`from ${caller}`],
    ...(diverted === true ? { diversion: ["div +861087654399"] } : {}),
  });
  const ref = { id, trunk: trunk.id };
  const whole = SET_UP + (rings ?? 0) + (talks ?? 0);
  const ended: CallEnded = {
    kind: "ended",
    call: ref,
    at: NOW + at + whole,
    by,
    how: talks !== undefined ? "released" : status === 487 ? "cancelled" : "refused",
    status,
    ...(rings === undefined ? {} : { ringingMs: SET_UP }),
    ...(talks === undefined ? {} : { answeredMs: SET_UP + (rings ?? 0), talkedMs: talks }),
  };
  return [
    {
      kind: "decided",
      call: ref,
      at: NOW + at,
      decision: {
        attempt,
        verdict: { kind: "accept", reason: "listed" },
        rule: "default",
        marks: [],
        shadow: [],
        revision: "r1",
      },
      action: { kind: "forwarded", hop: "core" },
    },
    ended,
  ];
}

const sizes: WatchSizes = { calls: 1000, subjects: 1000, findings: 100 };

interface Test {
  same(found: unknown, wanted: unknown, message: string): unknown;
  end(): unknown;
}

interface Found {
  readonly findings: readonly Finding[];
  readonly full: number;
}

const timeOf = (event: CallEvent): number => ("at" in event ? event.at : 0);

/** Plays calls in the order of the times of their events. */
function play(
  calls: readonly Played[],
  settings: DetectorSettings = defaultSettings,
  given: Partial<WatchSizes> = {},
): Found {
  const findings: Finding[] = [];
  const watch = createWatch({
    sizes: { ...sizes, ...given },
    settings: () => settings,
    ahead: () => NOW,
    tell: (finding) => void findings.push(finding),
  });
  const events = calls.flatMap((call, index) => eventsOf(call, `gw-1-${index + 1}`));
  for (const event of events.toSorted((a, b) => timeOf(a) - timeOf(b))) watch.happened(event);
  return { findings, full: watch.full() };
}

/** Calls one after the other. */
function series(count: number, gap: number, make: (index: number) => Omit<Played, "at">): readonly Played[] {
  return Array.from({ length: count }, (_, index) => ({ at: index * gap, ...make(index) }));
}

const say = ({ detector, subject }: Finding): string =>
  [
    detector,
    subject.kind,
    ...("number" in subject ? [subject.number] : []),
    ...("trunk" in subject ? [subject.trunk] : []),
  ].join(" ");

/** Subjects that are found, each once, and no other. */
type Row = readonly [name: string, calls: readonly Played[], found: readonly string[]];

function check(test: Test, rows: readonly Row[]): void {
  for (const [name, calls, expected] of rows)
    test.same([...new Set(play(calls).findings.map(say))].toSorted(), expected, name);
  test.end();
}

const half = (index: number): Course => (index % 3 === 0 ? cut : missed);
const inBlock = (index: number): string => `+8613800${String(380_000 + index).padStart(6, "0")}`;
const shuffled = (index: number): string => inBlock((index * 37) % 1000);
const course = (index: number): Course => (index % 3 === 0 ? dead : talk);
const person = (index: number): string => `+86139${String(12_345_678 + index * 98_765).padStart(8, "0")}`;
const victim = "called +8613800138000";

void t.test("call-bombing: one called party, and calls that come to nothing", (t) => {
  check(t, [
    [
      "one caller who is cut off and calls again",
      series(8, MINUTE, () => ({ ...cut })),
      [`call-bombing ${victim}`],
    ],
    [
      "many callers, each once",
      series(16, MINUTE, (i) => ({ ...half(i), caller: person(i), trunk: network })),
      [`call-bombing ${victim}`],
    ],
    [
      "callers in turn, who try again; she cuts off one",
      series(20, MINUTE, (i) => ({ ...(i === 9 ? cut : missed), caller: person(i % 4) })),
      [`call-bombing ${victim}`],
    ],
    [
      "a firm with several numbers, before she answers",
      series(20, MINUTE, (i) => ({ ...missed, caller: person(i % 4) })),
      [],
    ],
    ["one caller who insists", series(60, 2 * MINUTE, () => ({ ...missed })), []],
    [
      "a hot line, which talks",
      series(300, 10 * SECOND, (i) => ({ ...talk, caller: person(i), trunk: network })),
      [],
    ],
    [
      "a ticket rush, which is busy",
      series(300, SECOND, (i) => ({ ...busy, caller: person(i), trunk: network })),
      [],
    ],
    ["a card terminal: 14 seconds each", series(300, MINUTE, () => ({ ...brief })), []],
    ["missed calls over a week", series(60, 3 * HOUR, (i) => ({ ...missed, caller: person(i) })), []],
  ]);
});

void t.test("block-dialling: numbers that do not exist, in one block", (t) => {
  check(t, [
    [
      "number for number",
      series(12, MINUTE, (i) => ({ ...course(i), called: inBlock(i) })),
      ["block-dialling caller +861087654321 lease"],
    ],
    [
      "in any order, with other calls between",
      series(24, MINUTE, (i) => ({ ...course(i + 1), called: i % 4 === 3 ? person(i) : shuffled(i) })),
      ["block-dialling caller +861087654321 lease"],
    ],
    [
      "callers of one block take turns",
      series(12, MINUTE, (i) => ({ ...course(i), called: inBlock(i), caller: `+86108765432${i % 6}` })),
      ["block-dialling callerBlock +861087654300 lease"],
    ],
    [
      "a school that calls parents with near numbers",
      series(60, 10 * SECOND, (i) => ({ ...talk, called: shuffled(i) })),
      [],
    ],
    [
      "one number that does not exist, again and again",
      series(40, MINUTE, () => ({ ...dead, called: inBlock(7) })),
      [],
    ],
    [
      "an old list: dead numbers all over the country",
      series(60, MINUTE, (i) => ({ ...dead, called: person(i) })),
      [],
    ],
    [
      "five wrong numbers of five callers",
      series(5, MINUTE, (i) => ({ ...dead, called: inBlock(i), caller: person(i), trunk: network })),
      [],
    ],
  ]);
});

void t.test("two-places: one number at two places at once", (t) => {
  const turns = (trunks: readonly Trunk[], gap: number): readonly Played[] =>
    series(8, gap, (i) => ({ ...talk, called: person(i), trunk: trunks[i % trunks.length] ?? lease }));
  check(t, [
    [
      "two lessees",
      turns([lease, other], 20 * SECOND),
      ["two-places caller +861087654321 lease", "two-places caller +861087654321 other"],
    ],
    ["one lessee with two trunks", turns([lease, spare], 20 * SECOND), []],
    ["networks that share load", turns([network, overflow], 20 * SECOND), []],
    ["a traveller, an hour later", turns([lease, other], HOUR), []],
    [
      "a platform number of two call centres",
      turns([lease, other], 20 * SECOND).map((call) => ({ ...call, caller: "95588" })),
      [],
    ],
    [
      "an exchange that forwards",
      turns([network, other], 20 * SECOND).map((call) => ({ ...call, diverted: true })),
      [],
    ],
  ]);
});

void t.test("one-ring: many parties rung for a moment", (t) => {
  const me = "caller +861087654321 lease";
  check(t, [
    [
      "a moment each",
      series(12, MINUTE, (i) => ({ ...moment, called: person(i) })),
      [`one-ring ${me}`, `short-calls ${me}`].slice(0, 1),
    ],
    [
      "numbers of one block take turns",
      series(16, MINUTE, (i) => ({ ...moment, called: person(i), caller: `+86108765432${i % 8}` })),
      ["one-ring callerBlock +861087654300 lease"],
    ],
    [
      "relatives who ring as a sign",
      series(30, 10 * MINUTE, (i) => ({ ...moment, called: person(i % 4) })),
      [],
    ],
    [
      "a taxi: answered now and then, for a few words",
      series(40, 20 * MINUTE, (i) => ({ ...(i % 3 === 0 ? brief : moment), called: person(i) })),
      [],
    ],
    ["callers who wait", series(60, MINUTE, (i) => ({ ...missed, called: person(i) })), []],
  ]);
});

void t.test("short-calls: dropped at the answer", (t) => {
  check(t, [
    [
      "each answer is dropped",
      series(12, MINUTE, (i) => ({ ...dropped, called: person(i) })),
      ["short-calls caller +861087654321 lease"],
    ],
    [
      "codes and couriers: some seconds of talk",
      series(60, MINUTE, (i) => ({ ...brief, called: person(i) })),
      [],
    ],
    [
      "a machine with a fault looks for no numbers: it bombs its receiver",
      series(60, MINUTE, () => ({ ...dropped, called: "95588" })),
      ["call-bombing called 95588"],
    ],
  ]);
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
