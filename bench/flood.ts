/** A flood from unknown sources while a known trunk calls: see bench/README.md. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { freePort, freeStreamPort } from "../test/support/free-port.ts";
import { makeDataset } from "./dataset.ts";
import type { Layout } from "./dataset-files.ts";
import { applyLoad, prepareLoad, startCore, type Load, type LoadPlan, type Measurement } from "./load.ts";
import { cpuMicros, end, endAll, startPinned } from "./processes.ts";
import { chooseTarget, startTarget, type Bench, type Target } from "./targets.ts";

const { values: options } = parseArgs({
  options: {
    rate: { type: "string", default: "20000" },
    calls: { type: "string", default: "50" },
    seconds: { type: "string", default: "10" },
    sources: { type: "string", default: "64" },
    target: { type: "string", default: "sigwall" },
    "node-options": { type: "string" },
  },
});
const root = join(fileURLToPath(import.meta.url), "../../..");
const seconds = Number(options.seconds);
const callsPerSecond = Number(options.calls);
const folder = mkdtempSync(join(tmpdir(), "sigwall-flood-"));
process.on("exit", () => {
  endAll();
  rmSync(folder, { recursive: true, force: true });
});
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => process.exit(1));

const choice = chooseTarget(options.target, root);
if (choice === undefined || choice.name === "kamailio")
  throw new Error("flood.js --target sigwall[=MAIN.JS]");
const layout: Layout = {
  trunkPort: await freePort("0.0.0.0"),
  coreAddress: "127.0.0.1",
  corePort: await freePort("0.0.0.0"),
  overload: "enforce",
};
const bench: Bench = {
  dataset: makeDataset(),
  layout,
  folder,
  root,
  core: availableParallelism() - 1,
  nodeOptions: options["node-options"]?.split(" ") ?? [],
};
const plan: LoadPlan = { folder, root, layout, core: 0, calledCore: 0 };
prepareLoad(plan, bench.dataset);
const target = startTarget(choice, bench, await freePort("0.0.0.0"), await freeStreamPort("127.0.0.1"));
await pause(4000);
const core = startCore(plan);
const load: Load = { kind: "allowed", callsPerSecond, seconds };
await applyLoad(plan, target, { ...load, seconds: 2 });
const calm = await applyLoad(plan, target, load);
const before = cpuMicros(target.process.pid);
const output = join(folder, "flooder.log");
const flooder = startPinned(
  plan.core,
  [
    process.execPath,
    join(root, "out/bench/flooder.js"),
    target.address,
    String(target.port),
    options.rate,
    String(seconds + 1),
    options.sources,
  ],
  output,
);
await pause(500);
const flooded = await applyLoad(plan, target, load);
await flooder.ended;
await pause(200);
const spent = cpuMicros(target.process.pid) - before;
const sent = Number(readFileSync(output, "utf8"));
const lost = dropsOf(target);
await end(core);
await end(target.process);

const perDatagram = (spent - calm.microsPerCall * calm.calls) / sent;
const report: readonly string[] = [
  `flood: ${sent} datagrams in ${seconds + 1} s from ${options.sources} unknown addresses; ${callsPerSecond} calls/s of known trunks`,
  describe("without", calm),
  describe("with", flooded),
  `CPU per flooded datagram ${perDatagram.toFixed(1)} µs; filter busy ${((100 * spent) / ((seconds + 1.7) * 1e6)).toFixed(0)} % of a core`,
  `datagrams that the filter's sockets had no room for: ${lost}`,
];
process.stdout.write(`${report.join("\n")}\n`);
process.exitCode = flooded.failed === 0 ? 0 : 1;

function describe(name: string, { calls: placed, failed, retransmissions }: Measurement): string {
  return `${name} the flood: ${placed} calls, ${failed} lost, ${retransmissions} messages repeated`;
}

/** proc_pid_net(5): the last column of a socket counts the datagrams that it dropped. */
function dropsOf({ port }: Target): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  let drops = 0;
  for (const row of readFileSync("/proc/net/udp", "latin1").split("\n")) {
    const columns = row.trim().split(/\s+/);
    if (columns[1]?.endsWith(`:${hex}`) === true) drops += Number(columns.at(-1));
  }
  return drops;
}
