/** `npm run soak:cluster`: calls through two nodes and Redis, each killed in turn, and what became of calls and limits. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort, freeStreamPort } from "../../../test/support/free-port.ts";
import { openDnsServer } from "../../../test/support/dns-server.ts";
import { noRedis, startRedis } from "../../../test/support/redis-server.ts";
import { cpuMicros } from "../../processes.ts";
import { root } from "../filter.ts";
import { openCalledSide } from "./called-side.ts";
import { startCallingSide } from "./calling-side.ts";
import { describe, excessOfChannels, excessOfRate } from "./limits.ts";
import { openNodes, type SoakedNode } from "./nodes.ts";
import { createOutcome, explain } from "./outcome.ts";
import { findNodes } from "./wire.ts";

const usage = `usage: npm run soak:cluster -- [--minutes N] [--rate CALLS_PER_SECOND] [--kill-node-every SECONDS]
       [--kill-redis-every SECONDS] [--away SECONDS] [--redis-away SECONDS] [--commands MOST_A_CALL] [--program MAIN_JS]
0 seconds: never. --rate is that of both nodes together.
`;
const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    rate: { type: "string", default: "60" },
    "kill-node-every": { type: "string", default: "60" },
    "kill-redis-every": { type: "string", default: "120" },
    away: { type: "string", default: "0.2" },
    "redis-away": { type: "string", default: "5" },
    commands: { type: "string" },
    program: { type: "string", default: join(root, "dist/main.js") },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  process.stdout.write(usage);
  process.exit(0);
}
if (noRedis !== undefined) {
  process.stderr.write(`${noRedis}\n`);
  process.exit(1);
}
const seconds = Number(options.minutes) * 60;
const killNodeEvery = Number(options["kill-node-every"]);
const killRedisEvery = Number(options["kill-redis-every"]);

/** Two trunks with limits, to each of which more calls are offered than may pass. */
const RATE = { limit: 20, offered: 40 };
const CHANNELS = { limit: 30, offered: 20, hold: 3_100 };

