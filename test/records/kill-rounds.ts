// A filter that is killed at random moments under load: every refusal that a caller has heard of is in the evidence.
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import { startFilter } from "../cli/filter-process.ts";
import {
  type Crowd,
  evidenceLines,
  NUMBERS,
  openCrowd,
  signedLeaves,
  verifyFolder,
} from "../support/crowd.ts";
import { createDice } from "../support/record-lines.ts";
import { until } from "../support/until.ts";

/** `KILL_ROUNDS=500` is the long proof. */
const ROUNDS = Number(process.env["KILL_ROUNDS"] ?? 50);
/** A new log begins after so many rounds: each round reads the whole log. */
const ROUNDS_OF_A_LOG = 25;
/** An answer after this time may have left without its evidence on disk (LONGEST_HOLD is 250 ms). Milliseconds. */
const SURELY_KEPT = 240;

const settings = `evidence:
  folder: evidence
  durability: before-reject
  checkpointSeconds: 1
  perTrunk: { blocksPerSecond: 1000000, megabytesPerDay: 1000000 }
`;

const sum = { calls: 0, answered: 0, late: 0, lateMissing: 0, missing: 0, forwarded: 0, torn: 0, leaves: 0 };
const missing: string[] = [];

/** Refusals that a caller has heard of. `promised`: with their evidence, since they left in time. */
interface Heard {
  readonly promised: string[];
  readonly late: string[];
}

/** One filter, from the start to the kill. */
async function playRound(place: Crowd, dice: () => number, { promised, late }: Heard): Promise<void> {
  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  const [caller] = place.callers;
  if (caller === undefined) throw new Error("no caller");
  const most = 20 + 60 * dice();
  // Some filters are killed in their first moments, before the log is open.
  if (dice() < 0.8) await caller.call(filter.sipPort);
  const end = performance.now() + 40 + 1200 * dice();
  let count = 0;
  const killed = pause(end - performance.now()).then(() => filter.signal("SIGKILL"));
  while (performance.now() < end) {
    for (let burst = 0; burst < most / 10; burst++)
      caller.invite(filter.sipPort, count++ % 5 === 4 ? NUMBERS.listed : NUMBERS.unlisted);
    await pause(5);
  }
  await killed;
  await filter.ended;
  // What the kernel had taken from the filter is still to be heard.
  await pause(20);
  for (const { callId, outcome, sentAt, endedAt } of caller.calls.values()) {
    sum.calls++;
    if (outcome === "forwarded") sum.forwarded++;
    if (outcome !== "403") continue;
    sum.answered++;
    if (endedAt - sentAt > SURELY_KEPT) late.push(callId);
    else promised.push(callId);
  }
  caller.calls.clear();
}

/** The start after a kill mends the log. It must verify then, and hold what was promised. */
async function look(place: Crowd, { promised, late }: Heard): Promise<void> {
  const evidence = join(place.folder, "evidence");
  const before = killGaps(evidence);
  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  await until(() => killGaps(evidence) > before);
  filter.signal("SIGTERM");
  await filter.ended;
  const there = new Set(evidenceLines(evidence).map(({ callId }) => callId));
  for (const callId of promised)
    if (!there.has(callId)) {
      sum.missing++;
      missing.push(callId);
    }
  sum.late += late.length;
  sum.lateMissing += late.filter((callId) => !there.has(callId)).length;
  sum.torn += filter.output().split("no whole block").length - 1;
  const { code, said } = verifyFolder(evidence);
  if (code !== 0) t.fail(said);
  sum.leaves = Math.max(sum.leaves, signedLeaves(evidence));
}

function killGaps(folder: string): number {
  return evidenceLines(folder).filter(({ why }) => String(why).includes("was killed")).length;
}

void t.test(
  `kill -9 at ${ROUNDS} random moments under load: no refusal that was answered lacks its evidence`,
  { timeout: Math.max(600_000, ROUNDS * 15_000) },
  async (t) => {
    const seed = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);
    const dice = createDice(seed);
    let place: Crowd | undefined;
    let heard: Heard = { promised: [], late: [] };
    for (let round = 0; round < ROUNDS; round++) {
      if (round % ROUNDS_OF_A_LOG === 0) {
        place?.close();
        place = await openCrowd(settings);
        heard = { promised: [], late: [] };
      }
      if (place === undefined) throw new Error("no place");
      await playRound(place, dice, heard);
      // Now and then one kill follows another.
      if (round % 3 !== 1 || (round + 1) % ROUNDS_OF_A_LOG === 0 || round + 1 === ROUNDS) {
        await look(place, heard);
        heard = { promised: [], late: [] };
      }
      if (ROUNDS > 50 && round % 25 === 24) console.error(`${round + 1} rounds: ${JSON.stringify(sum)}`);
    }
    place?.close();
    t.same(missing, [], `seed ${seed}: ${JSON.stringify(sum)}`);
    t.ok(sum.answered - sum.late > 20 * ROUNDS, `enough was promised: ${JSON.stringify(sum)}`);
    t.comment(`seed ${seed}, ${ROUNDS} rounds: ${JSON.stringify(sum)}`);
  },
);
