import t from "tap";
import { packCalls } from "../../src/calls/call-snapshot.ts";
import { NO_CALL } from "../../src/calls/calls.ts";
import { HOUR, makeCalls, play, START, type ToldCalls } from "../support/calls.ts";
import { createNaiveCalls, type NaiveCall } from "./naive-calls.ts";

const LONGEST = 2 * HOUR;
const TRUNKS = ["north", "south", "east"];
const TAGS = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** Numbers that look random; the same seed gives the same ones (xorshift32). */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** What may well happen to a call in this state. The messages of one state are also sent in another: see `makeStep`. */
const likely: Readonly<Record<string, readonly string[]>> = {
  judged: ["forwarded"],
  setup: [
    "180",
    "183",
    "200 TAG",
    "200 TAG",
    "200 TAG SESSION",
    "200 TAG 90",
    "bye BY TAG",
    "cancel",
    "486",
    "487",
    "forwarded",
  ],
  answered: [
    "200 TAG",
    "200 TAG SESSION",
    "bye BY TAG",
    "bye BY TAG CAUSE",
    "bye caller unknown",
    "refreshed SESSION",
    "seen",
    "left 200",
    "left 401",
  ],
  leaving: [
    "left 100",
    "left 200",
    "left 200",
    "left 401",
    "left 407",
    "left 420",
    "left 481",
    "bye BY TAG",
    "200 TAG",
    "refreshed 0",
    "seen",
  ],
  over: ["200 TAG", "bye BY TAG", "486", "487", "180"],
};

/** A message: repeats, forks, crossings, and one in seven that makes no sense in this state. */
function makeStep(state: string, random: (below: number) => number): string {
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? "";
  const from = random(7) === 0 ? pick(Object.keys(likely)) : state;
  return pick(likely[from] ?? [])
    .replace("TAG", pick(TAGS.slice(0, random(4) === 0 ? 8 : 2)))
    .replace("BY", pick(["caller", "called", "filter"]))
    .replace("CAUSE", `${random(128)}`)
    .replace("SESSION", pick(["0", "90", "600", "1800"]));
}

/** How long until the next step: mostly moments, now and then long enough for something to expire. */
function makePause(random: (below: number) => number): number {
  const kind = random(1000);
  if (kind < 900) return random(1500);
  if (kind < 990) return random(20_000);
  return random(kind < 998 ? 300_000 : 3_000_000);
}

