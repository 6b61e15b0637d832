import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import t from "tap";
import { packCalls } from "../../src/calls/call-snapshot.ts";
import { type Calls, NO_CALL } from "../../src/calls/calls.ts";
import { HOUR, makeCalls, passTime, play, START, type ToldCalls } from "../support/calls.ts";

const MINUTE = 60_000;

function pack(calls: Calls<string>): Uint8Array {
  const packed = packCalls(calls.shared, calls.trunkNames());
  if (packed === undefined) throw new Error("the names are of another version");
  return packed.bytes;
}

/** One call of each kind: 1 judged, 2 in set-up, 3 answered with a session, 4 answered without, 5 in release, 6 over. */
function makeBusy(): ToldCalls {
  const memory = makeCalls();
  const { calls, told } = memory;
  const slots = ["a", "b", "c", "d", "e", "f"].map((key) => calls.begin(key, `trunk-${key}`, START));
  for (const slot of slots.slice(1)) play(calls, slot, "forwarded", START);
  play(calls, slots[1]!, "180", START + 1000);
  play(calls, slots[2]!, "180", START + 1000);
  play(calls, slots[2]!, "200 x 3600", START + 2000);
  play(calls, slots[3]!, "200 x", START + 2000);
  play(calls, slots[3]!, "200 y", START + 2000);
  play(calls, slots[4]!, "200 x", START + 2000);
  play(calls, slots[4]!, "bye called x 16", START + 3000);
  play(calls, slots[5]!, "486", START + 3000);
  told();
  return memory;
}

/** The second process, with what the first one has left. */
function restart(snapshot: Uint8Array, now: number): ToldCalls {
  const memory = makeCalls({ epoch: 37 });
  memory.calls.restore(snapshot, now);
  return memory;
}

const slotOf = (calls: Calls<string>, count: number): number => calls.named({ epoch: 36, count });

void t.test("a restart ends no call: set-up, answered and in release come back", (t) => {
  const snapshot = pack(makeBusy().calls);
  const now = START + 10_000;
  const { calls, told } = makeCalls({ epoch: 37 });
  t.same(calls.restore(snapshot, now), { rows: 4, leftOut: 0 });
  t.same(told(), []);
  t.equal(calls.size(), 4);
  t.equal(slotOf(calls, 1), NO_CALL, "judged: a repeat is judged again");
  t.equal(slotOf(calls, 6), NO_CALL);
  t.same(
    [2, 3, 4, 5].map((count) => calls.stateOf(slotOf(calls, count))),
    ["setup", "answered", "answered", "leaving"],
  );
  t.same(calls.refOf(slotOf(calls, 3)), { id: "gw-a-10-3", trunk: "trunk-c" });
  t.same(
    ["b", "c", "d", "e"].map((key) => calls.channels(`trunk-${key}`)),
    [1, 1, 1, 0],
  );
  t.equal(calls.find("b", now), NO_CALL, "keys are of the process before");
  play(calls, slotOf(calls, 2), "180", now + 1000);
  play(calls, slotOf(calls, 2), "200 z", now + 2000);
  play(calls, slotOf(calls, 3), "bye caller x", now + 40_000);
  play(calls, slotOf(calls, 3), "left 200", now + 40_100);
  play(calls, slotOf(calls, 4), "bye caller y", now + 41_000);
  play(calls, slotOf(calls, 4), "left 200", now + 41_100);
  t.same(told(), [
    "answered gw-a-10-2 @ 12000",
    "ended gw-a-10-3 by caller released 200 ringing 1000 answered 2000 @ 50000",
  ]);
  t.equal(calls.stateOf(slotOf(calls, 4)), "answered", "the dialogs are known too");
  calls.tick(now + 42_000);
  t.same(told(), ["ended gw-a-10-5 by called released 200 cause 16 answered 2000 @ 3000"]);
  t.end();
});

void t.test("names after a restart are new, whatever the epoch", (t) => {
  const snapshot = pack(makeBusy().calls);
  for (const epoch of [35, 36, 37]) {
    const { calls } = makeCalls({ epoch });
    calls.restore(snapshot, START);
    t.equal(calls.refOf(calls.begin("k", "lease", START)).id, "gw-a-11-1", `epoch ${epoch}`);
  }
  const { calls } = makeBusy();
  t.same(calls.restore(snapshot, START + 4000), { rows: 0, leftOut: 4 }, "no name twice");
  t.end();
});

