// The quarantine at virtual time: whom a finding or an order binds, whom it spares, and what attackers make of it.
import t from "tap";
import type { CallAttempt } from "../../src/domain/attempt.ts";
import type { CallEnded, CallEvent } from "../../src/domain/call.ts";
import type { Decision } from "../../src/domain/decision.ts";
import type { DetectorId, Finding, FindingSubject, Participant } from "../../src/domain/finding.ts";
import { readKey } from "../../src/domain/number.ts";
import type { Trunk } from "../../src/domain/trunk.ts";
import type { DetectorSetting, DetectorSettings } from "../../src/screening/detectors/detector.ts";
import { createWatch, defaultSettings } from "../../src/screening/detectors/watch.ts";
import { type Bound, bindFinding, releasedOf } from "../../src/screening/quarantine/binding.ts";
import { followPolicy } from "../../src/screening/quarantine/enforced.ts";
import { noteEmergencyCall } from "../../src/screening/emergency-parties.ts";
import { isShortTalk } from "../../src/screening/detectors/call-bombing.ts";
import type { PolicyTables } from "../../src/screening/rule.ts";
import { compileScreen, type Screen } from "../../src/screening/chain/screen.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { createQuarantineTable, type QuarantineTable } from "../../src/state/quarantine/quarantine-table.ts";
import type { Held } from "../../src/state/quarantine/held.ts";
import {
  type AttemptSpec,
  DAY,
  makeAttempt,
  makeChain,
  makeList,
  makeState,
  makeTables,
  makeTrunk,
  NOW,
} from "../support/attempt.ts";
import { sayVerdict } from "../support/rule-table.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const bank = "95588";
const head = "+861087654321";
const person = (index: number): string => `+86139${String(12_345_678 + index * 98_765).padStart(8, "0")}`;
const party = (index: number): string => `+86137${10_000_000 + index}`;

const network = makeTrunk({ id: "network", side: "national" });
const other = makeTrunk({ id: "other", side: "national", index: 1 });
const lease = makeTrunk({ id: "lease", index: 2 });
const spare = makeTrunk({ id: "spare", index: 3 });
const abroad = makeTrunk({ id: "abroad", side: "international", index: 4 });
const trunks: readonly Trunk[] = [network, other, lease, spare, abroad];

function hold(subject: FindingSubject, given: Partial<Held> = {}): Held {
  return {
    id: "f1",
    holder: "one-ring",
    profile: "1",
    subject,
    since: NOW,
    until: NOW + DAY,
    mark: undefined,
    markUntil: 0,
    calls: 9,
    strength: 10,
    participants: [],
    ...given,
  };
}

interface Row extends AttemptSpec {
  readonly name: string;
  readonly trunk?: Trunk;
  readonly tables?: Partial<PolicyTables>;
  readonly says: string;
}

/** Judges by the rule alone, so that nothing else stands in its way. */
function judgeAlone(held: readonly Held[], { trunk = network, tables, ...spec }: Row): string {
  const state = makeState();
  for (const each of held) state.quarantine.put(each, NOW);
  const chain = makeChain();
  const off = { mode: "off", options: {} } as const;
  const alone = {
    ...Object.fromEntries(Object.keys(chain).map((id) => [id, off])),
    quarantine: chain.quarantine,
  };
  const screen = compileScreen(
    { ...chain, ...alone },
    makeTables({ ...trunk, fallback: "accept" }, tables),
    "r1",
  );
  const decision = screen.judge(makeAttempt(trunk, spec), state);
  return decision.rule === "quarantine" ? sayVerdict(decision) : "passes";
}

