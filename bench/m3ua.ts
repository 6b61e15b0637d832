/** What the M3UA relay adds: a filter of its own process and core between two peers on TCP, four links, 500 IAMs a second and a burst, beside the same peers without it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { SignallingTransport } from "../src/wire/sctp/association.ts";
import { tcpTransport } from "../src/wire/sctp/tcp-transport.ts";
import { connectPeer, listenAsPeer, type TestPeer } from "../test/sctp/peer.ts";
import { fromLease, LISTED } from "../test/support/isup-relay.ts";
import { loopbackPolicy } from "../test/support/m3ua-engine.ts";
import { comesTrue } from "../test/support/until.ts";

const rate = 500;
const seconds = Number(process.env["BENCH_SECONDS"] ?? 10);
const port = 29_905;
const links = 4;
/** Seconds that are not counted. */
const WARM_UP = 2;
/** IAMs of the burst. */
const burst = Number(process.env["BENCH_BURST"] ?? 100_000);
/** IAMs of the burst that are under way at most: the peers' own queues are not what is measured. */
const WINDOW = 2000;

/** Both ends of every link. */
interface Way {
  readonly from: TestPeer;
  readonly to: TestPeer;
}

/** Sends IAMs at the rate, by each link in turn; milliseconds from each to its arrival. */
async function measure(ways: readonly Way[], length = seconds): Promise<readonly number[]> {
  const delays: number[] = [];
  const sentAt = ways.map((): number[] => []);
  const seen = ways.map(({ to }) => to.received.length);
  const begun = performance.now();
  const total = rate * length;
  for (let sent = 0; delays.length < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) / 1000) * rate));
    for (; sent < due; sent++) {
      const link = sent % ways.length;
      sentAt[link]?.push(performance.now());
      const text = sent % 8192 < 4096 ? LISTED : LISTED.replace("13800138000", "13800138001");
      ways[link]?.from.send(1, fromLease(text, sent % 4096));
    }
    await new Promise((resolve) => setImmediate(resolve));
    for (const [link, { to }] of ways.entries()) {
      const times = sentAt[link] ?? [];
      for (let left = to.received.length - (seen[link] ?? 0); left > 0; left--) {
        delays.push(performance.now() - (times.shift() ?? 0));
        seen[link] = (seen[link] ?? 0) + 1;
      }
    }
    if (performance.now() - begun > length * 3000)
      throw new Error(`${delays.length} of ${total} IAMs arrived`);
  }
  return delays.toSorted((a, b) => a - b);
}

/** Sends IAMs as fast as they are carried. @returns how many a second */
async function rush(ways: readonly Way[]): Promise<number> {
  // The same octets again on a circuit would be the same call: each round dials another number.
  const rounds = [LISTED, LISTED.replace("13800138000", "13800138001")].map((text) =>
    Array.from({ length: 4096 }, (_, cic) => fromLease(text, cic)),
  );
  const arrived = (): number => ways.reduce((sum, { to }) => sum + to.received.length, 0);
  const before = arrived();
  const begun = performance.now();
  for (let sent = 0; sent < burst || arrived() - before < burst;) {
    for (; sent < burst && sent - (arrived() - before) < WINDOW; sent++)
      ways[sent % ways.length]?.from.send(1, rounds[(sent >> 12) & 1]![sent % 4096]!);
    await new Promise((resolve) => setImmediate(resolve));
    if (performance.now() - begun > 60_000) throw new Error(`${arrived() - before} of ${burst} IAMs arrived`);
  }
  return (burst / (performance.now() - begun)) * 1000;
}

function describe(delays: readonly number[]): string {
  const at = (share: number): string =>
    (delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? 0).toFixed(3);
  return `median ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

async function direct(transport: SignallingTransport): Promise<readonly number[]> {
  const peers: TestPeer[] = [];
  const server = await listenAsPeer(transport, (peer) => peers.push(peer));
  const ways: Way[] = [];
  for (let link = 0; link < links; link++) {
    const from = await connectPeer(transport, server.port);
    await comesTrue(() => peers.length > link);
    ways.push({ from, to: peers[link]! });
  }
  await measure(ways, WARM_UP);
  const delays = await measure(ways);
  for (const { from } of ways) from.association.close();
  await server.close();
  return delays;
}

async function filtered(
  transport: SignallingTransport,
): Promise<{ readonly delays: readonly number[]; readonly rate: number; readonly micros: number }> {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-m3ua-"));
  const peers: TestPeer[] = [];
  const server = await listenAsPeer(transport, (peer) => peers.push(peer));
  const pairs = Array.from({ length: links }, (_, link) => {
    const lease = `{ id: lease${link}, transport: tcp, role: server, local: "127.0.0.1:${port + link}", remote: 127.0.0.1 }`;
    const core = `{ id: core${link}, transport: tcp, role: client, local: 127.0.0.1, remote: "127.0.0.1:${server.port}" }`;
    return `{ associations: [${lease}, ${core}] }`;
  });
  writeFileSync(join(folder, "policy.yaml"), loopbackPolicy);
  writeFileSync(join(folder, "bank.csv"), "number\n+861087654300..+861087654399\n");
  writeFileSync(
    join(folder, "sigwall.yaml"),
    `engine: m3ua\nadmin: 127.0.0.1:0\npolicy: policy.yaml\nm3ua: { links: [${pairs.join(", ")}] }\n`,
  );
  const command = [
    "-c",
    "0",
    process.execPath,
    "dist/main.js",
    "run",
    "--config",
    join(folder, "sigwall.yaml"),
  ];
  const filter = spawn("taskset", command, { stdio: "ignore" });
  try {
    const ways: Way[] = [];
    for (let link = 0; link < links; link++) {
      const from = await connectPeer(transport, port + link);
      await comesTrue(() => peers.length > link);
      const to = peers[link];
      if (to === undefined) throw new Error("the filter did not connect");
      ways.push({ from, to });
    }
    // The first calls meet code that is not compiled yet.
    await measure(ways, WARM_UP);
    const delays = await measure(ways);
    await rush(ways);
    const before = cpuOf(filter.pid ?? 0);
    const carried = await rush(ways);
    const micros = (cpuOf(filter.pid ?? 0) - before) / burst;
    for (const { from } of ways) from.association.close();
    return { delays, rate: carried, micros };
  } finally {
    filter.kill();
    await once(filter, "close");
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** User and system time of a process and its threads so far, µs (proc(5)). */
function cpuOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const [, , , , , , , , , , , user = "0", system = "0"] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(user) + Number(system)) * 10_000;
}

const without = await direct(tcpTransport);
const { delays: between, rate: carried, micros } = await filtered(tcpTransport);
const added = (share: number): number =>
  (between[Math.floor(between.length * share)] ?? 0) - (without[Math.floor(without.length * share)] ?? 0);
console.log(`M3UA over TCP, ${links} links, ${rate} IAMs/s for ${seconds} s`);
console.log(`  without the filter: ${describe(without)}`);
console.log(`  with it:            ${describe(between)}`);
console.log(`  it adds:            median ${added(0.5).toFixed(3)} ms, p99 ${added(0.99).toFixed(3)} ms`);
console.log(
  `${burst} IAMs at once: ${Math.round(carried)} a second carried, ${micros.toFixed(1)} µs of CPU each`,
);
console.log(`  one core relays     ${Math.round(1_000_000 / micros)} a second`);