void t.test("unconfirmed calls hold their channels for 30 minutes, and stay known", (t) => {
  const now = START + MINUTE;
  const { calls, told } = restart(pack(makeBusy().calls), now);
  play(calls, slotOf(calls, 4), "seen", now + MINUTE);
  passTime(calls, now + MINUTE, now + 30 * MINUTE - 1000);
  t.equal(calls.channels("trunk-c") + calls.channels("trunk-d"), 2);
  told();
  passTime(calls, now + 30 * MINUTE, now + 30 * MINUTE);
  t.equal(calls.channels("trunk-c"), 0, "given up");
  t.same(calls.standing().get("trunk-c"), { setup: 0, answered: 0 });
  t.equal(calls.channels("trunk-d"), 1, "confirmed");
  t.end();
});

void t.test("what was unconfirmed for 30 minutes takes no channel again behind the next restart", (t) => {
  const first = START + MINUTE;
  const { calls } = restart(pack(makeBusy().calls), first);
  const early = makeCalls({ epoch: 38 }).calls;
  early.restore(pack(calls), first + MINUTE);
  t.equal(early.channels("trunk-d"), 1, "near miss: not given up yet");
  passTime(calls, first, first + 31 * MINUTE);
  play(calls, slotOf(calls, 3), "refreshed 0", first + 31 * MINUTE);
  const second = first + 32 * MINUTE;
  const { calls: after, told } = makeCalls({ epoch: 38 });
  t.match(after.restore(pack(calls), second), { rows: 2, leftOut: 0 });
  t.equal(after.channels("trunk-c"), 1, "confirmed");
  t.equal(after.channels("trunk-d"), 0, "given up");
  play(after, slotOf(after, 4), "refreshed 0", second + MINUTE);
  t.equal(after.channels("trunk-d"), 1, "until a message of it passes");
  t.same(told(), []);
  t.end();
});

void t.test("an unconfirmed call that counts no more: its BYE is told, another message confirms it", (t) => {
  for (const [step, channels, events] of [
    ["bye caller x", 1, 0],
    ["seen", 1, 0],
    ["200 x", 1, 0],
    ["200 q", 1, 0],
    ["180", 0, 0],
  ] as const) {
    const now = START + MINUTE;
    const { calls, told } = restart(pack(makeBusy().calls), now);
    passTime(calls, now, now + 31 * MINUTE);
    told();
    const slot = slotOf(calls, 4);
    play(calls, slot, step, now + 31 * MINUTE);
    t.equal(calls.channels("trunk-d"), channels, step);
    t.equal(told().length, events);
    if (step !== "bye caller x") continue;
    play(calls, slot, "bye caller y", now + 31 * MINUTE);
    play(calls, slot, "left 200", now + 31 * MINUTE);
    t.same(told(), [`ended gw-a-10-4 by caller released 200 answered 2000 @ ${32 * MINUTE}`]);
    t.equal(calls.channels("trunk-d"), 0);
  }
  t.end();
});

void t.test("what fell due while no process ran has 64·T1 more; maxCall counts from the answer", (t) => {
  const now = START + 11 * HOUR;
  const { calls, told } = restart(pack(makeBusy().calls), now);
  passTime(calls, now + 1000, now + 31_000);
  t.same(told(), ["ended gw-a-10-5 by called released 200 cause 16 answered 2000 @ 3000"]);
  passTime(calls, now + 32_000, now + 32_000);
  t.same(told().toSorted(), [
    `ended gw-a-10-2 by filter timed-out ringing 1000 @ ${11 * HOUR + 32_000}`,
    `ended gw-a-10-3 by filter timed-out 200 ringing 1000 answered 2000 @ ${11 * HOUR + 32_000}`,
  ]);
  passTime(calls, now + 33_000, START + 12 * HOUR + 3000);
  t.same(told(), [`ended gw-a-10-4 by filter lost 200 answered 2000 @ ${12 * HOUR + 2000}`]);
  t.end();
});

void t.test("a snapshot is dated by the wall clock, wherever the clock of the process before stood", (t) => {
  for (const step of [-8 * HOUR, -HOUR, 1, 8 * HOUR]) {
    const { calls } = makeCalls({ wall: { ahead: step } });
    const slot = calls.begin("k", "lease", START - step);
    play(calls, slot, "forwarded", START - step);
    play(calls, slot, "200 x 1800", START - step);
    const { calls: after, told } = restart(pack(calls), START + 1000);
    passTime(after, START + 1000, START + 1_831_000);
    t.equal(after.channels("lease"), 0, "30 minutes unconfirmed");
    t.same(told(), []);
    passTime(after, START + 1_832_000, START + 1_832_000);
    t.same(told(), [`ended gw-a-10-1 by filter timed-out 200 answered 0 @ 1832000`]);
  }
  t.end();
});