void t.test("whom an entry binds, with near misses", (t) => {
  const table: readonly (readonly [Held, readonly Row[]])[] = [
    [
      hold({ kind: "caller", trunk: "network", number: head }),
      [
        { name: "the caller on the trunk", calling: [`from ${head}`], says: "reject quarantined" },
        { name: "however it is written", calling: ["from 01087654321"], says: "reject quarantined" },
        {
          name: "in any field that counts",
          calling: [`pai ${head}`, "from +861087654322"],
          says: "reject quarantined",
        },
        { name: "the number after it", calling: ["from +861087654322"], says: "passes" },
        { name: "the caller on another trunk", trunk: other, calling: [`from ${head}`], says: "passes" },
        { name: "on the trunk of its lessee", trunk: lease, calling: [`from ${head}`], says: "passes" },
        {
          name: "in a field that does not count",
          trunk: makeTrunk({ ...network, identity: "presented" }),
          calling: [`pai ${head}`, "from +861087654322"],
          says: "passes",
        },
        {
          name: "the last millisecond",
          calling: [`from ${head}`],
          at: NOW + DAY - 1,
          says: "reject quarantined",
        },
        { name: "the end", calling: [`from ${head}`], at: NOW + DAY, says: "passes" },
        { name: "a call to 110", calling: [`from ${head}`], called: "110", says: "passes" },
        { name: "a call to an emergency URN", calling: [`from ${head}`], emergencyUrn: true, says: "passes" },
        { name: "called by others", calling: ["from +861087654322"], called: head, says: "passes" },
      ],
    ],
    [
      hold({ kind: "caller", trunk: "network", number: bank }),
      [
        { name: "a code", calling: [`from ${bank}`], says: "reject quarantined" },
        { name: "the code behind an area code", calling: [`from +8610${bank}`], says: "reject quarantined" },
        { name: "another code", calling: ["from 95589"], says: "passes" },
      ],
    ],
    [
      hold({ kind: "callerBlock", trunk: "network", number: "+861087654300" }),
      [
        { name: "the first of the block", calling: ["from +861087654300"], says: "reject quarantined" },
        { name: "the last of the block", calling: ["from +861087654399"], says: "reject quarantined" },
        { name: "the one before it", calling: ["from +861087654299"], says: "passes" },
        { name: "the one after it", calling: ["from +861087654400"], says: "passes" },
        { name: "the block on another trunk", trunk: other, calling: ["from +861087654300"], says: "passes" },
      ],
    ],
    [
      hold({ kind: "trunk", trunk: "lease" }),
      [
        { name: "everybody on the trunk", trunk: lease, says: "reject quarantined" },
        { name: "a call to 110 on it", trunk: lease, called: "110", says: "passes" },
        { name: "another trunk of the lessee", trunk: spare, says: "passes" },
      ],
    ],
    [
      hold({ kind: "caller", trunk: "abroad", number: "+14155550123" }),
      [
        {
          name: "a caller from abroad",
          trunk: abroad,
          calling: ["from +14155550123"],
          says: "reject quarantined",
        },
        {
          name: "to 110 from abroad, too",
          trunk: abroad,
          calling: ["from +14155550123"],
          called: "+86110",
          says: "reject quarantined",
        },
      ],
    ],
    [
      hold({ kind: "caller", trunk: "network", number: "110" }),
      [
        { name: "the police on a network of the country", calling: ["from 110"], says: "passes" },
        {
          name: "who hides behind the police",
          calling: ["pai 110", "from +861087654322"],
          says: "reject quarantined",
        },
      ],
    ],
    [
      hold({ kind: "caller", trunk: "lease", number: "110" }),
      [
        {
          name: "the police on a leased line that does not list it",
          trunk: lease,
          calling: ["from 110"],
          says: "reject quarantined",
        },
        {
          name: "the police on its own leased line",
          trunk: lease,
          calling: ["from 110"],
          tables: { lesseeNumbers: makeList("police", ["110"]) },
          says: "passes",
        },
      ],
    ],
    [
      hold(
        { kind: "caller", trunk: "network", number: head },
        { until: NOW + HOUR, mark: "label", markUntil: NOW + DAY },
      ),
      [
        { name: "refused at first", calling: [`from ${head}`], says: "reject quarantined" },
        { name: "labelled then", calling: [`from ${head}`], at: NOW + HOUR, says: "label quarantined" },
        { name: "nothing at last", calling: [`from ${head}`], at: NOW + DAY, says: "passes" },
      ],
    ],
    [
      hold(
        { kind: "caller", trunk: "network", number: head },
        { until: 0, mark: "withhold", markUntil: NOW + DAY },
      ),
      [{ name: "without its number", calling: [`from ${head}`], says: "withhold quarantined" }],
    ],
    [
      hold({ kind: "caller", trunk: "network", number: head }, { released: NOW + 2 * DAY }),
      [{ name: "released", calling: [`from ${head}`], says: "passes" }],
    ],
  ];
  for (const [held, rows] of table)
    for (const row of rows) t.equal(judgeAlone([held], row), row.says, row.name);
  t.end();
});

