/** Starts targets, loads them in turns, and ends them. */
import { freePort, freeStreamPort } from "../../test/support/free-port.ts";
import { askSipAddress } from "../../test/support/drachtio-admin.ts";
import { applyLoad, loadKinds, startCore, type LoadKind, type LoadPlan, type Measurement } from "../load.ts";
import { runProbes } from "../probes.ts";
import { end, memoryMegabytes } from "../processes.ts";
import { type Delays, timeRefusals } from "../records/refusals.ts";
import { drachtioServer, startTarget, type Bench, type Target, type TargetChoice } from "../targets.ts";
import { findKnee, type Knee } from "./knee.ts";
import { garbageOptions, measureGarbage } from "./garbage.ts";

/** What is measured. */
export interface Rounds {
  readonly bench: Bench;
  readonly plan: LoadPlan;
  readonly rounds: number;
  /** Seconds of one load. */
  readonly seconds: number;
  /** Calls a second, one after the other. Empty: no timed load. */
  readonly rates: readonly number[];
  /** Refusals a second whose answers are timed. 0: none. */
  readonly refusals: number;
  readonly withKnee: boolean;
}

/** What was measured, target by target. */
export interface Measured {
  readonly targets: Target[];
  readonly measurements: Measurement[];
  /** MB by target. */
  readonly memory: Map<Target, number>;
  readonly delays: Delays[];
  readonly knees: Knee[];
}

/** Seconds and calls a second of the load that warms a target up. */
const WARM_UP = { seconds: 2, callsPerSecond: 800 };
/** Seconds and calls a second of the load whose garbage is counted. */
const GARBAGE = { seconds: 10, callsPerSecond: 800 };

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Measures targets beside each other and adds what it finds to `into`. A target that fails a probe is left out. */
export async function measureTogether(
  choices: readonly TargetChoice[],
  { bench, plan, rounds, seconds, rates, refusals, withKnee }: Rounds,
  into: Measured,
): Promise<void> {
  const started: Target[] = [];
  for (const choice of choices) {
    const target = await startProbed(choice, bench);
    if (target !== undefined) started.push(target);
  }
  const core = startCore(plan);
  const warmUp = { ...WARM_UP, callsPerSecond: Math.min(WARM_UP.callsPerSecond, ...rates) };
  for (const target of started)
    for (const kind of loadKinds) await applyLoad(plan, target, { ...warmUp, kind });
  for (const callsPerSecond of rates) {
    for (let round = 1; round <= rounds; round += 1) {
      for (const kind of loadKinds) {
        for (const target of turned(started, round)) {
          const measurement = await applyLoad(plan, target, { kind, callsPerSecond, seconds });
          into.measurements.push(measurement);
          tell(`round ${round}: ${describe(measurement)}`);
        }
      }
    }
  }
  if (refusals > 0) into.delays.push(...(await timeAnswers(started, bench, { rounds, seconds, refusals })));
  for (const target of started) into.memory.set(target, memoryMegabytes(target.process.pid));
  for (const target of withKnee ? started.filter(({ byDrachtio }) => !byDrachtio) : []) {
    const knee = await findKnee(plan, target, seconds, (tried, limit) => {
      tell(`knee: ${describe(tried)}, p99 < ${tried.p99} ms: ${limit === "none" ? "holds" : limit}`);
    });
    into.knees.push(knee);
  }
  await end(core);
  for (const target of started) await end(target.process);
  into.targets.push(...started);
}

/** Times the answers to refused calls, each round one sigwall after the other. */
async function timeAnswers(
  targets: readonly Target[],
  { dataset, layout }: Bench,
  { rounds, seconds, refusals }: Pick<Rounds, "rounds" | "seconds" | "refusals">,
): Promise<readonly Delays[]> {
  const delays: Delays[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const target of targets.filter(({ name }) => name === "sigwall")) {
      const timed = await timeRefusals(target, dataset, layout, { perSecond: refusals, seconds, round });
      delays.push(timed);
      tell(
        `round ${round}: ${target.title}: ${timed.millis.length} refusals timed, ${timed.unanswered} unanswered`,
      );
    }
  }
  return delays;
}

/** Counts the garbage of a target of its own, by kind of call. Empty when the target fails a probe. */
export async function measureGarbageOf(
  choice: TargetChoice,
  bench: Bench,
  plan: LoadPlan,
): Promise<ReadonlyMap<LoadKind, number>> {
  const garbage = new Map<LoadKind, number>();
  const target = await startProbed(choice, {
    ...bench,
    nodeOptions: [...bench.nodeOptions, ...garbageOptions],
  });
  if (target === undefined) return garbage;
  const core = startCore(plan);
  for (const kind of loadKinds) {
    await applyLoad(plan, target, { ...WARM_UP, kind });
    garbage.set(kind, await measureGarbage(plan, target, { ...GARBAGE, kind }));
  }
  await end(core);
  await end(target.process);
  return garbage;
}

/** The targets in another order each round: who comes first finds the machine otherwise than who comes last. */
function turned(targets: readonly Target[], round: number): readonly Target[] {
  const from = (round - 1) % targets.length;
  return [...targets.slice(from), ...targets.slice(0, from)];
}

function describe(measurement: Measurement): string {
  const { target, kind, callsPerSecond, microsPerCall, firstThread, nextThread, failed } = measurement;
  return `${target.title}, ${kind}, ${callsPerSecond}/s: ${microsPerCall.toFixed(0)} µs (first thread ${firstThread.toFixed(1)}, next ${nextThread.toFixed(1)}), ${failed} failed`;
}

/** Starts a target; undefined when it fails a probe. */
async function startProbed(choice: TargetChoice, bench: Bench): Promise<Target | undefined> {
  const server = choice.byDrachtio ? drachtioServer() : undefined;
  const port = server === undefined ? await freePort("0.0.0.0") : (await askSipAddress(server)).port;
  const target = startTarget(choice, bench, port, await freeStreamPort("127.0.0.1"));
  const failures = await runProbes(target, bench.dataset, bench.layout);
  for (const failure of failures) tell(`${target.title}: ${failure}`);
  tell(`${target.title}: probes ${failures.length === 0 ? "passed" : "FAILED, not timed"}`);
  if (failures.length === 0) return target;
  await end(target.process);
  return undefined;
}
