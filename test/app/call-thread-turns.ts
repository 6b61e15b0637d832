import t from "tap";
import {
  countTurns,
  createTurnCells,
  createWatchSwitch,
  followWatchedAge,
  LOOK_INTERVAL,
  type TurnCounter,
  type TurnWatch,
  watchTurns,
} from "../../src/app/threads/call-thread-turns.ts";

/** A call thread that turns when it is told to, and a thread that watches it at virtual time. */
function scene(isReady: () => boolean = () => true): {
  readonly counter: TurnCounter;
  readonly watch: TurnWatch;
  /** Looks as often as a thread does until `until`, with or without a turn before each look. */
  readonly pass: (until: number, isTurning: boolean) => void;
} {
  const cells = createTurnCells();
  const counter = countTurns(cells, isReady);
  // No tick of the real clock: turns are noted by the test.
  counter.stop();
  const watch = watchTurns(cells, 0);
  let now = 0;
  return {
    counter,
    watch,
    pass(until, isTurning) {
      for (now += LOOK_INTERVAL; now <= until; now += LOOK_INTERVAL) {
        if (isTurning) counter.note();
        watch.look(now);
      }
      now -= LOOK_INTERVAL;
    },
  };
}

void t.test("turns: a call thread is stuck when it has not turned for more than 2 s", (t) => {
  const { counter, watch, pass } = scene();
  pass(10_000, true);
  t.equal(watch.isStuck(), false, "it turns");
  pass(12_000, false);
  t.equal(watch.age(), 2000);
  t.equal(watch.isStuck(), false, "exactly 2 s");
  watch.look(12_001);
  t.equal(watch.isStuck(), true, "a millisecond more");
  t.equal(watch.longest(), 1901, "the turn under way counts; a tick may be 100 ms old when it begins");
  counter.note();
  watch.look(12_002);
  t.equal(watch.isStuck(), false, "it is back with its first turn");
  t.end();
});

void t.test("turns: a pause of the watching thread is not one of the call thread", (t) => {
  const { counter, watch, pass } = scene();
  pass(1000, true);
  // SIGSTOP for a minute: both stand still, and the watching thread is the first to go on.
  watch.look(61_000);
  t.equal(watch.isStuck(), false, "right after it");
  t.equal(watch.age(), LOOK_INTERVAL);
  watch.look(62_750);
  t.equal(watch.isStuck(), false, "a second pause");
  pass(0, false);
  for (let now = 63_000; now <= 65_000; now += LOOK_INTERVAL) watch.look(now);
  t.equal(watch.isStuck(), true, "but then it has to turn");
  counter.note();
  watch.look(65_250);
  t.equal(watch.isStuck(), false);
  t.end();
});

void t.test("turns: a watching thread that is a little late still sees what is stuck", (t) => {
  const { counter, watch } = scene();
  counter.note();
  watch.look(0);
  for (let now = 2 * LOOK_INTERVAL; now <= 2500; now += 2 * LOOK_INTERVAL) watch.look(now);
  t.equal(watch.isStuck(), true, "every second look is missing");
  t.end();
});

void t.test("turns: readiness is that of the last turn", (t) => {
  let isReady = false;
  const { counter, watch } = scene(() => isReady);
  t.equal(watch.readiness(), false);
  isReady = true;
  t.equal(watch.readiness(), false, "no turn yet");
  counter.note();
  t.equal(watch.readiness(), true);
  t.end();
});

void t.test(
  "turns: a turn that was too long is measured by the call thread and kept for a minute",
  async (t) => {
    const cells = createTurnCells();
    let ticks = 0;
    const ticked = new Promise<void>((resolve) => {
      const counter = countTurns(cells, () => {
        // The first is at once, the second comes by the clock and late.
        if (ticks++ === 1) {
          counter.stop();
          resolve();
        }
        return true;
      });
    });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    await ticked;
    const watch = watchTurns(cells, 0);
    watch.look(1);
    const longest = watch.longest();
    t.ok(longest >= 190, `${longest} ms of 300: the timer was due after the first 100`);
    watch.look(60_000);
    t.equal(watch.longest(), Math.max(longest, watch.age() - 100), "a minute later");
    for (let now = 60_001; now <= 60_003; now++) watch.look(now);
    t.not(watch.longest(), longest, "and then it is forgotten");
  },
);

void t.test("turns: what the watchdog counts as time without a turn", (t) => {
  type Step =
    | readonly ["stands still" | "turns" | "compiles" | "is not yet armed", seconds: number]
    /** The whole process is stopped: the thread that watches does not look either. */
    | readonly ["stopped", seconds: number];
  const table: readonly (readonly [what: string, steps: readonly Step[], isOver: boolean])[] = [
    ["9.9 s without a turn", [["stands still", 9.9]], false],
    ["10.3 s without a turn", [["stands still", 10.3]], true],
    [
      "a turn after 9 s, then 9 s more",
      [
        ["stands still", 9],
        ["turns", 0.25],
        ["stands still", 9],
      ],
      false,
    ],
    [
      "SIGSTOP of 30 s",
      [
        ["turns", 1],
        ["stopped", 30],
        ["turns", 1],
      ],
      false,
    ],
    [
      "SIGSTOP of 30 s in a turn of 9 s",
      [
        ["stands still", 5],
        ["stopped", 30],
        ["stands still", 4],
      ],
      false,
    ],
    [
      "SIGSTOP of 30 s in a turn of 11 s",
      [
        ["stands still", 6],
        ["stopped", 30],
        ["stands still", 5],
      ],
      true,
    ],
    [
      "a machine that sleeps for a day",
      [
        ["stopped", 86_400],
        ["stands still", 9],
      ],
      false,
    ],
    ["a step of a reload that takes 60 s", [["compiles", 60]], false],
    [
      "9 s after such a step",
      [
        ["compiles", 60],
        ["stands still", 9],
      ],
      false,
    ],
    [
      "11 s after such a step",
      [
        ["compiles", 60],
        ["stands still", 11],
      ],
      true,
    ],
    [
      "a start that takes 60 s",
      [
        ["is not yet armed", 60],
        ["stands still", 9],
      ],
      false,
    ],
  ];
  for (const [what, steps, isOver] of table) {
    const cells = createTurnCells();
    const counter = countTurns(cells, () => true);
    counter.stop();
    const watched = createWatchSwitch(cells);
    const turn = followWatchedAge(cells, 0);
    let now = 0;
    let oldest = 0;
    const look = (seconds: number, before: () => void = () => undefined): void => {
      for (const end = now + seconds * 1000; now + LOOK_INTERVAL <= end;) {
        before();
        turn.look((now += LOOK_INTERVAL));
        oldest = Math.max(oldest, turn.age());
      }
    };
    if (steps[0]?.[0] !== "is not yet armed") watched.arm();
    for (const [kind, seconds] of steps) {
      if (kind === "stopped") now += seconds * 1000;
      else if (kind === "turns") look(seconds, counter.note);
      else if (kind === "compiles") watched.unwatched(() => look(seconds));
      else look(seconds);
      if (kind === "is not yet armed") watched.arm();
    }
    t.equal(oldest > 10_000, isOver, what);
  }
  t.end();
});
