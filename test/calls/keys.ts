import t from "tap";
import { type CallName, NO_CALL } from "../../src/calls/calls.ts";
import { HOUR, makeCalls, passTime, play, START } from "../support/calls.ts";

/** Steps at seconds of a call under the key "k", and whether the key is found at a second. */
const rows: readonly (readonly [
  name: string,
  steps: readonly (readonly [number, string])[],
  at: number,
  isFound: boolean,
])[] = [
  ["judged", [], 31.999, true],
  ["judged, 64·T1 later, before any tick", [], 32, false],
  [
    "in set-up, as long as it lasts",
    [
      [0, "forwarded"],
      [30, "180"],
    ],
    200,
    true,
  ],
  [
    "refused",
    [
      [0, "forwarded"],
      [10, "486"],
    ],
    41.999,
    true,
  ],
  [
    "refused, 64·T1 later",
    [
      [0, "forwarded"],
      [10, "486"],
    ],
    42,
    false,
  ],
  [
    "answered",
    [
      [0, "forwarded"],
      [10, "200 a"],
    ],
    41.999,
    true,
  ],
  [
    "answered, 64·T1 later",
    [
      [0, "forwarded"],
      [10, "200 a"],
    ],
    42,
    false,
  ],
  [
    "released 20 s after the answer",
    [
      [0, "forwarded"],
      [10, "200 a"],
      [29, "bye caller a"],
      [30, "left 200"],
    ],
    61.9,
    true,
  ],
  [
    "the same, 64·T1 after the end",
    [
      [0, "forwarded"],
      [10, "200 a"],
      [29, "bye caller a"],
      [30, "left 200"],
    ],
    62,
    false,
  ],
  [
    "a forgotten key stays forgotten in release",
    [
      [0, "forwarded"],
      [10, "200 a"],
      [50, "bye caller a"],
    ],
    51,
    false,
  ],
  [
    "and when the BYE was refused",
    [
      [0, "forwarded"],
      [10, "200 a"],
      [50, "bye caller a"],
      [51, "left 401"],
    ],
    52,
    false,
  ],
];

void t.test("keys: how long a repeat of the first message finds its call", (t) => {
  for (const [name, steps, at, isFound] of rows) {
    const { calls } = makeCalls();
    const slot = calls.begin("k", "lease", START);
    for (const [second, step] of steps) play(calls, slot, step, START + second * 1000);
    t.equal(calls.find("k", START + at * 1000), isFound ? slot : NO_CALL, name);
  }
  t.end();
});

void t.test("keys: a new call under a key that is in use", (t) => {
  const { calls, told } = makeCalls();
  const older = calls.begin("k", "lease", START);
  calls.forwarded(older, START);
  const newer = calls.begin("k", "lease", START + 1);
  t.not(newer, older);
  t.equal(calls.find("k", START + 2), newer);
  t.equal(calls.channels("lease"), 1, "the older one keeps its life");
  play(calls, older, "486", START + 3000);
  t.same(told(), ["ended gw-a-10-1 by called refused 486 cause 17 @ 3000"]);
  passTime(calls, START + 3000, START + 33_000);
  t.equal(calls.find("k", START + 33_000), NO_CALL);
  t.end();
});

void t.test("keys: a call without a key is found by its name alone", (t) => {
  const { calls } = makeCalls();
  const slot = calls.begin("", "lease", START);
  const other = calls.begin("", "lease", START);
  t.equal(calls.find("", START), NO_CALL);
  t.equal(calls.named(calls.nameOf(slot)), slot);
  t.equal(calls.named(calls.nameOf(other)), other);
  t.equal(calls.named({ epoch: 36, count: 3 }), NO_CALL);
  t.equal(calls.named({ epoch: 35, count: 1 }), NO_CALL);
  t.equal(calls.named({ epoch: -1, count: 2 ** 40 }), NO_CALL);
  t.end();
});

void t.test("names: counts go up, nameless calls take one too, and nothing is named twice", (t) => {
  const { calls } = makeCalls();
  t.same(calls.refOf(calls.begin("a", "lease", START)), { id: "gw-a-10-1", trunk: "lease" });
  t.same(calls.nameless("other"), { id: "gw-a-10-2", trunk: "other" });
  t.same(calls.nameOf(calls.begin("b", "lease", START)), { epoch: 36, count: 3, node: 0 });
  t.end();
});

