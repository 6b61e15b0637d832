/** `npm run soak`: calls at a constant rate for minutes, and what became of them, of memory and of time. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { freePort, freeStreamPort } from "../../test/support/free-port.ts";
import { startCalls, type Caller } from "./caller.ts";
import { createTimes, slopeOf } from "./figures.ts";
import { type PortsOf, root, startSoakedFilter } from "./filter.ts";
import { issueIdentities, readIdentity } from "./identity.ts";
import { type Place, type Transport, transports } from "./wire.ts";

const usage = `usage: npm run soak -- [--minutes N] [--rate CALLS_PER_SECOND] [--reload-every SECONDS]
       [--kill-every SECONDS] [--numbers ON_THE_LIST] [--transports udp,tcp,tls] [--program MAIN_JS]
       [--p99 MOST_MILLISECONDS]
`;
const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    rate: { type: "string", default: "200" },
    "reload-every": { type: "string", default: "0" },
    "kill-every": { type: "string", default: "0" },
    numbers: { type: "string", default: "1000" },
    transports: { type: "string", default: "udp" },
    program: { type: "string", default: join(root, "dist/main.js") },
    p99: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  process.stdout.write(usage);
  process.exit(0);
}
const seconds = Number(options.minutes) * 60;
const mixed = transports.filter((transport) => options.transports.split(",").includes(transport));
/** Calls are dealt out evenly. */
const callsPerSecond = Number(options.rate) / mixed.length;
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

const wait = (millis: number): Promise<void> => new Promise((done) => setTimeout(done, millis));
if (mixed.includes("tls")) issueIdentities(folder);
const identity = mixed.includes("tls") ? readIdentity(folder, "caller") : undefined;
const first = await freePorts();
const targets = killEvery > 0 ? [first, await freePorts()] : [first];
const called = new Map<PortsOf, ChildProcess>();
for (const each of targets) await startCalled(each);
const ports = await freePorts();
const cores = availableParallelism();
const callers = Array.from(
  { length: 100 },
  (_, index) => `+${861080000000 + ((index * 7) % (Number(options.numbers) * 7))}`,
);
const plan = { address: "127.0.0.2", identity, callsPerSecond, hold: 200, callers };

// The same calls without the filter: what both ends and the kernel take of every time measured here.
const direct = await placeCalls(first, 5);
const filter = await startSoakedFilter({
  root,
  folder,
  core: cores > 1 ? cores - 1 : undefined,
  program: resolve(options.program),
  ports,
  adminPort: await freeStreamPort("127.0.0.1"),
  callerAddress: plan.address,
  identities: folder,
  called: targets,
  numbers: Number(options.numbers),
});
await placeCalls(ports, 3);

const memory: (readonly [minute: number, megabytes: number])[] = [];
let reloads = 0;
let failedReloads = 0;
let kills = 0;
const before = { cpu: filter.cpu(), at: performance.now(), delays: filter.delays.length };
const sides = await startSides(ports);
for (let second = 1; second <= seconds; second++) {
  await wait(before.at + second * 1000 - performance.now());
  if (second > warmUp) memory.push([second / 60, filter.memory()]);
  if (reloadEvery > 0 && second % reloadEvery === 0) {
    reloads++;
    if (!(await filter.reload())) failedReloads++;
  }
  if (killEvery > 0 && second % killEvery === 0) {
    const victim = targets[kills++ % targets.length]!;
    called.get(victim)?.kill("SIGKILL");
    setTimeout(() => void startCalled(victim), AWAY * 1000);
  }
  if (second % 10 === 0) report(second);
}
const spent = filter.cpu() - before.cpu;
const lasted = performance.now() - before.at;
const placed = sum((caller) => caller.placed);
await finish(sides);
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
const told = sides.map(({ transport, caller }, index) =>
  describeWays(transport, caller, direct[index]!.caller),
);
const lost = sum((caller) => caller.lost.count);
const isFlat = slope <= MOST_SLOPE || growth <= NOISE;
const isInTime = told.every(({ isShort }) => isShort);
process.stdout.write(
  [
    `calls           ${placed} placed, ${sum(({ completed }) => completed)} completed, ${lost} lost, ${sum(({ repeats }) => repeats)} requests sent again`,
    ...sides.flatMap(({ caller }) => caller.lost.examples.map((example) => `                ${example}`)),
    `CPU             ${(spent / placed).toFixed(0)} µs a call, ${((spent / 1000 / lasted) * 100).toFixed(1)} % of a core`,
    `RSS             ${memory[0]?.[1].toFixed(1)} MB after warm-up, ${memory.at(-1)?.[1].toFixed(1)} MB at the end, slope ${slope.toFixed(2)} MB/min${isFlat ? "" : ": NOT FLAT"}`,
    `event loop      late by at most ${milliseconds(Math.max(...late.map(({ max }) => max)) * 1000)}; p99 of a second: median ${milliseconds(delays.quantile(0.5))}, worst ${milliseconds(delays.max)}`,
    ...told.flatMap(({ text }) => text),
    `reloads         ${reloads}, ${failedReloads} failed; targets killed ${kills}; unsendable ${leaks}, faults ${faults}`,
    "",
  ].join("\n"),
);
const isGood = lost === 0 && isFlat && isInTime && failedReloads === 0 && faults === 0;
process.exit(isGood ? 0 : 1);

