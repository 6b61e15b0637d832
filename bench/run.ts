/** CPU per call of the running filter, side by side with Kamailio and a bare forwarder: see bench/README.md. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { freePort, freeStreamPort } from "../test/support/free-port.ts";
import { makeDataset } from "./dataset.ts";
import type { Layout } from "./dataset-files.ts";
import { applyLoad, prepareLoad, startCore, type LoadPlan, type Measurement } from "./load.ts";
import { runProbes } from "./probes.ts";
import { end, endAll, memoryMegabytes } from "./processes.ts";
import { formatReport } from "./report.ts";
import { formatCosts, formatDelays } from "./records/costs.ts";
import { type Delays, timeRefusals } from "./records/refusals.ts";
import { askSipAddress } from "../test/support/drachtio-admin.ts";
import {
  chooseTarget,
  drachtioServer,
  startTarget,
  type Bench,
  type Target,
  type TargetChoice,
} from "./targets.ts";

const usage = `usage: node out/bench/run.js [--quick] [--rounds N] [--seconds N] [--rate CALLS_PER_SECOND]
       [--targets kamailio,sigwall,sigwall:dgram,sigwall=OTHER/main.js,bare,bare:batched,drachtio,bare:drachtio]
       [--node-options=OPTIONS_FOR_SIGWALL] [--records] [--delays] [--keep]`;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    seconds: { type: "string" },
    rate: { type: "string" },
    targets: { type: "string", default: "kamailio,sigwall,sigwall:dgram,bare,bare:batched" },
    "node-options": { type: "string" },
    records: { type: "boolean", default: false },
    delays: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}

/** Refusals a second while answers are timed. */
const REFUSALS = 200;
/** What records cost, and with --delays how long refusals take alone. */
const withRecords = options.records || options.delays;
const root = join(fileURLToPath(import.meta.url), "../../..");
const rounds = Number(options.rounds ?? (options.quick ? 2 : 3));
const seconds = Number(options.seconds ?? (options.quick ? 2 : 6));
const folder = mkdtempSync(join(tmpdir(), "sigwall-bench-"));

process.on("exit", () => {
  endAll();
  if (!options.keep) rmSync(folder, { recursive: true, force: true });
});
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => process.exit(1));

const wanted = options.targets.split(",").flatMap((word) => [
  ...[chooseTarget(word, root) ?? []].flat(),
  // Beside the same without them: the cost of records is the difference.
  ...(withRecords && word.startsWith("sigwall")
    ? (["records", "evidence", "before-reject"] as const).flatMap(
        (kept) => chooseTarget(word, root, kept) ?? [],
      )
    : []),
]);
// A drachtio-server loses calls at more than some 300 per second.
const callsPerSecond = Number(options.rate ?? (wanted.some(({ byDrachtio }) => byDrachtio) ? 250 : 800));
const missing = wanted.flatMap((choice) => missingFor(choice));
const choices = wanted.filter((choice) => missingFor(choice).length === 0);
for (const line of missing) process.stderr.write(`${line}\n`);
if (!isInstalled("sipp") || !isInstalled("taskset") || choices.length === 0) {
  process.stderr.write(
    "the bench needs sipp and taskset (Debian: sip-tester, util-linux) and at least one target\n",
  );
  process.exit(2);
}

const layout: Layout = {
  trunkPort: await freePort("0.0.0.0"),
  coreAddress: "127.0.0.1",
  corePort: await freePort("0.0.0.0"),
  overload: "off",
};
const cores = availableParallelism();
const bench: Bench = {
  dataset: makeDataset(),
  layout,
  folder,
  root,
  core: cores - 1,
  nodeOptions: options["node-options"]?.split(" ") ?? [],
};
const plan: LoadPlan = { folder, root, layout, core: 0, callsPerSecond };
prepareLoad(plan, bench.dataset);

const targets: Target[] = [];
const measurements: Measurement[] = [];
const memory = new Map<Target, number>();
const delays: Delays[] = [];
// Targets take their turns together, but for those by drachtio after the first: one at a time may be connected.
const [first, ...others] = choices.filter(({ byDrachtio }) => byDrachtio);
await measure(choices.filter((choice) => !choice.byDrachtio || choice === first));
for (const choice of others) await measure([choice]);

