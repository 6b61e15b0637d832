// Limits by contract count like a list of all times would: exactly up to an hour, at most 2 % high beyond.
import t from "tap";
import { createFrequencyCounts } from "../../src/state/frequency/frequency-counts.ts";
import { createRandom } from "../pcap/reading.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** What must be counted, as a list. */
function createNaive(): {
  add(key: string, now: number): void;
  count(key: string, within: number, now: number): number;
} {
  const times = new Map<string, number[]>();
  return {
    add(key, now) {
      const known = times.get(key);
      if (known === undefined) times.set(key, [now]);
      else known.push(now);
    },
    count: (key, within, now) => (times.get(key) ?? []).filter((time) => now - time < within).length,
  };
}

void t.test("windows up to an hour: the same counts as a list of all times, and the same waits", (t) => {
  const random = createRandom(15);
  for (const within of [10_000, 60_000, HOUR]) {
    const counts = createFrequencyCounts(64);
    const naive = createNaive();
    const limit = counts.limit("x", { calls: 500, within });
    let now = 4_294_000_000;
    let wrong = 0;
    for (let i = 0; i < 20_000; i++) {
      now += random(8) === 0 ? random(within / 4) : random(within / 200);
      const subject = random(6);
      const counted = counts.count(limit, subject, now);
      if (counted !== Math.min(500, naive.count(String(subject), within, now))) wrong++;
      if (counted >= 500) continue;
      counts.add(limit, subject, now, "a");
      naive.add(String(subject), now);
    }
    t.equal(wrong, 0, `${within} ms`);
  }
  const counts = createFrequencyCounts(8);
  const limit = counts.limit("x", { calls: 2, within: 60_000 });
  counts.add(limit, 1, 1000, "a");
  counts.add(limit, 1, 5000, "a");
  t.same(
    [
      counts.wait(limit, 1, 5000),
      counts.count(limit, 1, 60_999),
      counts.count(limit, 1, 61_000),
      counts.wait(limit, 1, 61_000),
    ],
    [56_000, 2, 1, 0],
    "an event counts for exactly its window",
  );
  t.end();
});

void t.test("longer windows: never low, at most 2 % high, whatever the pattern", (t) => {
  const random = createRandom(16);
  const patterns: Readonly<Record<string, () => number>> = {
    even: () => 2000,
    random: () => random(4000),
    bursts: () => (random(200) === 0 ? random(2 * HOUR) : random(100)),
    "all at once": () => (random(3000) === 0 ? 20 * HOUR : 1),
  };
  for (const [name, step] of Object.entries(patterns)) {
    const counts = createFrequencyCounts(1000);
    const limit = counts.limit("x", { calls: 1_000_000, within: DAY });
    const times: number[] = [];
    let first = 0;
    let now = 5_000_000;
    let low = 0;
    let worst = 0;
    for (let i = 0; i < 60_000; i++) {
      now += step();
      const second = Math.floor(now / 1000);
      while (first < times.length && second - times[first]! >= DAY / 1000) first++;
      if (i % 50 === 0) {
        const counted = counts.count(limit, 7, now);
        const real = times.length - first;
        if (counted < real) low++;
        if (real > 0) worst = Math.max(worst, counted / real - 1);
      }
      if (!counts.add(limit, 7, now, "a")) throw new Error("no room");
      times.push(second);
    }
    t.equal(low, 0, `${name}: never low`);
    t.ok(worst <= 0.02, `${name}: ${(worst * 100).toFixed(2)} % high at most`);
  }
  t.end();
});

void t.test("a bounded table: full of live subjects it takes no more, and forgets those of the past", (t) => {
  const counts = createFrequencyCounts(100);
  const limit = counts.limit("x", { calls: 5, within: 10_000 });
  for (let subject = 0; subject < 100; subject++) t.ok(counts.add(limit, subject, 1000, "a"));
  t.notOk(counts.add(limit, 100, 1000, "a"), "no room");
  t.equal(counts.count(limit, 100, 1000), 0);
  let taken = 0;
  for (let subject = 200; subject < 300; subject++) taken += counts.add(limit, subject, 20_000, "a") ? 1 : 0;
  t.equal(taken, 100, "their windows have passed");
  t.equal(counts.size, 100);
  t.end();
});

void t.test("owners share the table: a flood of one takes its share, and others find rows", (t) => {
  const counts = createFrequencyCounts(1600);
  const limit = counts.limit("lessee bank called", { calls: 5, within: 10_000 });
  const fill = (owner: string, from: number, now: number): number => {
    let taken = 0;
    while (counts.add(limit, from + taken, now, owner)) taken++;
    return taken;
  };
  t.equal(fill("flooded", 0, 1000), 1600, "one alone has all that the table is said to have");
  t.notOk(counts.add(limit, 9999, 1000, "flooded"));
  t.ok(counts.add(limit, 5, 1000, "flooded"), "a number that is counted already goes on being counted");
  t.equal(fill("other", 100_000, 1000), 94, "another one finds rows");
  t.ok(counts.add(limit, 200_000, 1000, "third"), "and a third one does");
  t.ok(fill("other", 300_000, 20_000) > 1500, "what has left the window is free again");
  t.end();
});

void t.test("limits are told apart, pending calls too, and a name keeps its number", (t) => {
  const counts = createFrequencyCounts(100);
  const one = counts.limit("lessee bank caller 1m", { calls: 5, within: 60_000 });
  const other = counts.limit("trunk a caller 1m", { calls: 5, within: 60_000 });
  t.equal(counts.limit("lessee bank caller 1m", { calls: 9, within: 60_000 }), one);
  counts.add(one, 8613800138000, 1000, "a");
  t.same([counts.count(one, 8613800138000, 1000), counts.count(other, 8613800138000, 1000)], [1, 0]);
  counts.addPending(other, 5, 1, 1000, "a");
  counts.addPending(other, 5, 1, 1000, "a");
  counts.addPending(other, 5, -1, 1000, "a");
  t.equal(counts.pending(other, 5), 1);
  for (let subject = 0; subject < 500; subject++) counts.add(one, subject, 90_000_000, "a");
  t.equal(counts.pending(other, 5), 1, "a call that stands keeps its row");
  t.end();
});

void t.test("a million subjects: bounded memory, and a look-up with its update is quick", (t) => {
  const counts = createFrequencyCounts(1_048_576);
  const limit = counts.limit("x", { calls: 20, within: HOUR });
  let refused = 0;
  for (let i = 0; i < 1_500_000; i++) {
    const subject = 8_613_000_000_000 + (i % 1_000_000);
    if (counts.count(limit, subject, 1000 + i) < 20 && !counts.add(limit, subject, 1000 + i, "a")) refused++;
  }
  t.equal(refused, 0);
  const octets = counts.octets + 1_048_576 * 36;
  t.ok(octets < 150_000_000, `${Math.round(octets / 1e6)} MB`);
  t.end();
});