/** Calls over one transport. */
interface Side {
  readonly transport: Transport;
  readonly caller: Caller;
}

/** Starts placing calls over every transport. */
async function startSides(to: PortsOf): Promise<readonly Side[]> {
  const started: Side[] = [];
  for (const transport of mixed) {
    const target: Place = { address: "127.0.0.1", port: to.get(transport) ?? 0 };
    started.push({ transport, caller: await startCalls({ ...plan, transport, target }) });
  }
  return started;
}

/** Places calls for a while and waits for their ends. */
async function placeCalls(to: PortsOf, duration: number): Promise<readonly Side[]> {
  const started = await startSides(to);
  await wait(duration * 1000);
  await finish(started);
  return started;
}

async function finish(started: readonly Side[]): Promise<void> {
  await Promise.all(started.map(({ caller }) => caller.finish()));
}

async function freePorts(): Promise<PortsOf> {
  const found = new Map<Transport, number>();
  for (const transport of mixed)
    found.set(transport, await (transport === "udp" ? freePort : freeStreamPort)("127.0.0.1"));
  return found;
}

function sum(of: (caller: Caller) => number): number {
  return sides.reduce((total, { caller }) => total + of(caller), 0);
}

function milliseconds(micros: number): string {
  return `${(micros / 1000).toFixed(2)} ms`;
}

/** How long messages of one transport took, and what the filter added. */
function describeWays(
  transport: Transport,
  { ways }: Caller,
  { ways: without }: Caller,
): { readonly text: readonly string[]; readonly isShort: boolean } {
  const added = (share: number): number => ways.quantile(share) - without.quantile(share);
  const isShort = options.p99 === undefined || added(0.99) <= Number(options.p99) * 1000;
  const text = [
    `way by ${transport}      p50 ${milliseconds(ways.quantile(0.5))}, p99 ${milliseconds(ways.quantile(0.99))}, max ${milliseconds(ways.max)} over ${ways.count}`,
    `  without filter  p50 ${milliseconds(without.quantile(0.5))}, p99 ${milliseconds(without.quantile(0.99))}`,
    `  added           p50 ${milliseconds(added(0.5))}, p99 ${milliseconds(added(0.99))}${isShort ? "" : ": TOO MUCH"}`,
  ];
  return { text, isShort };
}

async function startCalled(target: PortsOf): Promise<void> {
  const places = [...target].map(([transport, port]) => `${transport}:${port}`);
  const program = join(root, "out/bench/soak/called.js");
  const child = spawn(process.execPath, [program, folder, "127.0.0.1", ...places], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => child.kill("SIGKILL"));
  called.set(target, child);
  await once(child.stdout, "data");
}

function report(second: number): void {
  process.stderr.write(
    `${second} s: ${sum((caller) => caller.placed)} placed, ${sum((caller) => caller.lost.count)} lost, RSS ${filter.memory().toFixed(0)} MB\n`,
  );
}