if (!options.delays) {
  const load = `${rounds} rounds of ${callsPerSecond * seconds} calls of each kind at ${callsPerSecond}/s, loopback UDP`;
  process.stdout.write(`CPU per call (user + system, whole process tree), medians; ${load}\n`);
  process.stdout.write(`${formatReport(targets, measurements, memory)}\n\n`);
}
if (options.records && !options.delays) {
  process.stdout.write(
    "CPU per call, µs: median (lowest); + is the difference to the row that keeps nothing, within a round: median (between the lowest)\n",
  );
  process.stdout.write(`${formatCosts(targets, measurements)}\n\n`);
}
if (withRecords) {
  process.stdout.write(`From INVITE to 403 at ${REFUSALS} refusals a second, ms\n`);
  process.stdout.write(`${formatDelays(targets, delays)}\n`);
}
process.exitCode = targets.length === wanted.length ? 0 : 1;

/** Starts targets, loads them in turns and ends them. */
async function measure(together: readonly TargetChoice[]): Promise<void> {
  const started: Target[] = [];
  for (const choice of together) {
    const target = await startProbed(choice);
    if (target !== undefined) started.push(target);
  }
  const core = startCore(plan);
  for (const target of started) {
    for (const kind of ["allowed", "rejected"] as const)
      await applyLoad(plan, target, kind, callsPerSecond * 2);
  }
  for (let round = 1; round <= rounds && !options.delays; round += 1) {
    for (const kind of ["allowed", "rejected"] as const) {
      for (const target of started) {
        const measurement = await applyLoad(plan, target, kind, callsPerSecond * seconds);
        measurements.push(measurement);
        const { microsPerCall, firstThread, nextThread, failed } = measurement;
        process.stderr.write(
          `round ${round}: ${target.title}, ${kind}: ${microsPerCall.toFixed(0)} µs (first thread ${firstThread.toFixed(1)}, next ${nextThread.toFixed(1)}), ${failed} failed\n`,
        );
      }
    }
  }
  if (withRecords) {
    for (let round = 1; round <= rounds; round += 1) {
      for (const target of started.filter(({ name }) => name === "sigwall")) {
        const load = { perSecond: REFUSALS, seconds, round };
        const timed = await timeRefusals(target, bench.dataset, layout, load);
        delays.push(timed);
        process.stderr.write(
          `round ${round}: ${target.title}: ${timed.millis.length} refusals timed, ${timed.unanswered} unanswered\n`,
        );
      }
    }
  }
  await end(core);
  for (const target of started) {
    memory.set(target, memoryMegabytes(target.process.pid));
    await end(target.process);
  }
  targets.push(...started);
}

/** Starts a target; undefined when it fails a probe. */
async function startProbed(choice: TargetChoice): Promise<Target | undefined> {
  const server = choice.byDrachtio ? drachtioServer() : undefined;
  const port = server === undefined ? await freePort("0.0.0.0") : (await askSipAddress(server)).port;
  const target = startTarget(choice, bench, port, await freeStreamPort("127.0.0.1"));
  const failures = await runProbes(target, bench.dataset, layout);
  for (const failure of failures) process.stderr.write(`${target.title}: ${failure}\n`);
  process.stderr.write(`${target.title}: probes ${failures.length === 0 ? "passed" : "FAILED, not timed"}\n`);
  if (failures.length === 0) return target;
  await end(target.process);
  return undefined;
}

function missingFor({ name, byDrachtio, program }: TargetChoice): readonly string[] {
  if (name === "kamailio" && !isInstalled("kamailio"))
    return ["kamailio is not installed: left out (Debian: kamailio)"];
  if (byDrachtio && drachtioServer() === undefined)
    return [
      "DRACHTIO_HOST is not set: left out (and DRACHTIO_PORT, DRACHTIO_SECRET of a running drachtio-server)",
    ];
  if ((name === "sigwall" || name === "drachtio") && !existsSync(program))
    return [`${program} is missing: left out (npm run build)`];
  return [];
}

function isInstalled(command: string): boolean {
  return [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"].some((place) =>
    existsSync(join(place, command)),
  );
}