const victim = "+8613800138000";

void t.test("a shield: participants on their trunks, and nobody else", (t) => {
  const participants: readonly Participant[] = [{ trunk: "network", number: person(1) }];
  const held = hold({ kind: "called", number: victim }, { holder: "call-bombing", participants });
  const row = (name: string, from: string, says: string, given: Partial<Row> = {}): Row => ({
    name,
    calling: [`from ${from}`],
    called: victim,
    says,
    ...given,
  });
  const trusted = [makeList("hospital", [person(1)])];
  for (const each of [
    row("a participant", person(1), "reject quarantined"),
    row("a stranger", person(2), "passes"),
    row("the participant's number on another trunk", person(1), "passes", { trunk: other }),
    row("a participant to another party", person(1), "passes", { called: "+8613800138001" }),
    row("a trusted participant", person(1), "passes", { tables: { trustedLists: trusted } }),
    row("a stranger beside a trusted one", person(2), "passes", { tables: { trustedLists: trusted } }),
    row("at the end", person(1), "passes", { at: NOW + DAY }),
    row("120 calls back", "120", "passes"),
  ])
    t.equal(judgeAlone([held], each), each.says, each.name);
  t.end();
});

void t.test("of several entries the strongest speaks, and says who made it", (t) => {
  const state = makeState();
  const at = { kind: "caller", trunk: "network", number: head } as const;
  const put = (held: Held): unknown => state.quarantine.put(held, NOW);
  put(hold(at, { id: "f1", until: 0, mark: "label", markUntil: NOW + DAY }));
  put(hold(at, { id: "f2", holder: "short-calls", until: 0, mark: "withhold", markUntil: NOW + DAY }));
  const screen = compileScreen(makeChain(), makeTables(network), "r1");
  const judge = (): Decision => screen.judge(makeAttempt(network, { calling: [`from ${head}`] }), state);
  t.match(judge().verdict, { kind: "withhold", facts: { finding: "f2", detector: "short-calls" } });
  put(hold(at, { id: "o3", holder: "command" }));
  t.match(judge(), {
    rule: "quarantine",
    verdict: {
      kind: "reject",
      reason: "quarantined",
      facts: { detector: "command", finding: "o3", until: "2026-10-04T00:15:00.000Z", subject: "caller" },
    },
  });
  const monitored = compileScreen(
    makeChain({ quarantine: { mode: "monitor", options: {} } }),
    makeTables(network),
    "r1",
  ).judge(makeAttempt(network, { calling: [`from ${head}`] }), state);
  t.equal(sayVerdict(monitored), "accept default");
  t.match(monitored.shadow, [{ rule: "quarantine", verdict: { reason: "quarantined" } }]);
  t.end();
});

/** What becomes of a call. Lengths of time in milliseconds. */
interface Course {
  readonly rings?: number;
  readonly talks?: number;
  readonly by?: "caller" | "called";
  readonly status?: number;
}
const moment: Course = { rings: 2 * SECOND, by: "caller", status: 487 };
const missed: Course = { rings: 30 * SECOND, by: "caller", status: 487 };
const cut: Course = { rings: 7 * SECOND, talks: 4 * SECOND, by: "called" };
const talk: Course = { rings: 8 * SECOND, talks: 90 * SECOND, by: "called" };

interface Call extends Course {
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly on: Trunk;
}

function sideOf(id: string): Trunk["side"] | undefined {
  return trunks.find((trunk) => trunk.id === id)?.side;
}

/** A filter at virtual time: the chain of each trunk, the detectors behind it, and the quarantine they fill. */
interface Scene {
  /** Judges a call, and lets it run its course where it passes. @returns the verdict */
  place(call: Call): string;
  readonly bounds: readonly Bound[];
  readonly state: ReturnType<typeof makeState>;
  follow(settings: DetectorSettings): void;
}

