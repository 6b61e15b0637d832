/** What the M3UA relay adds: a filter of its own process and core between two peers on TCP, 500 IAMs a second, beside the same peers without it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

/** Sends IAMs at the rate; milliseconds from each to its arrival. */
async function measure(from: TestPeer, to: TestPeer): Promise<readonly number[]> {
  const delays: number[] = [];
  const sentAt: number[] = [];
  const before = to.received.length;
  const begun = performance.now();
  const total = rate * seconds;
  while (to.received.length - before < total) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) / 1000) * rate));
    while (sentAt.length < due) {
      const index = sentAt.length;
      sentAt.push(performance.now());
      from.send(1, fromLease(LISTED, index % 4096));
    }
    await new Promise((resolve) => setImmediate(resolve));
    while (delays.length < to.received.length - before)
      delays.push(performance.now() - (sentAt[delays.length] ?? 0));
    if (performance.now() - begun > seconds * 3000)
      throw new Error(`${delays.length} of ${total} IAMs arrived`);
  }
  return delays.toSorted((a, b) => a - b);
}

function describe(delays: readonly number[]): string {
  const at = (share: number): string =>
    (delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? 0).toFixed(3);
  return `median ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

async function direct(transport: SignallingTransport): Promise<readonly number[]> {
  const peers: TestPeer[] = [];
  const server = await listenAsPeer(transport, (peer) => peers.push(peer));
  const lease = await connectPeer(transport, server.port);
  await comesTrue(() => peers.length > 0);
  const [core] = peers;
  if (core === undefined) throw new Error("nobody came");
  const delays = await measure(lease, core);
  lease.association.close();
  await server.close();
  return delays;
}

async function filtered(transport: SignallingTransport): Promise<readonly number[]> {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-m3ua-"));
  const peers: TestPeer[] = [];
  const server = await listenAsPeer(transport, (peer) => peers.push(peer));
  const ends = [
    `{ id: lease, transport: tcp, role: server, local: "127.0.0.1:${port}", remote: 127.0.0.1 }`,
    `{ id: core, transport: tcp, role: client, local: 127.0.0.1, remote: "127.0.0.1:${server.port}" }`,
  ];
  writeFileSync(join(folder, "policy.yaml"), loopbackPolicy);
  writeFileSync(join(folder, "bank.csv"), "number\n+861087654300..+861087654399\n");
  writeFileSync(
    join(folder, "sigwall.yaml"),
    `engine: m3ua\nadmin: 127.0.0.1:0\npolicy: policy.yaml\nm3ua: { links: [{ associations: [${ends.join(", ")}] }] }\n`,
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
    const lease = await connectPeer(transport, port);
    await comesTrue(() => peers.length > 0);
    const [core] = peers;
    if (core === undefined) throw new Error("the filter did not connect");
    const delays = await measure(lease, core);
    lease.association.close();
    return delays;
  } finally {
    filter.kill();
    await once(filter, "close");
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const without = await direct(tcpTransport);
const between = await filtered(tcpTransport);
const added = (share: number): number =>
  (between[Math.floor(between.length * share)] ?? 0) - (without[Math.floor(without.length * share)] ?? 0);
console.log(`M3UA over TCP, ${rate} IAMs/s for ${seconds} s`);
console.log(`  without the filter: ${describe(without)}`);
console.log(`  with it:            ${describe(between)}`);
console.log(`  it adds:            median ${added(0.5).toFixed(3)} ms, p99 ${added(0.99).toFixed(3)} ms`);
