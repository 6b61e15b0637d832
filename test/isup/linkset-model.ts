// Two exchanges and a linkset at virtual time: links die and come back, and a referee that shares no code with the relay looks on.
import type { Buffer } from "node:buffer";
import t from "tap";
import { createRandom } from "../pcap/reading.ts";
import {
  createExchange,
  names,
  readMessage,
  REFUSED,
  type Exchange,
  type ModelCall,
  type World,
} from "../support/exchanges.ts";
import { CORE, createTestRelay, LEASE, places } from "../support/isup-relay.ts";

const CIRCUITS = 20;
/** How the exchanges choose a link: by circuit (SLS), or one after the other. */
type Spread = "sls" | "round-robin";

interface Outcome {
  readonly wrong: readonly string[];
  readonly placed: number;
  readonly up: number;
  readonly refused: number;
  readonly unexplained: readonly string[];
  readonly died: number;
  readonly busy: readonly number[];
  readonly left: readonly [calls: number, refusals: number];
}

/** @param seconds of virtual time in which calls are placed and links die */
function play(seed: number, links: number, spread: Spread, seconds: number): Outcome {
  const random = createRandom(seed);
  const test = createTestRelay({ links, circuits: 1000 });
  const { relay } = test;
  const begun = test.now;
  const wrong: string[] = [];
  const unexplained: string[] = [];
  /** When a message about the circuit died with a link. */
  const deaths = new Map<number, number>();
  const ended = new Set<number>();
  const up: boolean[] = Array.from({ length: links }, () => true);
  const generation: number[] = Array.from({ length: links }, () => 0);
  const steps = new Map<number, (() => void)[]>();
  let died = 0;
  let turn = 0;

  const after = (millis: number, step: () => void): void => {
    const at = Math.ceil((test.now - begun + millis) / 10) * 10;
    const due = steps.get(at);
    if (due === undefined) steps.set(at, [step]);
    else due.push(step);
  };

  /** Carries a message over a link in 10 to 30 ms, in order; it dies with the link. */
  const carry = (link: number, bytes: Buffer, arrive: () => void): void => {
    const { circuit } = readMessage(bytes);
    const die = (): void => {
      died++;
      deaths.set(circuit, test.now);
    };
    if (link < 0) {
      die();
      return;
    }
    const mine = generation[link]!;
    after(20, () => {
      if (generation[link] === mine) arrive();
      else die();
    });
  };

  const choose = (circuit: number): number => {
    const alive = [...up.keys()].filter((link) => up[link]);
    if (alive.length === 0) return -1;
    return alive[(spread === "sls" ? circuit : turn++) % alive.length]!;
  };

  const world: World = {
    calls: [],
    after,
    wrong: (what) => void wrong.push(what),
    send(from, bytes) {
      const { circuit, type, id } = readMessage(bytes);
      const link = choose(circuit);
      carry(link, bytes, () => {
        // What the relay is told: from here on it knows that the call has ended.
        if (names[type] === "REL") noteEnd(from, circuit);
        if (names[type] === "IAM") {
          current(from)[circuit] = id;
          ended.delete(id);
        }
        relay.handle(test.now, { link, side: from === lease ? 0 : 1 }, 1, bytes);
        deliver();
      });
    },
    failed(call, circuit, why) {
      const explained = why === "dual seizure" || test.now - (deaths.get(circuit) ?? -Infinity) < 200_000;
      if (!explained) unexplained.push(`call ${call.id} on circuit ${circuit}: ${why}`);
      call.state = call.attempts < 6 ? "waiting" : "given-up";
    },
  };
  const lease = createExchange(LEASE, CORE, CIRCUITS, world);
  const core = createExchange(CORE, LEASE, CIRCUITS, world);
  const currents: readonly [(number | undefined)[], (number | undefined)[]] = [[], []];
  const current = (of: Exchange): (number | undefined)[] => currents[of === lease ? 0 : 1];
  const noteEnd = (from: Exchange, circuit: number): void => {
    for (const of of [lease, core]) {
      const id = current(of)[circuit];
      if (id !== undefined) ended.add(id);
    }
    current(from)[circuit] = undefined;
  };

  const deliver = (): void => {
    for (const { link = 0, to, bytes } of test.take()) {
      const told = readMessage(bytes);
      if (up[link] !== true) wrong.push(`${names[told.type]} sent by a link that is down`);
      if (names[told.type] === "IAM") {
        if (ended.has(told.id)) wrong.push(`phantom: call ${told.id} had ended`);
        const call = world.calls[told.id];
        if (to === 1 && call?.isListed !== true) wrong.push(`call ${told.id} of nobody has passed`);
      }
      if (told.cause === REFUSED && to === 1) wrong.push("a refusal has reached the core");
      carry(link, bytes, () => (to === 0 ? lease : core).receive(bytes));
    }
  };

  const pass = (): void => {
    test.now += 10;
    const at = test.now - begun;
    const due = steps.get(at);
    steps.delete(at);
    for (const step of due ?? []) step();
    if (at % 100 === 0) {
      relay.tick(test.now);
      deliver();
    }
  };

  const place = (caller: Exchange, isListed: boolean): void => {
    const call: ModelCall = {
      id: world.calls.length,
      isListed,
      caller,
      circuit: 0,
      attempts: 0,
      state: "waiting",
    };
    world.calls.push(call);
  };

  const end = (link: number): void => {
    up[link] = false;
    generation[link]!++;
    relay.disconnect(test.now, link);
    deliver();
    after(1000 + random(9000), () => {
      up[link] = true;
      relay.connect(link, places);
    });
  };

  const live = (duration: number, isBusy: boolean): void => {
    for (let left = duration * 100; left > 0; left--) {
      if (isBusy && random(40) === 0) place(random(3) === 0 ? core : lease, true);
      if (isBusy && random(80) === 0) place(lease, false);
      if (isBusy && random(500) === 0) {
        const link = random(links);
        if (up[link] === true) end(link);
      }
      for (const call of world.calls) if (call.state === "waiting") call.caller.place(call);
      const circuit = random(CIRCUITS);
      if (random(30) === 0) (random(2) === 0 ? lease : core).hangUp(circuit);
      pass();
    }
  };

  live(seconds, true);
  // No new calls: everybody hangs up, and what is outstanding ends by itself.
  for (const call of world.calls) if (call.state === "waiting") call.state = "given-up";
  live(400, false);
  for (let left = 100 * 60 * 40; left > 0; left--) pass();
  const { ss7 } = test.counters;
  return {
    wrong: [...wrong, ...test.faults.map(String)],
    unexplained,
    placed: world.calls.length,
    up: world.calls.filter(({ state }) => state === "up" || state === "over").length,
    refused: world.calls.filter(({ state }) => state === "refused").length,
    died,
    busy: [...lease.circuits, ...core.circuits].flatMap(({ state }, i) => (state === "idle" ? [] : [i])),
    left: [ss7.calls, ss7.refusals],
  };
}

/** More in a long run. */
const games = Number(process.env["LINKSET_GAMES"] ?? 12);

t.setTimeout(600_000);
void t.test("links die and come back: listed calls come up, others are released, circuits end idle", (t) => {
  for (let game = 0; game < games; game++) {
    const links = 1 + (game % 4);
    const spread: Spread = game % 3 === 0 ? "sls" : "round-robin";
    const outcome = play(game, links, spread, 120);
    const name = `game ${game}: ${links} links, ${spread}, ${outcome.placed} calls, ${outcome.died} messages died`;
    t.same(outcome.wrong, [], `${name}: nothing that must not be`);
    t.same(outcome.unexplained, [], `${name}: no call failed without a reason`);
    t.same(outcome.busy, [], `${name}: every circuit is idle`);
    t.same(outcome.left, [0, 0], `${name}: the relay knows of nothing`);
    // A single link is down half of the time.
    const least = links === 1 ? 0 : outcome.placed / 4;
    t.ok(
      outcome.up > least && outcome.refused > least / 4,
      `${name}: ${outcome.up} up, ${outcome.refused} refused`,
    );
  }
  t.end();
});