function settingsOf(given: Partial<Record<DetectorId, Partial<DetectorSetting>>>): DetectorSettings {
  return new Map([...defaultSettings].map(([id, setting]) => [id, { ...setting, ...given[id] }]));
}

function open(first: DetectorSettings, tables: Partial<PolicyTables> = {}): Scene {
  const state = createScreeningState({ callers: 10_000, recentCalls: 10_000, subjects: 10_000 });
  state.wall.ahead = 0;
  let settings = first;
  followPolicy(state.quarantine, settings);
  const bounds: Bound[] = [];
  const watch = createWatch({
    sizes: { calls: 1000, subjects: 1000, findings: 1000 },
    settings: () => settings,
    ahead: () => 0,
    tell(finding) {
      bounds.push(bindFinding(finding, settings.get(finding.detector), state.quarantine, sideOf));
    },
    join({ detector, subject }, participant) {
      const entry = state.quarantine.get(detector, subject);
      if (entry !== undefined) state.quarantine.join(entry, participant);
    },
    answered: (call, at) => state.answered.note(call.caller, call.called, at, true),
    ended({ caller, called, end }, at) {
      if (end.talked >= 0 && !isShortTalk(end)) state.answered.note(caller, called, at, false);
    },
  });
  const screens = new Map<string, Screen>(
    trunks.map((trunk) => [
      trunk.id,
      compileScreen(makeChain(), makeTables({ ...trunk, fallback: "accept" }, tables), "r1"),
    ]),
  );
  let count = 0;
  return {
    bounds,
    state,
    follow(next) {
      settings = next;
      followPolicy(state.quarantine, settings);
    },
    place({ at, from, to, on, rings, talks, by = "caller", status = 200 }) {
      const id = `gw-1-${++count}`;
      const attempt: CallAttempt = makeAttempt(on, {
        callId: id,
        at: NOW + at,
        called: to,
        calling: [`from ${from}`],
      });
      const decision = screens.get(on.id)!.judge(attempt, state);
      const { kind } = decision.verdict;
      const call = { id, trunk: on.id };
      const passes = kind === "accept" || kind === "label" || kind === "withhold";
      const decided: CallEvent = {
        kind: "decided",
        call,
        at: NOW + at,
        decision,
        action: passes ? { kind: "forwarded", hop: "core" } : { kind: "answered", status: 403 },
      };
      if (decision.rule === "emergency") noteEmergencyCall(attempt, state);
      watch.happened(decided);
      if (!passes) return sayVerdict(decision);
      const ended: CallEnded = {
        kind: "ended",
        call,
        at: NOW + at + 900 + (rings ?? 0) + (talks ?? 0),
        by,
        how: talks !== undefined ? "released" : "cancelled",
        status,
        ...(rings === undefined ? {} : { ringingMs: 900 }),
        ...(talks === undefined ? {} : { answeredMs: 900 + (rings ?? 0), talkedMs: talks }),
      };
      if (talks !== undefined) watch.happened({ kind: "answered", call, at: NOW + at + 900 + (rings ?? 0) });
      watch.happened(ended);
      return sayVerdict(decision);
    },
  };
}

const callers24: Partial<DetectorSetting> = { mode: "enforce", quarantine: { subject: "caller", for: DAY } };
const shields24: Partial<DetectorSetting> = { mode: "enforce", quarantine: { subject: "called", for: DAY } };

const listedUnless = (isBound: boolean): string => (isBound ? "reject quarantined" : "accept listed");

/** One-rings with this number. @returns how many of the calls were refused */
function oneRing(scene: Scene, from: string, on: Trunk, begin: number, calls = 16): number {
  let refused = 0;
  for (let i = 0; i < calls; i++)
    if (scene.place({ ...moment, at: begin + i * MINUTE, from, to: party(i), on }) !== "accept default")
      refused++;
  return refused;
}