void t.test(
  "a snapshot is restored where the wall clock was set before: its times are right all the same",
  (t) => {
    for (const step of [-8 * HOUR, -HOUR, 1, 8 * HOUR]) {
      const { calls, told } = makeCalls({ epoch: 37, wall: { ahead: step } });
      const time = (millis: number): number => START + millis - step;
      calls.tick(time(9000));
      calls.restore(pack(makeBusy().calls), time(10_000));
      calls.tick(time(34_000));
      calls.tick(time(35_000));
      t.same(told(), ["ended gw-a-10-5 by called released 200 cause 16 answered 2000 @ 3000"]);
      const slot = slotOf(calls, 2);
      play(calls, slot, "200 x", time(36_000));
      play(calls, slot, "bye caller x", time(37_000));
      play(calls, slot, "left 200", time(38_000));
      t.same(told(), [
        "answered gw-a-10-2 @ 36000",
        "ended gw-a-10-2 by caller released 200 ringing 1000 answered 36000 @ 37000",
      ]);
    }
    t.end();
  },
);

void t.test("too little room: the rest is left out", (t) => {
  const { calls } = makeCalls({ epoch: 37, capacity: 3 });
  t.same(calls.restore(pack(makeBusy().calls), START), { rows: 3, leftOut: 1 });
  t.end();
});

void t.test(
  "a row that is being changed, in a copy: it is left out; names of another version: nothing",
  (t) => {
    const { calls } = makeBusy();
    const copy = new ArrayBuffer(calls.shared.byteLength);
    const words = new Int32Array(copy);
    words.set(new Int32Array(calls.shared));
    const names = calls.trunkNames();
    t.match(packCalls(copy, names), { rows: 4, torn: 0 });
    words[slotOf(calls, 3) * 32]! |= 1;
    t.match(packCalls(copy, names), { rows: 3, torn: 1 });
    calls.begin("k", "new trunk", START + 5000);
    t.equal(packCalls(calls.shared, names), undefined);
    t.match(packCalls(calls.shared, calls.trunkNames()), { rows: 4 });
    t.end();
  },
);

function read(bytes: Uint8Array): unknown {
  return makeCalls().calls.restore(bytes, START);
}

void t.test("damaged snapshots: said, never thrown, nothing taken", (t) => {
  const snapshot = pack(makeBusy().calls);
  t.same(read(new Uint8Array(0)), { rows: 0, leftOut: 0, issue: "no-snapshot" });
  t.same(read(Buffer.from("a file of another program, rather long")), {
    rows: 0,
    leftOut: 0,
    issue: "no-snapshot",
  });
  const newer = Uint8Array.from(snapshot);
  newer[4] = 2;
  t.same(read(newer), { rows: 0, leftOut: 0, issue: "version" });
  for (let length = 0; length < snapshot.length; length += 7)
    t.match(read(snapshot.subarray(0, length)), { rows: 0, issue: /^(?:no-snapshot|damaged)$/ });
  for (let at = 0; at < snapshot.length; at++) {
    const flipped = Uint8Array.from(snapshot);
    flipped[at]! ^= 1 << (at & 7);
    t.match(read(flipped), { rows: 0, issue: /./ }, `octet ${at}`);
  }
  t.match(read(Buffer.concat([snapshot, Buffer.alloc(1)])), { issue: "damaged" });
  t.end();
});

void t.test("forged snapshots with a good checksum: the table keeps its invariants", (t) => {
  const snapshot = Buffer.from(pack(makeBusy().calls));
  const rowsEnd = 32 + 4 * snapshot.readUInt16LE(6);
  let taken = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 32, max: rowsEnd - 1 }), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 8,
      }),
      (changes) => {
        const forged = Buffer.from(snapshot);
        for (const [at, value] of changes) forged[at] = value;
        resign(forged);
        const { calls, told } = makeCalls({ epoch: 37 });
        const { rows, leftOut, issue } = calls.restore(forged, START + 10_000);
        if (issue !== undefined || rows + leftOut !== 4 || calls.size() !== rows)
          throw new Error(`${rows} ${leftOut} ${issue}`);
        taken += rows;
        for (let now = START + 10_000; now < START + 14 * HOUR; now += 600_000) calls.tick(now);
        for (let now = START + 14 * HOUR; now < START + 14 * HOUR + 100_000; now += 1000) calls.tick(now);
        const ends = told().filter((text) => text.startsWith("ended"));
        if (calls.size() !== 0 || ends.length > rows)
          throw new Error(`${calls.size()} left, ${ends.length} ends`);
        for (const { setup, answered } of calls.standing().values())
          if (setup !== 0 || answered !== 0) throw new Error("a channel is left");
      },
    ),
    { numRuns: 300 },
  );
  t.ok(taken > 300, `${taken} rows made sense all the same`);
  t.end();
});

function resign(snapshot: Buffer): void {
  createHash("sha256").update(snapshot.subarray(32)).digest().copy(snapshot, 16, 0, 16);
}