void t.test("slots: none and free ones are no call", (t) => {
  const { calls, told } = makeCalls();
  const slot = calls.begin("a", "lease", START);
  calls.forwarded(slot, START);
  calls.setSetup(slot, "bytes");
  calls.abandon(slot);
  for (const free of [NO_CALL, slot, 7, 65, 1e9]) {
    for (const step of [
      "forwarded",
      "180",
      "200 a",
      "refreshed 90",
      "seen",
      "bye caller a",
      "left 200",
      "486",
      "cancel",
    ])
      play(calls, free, step, START);
    calls.abandon(free);
    t.equal(calls.stateOf(free), "over");
    t.equal(calls.setupOf(free), undefined);
    t.equal(calls.keepText(free, "x"), false);
  }
  t.same(told(), []);
  t.equal(calls.size(), 0);
  t.equal(calls.channels("lease"), 0);
  t.end();
});

void t.test("set-ups: kept until the repeats of the INVITE can't come any more", (t) => {
  const { calls, released } = makeCalls();
  const slot = calls.begin("k", "lease", START);
  calls.setSetup(slot, "first");
  calls.setSetup(slot, "first");
  t.same(released(), [], "the same one again is nothing new");
  calls.setSetup(slot, "second");
  t.same(released(), ["first"]);
  calls.forwarded(slot, START);
  play(calls, slot, "200 a", START + 1000);
  passTime(calls, START + 1000, START + 32_000);
  t.equal(calls.setupOf(slot), "second");
  passTime(calls, START + 32_000, START + 33_000);
  t.equal(calls.setupOf(slot), undefined);
  t.same(released(), ["second"]);
  calls.setSetup(slot, "third");
  t.same(released(), ["third"], "too late");
  t.equal(calls.stateOf(slot), "answered");
  const refused = calls.begin("r", "lease", START + 33_000);
  calls.setSetup(refused, "refused");
  passTime(calls, START + 33_000, START + 64_000);
  t.same(released(), []);
  passTime(calls, START + 64_000, START + 65_000);
  t.same(released(), ["refused"]);
  t.end();
});

void t.test("set-ups: a BYE within 64·T1 of the answer doesn't keep them longer", (t) => {
  const { calls, released } = makeCalls();
  const slot = calls.begin("k", "lease", START);
  calls.setSetup(slot, "one");
  calls.forwarded(slot, START);
  play(calls, slot, "200 a", START + 1000);
  play(calls, slot, "bye caller a", START + 20_000);
  passTime(calls, START + 20_000, START + 33_000);
  t.same(released(), ["one"]);
  t.equal(calls.stateOf(slot), "leaving");
  t.end();
});

void t.test("the wall clock is set: nothing ends early or lives longer, and the end is dated by it", (t) => {
  for (const step of [-8 * HOUR, -1, 0, 1, 1000, 8 * HOUR]) {
    const wall = { ahead: 0 };
    const { calls, told } = makeCalls({ wall });
    const slot = calls.begin("k", "lease", START);
    calls.forwarded(slot, START);
    const other = calls.begin("l", "lease", START);
    calls.forwarded(other, START);
    play(calls, other, "200 a 1800", START + 1000);
    told();
    passTime(calls, START + 1000, START + 20_000);
    wall.ahead = step;
    passTime(calls, START + 20_000, START + 31_000);
    t.same(told(), [], `${step}: not early`);
    t.equal(calls.ageOf(slot, START + 31_000), 31_000);
    passTime(calls, START + 31_000, START + 33_000);
    t.same(told(), [`ended gw-a-10-1 by filter timed-out @ ${32_000 + step}`], `${step}: not late`);
    play(calls, other, "bye caller a", START + HOUR / 4);
    play(calls, other, "left 200", START + HOUR / 4);
    t.same(told(), [`ended gw-a-10-2 by caller released 200 answered 1000 @ ${HOUR / 4 + step}`]);
  }
  t.end();
});