void t.test("spoofed bank: who writes its number on another trunk silences only himself", (t) => {
  for (const [number, listed] of [
    [bank, bank],
    [head, head],
  ] as const) {
    for (const subject of ["caller", "callerBlock", "trunk"] as const) {
      const scene = open(settingsOf({ "one-ring": { mode: "enforce", quarantine: { subject, for: DAY } } }), {
        lesseeNumbers: makeList("bank", [listed]),
      });
      t.equal(scene.place({ ...talk, at: 0, from: number, to: person(1), on: lease }), "accept listed");
      const refused = oneRing(scene, number, network, MINUTE);
      const what = `${number}, subject ${subject}`;
      // Many share the trunk of a network: a finding never stops all of them.
      t.equal(refused > 0, subject !== "trunk", `${what}: the attacker's own calls`);
      for (const on of [lease, spare])
        t.equal(
          scene.place({ ...talk, at: HOUR, from: number, to: person(2), on }),
          "accept listed",
          `${what}: the bank on ${on.id}`,
        );
      t.equal(
        scene.place({ ...talk, at: HOUR, from: number, to: person(3), on: other }),
        "accept default",
        `${what}: the number on another network`,
      );
      t.equal(
        scene.place({ ...talk, at: HOUR, from: person(4), to: person(3), on: network }),
        "accept default",
        `${what}: others on the attacker's trunk`,
      );
    }
  }
  t.end();
});

void t.test("a lessee that one-rings: its number, its block or its whole trunk, and no other trunk", (t) => {
  const near = "+861087654399";
  for (const [subject, isNearBound, isFarBound] of [
    ["caller", false, false],
    ["callerBlock", true, false],
    ["trunk", true, true],
  ] as const) {
    const scene = open(settingsOf({ "one-ring": { mode: "enforce", quarantine: { subject, for: DAY } } }));
    t.ok(oneRing(scene, head, lease, 0) > 0, subject);
    const says = (from: string, on: Trunk): string =>
      scene.place({ ...talk, at: HOUR, from, to: person(1), on });
    t.equal(says(near, lease), listedUnless(isNearBound), `${subject}: another number of the block`);
    t.equal(
      says("+861088881234", lease),
      listedUnless(isFarBound),
      `${subject}: another number of the lessee`,
    );
    t.equal(says(head, spare), "accept listed", `${subject}: the lessee's other trunk`);
  }
  t.end();
});

const hospital = "+861066668888";
const patient = person(700);

/** Four callers bomb the hospital in turn. @returns the verdicts */
function bomb(scene: Scene, begin: number, calls = 40): readonly string[] {
  return Array.from({ length: calls }, (_, i) =>
    scene.place({
      ...(i % 3 === 0 ? cut : missed),
      at: begin + i * MINUTE,
      from: person(i % 4),
      to: hospital,
      on: i % 4 < 2 ? network : other,
    }),
  );
}

void t.test("bombed hospital: the bombers are refused, and nobody else", (t) => {
  const scene = open(settingsOf({ "call-bombing": shields24 }));
  const at = 20 * DAY;
  const says = (from: string, on: Trunk, when: number, course: Course = missed): string =>
    scene.place({ ...course, at: when, from, to: hospital, on });

  t.equal(says(patient, network, 0, talk), "accept default", "the patient is answered, 20 days before");
  t.equal(
    says(person(701), network, at - 31 * DAY, talk),
    "accept default",
    "and another one 31 days before",
  );
  const verdicts = bomb(scene, at);
  t.ok(
    verdicts.slice(0, 8).every((verdict) => verdict === "accept default"),
    "the first calls pass",
  );
  t.ok(
    verdicts.slice(-8).every((verdict) => verdict === "reject quarantined"),
    "the last ones do not",
  );

  const now = at + HOUR;
  t.equal(says(person(0), network, now), "reject quarantined", "a bomber");
  t.equal(says(person(0), abroad, now), "reject home-cli-from-abroad");
  t.equal(says(person(0), other, now), "accept default", "the bomber's number, written on another trunk");
  t.equal(
    scene.place({ ...talk, at: now, from: person(0), to: person(77), on: network }),
    "accept default",
    "the bomber calls somebody else",
  );
  t.equal(says(person(50), network, now), "accept default", "a stranger");
  t.equal(says("120", network, now, talk), "accept default", "120 calls back");
  // A patient who tries and tries, as bombers do.
  for (let i = 0; i < 12; i++)
    t.equal(says(patient, network, now + i * 7 * MINUTE), "accept default", `the patient's call ${i}`);
  for (let i = 0; i < 3; i++)
    t.equal(
      says(person(702), network, now + i * 7 * MINUTE),
      "accept default",
      `an unknown patient's call ${i}`,
    );

  // One more caller joins: refused once his own calls fit, and not before.
  const joining = Array.from({ length: 6 }, (_, i) =>
    says(person(60), network, now + 2 * HOUR + i * MINUTE, cut),
  );
  t.same(joining.slice(0, 2), ["accept default", "accept default"], "two calls say nothing yet");
  t.equal(joining.at(-1), "reject quarantined", "he has joined the finding");

  t.equal(says(person(0), network, at + 27 * HOUR), "accept default", "the shield has ended");
  t.end();
});

