/** `npm run soak`: calls at a constant rate for minutes, and what became of them, of memory and of time. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort, freeStreamPort } from "../../test/support/free-port.ts";
import { startCalls, type Caller } from "./caller.ts";
import { createTimes, slopeOf } from "./figures.ts";
import { root, startSoakedFilter } from "./filter.ts";

const usage = `usage: npm run soak -- [--minutes N] [--rate CALLS_PER_SECOND] [--reload-every SECONDS]
       [--kill-every SECONDS] [--numbers ON_THE_LIST] [--p99 MOST_MILLISECONDS]
`;
const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    rate: { type: "string", default: "200" },
    "reload-every": { type: "string", default: "0" },
    "kill-every": { type: "string", default: "0" },
    numbers: { type: "string", default: "1000" },
    p99: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  process.stdout.write(usage);
  process.exit(0);
}
const seconds = Number(options.minutes) * 60;
const callsPerSecond = Number(options.rate);
const reloadEvery = Number(options["reload-every"]);
const killEvery = Number(options["kill-every"]);
/** Decisions are kept for 32 s: until then the filter grows by what it must remember. V8 takes longer to find its size. */
const warmUp = Math.min(180, seconds / 2);
/** Seconds that a killed target is away. */
const AWAY = 5;
/** MB a minute; and MB in all, below which a slope is the noise of the collector. */
const MOST_SLOPE = 1;
const NOISE = 16;

const folder = mkdtempSync(join(tmpdir(), "sigwall-soak-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => process.exit(1));

const wait = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));
const calledPorts =
  killEvery > 0 ? [await freePort("127.0.0.1"), await freePort("127.0.0.1")] : [await freePort("127.0.0.1")];
const called = new Map<number, ChildProcess>();
for (const port of calledPorts) await startCalled(port);
const callerPort = await freePort("127.0.0.1");
const port = await freePort("127.0.0.1");
const cores = availableParallelism();
const callers = Array.from(
  { length: 100 },
  (_, index) => `+${861080000000 + ((index * 7) % (Number(options.numbers) * 7))}`,
);
const plan = { address: "127.0.0.1", port: callerPort, callsPerSecond, hold: 200, callers };

// The same calls without the filter: what both ends and the kernel take of every time measured here.
const direct = await placeCalls({ ...plan, target: { address: "127.0.0.1", port: calledPorts[0] ?? 0 } }, 5);
const filter = await startSoakedFilter({
  root,
  folder,
  core: cores > 1 ? cores - 1 : undefined,
  port,
  adminPort: await freeStreamPort("127.0.0.1"),
  callerPort,
  calledPorts,
  numbers: Number(options.numbers),
});
const target = { address: "127.0.0.1", port };
await placeCalls({ ...plan, target }, 3);

const memory: (readonly [minute: number, megabytes: number])[] = [];
let reloads = 0;
let failedReloads = 0;
let kills = 0;
const before = { cpu: filter.cpu(), at: performance.now(), delays: filter.delays.length };
const caller = await startCalls({ ...plan, target });
for (let second = 1; second <= seconds; second++) {
  await wait(before.at + second * 1000 - performance.now());
  if (second > warmUp) memory.push([second / 60, filter.memory()]);
  if (reloadEvery > 0 && second % reloadEvery === 0) {
    reloads++;
    if (!(await filter.reload())) failedReloads++;
  }
  if (killEvery > 0 && second % killEvery === 0) {
    const victim = calledPorts[kills++ % calledPorts.length] ?? 0;
    called.get(victim)?.kill("SIGKILL");
    setTimeout(() => void startCalled(victim), AWAY * 1000);
  }
  if (second % 10 === 0) report(second);
}
const spent = filter.cpu() - before.cpu;
const lasted = performance.now() - before.at;
const { placed } = caller;
await caller.finish();
const leaks = await filter.count("sigwall_unsendable_messages_total");
const faults =
  (await filter.count("sigwall_faults_total")) + (await filter.count("sigwall_rule_faults_total"));
await filter.stop();
for (const process of called.values()) process.kill("SIGKILL");

const slope = slopeOf(memory);
const growth = slope * ((memory.at(-1)?.[0] ?? 0) - (memory[0]?.[0] ?? 0));
const delays = createTimes();
const late = filter.delays.slice(before.delays + 1);
for (const { p99 } of late) delays.add(p99 * 1000);
const added = (share: number): number => (caller.ways.quantile(share) - direct.ways.quantile(share)) / 1000;
const isFlat = slope <= MOST_SLOPE || growth <= NOISE;
const isInTime = options.p99 === undefined || added(0.99) <= Number(options.p99);
const milliseconds = (micros: number): string => `${(micros / 1000).toFixed(2)} ms`;
process.stdout.write(
  [
    `calls           ${placed} placed, ${caller.completed} completed, ${caller.lost.count} lost, ${caller.repeats} requests sent again`,
    ...caller.lost.examples.map((example) => `                ${example}`),
    `CPU             ${(spent / placed).toFixed(0)} µs a call, ${((spent / 1000 / lasted) * 100).toFixed(1)} % of a core`,
    `RSS             ${memory[0]?.[1].toFixed(1)} MB after warm-up, ${memory.at(-1)?.[1].toFixed(1)} MB at the end, slope ${slope.toFixed(2)} MB/min${isFlat ? "" : ": NOT FLAT"}`,
    `event loop      late by at most ${milliseconds(Math.max(...late.map(({ max }) => max)) * 1000)}; p99 of a second: median ${milliseconds(delays.quantile(0.5))}, worst ${milliseconds(delays.max)}`,
    `way of a message  p50 ${milliseconds(caller.ways.quantile(0.5))}, p99 ${milliseconds(caller.ways.quantile(0.99))}, max ${milliseconds(caller.ways.max)} over ${caller.ways.count}`,
    `  without filter  p50 ${milliseconds(direct.ways.quantile(0.5))}, p99 ${milliseconds(direct.ways.quantile(0.99))}`,
    `  added           p50 ${added(0.5).toFixed(2)} ms, p99 ${added(0.99).toFixed(2)} ms${isInTime ? "" : ": TOO MUCH"}`,
    `reloads         ${reloads}, ${failedReloads} failed; targets killed ${kills}; unsendable ${leaks}, faults ${faults}`,
    "",
  ].join("\n"),
);
const isGood = caller.lost.count === 0 && isFlat && isInTime && failedReloads === 0 && faults === 0;
process.exit(isGood ? 0 : 1);

/** Places calls for a while and waits for their ends. */
async function placeCalls(calls: Parameters<typeof startCalls>[0], duration: number): Promise<Caller> {
  const started = await startCalls(calls);
  await wait(duration * 1000);
  await started.finish();
  return started;
}

async function startCalled(at: number): Promise<void> {
  const child = spawn(process.execPath, [join(root, "out/bench/soak/called.js"), "127.0.0.1", String(at)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => child.kill("SIGKILL"));
  called.set(at, child);
  await once(child.stdout, "data");
}

function report(second: number): void {
  process.stderr.write(
    `${second} s: ${caller.placed} placed, ${caller.lost.count} lost, RSS ${filter.memory().toFixed(0)} MB\n`,
  );
}
