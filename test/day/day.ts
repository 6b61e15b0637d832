// A day of simulated calls through the SIP proxy, against a naive count of what they did.
import t from "tap";
import { place, trunkIds } from "./filter.ts";
import { everyKind, makePlan } from "./plans.ts";
import { createWorld, HOUR, MINUTE, SECOND, type SimulatedCall, type World } from "./world.ts";

const START = Date.UTC(2026, 9, 3, 0, 0, 0);
const DAY = 24 * HOUR;
const ROWS = 1000;
/** Another one is another day: `DAY_SEED=7 npm run test:long -- day`. */
const SEED = Number(process.env["DAY_SEED"] ?? 20_261_003);
/** Calls of the day beside the bursts. */
const CALLS = 20_000;

/** Plans the whole day: calls at a rate that rises and falls, outages, bursts above what the table holds, kills. */
function planDay(world: World): void {
  const { timeline, random } = world;
  const next = (): void => {
    world.place(makePlan(random));
    const hour = ((timeline.now - START) / HOUR) % 24;
    const busy = 1 + 0.8 * Math.sin(((hour - 6) / 24) * 2 * Math.PI);
    const pause = Math.round((random.below(2000) / 1000) * (DAY / CALLS / busy));
    if (timeline.now + pause < START + DAY) timeline.after(pause, next);
  };
  timeline.after(SECOND, next);
  for (let hour = 1; hour < 24; hour += 2) {
    const begin = START + hour * HOUR + random.below(30 * MINUTE);
    timeline.at(begin, () => world.setSilent(place.a, true));
    // Calls that go to the silent hop: it answers when they were given up.
    for (let i = 0; i < 8; i++)
      timeline.at(begin + 100 + i * 300, () =>
        world.place(
          makePlan(random, {
            kind: "a late answer of a hop that was given up",
            trunk: "lease",
            firstHop: "late",
          }),
        ),
      );
    timeline.at(begin + 2 * MINUTE, () => world.setSilent(place.a, false));
  }
  for (const hour of [10, 15])
    for (let i = 0; i < 1500; i++)
      timeline.at(START + hour * HOUR + 40 * MINUTE + i * 3, () =>
        world.place(
          makePlan(
            random,
            i % 100 === 99 ? { kind: "emergency", called: "110", trunk: "lease" } : { kind: "in a burst" },
          ),
        ),
      );
  for (let hour = 3; hour < 24; hour += 2) {
    const at = START + hour * HOUR + random.below(40 * MINUTE);
    // Many calls are in every stage when the filter is killed.
    for (let i = 0; i < 120; i++) timeline.at(at - i * 300, () => world.place(makePlan(random)));
    timeline.at(at, () => world.kill(random.below(5 * SECOND), 200 + random.below(3 * SECOND)));
  }
}

/** What the naive count says of a call, and what was told of it: the same, or what differs. */
function differenceOf(world: World, { plan, parties, naive, isRowless }: SimulatedCall): string | undefined {
  const told = world.told.of(parties.callId).filter(({ isForwarded }) => isForwarded);
  const naming = `${parties.callId}, ${plan.kind}, ${plan.trunk}`;
  if (isRowless)
    return told.every(({ ends }) => ends.length === 0) ? undefined : `${naming}: no row, and an end`;
  if (naive.state === "new")
    return told.length === 0 ? undefined : `${naming}: told as forwarded, and was not`;
  const [call] = told;
  if (told.length !== 1 || call === undefined) return `${naming}: told as ${told.length} calls`;
  const [end] = call.ends;
  const wanted = [
    naive.end?.by,
    naive.end?.how,
    naive.end?.status,
    naive.ringing,
    naive.answered,
    naive.ringing === undefined ? 0 : 1,
    naive.answered === undefined ? 0 : 1,
    1,
  ].join(" ");
  const found = [
    end?.by,
    end?.how,
    end?.status,
    end?.ringingMs,
    end?.answeredMs,
    call.ringing,
    call.answered,
    call.ends.length,
  ].join(" ");
  if (wanted !== found) return `${naming}: told ${found}, expected ${wanted}`;
  const late = (end?.at ?? 0) - (naive.end?.at ?? 0);
  return late >= 0 && late <= 1200 ? undefined : `${naming}: the end is told ${late} ms late`;
}

void t.test("a day of calls: every channel and every end, against a naive count", (t) => {
  const begun = Date.now();
  const world = createWorld(SEED, START, ROWS);
  planDay(world);
  world.timeline.run(START + DAY + 5 * HOUR);
  const { calls, figures, kills, told } = world;
  t.same(world.faults.map(String), [], "no fault");
  t.same(world.differences, [], "the same channels, after every message and every second");
  t.same(told.misplaced, [], "every event has its place");
  for (const trunk of trunkIds) t.equal(world.filter.channels(trunk), 0, `${trunk}: no channel is left`);
  const endings = new Map<string, number>();
  const wrong: string[] = [];
  const exempt = { lost: 0, doubled: 0, raced: 0, noEnd: 0, twoEnds: 0 };
  for (const call of calls) {
    const { naive, parties } = call;
    const { end } = naive;
    const kind =
      end === undefined
        ? call.isRowless
          ? "without a row"
          : "not forwarded"
        : `${end.how} by ${end.by} ${end.status ?? ""}`.trim();
    endings.set(kind, (endings.get(kind) ?? 0) + 1);
    if (naive.lostAt !== undefined) {
      exempt.lost++;
      const ends = told
        .of(parties.callId)
        .filter(({ isForwarded }) => isForwarded)
        .map(({ ends: of }) => of.length);
      if (ends.includes(0)) exempt.noEnd++;
      if (ends.some((count) => count > 1)) exempt.twoEnds++;
    } else if (call.doubledAt.length > 0) exempt.doubled++;
    else if (naive.isRaced) exempt.raced++;
    else {
      const difference = differenceOf(world, call);
      if (difference !== undefined) wrong.push(difference);
    }
  }
  t.same(wrong.slice(0, 20), [], `${wrong.length} calls are told otherwise than they were`);
  const kinds = new Set(calls.map(({ plan }) => plan.kind));
  t.same(
    everyKind.filter((kind) => !kinds.has(kind)),
    [],
    "every kind of call came",
  );
  t.comment(
    `${calls.length} calls, ${JSON.stringify(figures)}, ${((Date.now() - begun) / 1000).toFixed(1)} s`,
  );
  for (const [kind, count] of [...endings].toSorted((a, b) => b[1] - a[1])) t.comment(`${count} ${kind}`);
  t.comment(`left out of the comparison of ends: ${JSON.stringify(exempt)}`);
  for (const kill of kills)
    t.comment(
      `kill at ${((kill.at - START) / HOUR).toFixed(2)} h: ${kill.restored} restored, ${kill.lost} with lost messages; at most ${kill.over} too many, for ${(kill.overFor / 1000).toFixed(0)} s, ${kill.under} too few, for ${(kill.underFor / 1000).toFixed(0)} s`,
    );
  t.end();
});
