/** CPU per call of the running filter, side by side with Kamailio and a bare forwarder: see bench/README.md. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { freePort } from "../test/support/free-port.ts";
import { makeDataset } from "./dataset.ts";
import type { Layout } from "./dataset-files.ts";
import { describeMachine } from "./figures/machine.ts";
import { kneeRows, writePage } from "./figures/page.ts";
import { measureGarbageOf, measureTogether, type Measured, type Rounds } from "./figures/rounds.ts";
import { prepareLoad, type LoadKind, type LoadPlan } from "./load.ts";
import { endAll } from "./processes.ts";
import { formatColumns, formatReport } from "./report.ts";
import { formatCosts, formatDelays } from "./records/costs.ts";
import { keeping, plain, states, type State } from "./states.ts";
import { chooseTarget, drachtioServer, type Bench, type TargetChoice } from "./targets.ts";

const usage = `usage: node out/bench/run.js [--quick] [--rounds N] [--seconds N] [--rates CALLS_PER_SECOND,…]
       [--targets kamailio,sigwall,sigwall:dgram,sigwall=OTHER/main.js,bare,bare:batched,drachtio,bare:drachtio]
       [--states ${states.map(({ name }) => name).join(",")}] [--node-options=OPTIONS_FOR_SIGWALL]
       [--knee] [--garbage] [--results] [--records] [--delays] [--keep]`;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    seconds: { type: "string" },
    rates: { type: "string" },
    targets: { type: "string", default: "kamailio,sigwall,sigwall:dgram,bare,bare:batched" },
    states: { type: "string", default: "plain,evidence" },
    "node-options": { type: "string" },
    knee: { type: "boolean", default: false },
    garbage: { type: "boolean", default: false },
    results: { type: "boolean", default: false },
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
const withKnee = options.knee || options.results;
const withGarbage = options.garbage || options.results;
const root = join(fileURLToPath(import.meta.url), "../../..");
const page = join(root, "bench/RESULTS.md");
const rounds = Number(options.rounds ?? (options.quick ? 2 : options.results ? 5 : 3));
const seconds = Number(options.seconds ?? (options.quick ? 2 : 6));
const machine = describeMachine(root);
const folder = mkdtempSync(join(tmpdir(), "sigwall-bench-"));

process.on("exit", () => {
  endAll();
  if (!options.keep) rmSync(folder, { recursive: true, force: true });
});
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => process.exit(1));

const wanted = options.targets.split(",").flatMap((word) => chooseStates(word));
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
// The target has the last core. The two sides of the calls share the rest.
const plan: LoadPlan = { folder, root, layout, core: 0, calledCore: Math.max(0, Math.min(1, cores - 2)) };
prepareLoad(plan, bench.dataset);

// A drachtio-server loses calls at more than some 300 per second.
const usualRates = wanted.some(({ byDrachtio }) => byDrachtio) ? "250" : withRecords ? "800" : "800,5000";
const rates = options.delays ? [] : (options.rates ?? usualRates).split(",").map(Number);
const plannedRounds: Rounds = {
  bench,
  plan,
  rounds,
  seconds,
  rates,
  refusals: withRecords ? REFUSALS : 0,
  withKnee,
};
const measured: Measured = { targets: [], measurements: [], memory: new Map(), delays: [], knees: [] };
// Targets take their turns together, but for those by drachtio after the first: one at a time may be connected.
const [first, ...others] = choices.filter(({ byDrachtio }) => byDrachtio);
await measureTogether(
  choices.filter((choice) => !choice.byDrachtio || choice === first),
  plannedRounds,
  measured,
);
for (const choice of others) await measureTogether([choice], plannedRounds, measured);
const ownChoice = choices.find(({ name, state }) => name === "sigwall" && state === plain);
const garbage =
  withGarbage && ownChoice !== undefined
    ? await measureGarbageOf(ownChoice, bench, plan)
    : new Map<LoadKind, number>();
printTables();
if (options.results) {
  const earlier = existsSync(page) ? readFileSync(page, "utf8") : "";
  writeFileSync(page, writePage({ ...measured, machine, rounds, seconds, rates, garbage }, earlier));
  process.stdout.write(`written: ${page}\n`);
}
process.exitCode = measured.targets.length === wanted.length ? 0 : 1;

function print(title: string, table: string): void {
  process.stdout.write(`${title}\n${table}\n\n`);
}

function printTables(): void {
  const { targets, measurements, memory, delays, knees } = measured;
  for (const rate of rates) {
    const load = `${rounds} rounds of ${rate * seconds} calls of each kind at ${rate}/s, loopback UDP`;
    const ofRate = measurements.filter(({ callsPerSecond }) => callsPerSecond === rate);
    print(
      `CPU per call (user + system, whole process tree), medians; ${load}`,
      formatReport(targets, ofRate, memory),
    );
  }
  if (options.records && !options.delays)
    print(
      "CPU per call, µs: median (lowest); + is the difference to the row that keeps nothing, within a round: median (between the lowest)",
      formatCosts(targets, measurements),
    );
  if (knees.length > 0)
    print("The highest rate of allowed calls that was carried", formatColumns(kneeRows(knees)));
  for (const [kind, kilobytes] of garbage)
    process.stdout.write(`garbage of the running filter, ${kind}: ${kilobytes.toFixed(1)} KB a call\n`);
  if (withRecords)
    print(`From INVITE to 403 at ${REFUSALS} refusals a second, ms`, formatDelays(targets, delays));
}

/** Reads one word of `--targets`. The first sigwall is measured in each state, because the cost of a state is a difference. */
function chooseStates(word: string): readonly TargetChoice[] {
  const isVaried = withRecords ? word.startsWith("sigwall") : word === "sigwall";
  if (!isVaried) return [chooseTarget(word, root) ?? []].flat();
  const names = options.states.split(",");
  const varied: readonly State[] = withRecords
    ? [plain, ...keeping]
    : states.filter(({ name }) => names.includes(name));
  return varied.flatMap((state) => chooseTarget(word, root, state) ?? []);
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
