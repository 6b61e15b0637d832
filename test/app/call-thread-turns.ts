import t from "tap";
import {
  countTurns,
  createTurnCells,
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
  t.equal(watch.isReady(), false);
  isReady = true;
  t.equal(watch.isReady(), false, "no turn yet");
  counter.note();
  t.equal(watch.isReady(), true);
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