function playSeed(
  t: { equal(found: unknown, wanted: unknown, message: string): void },
  seed: number,
  steps: number,
): ReadonlyMap<string, number> {
  const random = createRandom(seed);
  const naive = createNaiveCalls(LONGEST, START);
  let epoch = 36;
  let count = 0;
  let memory: ToldCalls = makeCalls({ capacity: 4096, epoch, longestCall: () => LONGEST });
  let now = START;
  let tickAt = START;
  const names = new Map<string, { epoch: number; count: number }>();
  const told: string[] = [];
  const forwarded = new Set<string>();
  const recent: NaiveCall[] = [];
  memory.calls.tick(now);

  const compare = (step: string): void => {
    // The order of what falls due in one tick is free.
    const isTick = step === "tick";
    const actual = [...memory.told()];
    const expected = naive.told.splice(0);
    const [left, right] = isTick ? [actual.toSorted(), expected.toSorted()] : [actual, expected];
    if (left.join("\n") !== right.join("\n"))
      throw new Error(
        `seed ${seed}, ${step} at ${now - START}: told ${actual.join(", ")}; expected ${expected.join(", ")}`,
      );
    told.push(...actual);
    for (const trunk of TRUNKS) {
      const channels = memory.calls.channels(trunk);
      if (channels !== naive.channels(trunk))
        throw new Error(
          `seed ${seed}, ${step} at ${now - START}: ${trunk} has ${channels} channels, expected ${naive.channels(trunk)}`,
        );
    }
    if (memory.calls.size() !== naive.calls.length)
      throw new Error(
        `seed ${seed}, ${step} at ${now - START}: ${memory.calls.size()} rows, expected ${naive.calls.length}`,
      );
  };

  const pass = (to: number): void => {
    for (tickAt += 1000; tickAt <= to; tickAt += 1000) {
      now = tickAt;
      memory.calls.tick(now);
      naive.tick(now);
      compare("tick");
    }
    tickAt -= 1000;
    now = to;
  };

  const restart = (): void => {
    pass(Math.ceil(now / 1000) * 1000);
    const packed = packCalls(memory.calls.shared, memory.calls.trunkNames());
    if (packed === undefined || packed.torn !== 0) throw new Error("torn without a second thread");
    epoch++;
    count = 0;
    memory = makeCalls({ capacity: 4096, epoch, longestCall: () => LONGEST });
    naive.restart(now);
    const { rows } = memory.calls.restore(packed.bytes, now);
    if (rows !== naive.calls.length)
      throw new Error(`${rows} rows came back, expected ${naive.calls.length}`);
    compare("restart");
  };

  for (let i = 0; i < steps; i++) {
    pass(now + makePause(random));
    if (random(400) === 0) restart();
    const key = `key ${random(12)}`;
    const known = naive.find(key, now);
    const slot = memory.calls.find(key, now);
    if ((slot !== NO_CALL) !== (known !== undefined))
      throw new Error(`seed ${seed}: ${key} at ${now - START}`);
    if (known === undefined || random(30) === 0) {
      const trunk = TRUNKS[random(3)] ?? "north";
      const begun = memory.calls.begin(key, trunk, now);
      const { id } = memory.calls.refOf(begun);
      if (id !== `gw-a-${epoch.toString(36)}-${++count}`) throw new Error(`${id} is not the next name`);
      names.set(id, memory.calls.nameOf(begun));
      recent.push(naive.begin(id, key, trunk, now));
      compare("begin");
      continue;
    }
    if (memory.calls.refOf(slot).id !== known.id) throw new Error(`seed ${seed}: ${key} finds another call`);
    // Calls that have lost their key, or are over, get messages too.
    const call = random(2) > 0 ? known : (recent[Math.max(0, recent.length - 1 - random(60))] ?? known);
    const row = memory.calls.named(names.get(call.id) ?? { epoch: 0, count: 0 });
    if ((row === NO_CALL) === naive.calls.includes(call))
      throw new Error(`seed ${seed}: ${call.id} is known to one only`);
    if (row !== NO_CALL && memory.calls.stateOf(row) !== call.state)
      throw new Error(`seed ${seed}: ${call.id} is ${memory.calls.stateOf(row)}, expected ${call.state}`);
    if (row === NO_CALL) continue;
    const step = makeStep(call.state, random);
    if (step === "forwarded" && call.state === "judged") forwarded.add(call.id);
    play(memory.calls, row, step, now);
    naive.message(call, step, now);
    compare(`${call.id} ${step}`);
  }
  pass(now + LONGEST + HOUR);
  t.equal(memory.calls.size(), 0, `seed ${seed}: nothing is left`);
  checkOrder(told, forwarded);
  const kinds = new Map<string, number>();
  for (const text of told) {
    const words = text.split(" ");
    const kind = words[0] === "ended" ? `${words[2]} ${words[3]} ${words[4]}` : (words[0] ?? "");
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return kinds;
}

/** Exactly one end for each call that was forwarded and none for another; ringing, answered, ended in this order, each at most once. */
function checkOrder(told: readonly string[], forwarded: ReadonlySet<string>): void {
  const stages = new Map<string, number>();
  for (const text of told) {
    const [kind = "", id = ""] = text.split(" ");
    const stage = ["ringing", "answered", "ended"].indexOf(kind) + 1;
    if (stage <= (stages.get(id) ?? 0) || !forwarded.has(id)) throw new Error(`out of order: ${text}`);
    stages.set(id, stage);
  }
  for (const id of forwarded) if (stages.get(id) !== 3) throw new Error(`${id} has no end`);
}

void t.test(
  "against a naive memory: the same channels after every step, the same events, one end each",
  (t) => {
    const all = new Map<string, number>();
    for (let seed = 1; seed <= 12; seed++)
      for (const [kind, count] of playSeed(t, seed * 7919, 3000)) all.set(kind, (all.get(kind) ?? 0) + count);
    for (const kind of [
      "ringing",
      "answered",
      "by filter timed-out",
      "by filter lost",
      "by caller cancelled",
      "by called refused",
      "by caller released",
      "by called released",
    ])
      t.ok((all.get(kind) ?? 0) >= 20, `${kind}: ${all.get(kind) ?? 0}`);
    t.end();
  },
);
