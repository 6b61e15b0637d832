import t from "tap";
import { createSlidingWindow } from "../../src/state/sliding-window.ts";

void t.test("sliding window: an event counts for 60 s, and for less than 61", (t) => {
  const table: readonly [added: number, at: number, counts: number][] = [
    [0, 0, 1],
    [0, 59_999, 1],
    [0, 60_000, 1],
    [0, 60_999, 1],
    [0, 61_000, 0],
    [999, 60_999, 1],
    [999, 61_000, 0],
    [1000, 61_000, 1],
    [1000, 62_000, 0],
    [500, 10_000_000, 0],
    [-70_500, -20_000, 1],
    [-70_500, -9000, 0],
  ];
  for (const [added, at, counts] of table) {
    const window = createSlidingWindow(4);
    t.equal(window.add("a", added), true);
    t.equal(window.count("a", at), counts, `added at ${added}, asked at ${at}`);
  }
  t.end();
});

void t.test("sliding window: it slides, where a fixed minute would forget at its edge", (t) => {
  const window = createSlidingWindow(4);
  for (let i = 0; i < 10; i++) window.add("a", 59_000 + i);
  t.equal(window.count("a", 60_000), 10, "just behind the minute's edge");
  for (let i = 0; i < 5; i++) window.add("a", 90_000);
  t.equal(window.count("a", 119_999), 15);
  t.equal(window.count("a", 120_000), 5);
  t.equal(window.count("a", 151_000), 0);
  t.end();
});

void t.test(
  "sliding window: against a list of times, seeded: never too few, at most a second too long",
  (t) => {
    const window = createSlidingWindow(4);
    const times: number[] = [];
    let seed = 20261003;
    let now = 0;
    for (let i = 0; i < 5000; i++) {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      now += seed % 700;
      window.add("a", now);
      times.push(now);
      const inMinute = times.filter((time) => now - time <= 60_000).length;
      const inMinuteAndSecond = times.filter((time) => now - time < 61_000).length;
      const count = window.count("a", now);
      if (count < inMinute || count > inMinuteAndSecond)
        t.fail(`${count} at ${now}: not in ${inMinute}..${inMinuteAndSecond}`);
    }
    t.ok(window.count("a", now) > 100, "the comparison had something to compare");
    t.end();
  },
);

void t.test("sliding window: wait says when a limit has room again", (t) => {
  const window = createSlidingWindow(4);
  t.equal(window.wait("a", 1, 0), 0, "unknown");
  window.add("a", 500);
  window.add("a", 20_500);
  t.equal(window.wait("a", 3, 30_000), 0);
  t.equal(window.wait("a", 2, 30_000), 31_000);
  t.equal(window.count("a", 60_999), 2);
  t.equal(window.count("a", 61_000), 1);
  t.equal(window.wait("a", 1, 30_000), 51_000);
  t.end();
});

void t.test("sliding window: bounded, and a slot of a forgotten key starts at nothing", (t) => {
  const window = createSlidingWindow(3);
  for (const key of ["a", "b", "c"]) for (let i = 0; i < 5; i++) t.equal(window.add(key, 0), true);
  t.equal(window.add("d", 1000), false, "full of live keys");
  t.equal(window.count("d", 1000), 0);
  t.equal(window.add("a", 30_000), true, "known keys go on counting");
  t.equal(window.count("a", 30_000), 6);
  t.equal(window.add("d", 62_000), true, "b is forgotten and makes room");
  t.equal(window.count("d", 62_000), 1);
  t.equal(window.count("d", 122_000), 1, "nothing is left of b in its slot");
  t.equal(window.count("a", 62_000), 1);
  t.equal(window.add("a", 200_000), true, "a forgotten key comes back");
  t.equal(window.count("a", 200_000), 1);
  for (let round = 0; round < 50; round++) {
    const now = 300_000 + round * 70_000;
    for (let i = 0; i < 3; i++) {
      if (!window.add(`k${round}-${i}`, now)) t.fail(`no room in round ${round}`);
      if (window.count(`k${round}-${i}`, now) !== 1) t.fail(`leftovers in round ${round}`);
    }
    if (window.add("one too many", now)) t.fail(`too much room in round ${round}`);
  }
  t.equal(window.size(), 3);
  t.end();
});

void t.test("sliding window: a clock set back a little counts on, set back far starts anew", (t) => {
  const window = createSlidingWindow(4);
  window.add("a", 100_000);
  window.add("a", 98_000);
  t.equal(window.count("a", 98_000), 2);
  t.equal(window.count("a", 0), 0);
  t.equal(window.add("a", 0), true);
  t.equal(window.count("a", 0), 1);
  t.end();
});
