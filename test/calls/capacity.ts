import t from "tap";
import { createCallTable, NO_ROW } from "../../src/calls/call-table.ts";
import { createCallWheel, ROWS_PER_TICK } from "../../src/calls/call-wheel.ts";
import { NO_CALL } from "../../src/calls/calls.ts";
import { makeCalls, passTime, START } from "../support/calls.ts";

void t.test("a full table", (t) => {
  const { calls, told } = makeCalls({ capacity: 8 });
  const slots = [];
  for (let i = 0; i < 8; i++) {
    t.equal(calls.hasRoom(false), i < 6, `${i} rows: the last quarter is for calls that pass`);
    t.ok(calls.hasRoom(true));
    slots.push(calls.begin(`${i}`, "lease", START));
  }
  t.equal(new Set(slots).size, 8);
  t.notOk(calls.hasRoom(true));
  t.equal(calls.begin("0", "lease", START + 31_000), NO_CALL);
  t.equal(calls.find("0", START + 31_000), slots[0], "a call that found no room takes nobody's key");
  t.not(calls.begin("8", "lease", START + 32_000), NO_CALL, "what is due makes room without a tick");
  t.equal(calls.size(), 1);
  t.same(told(), []);
  t.end();
});

void t.test("any capacity, one included", (t) => {
  for (const capacity of [1, 2, 3, 5, 7, 100]) {
    const { calls } = makeCalls({ capacity });
    const slots = Array.from({ length: capacity }, (_, i) => calls.begin(`${i}`, "lease", START));
    t.equal(new Set(slots).size, capacity);
    t.equal(calls.begin("more", "lease", START), NO_CALL);
    slots.forEach((slot, i) => t.equal(calls.find(`${i}`, START), slot));
    for (const slot of slots) calls.abandon(slot);
    t.equal(calls.size(), 0);
    t.equal(calls.find("0", START), NO_CALL);
  }
  t.end();
});

void t.test("262,144 rows are filled and emptied, twice; each tick has its bound", (t) => {
  const capacity = 262_144;
  let ended = 0;
  const { calls } = makeCalls({ capacity, tell: () => ended++ });
  let now = START;
  for (let round = 1; round <= 2; round++) {
    const seen = new Uint8Array(capacity + 1);
    for (let i = 0; i < capacity; i++) {
      const slot = calls.begin(`key ${i}`, `trunk ${i % 100}`, now);
      calls.forwarded(slot, now);
      if (seen[slot] !== 0) t.fail(`slot ${slot} was given twice`);
      seen[slot] = 1;
    }
    t.equal(calls.begin("more", "lease", now), NO_CALL);
    t.equal(calls.channels("trunk 7"), 2622);
    t.not(calls.find("key 131072", now), NO_CALL);
    now += 33_000;
    const before = ended;
    calls.tick(now);
    t.ok(ended - before <= ROWS_PER_TICK && ended > before, `${ended - before} ended in one tick`);
    for (let ticks = 1; ticks < capacity / ROWS_PER_TICK; ticks++) calls.tick(now);
    t.equal(ended, round * capacity, "all of them in as many ticks as that takes");
    t.equal(calls.channels("trunk 7"), 0);
    now += 32_000;
    for (let ticks = 0; ticks < capacity / ROWS_PER_TICK; ticks++) calls.tick(now);
    t.equal(calls.size(), 0);
    t.equal(ended, round * capacity, "one end each");
    t.equal(calls.find("key 131072", now), NO_CALL);
  }
  t.end();
});

void t.test("memory: rows that no call has needed yet stay untouched", (t) => {
  const table = createCallTable(1000);
  let last = NO_ROW;
  for (let round = 0; round < 50; round++) {
    const rows = [table.take(1, round * 3), table.take(1, round * 3 + 1), table.take(1, round * 3 + 2)];
    for (const row of rows) {
      table.close(row);
      table.give(row);
      last = row;
    }
  }
  const touched = table.words.findLastIndex((word) => word !== 0);
  t.ok(touched < 4 * 32, `word ${touched} is the last one touched`);
  t.equal(table.take(1, 1), last, "the last row given back is the next one given out");
  t.equal(createCallTable(1).take(0, 0), 1);
  t.not(table.withName(1, 1), NO_ROW);
  t.end();
});

void t.test("the wheel: every row is visited in its second, however far, and never before", (t) => {
  const capacity = 2000;
  const table = createCallTable(capacity);
  const wheel = createCallWheel(table.words, table.doubles);
  wheel.start(START);
  const due = new Map<number, number>();
  let seed = 4711;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed >>> 8) % below;
  };
  const far = [500, 40_000, 300_000, 4_095_000, 4_096_000, 9_000_000, 20_000_000];
  for (let i = 1; i <= capacity; i++) {
    const row = table.take(1, i);
    const at = START + 1 + random(far[i % far.length]!);
    wheel.schedule(row, at);
    due.set(row, at);
  }
  let looked = 0;
  let prolonged = 0;
  for (let now = START + 500; now < START + 21_000_000; now += 500) {
    looked += wheel.turn(now, (row) => {
      const at = due.get(row) ?? Infinity;
      if (at > now) t.fail(`row ${row} was visited ${at - now} ms early`);
      if (now - at >= 1000) t.fail(`row ${row} was visited ${now - at} ms late`);
      due.delete(row);
      if (random(4) === 0) {
        const next = now + 1 + random(100_000);
        wheel.schedule(row, next);
        due.set(row, next);
      }
    });
    // Another row's time moves, either way.
    const row = 1 + random(capacity);
    if (!due.has(row) || random(3) > 0) continue;
    const next = now + 1 + random(far[random(far.length)]!);
    wheel.schedule(row, next);
    due.set(row, next);
    prolonged++;
  }
  t.ok(prolonged > 500, `${prolonged} were moved`);
  t.ok(looked < 5 * (capacity + prolonged), `${looked} rows looked at`);
  for (const [row, at] of due) if (at < START + 20_999_000) t.fail(`row ${row} was forgotten`);
  t.end();
});

void t.test("the wheel: after a long pause one turn meets every row once, the rest by the next", (t) => {
  const { calls } = makeCalls({ capacity: 10_000, longestCall: () => 1e12 });
  for (let i = 0; i < 10_000; i++) {
    const slot = calls.begin("", "lease", START + i);
    calls.forwarded(slot, START + i);
    if (i % 2 === 0) calls.answered(slot, "a", 0, START + i);
  }
  let ticks = 0;
  for (; calls.size() > 5000 && ticks < 20; ticks++) calls.tick(START + 30 * 86_400_000 + ticks * 60_000);
  t.equal(calls.size(), 5000, "answered calls without a session stay");
  t.ok(ticks <= 8, `${ticks} ticks`);
  passTime(calls, START + 31 * 86_400_000, START + 31 * 86_400_000 + 10_000);
  t.equal(calls.channels("lease"), 5000);
  t.end();
});