void t.test("trunks: each has its own counts", (t) => {
  const { calls } = makeCalls();
  const slots = ["a", "b", "b", "c"].map((trunk, i) => calls.begin(`${i}`, trunk, START));
  for (const slot of slots.slice(0, 3)) calls.forwarded(slot, START);
  play(calls, slots[1]!, "200 x", START);
  t.same(Object.fromEntries(calls.standing()), {
    a: { setup: 1, answered: 0 },
    b: { setup: 1, answered: 1 },
    c: { setup: 0, answered: 0 },
  });
  t.same(
    ["a", "b", "c", "d"].map((trunk) => calls.channels(trunk)),
    [1, 2, 0, 0],
  );
  t.end();
});

void t.test("trunks: names without calls make room for others", (t) => {
  const { calls } = makeCalls({ capacity: 4 });
  const kept = calls.begin("kept", "kept", START);
  calls.forwarded(kept, START);
  for (let i = 0; i < 10_000; i++) calls.abandon(calls.begin("k", `trunk ${i}`, START));
  t.equal(calls.trunkNames().names.length, 4096);
  t.equal(calls.channels("kept"), 1);
  t.equal(calls.refOf(kept).trunk, "kept");
  t.equal(new Set(calls.trunkNames().names).size, 4096);
  t.end();
});

void t.test("texts beside a row: bounded in sum, gone with the row", (t) => {
  let full = 0;
  const { calls } = makeCalls({ callBytes: 10, noRoom: () => full++ });
  const one = calls.begin("1", "lease", START);
  const two = calls.begin("2", "lease", START);
  t.ok(calls.keepText(one, "123456"));
  t.equal(calls.textOf(one), "123456");
  t.notOk(calls.keepText(two, "123456"), "no room");
  t.equal(calls.textOf(two), undefined);
  t.ok(calls.keepText(two, "1234"), "just room");
  t.notOk(calls.keepText(one, "1234567"), "too many");
  t.equal(calls.textOf(one), undefined, "and then it has none");
  t.ok(calls.keepText(one, "123456"));
  calls.abandon(one);
  calls.abandon(two);
  const three = calls.begin("3", "lease", START);
  t.equal(calls.textOf(three), undefined);
  t.ok(calls.keepText(three, "1234567890"));
  t.equal(full, 2, "each time without room is told");
  calls.abandon(three);
  t.notOk(calls.keepText(three, "1"), "a free row");
  t.equal(full, 2, "is no lack of room");
  t.notOk(makeCalls().calls.keepText(1, "1"), "none without callBytes");
  t.end();
});

void t.test("the highest CSeq of each direction, gone with the row", (t) => {
  const { calls } = makeCalls();
  const slot = calls.begin("1", "lease", START);
  t.equal(calls.highestSequence(slot, "caller"), 0);
  calls.noteSequence(slot, "caller", 7);
  calls.noteSequence(slot, "caller", 6);
  calls.noteSequence(slot, "called", 4_294_967_295);
  t.equal(calls.highestSequence(slot, "caller"), 7, "a lower one changes nothing");
  t.equal(calls.highestSequence(slot, "called"), 4_294_967_295);
  calls.abandon(slot);
  calls.noteSequence(slot, "caller", 9);
  t.equal(calls.highestSequence(calls.begin("2", "lease", START), "caller"), 0, "of another call");
  t.end();
});

void t.test("the calls of some trunks, found piece by piece", (t) => {
  const { calls } = makeCalls({ capacity: 30_000 });
  const wanted: number[] = [];
  for (let i = 0; i < 25_000; i++) {
    const trunk = i % 5 === 0 ? "stopped" : `other ${i % 3}`;
    const slot = calls.begin(`${i}`, trunk, START);
    if (i % 7 !== 0) calls.forwarded(slot, START);
    if (i % 2 === 0) calls.answered(slot, "a", 0, START);
    if (i % 11 === 0) calls.leaving(slot, "a", "caller", undefined, START);
    const isMeant = i % 5 === 0 && i % 7 !== 0 && !(i % 22 === 0);
    if (isMeant) wanted.push(calls.nameOf(slot).count);
  }
  const found: CallName[] = [];
  let steps = 0;
  for (let from = 0; from !== NO_CALL; steps++)
    from = calls.findOfTrunks(new Set(["stopped", "unheard of"]), from, found);
  t.same(
    found.map(({ count }) => count),
    wanted,
    "in set-up or answered: not judged, not leaving, not of another trunk",
  );
  t.ok(steps > 2, "in several steps");
  t.end();
});