const folder = mkdtempSync(join(tmpdir(), "sigwall-soak-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => process.exit(1));
const wait = (millis: number): Promise<void> => new Promise((done) => setTimeout(done, millis));

const port = await freePort("0.0.0.0");
const ADDRESSES = ["127.0.0.11", "127.0.0.12"];
const dns = await openDnsServer();
dns.zone.set(
  "SRV _sip._udp.edge.test",
  ADDRESSES.map((_, index) => ({ data: `10 50 ${port} node-${index + 1}.edge.test`, ttl: 60 })),
);
for (const [index, data] of ADDRESSES.entries())
  dns.zone.set(`A node-${index + 1}.edge.test`, [{ data, ttl: 60 }]);
const places = await findNodes("edge.test", dns.place);
await dns.close();
const outcome = createOutcome();
const called = await openCalledSide("127.0.0.6", 0, places, outcome);
const redis = await startRedis(folder);
process.on("exit", () => redis.signal("SIGKILL"));
const callerAddresses = { load: "127.0.0.3", rate: "127.0.0.4", channels: "127.0.0.5" };
const nodes = openNodes({
  folder,
  program: options.program,
  places,
  adminPorts: [await freeStreamPort("127.0.0.11"), await freeStreamPort("127.0.0.12")],
  redisUrl: redis.url,
  called: { address: "127.0.0.6", port: called.port },
  callers: callerAddresses,
  limits: { rate: RATE.limit, channels: CHANNELS.limit },
});
await Promise.all(nodes.map((node) => node.start()));
// Both hear each other before calls come.
await wait(2_000);

const callers = Array.from({ length: 1_000 }, (_, index) => `+${861080000000 + index * 7}`);
const common = { nodes: places, callers, outcome };
const sides = await Promise.all(
  (
    [
      ["load", Number(options.rate)],
      ["rate", RATE.offered],
      ["channels", CHANNELS.offered],
    ] as const
  )
    .filter(([trunk, rate]) => rate > 0 && (trunk === "load" || options.commands === undefined))
    .map(([trunk, callsPerSecond]) =>
      startCallingSide({ ...common, trunk, address: callerAddresses[trunk], callsPerSecond }),
    ),
);

/** Counts of processes that are gone are kept. */
const commands = createSum("sigwall_redis_commands_total");
const faults = createSum("sigwall_faults_total");
const kills = { nodes: 0, redis: 0 };
const working: Promise<void>[] = [];
const begun = performance.now();
const before = nodes.map(({ pid }) => cpuMicros(pid));
await Promise.all([commands.look(), faults.look()]);
const commandsBefore = commands.sum();
for (let second = 1; second <= seconds; second++) {
  await wait(begun + second * 1000 - performance.now());
  if (killNodeEvery > 0 && second % killNodeEvery === 0 && second < seconds)
    working.push(killNode(nodes[kills.nodes++ % nodes.length]!));
  if (killRedisEvery > 0 && second % killRedisEvery === Math.floor(killRedisEvery / 4))
    working.push(killRedis());
  if (second % 5 === 0) await Promise.all([commands.look(), faults.look()]);
  if (second % 10 === 0) report(second);
}
const lasted = (performance.now() - begun) / 1000;
const spent = nodes.map(({ pid }, index) => cpuMicros(pid) - (before[index] ?? 0));
await Promise.all([commands.look(), faults.look()]);
const commandsSent = commands.sum() - commandsBefore;
const placedMeanwhile = outcome.placed;
await Promise.all(working);
await Promise.all(sides.map((side) => side.finish()));
const codes = await Promise.all(nodes.map((node) => node.stop()));
await redis.kill();
const calledRepeats = called.repeats;
called.close();

const perCall = commandsSent / placedMeanwhile;
const isFrugal = options.commands === undefined || perCall <= Number(options.commands);
const rate = describe(
  excessOfRate(outcome.accepted.rate, RATE.limit, RATE.offered, nodes.length, outcome.absences),
  begun,
);
const channels = describe(
  excessOfChannels(
    outcome.channels,
    CHANNELS.limit,
    CHANNELS.offered,
    nodes.length,
    CHANNELS.hold,
    outcome.absences,
  ),
  begun,
);
const repeats = sides.reduce((sum, side) => sum + side.repeats, 0);
const isEven = outcome.placed === outcome.completed + outcome.lost.size;
process.stdout.write(
  [
    `calls           ${outcome.placed} placed, ${outcome.completed} ended as they should (${outcome.limited} of them refused by a limit), ${outcome.lost.size} lost${isEven ? "" : ": THE SUM IS WRONG"}`,
    ...[...outcome.lost.values()]
      .slice(0, 20)
      .map((lost) => `                ${explain(lost, outcome.absences)}`),
    `sent again      ${repeats} requests, ${calledRepeats} answers; INVITEs that came by two ways ${outcome.merged}`,
    `killed          nodes ${kills.nodes}, away ${absence("node")}; Redis ${kills.redis}, away ${absence("Redis")}`,
    ...rate.text.map((line, index) => `${index === 0 ? "callsPerSecond  " : "                "}${line}`),
    ...channels.text.map((line, index) => `${index === 0 ? "channels        " : "                "}${line}`),
    `Redis commands  ${commandsSent} in ${lasted.toFixed(0)} s, ${(commandsSent / lasted).toFixed(1)} a second, ${perCall.toFixed(2)} a call at ${(placedMeanwhile / lasted / nodes.length).toFixed(0)} calls a second and node${isFrugal ? "" : ": TOO MANY"}`,
    `CPU             ${killNodeEvery > 0 ? "not measured: nodes were killed" : `${(spent.reduce((sum, each) => sum + each, 0) / placedMeanwhile).toFixed(0)} µs a call`}`,
    `ends            ${codes.join(", ")}; faults ${faults.sum()}`,
    "",
  ].join("\n"),
);
const isGood =
  outcome.lost.size === 0 &&
  isEven &&
  rate.isGood &&
  channels.isGood &&
  isFrugal &&
  faults.sum() === 0 &&
  codes.every((code) => code === 0);
process.exit(isGood ? 0 : 1);

async function killNode(node: SoakedNode): Promise<void> {
  const absent = { who: node.name, from: performance.now(), until: undefined as number | undefined };
  outcome.absences.push(absent);
  await node.kill();
  await wait(Number(options.away) * 1000);
  await node.start();
  absent.until = performance.now();
}

async function killRedis(): Promise<void> {
  kills.redis++;
  const absent = { who: "Redis", from: performance.now(), until: undefined as number | undefined };
  outcome.absences.push(absent);
  await redis.kill();
  await wait(Number(options["redis-away"]) * 1000);
  await redis.start();
  absent.until = performance.now();
}

/** "1.2 to 3.4 s". */
function absence(who: string): string {
  const times = outcome.absences
    .filter((each) => each.who.startsWith(who))
    .map(({ from, until = from }) => (until - from) / 1000);
  return times.length === 0
    ? "never"
    : `${Math.min(...times).toFixed(1)} to ${Math.max(...times).toFixed(1)} s`;
}

/** A counter over all nodes and their former processes, as far as it was seen. */
function createSum(name: string): { look(): Promise<void>; sum(): number } {
  const last = nodes.map(() => 0);
  let total = 0;
  return {
    async look() {
      await Promise.all(
        nodes.map(async (node, index) => {
          const now = await node.count(name);
          if (now === undefined) return;
          const former = last[index] ?? 0;
          total += now >= former ? now - former : now;
          last[index] = now;
        }),
      );
    },
    sum: () => total,
  };
}

function report(second: number): void {
  process.stderr.write(
    `${second} s: ${outcome.placed} placed, ${outcome.completed} over, ${outcome.lost.size} lost, ${called.standing} stand\n`,
  );
}
