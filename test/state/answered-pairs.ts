// Who answered whom: known at once after a talk, later after a short one, for 30 days, and never forgotten early.
import t from "tap";
import { createAnsweredPairs, forgetOld } from "../../src/state/quarantine/answered-pairs.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 9, 3, 0, 15);
const caller = 8_613_912_345_678;
const called = 861_066_668_888;

void t.test("what is known, and when", (t) => {
  const rows: readonly (readonly [
    name: string,
    notes: readonly (readonly [at: number, isShort: boolean])[],
    asked: number,
    isKnown: boolean,
  ])[] = [
    ["nothing was noted", [], 0, false],
    ["a talk, at once", [[0, false]], 0, true],
    ["a talk, 30 days after", [[0, false]], 30 * DAY, true],
    ["a talk, 30 days and six hours after", [[0, false]], 30 * DAY + 6 * HOUR, false],
    [
      "a talk, when its slot comes round again, where nobody empties what is old",
      [[0, false]],
      64 * DAY,
      true,
    ],
    ["a short one, at once", [[0, true]], 0, false],
    ["a short one, six hours after", [[0, true]], 6 * HOUR - 1, false],
    ["a short one, twelve hours after", [[0, true]], 12 * HOUR, true],
    ["a short one, 30 days after", [[0, true]], 30 * DAY, true],
    [
      "short ones all the day",
      Array.from({ length: 24 }, (_, i) => [i * HOUR, true] as const),
      24 * HOUR,
      false,
    ],
    [
      "a talk, then a short one",
      [
        [0, false],
        [DAY, true],
      ],
      DAY,
      true,
    ],
    [
      "a talk, and a short one 29 days after that renews it",
      [
        [0, false],
        [29 * DAY, true],
      ],
      58 * DAY,
      true,
    ],
    [
      "a talk long ago, and a short one now",
      [
        [0, false],
        [40 * DAY, true],
      ],
      40 * DAY,
      false,
    ],
  ];
  for (const [name, notes, asked, isKnown] of rows) {
    const pairs = createAnsweredPairs(1024);
    for (const [at, isShort] of notes) pairs.note(caller, called, NOW + at, isShort);
    t.equal(pairs.has(caller, called, NOW + asked), isKnown, name);
  }
  t.end();
});

void t.test("neither the other way round nor another number, and a code is a number of its own", (t) => {
  const pairs = createAnsweredPairs(65_536);
  pairs.note(caller, called, NOW, false);
  pairs.note(-95_588, called, NOW, false);
  t.ok(pairs.has(-95_588, called, NOW));
  for (const [from, to] of [
    [called, caller],
    [caller + 1, called],
    [caller, called + 1],
    [95_588, called],
    [caller + 2 ** 32, called],
  ] as const)
    t.notOk(pairs.has(from, to, NOW), `${from} ${to}`);
  t.end();
});

void t.test("a full filter knows too many, never too few; half full it knows few too many", (t) => {
  for (const [count, most] of [
    [4000, 0.02],
    [16_384, 0.2],
    [200_000, 1],
  ] as const) {
    const pairs = createAnsweredPairs(65_536);
    for (let i = 0; i < count; i++) pairs.note(caller + i, called + (i % 97), NOW + i, false);
    let lost = 0;
    let chance = 0;
    for (let i = 0; i < count; i++) if (!pairs.has(caller + i, called + (i % 97), NOW + DAY)) lost++;
    for (let i = 0; i < 10_000; i++) if (pairs.has(caller - 1 - i, called, NOW + DAY)) chance++;
    t.equal(lost, 0, `${count} pairs: none is lost`);
    t.ok(chance / 10_000 <= most, `${count} pairs: ${chance} of 10,000 strangers are known`);
  }
  t.end();
});

void t.test("what is kept is restored, also into a filter of another size; what is old is emptied", (t) => {
  const pairs = createAnsweredPairs(4096);
  pairs.note(caller, called, NOW, false);
  const { shared } = pairs;
  if (shared === undefined) throw new Error("nothing was noted");
  const [first = 0, second = 0] = new Int32Array(shared, 0, 2);
  for (const size of [1024, 4096, 16_384]) {
    const next = createAnsweredPairs(size);
    next.restore([first, second], new Uint8Array(shared, 8).slice());
    t.ok(next.has(caller, called, NOW), `into ${size} cells`);
    next.note(caller + 1, called, NOW, false);
    t.ok(next.has(caller, called, NOW + 29 * DAY));
  }
  for (const back of [HOUR, 8 * HOUR, DAY, 2 * DAY]) forgetOld(shared, NOW - back);
  t.ok(pairs.has(caller, called, NOW - DAY), "the wall clock was a day ahead, and is set back");
  t.ok(pairs.has(caller, called, NOW), "nothing is forgotten for that");
  forgetOld(shared, NOW + 30 * DAY);
  t.ok(pairs.has(caller, called, NOW + 30 * DAY), "not too early");
  forgetOld(shared, NOW + 31 * DAY);
  t.ok(new Uint8Array(shared, 8).every((cell) => cell === 0));
  t.end();
});
