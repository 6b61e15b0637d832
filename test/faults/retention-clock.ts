// The clock of retention: it follows the wall clock, and waits a day before it believes a jump ahead.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { openKeptClock } from "../../src/app/records/kept-clock.ts";
import { createRetentionClock } from "../../src/app/records/retention-clock.ts";
import { wallNow } from "../../src/wire/kernel/clock.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
const NOON = Date.UTC(2026, 10, 30, 12);

type Reading = readonly [elapsed: number, wall: number, believed: number, isDoubtful: boolean];

const table: Readonly<Record<string, readonly [last: number | undefined, readonly Reading[]]>> = {
  "it follows a clock that goes on": [
    undefined,
    [
      [0, 0, 0, false],
      [HOUR, HOUR, HOUR, false],
      [30 * DAY, 30 * DAY, 30 * DAY, false],
    ],
  ],
  "a step of an hour is small": [
    undefined,
    [
      [0, 0, 0, false],
      [MINUTE, HOUR + MINUTE, HOUR + MINUTE, false],
      [2 * MINUTE, 2 * HOUR + 3 * MINUTE, HOUR + 2 * MINUTE, true],
    ],
  ],
  "a year ahead and back": [
    undefined,
    [
      [0, 0, 0, false],
      [HOUR, YEAR, HOUR, true],
      [10 * HOUR, YEAR + 9 * HOUR, 10 * HOUR, true],
      [11 * HOUR, 11 * HOUR, 11 * HOUR, false],
    ],
  ],
  "a year ahead, and it stays": [
    undefined,
    [
      [0, 0, 0, false],
      [HOUR, YEAR, HOUR, true],
      [25 * HOUR - 1, YEAR + DAY - 1, 25 * HOUR - 1, true],
      [25 * HOUR, YEAR + DAY, YEAR + DAY, false],
    ],
  ],
  "each jump begins the wait anew": [
    undefined,
    [
      [0, 0, 0, false],
      [HOUR, YEAR, HOUR, true],
      [20 * HOUR, 2 * YEAR, 20 * HOUR, true],
      [40 * HOUR, 2 * YEAR + 20 * HOUR, 40 * HOUR, true],
      [44 * HOUR, 2 * YEAR + DAY, 2 * YEAR + DAY, false],
    ],
  ],
  "back at once": [
    undefined,
    [
      [0, YEAR, YEAR, false],
      [HOUR, 0, 0, false],
    ],
  ],
  "a start after a week off": [-7 * DAY, [[0, 0, 0, false]]],
  "a start after more than a week off: it may be a jump": [
    -7 * DAY - 1,
    [
      [0, 0, -7 * DAY - 1, true],
      [DAY - 1, DAY - 1, -7 * DAY - 1, true],
      [DAY, DAY, DAY, false],
      [DAY + HOUR, DAY + HOUR, DAY + HOUR, false],
    ],
  ],
  "a start before the last reading": [
    YEAR,
    [
      [0, 0, 0, false],
      [HOUR, YEAR, HOUR, true],
    ],
  ],
};

for (const [name, [last, readings]] of Object.entries(table))
  void t.test(`retention clock: ${name}`, (t) => {
    const clock = createRetentionClock(last === undefined ? undefined : NOON + last);
    for (const [elapsed, wall, believed, isDoubtful] of readings) {
      t.equal(clock.read(NOON + wall, 5000 + elapsed), NOON + believed, `after ${elapsed / HOUR} h`);
      t.equal(clock.isDoubtful(), isDoubtful, `doubt after ${elapsed / HOUR} h`);
    }
    t.end();
  });

void t.test("kept clock: what was read last is known after a restart, also while it is doubted", (t) => {
  const folder = t.testdir();
  const first = openKeptClock(folder, "a");
  const now = wallNow();
  t.equal(first.read(now), now);
  t.equal(first.doubt(now), undefined);
  first.keep();
  const second = openKeptClock(folder, "a");
  t.equal(second.read(now + YEAR), now, "a jump while the filter was off");
  t.match(
    second.doubt(now + YEAR),
    /^the clock says .*, long after .*: old records and evidence are deleted when/u,
  );
  second.keep();
  t.equal(openKeptClock(folder, "a").read(now + YEAR), now, "a restart does not make it right");
  t.equal(openKeptClock(folder, "a").read(now + DAY), now + DAY);

  const old = t.testdir();
  mkdirSync(join(old, "2026-11-30"));
  const end = Date.UTC(2026, 11, 1) - 1;
  t.equal(openKeptClock(old, "a").read(end + YEAR), end, "without the file the newest day is what is known");
  t.equal(openKeptClock(old, "a").read(end + DAY), end + DAY);
  writeFileSync(join(old, "a.retention"), "nonsense");
  t.equal(openKeptClock(old, "a").read(end + YEAR), end);
  t.end();
});