void t.test("bombed hospital: a trusted number, and one whom she answered shortly some days ago", (t) => {
  const scene = open(settingsOf({ "call-bombing": shields24 }), {
    trustedLists: [makeList("ministry", [person(0)])],
  });
  const says = (from: string, when: number, course: Course = missed): string =>
    scene.place({ ...course, at: when, from, to: hospital, on: network });
  says(person(2), -9 * DAY, { rings: 3 * SECOND, talks: 2 * SECOND, by: "called" });
  for (let i = 0; i < 40; i++) says(person(i % 4), i * MINUTE, i % 3 === 0 ? cut : missed);
  t.equal(says(person(0), HOUR), "accept default", "trusted");
  t.equal(says(person(1), HOUR), "reject quarantined", "a bomber");
  t.equal(says(person(2), HOUR), "accept default", "she answered nine days ago, if only for a moment");
  t.end();
});

void t.test("call back of 110: nothing refuses a call to who called an emergency service today", (t) => {
  const scene = open(settingsOf({ "call-bombing": shields24, "one-ring": callers24 }));
  const says = (from: string, to: string, when: number, on = network): string =>
    scene.place({ ...talk, at: when, from, to, on });
  bomb(scene, 0);
  const officer = person(1);
  t.equal(says(officer, hospital, HOUR), "reject quarantined", "an officer's number among the bombers");
  oneRing(scene, person(7), network, 0);
  t.equal(says(person(7), hospital, HOUR), "reject quarantined", "and one in quarantine for another reason");
  t.equal(says(hospital, "110", HOUR, other), "accept emergency", "the hospital calls 110");
  t.equal(says("110", hospital, HOUR + MINUTE), "accept default", "110 calls back");
  t.equal(says(officer, hospital, HOUR + MINUTE), "accept default", "the officer calls back");
  t.equal(says(person(7), hospital, HOUR + MINUTE), "accept default", "whatever stands against the caller");
  t.equal(says(person(7), person(8), HOUR + MINUTE), "reject quarantined", "to others it stands as before");
  t.equal(says(person(7), hospital, 23 * HOUR), "accept default", "for a day");
  t.end();
});

void t.test("two places: a number written elsewhere binds nobody at its owner's place", (t) => {
  const scene = open(settingsOf({}));
  for (let i = 0; i < 20; i++) {
    scene.place({ ...talk, at: i * MINUTE, from: head, to: person(i), on: lease });
    scene.place({ ...talk, at: i * MINUTE + SECOND, from: head, to: person(i + 50), on: network });
  }
  t.ok(scene.bounds.length > 0, "found");
  t.ok(scene.bounds.every((bound) => "unbound" in bound));
  t.equal(scene.place({ ...talk, at: HOUR, from: head, to: person(1), on: lease }), "accept listed");
  t.end();
});

void t.test("mode monitor refuses nothing; a reload puts entries in force and takes them out of it", (t) => {
  const scene = open(settingsOf({ "one-ring": { quarantine: { subject: "caller", for: DAY } } }));
  t.equal(oneRing(scene, person(7), network, 0), 0);
  t.same(scene.bounds, [{ unbound: "monitor" }]);
  const says = (when: number): string =>
    scene.place({ ...moment, at: when, from: person(7), to: party(999), on: network });
  scene.follow(settingsOf({ "one-ring": callers24 }));
  t.equal(says(17 * MINUTE), "accept default", "the campaign goes on, and is told anew");
  t.equal(says(18 * MINUTE), "reject quarantined", "enforced from then on");
  scene.follow(settingsOf({ "one-ring": { mode: "monitor" } }));
  t.equal(says(19 * MINUTE), "accept default", "monitor again: nothing follows");
  scene.follow(settingsOf({ "one-ring": callers24 }));
  t.equal(says(20 * MINUTE), "reject quarantined", "the entry has outlived both");
  t.end();
});

void t.test(
  "an entry ends in time, refused calls do not prolong it, and the campaign is found again",
  (t) => {
    const scene = open(
      settingsOf({ "one-ring": { mode: "enforce", quarantine: { subject: "caller", for: HOUR } } }),
    );
    const says = (when: number): string =>
      scene.place({ ...moment, at: when, from: person(7), to: party(1000 + when / MINUTE), on: network });
    t.ok(oneRing(scene, person(7), network, 0) > 0);
    const [bound] = scene.bounds;
    const end = bound !== undefined && "entry" in bound ? bound.entry.held.until - NOW : 0;
    const before = Math.floor(end / MINUTE) * MINUTE;
    for (let at = 17 * MINUTE; at <= before; at += MINUTE) says(at);
    t.equal(says(before), "reject quarantined", "tried all the hour");
    const after = Array.from({ length: 6 }, (_, i) => says(before + (i + 1) * MINUTE));
    t.equal(after[0], "accept default", "the hour is over");
    t.equal(after.at(-1), "reject quarantined", "found again by its next calls");
    t.equal(scene.bounds.length, 2);
    t.end();
  },
);

void t.test("a release holds while the campaign goes on, unless it has grown fourfold", (t) => {
  const scene = open(settingsOf({ "one-ring": callers24 }));
  oneRing(scene, person(7), network, 0);
  const subject: FindingSubject = { kind: "caller", trunk: "network", number: person(7) };
  const { quarantine } = scene.state;
  const held = quarantine.get("one-ring", subject)!.held;
  quarantine.put(releasedOf(held, NOW + 20 * MINUTE, "a taxi office"), NOW + 20 * MINUTE);
  t.equal(quarantine.size, 0);
  const says = (when: number): string =>
    scene.place({ ...moment, at: when, from: person(7), to: party(2000 + when / MINUTE), on: network });
  // At the pace of before: time takes what a call gives.
  let at = 21 * MINUTE;
  for (; at < 30 * HOUR; at += 75 * MINUTE) t.equal(says(at), "accept default");
  t.match(scene.bounds.at(-1), { unbound: "released" }, "told again after a day, and bound to nothing");
  let calls = 0;
  while (says((at += MINUTE)) === "accept default") calls++;
  t.ok(calls > 20 && calls < 60, `found again once it has grown: after ${calls} calls`);

  const ended = held.until + DAY;
  const former = open(settingsOf({ "one-ring": callers24 }));
  former.state.quarantine.put(releasedOf(held, NOW, "a taxi office"), NOW);
  t.equal(former.state.quarantine.forgetEnded(ended - 1), 0);
  t.equal(former.state.quarantine.forgetEnded(ended), 1, "a day without the campaign ends the release");
  t.end();
});

const onNetwork = (index: number, trunk = "network"): FindingSubject => ({
  kind: "caller",
  trunk,
  number: person(index),
});

void t.test("a full quarantine binds nobody more, refuses nobody else, and keeps room for orders", (t) => {
  const table = createQuarantineTable(64);
  for (let i = 0; i < 100; i++) table.put(hold(onNetwork(i), { id: `f${i}` }), NOW);
  t.equal(table.count, 16, "one trunk has a quarter");
  t.equal(table.full, 84);
  for (let i = 0; i < 100; i++)
    table.put(hold(onNetwork(i, ["other", "lease", "spare"][i % 3]), { id: `g${i}` }), NOW);
  t.equal(table.count, 48, "all have three quarters");
  t.ok(table.put(hold(onNetwork(500), { id: "o1", holder: "command" }), NOW), "the rest is for orders");
  t.ok(table.put(hold(onNetwork(3), { id: "f200" }), NOW), "an entry that is there is renewed");
  t.equal(table.put(hold(onNetwork(501)), NOW + DAY - 1000), undefined);
  t.ok(table.put(hold(onNetwork(501), { until: NOW + 3 * DAY }), NOW + DAY), "what has ended makes room");
  t.equal(table.count, 1);
  const { full } = table;
  const place = table.placeOf("network");
  const found = (index: number): unknown =>
    table.ofCaller(place, { key: readKey(person(index))! }, { at: NOW + DAY })?.held.id;
  t.equal(found(3), undefined);
  t.equal(found(501), "f1");
  for (let i = 0; i < 1000; i++) {
    const held = hold(onNetwork(i % 800), { id: `f${300 + i}`, until: NOW + DAY });
    if (table.put(held, NOW + 2 * DAY + i * SECOND) === undefined) t.fail(`entry ${i}`);
  }
  t.equal(table.full, full, "room is given back, however often");
  t.end();
});

void t.test(
  "called parties have half of the quarantine: who bombs many of them leaves room for others",
  (t) => {
    const table = createQuarantineTable(64);
    const shield = (index: number, id: string): Held =>
      hold({ kind: "called", number: party(index) }, { id, holder: "call-bombing" });
    for (let i = 0; i < 100; i++) table.put(shield(i, `f${i}`), NOW);
    t.equal(table.count, 32);
    t.ok(table.put(hold(onNetwork(1), { id: "g1" }), NOW), "a caller is bound");
    t.ok(table.put({ ...shield(99, "o1"), holder: "command" }, NOW), "a party is shielded by order");
    table.remove(table.byId("f0")!);
    table.remove(table.byId("f1")!);
    t.ok(table.put(shield(98, "f200"), NOW), "one entry less makes room");
    t.end();
  },
);

const bombingOf = (id: string, index: number, at: number): Finding => ({
  id,
  detector: "call-bombing",
  profile: "1",
  subject: { kind: "called", number: hospital },
  at,
  until: at + DAY,
  evidence: [],
  facts: {},
  strength: 10 * 4 ** index,
  participants: [{ trunk: "network", number: person(index) }],
});

/** Which of the first persons the shield of the hospital refuses. */
const refusedBy = (table: QuarantineTable): string =>
  [0, 1, 2]
    .filter((index) =>
      table
        .ofCalled({ key: readKey(hospital)! }, { at: NOW + HOUR })
        ?.shield?.has(table.placeOf("network"), readKey(person(index))!),
    )
    .join(" ");

void t.test("a shield that is prolonged keeps whom it refused; one that was released forgets them", (t) => {
  const setting = settingsOf({ "call-bombing": shields24 }).get("call-bombing");
  const table = createQuarantineTable();
  bindFinding(bombingOf("f1", 0, NOW), setting, table, sideOf);
  bindFinding(bombingOf("f2", 1, NOW + SECOND), setting, table, sideOf);
  t.equal(refusedBy(table), "0 1");
  const kept = createQuarantineTable();
  for (const { held } of table.entries()) kept.put(held, NOW);
  t.equal(refusedBy(kept), "0 1", "over a restart, too");
  const { held } = table.byId("f2")!;
  table.put(releasedOf(held, NOW + 2 * SECOND, "a taxi office"), NOW + 2 * SECOND);
  bindFinding(bombingOf("f3", 2, NOW + 3 * SECOND), setting, table, sideOf);
  t.equal(refusedBy(table), "2", "who is not named again is not refused again");
  const many = Array.from({ length: 128 }, (_, i) => ({ trunk: "network", number: person(100 + i) }));
  bindFinding({ ...bombingOf("f4", 3, NOW), participants: many }, setting, table, sideOf);
  t.equal(
    table.byId("f4")?.held.participants.length,
    128,
    "as many as there is room for, the new ones first",
  );
  t.end();
});
