import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { SignallingTransport } from "../../src/wire/sctp/association.ts";
import { loadKernelSctp } from "../../src/wire/sctp/kernel-sctp.ts";
import { createSctpTransport } from "../../src/wire/sctp/sctp-transport.ts";
import { fromCore, fromLease, LISTED, told, UNLISTED } from "../support/isup-relay.ts";
import { linkTo, startEngine } from "../support/m3ua-engine.ts";
import { comesTrue } from "../support/until.ts";
import { readIdentifiers } from "./foreign-messages.ts";
import { meetMultiHomedStp } from "./multi-homed-stp.ts";
import { createHost, hasNetwork } from "./network.ts";
import { shareLoad } from "./loadshare.ts";
import { connectPeer, listenAsPeer, type TestPeer } from "./peer.ts";
import { returnBySctp, returnByTcp } from "./peers-that-return.ts";
import { loseAllPaths, mixFamilies, survivePathLoss } from "./two-paths.ts";

export type Check = (isTrue: boolean, what: string) => void;

/** Everything that is proved on a kernel with SCTP. */
export async function runScenarios(check: Check): Promise<void> {
  const sctp = await loadKernelSctp();
  if (typeof sctp === "string") throw new Error(sctp);
  const transport = createSctpTransport(sctp);
  await carryCalls(check, transport);
  await manyMessages(check, transport);
  await comeAndGo(check, transport);
  await readIdentifiers(check, sctp);
  await meetStp(check, transport);
  if (!hasNetwork) {
    check(true, "ip is not installed: hosts with several addresses are left out");
    return;
  }
  const host = await createHost("peer", ["10.1.0.2", "10.2.0.2"]);
  await survivePathLoss(check, sctp, host);
  await meetMultiHomedStp(check, sctp, host);
  await loseAllPaths(check, sctp, host);
  await mixFamilies(check, sctp, await createHost("mixed", ["2001:db8:5::2", "203.0.113.2"]));
  await returnBySctp(check, sctp, host);
  await returnByTcp(check, sctp, host);
}

/** Minutes of calls over a linkset, with the transfer point of Osmocom as the far side. */
export async function runLoadshare(check: Check): Promise<void> {
  const sctp = await loadKernelSctp();
  if (typeof sctp === "string") throw new Error(sctp);
  await shareLoad(check, createSctpTransport(sctp));
}

interface Pair {
  readonly lease: TestPeer;
  readonly core: TestPeer;
  readonly engine: Awaited<ReturnType<typeof startEngine>>;
  readonly cores: TestPeer[];
  readonly close: () => Promise<void>;
}

async function connectBoth(transport: SignallingTransport): Promise<Pair> {
  const cores: TestPeer[] = [];
  const server = await listenAsPeer(transport, (peer) => cores.push(peer));
  const engine = await startEngine(linkTo("sctp", server.port));
  const lease = await connectPeer(transport, engine.ports[0] ?? 0);
  await comesTrue(() => cores.length > 0);
  const [core] = cores;
  if (core === undefined) throw new Error(`the filter did not connect: ${engine.notes.join("; ")}`);
  return {
    lease,
    core,
    engine,
    cores,
    async close() {
      await engine.stop();
      await server.close();
    },
  };
}

async function carryCalls(check: Check, transport: SignallingTransport): Promise<void> {
  const { lease, core, engine, close } = await connectBoth(transport);
  const assocs = readFileSync("/proc/net/sctp/assocs", "utf8").trim().split("\n").length - 1;
  check(assocs === 4, `two associations, seen from both ends: ${assocs}`);
  const aspUp = Buffer.from("0100030100000008", "hex");
  lease.send(0, aspUp);
  lease.send(7, fromLease(LISTED, 7));
  await core.wait(2);
  check(
    core.received[0]?.stream === 0 && core.received[0].bytes.equals(aspUp),
    "ASPUP, as it came, on stream 0",
  );
  check(
    core.received[1]?.stream === 7 && core.received[1].bytes.equals(fromLease(LISTED, 7)),
    "an allowed IAM, as it came, on stream 7",
  );
  core.send(7, fromCore("ANM", 7));
  lease.send(4, fromLease(UNLISTED, 4));
  await lease.wait(2);
  const answer = lease.received.find(({ bytes }) => told([{ to: 0, stream: 0, bytes }])[0]?.includes("REL"));
  check(answer?.stream === 4, "REL for a refused IAM, on the stream that it came by");
  check(
    told([{ to: 0, stream: 0, bytes: answer?.bytes ?? Buffer.alloc(0) }])[0] === "0 REL 21 900>11-4",
    "cause 21, codes turned round",
  );
  lease.send(4, fromLease("RLC", 4));
  lease.send(4, fromLease("REL cause=16", 7));
  await core.wait(3);
  check(core.received.length === 3, "nothing of the refused call reached the other side");
  check(engine.counters.ss7.refusals === 0, "its RLC was absorbed");
  await close();
  check(
    (await comesTrue(() => lease.ended() !== undefined)) &&
      (await comesTrue(() => core.ended() !== undefined)),
    "both peers see the end",
  );
}

async function manyMessages(check: Check, transport: SignallingTransport): Promise<void> {
  const { lease, core, engine, close } = await connectBoth(transport);
  const calls = 2000;
  const begun = Date.now();
  for (let index = 0; index < calls; index++) {
    const cic = index % 4096;
    lease.send(1 + (cic % 16), fromLease(index % 10 === 9 ? UNLISTED : LISTED, cic));
    if (index % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
  }
  await core.wait((calls * 9) / 10);
  // A slow machine may need longer than T1 (Q.764): then the filter repeats a REL that has no RLC yet, as it must.
  const released = (): ReadonlySet<string> => new Set(data(lease));
  await comesTrue(() => released().size >= calls / 10);
  const seconds = (Date.now() - begun) / 1000;
  check(true, `${calls} IAMs in ${seconds.toFixed(1)} s of emulation`);
  const inOrder = core.received.every(({ stream, bytes }, index) => {
    const before = core.received
      .slice(Math.max(0, index - 40), index)
      .findLast((other) => other.stream === stream);
    return before === undefined || cicOf(before.bytes) < cicOf(bytes);
  });
  check(inOrder, "in order on every stream");
  for (const release of released()) {
    const cic = Number(release.slice(release.lastIndexOf("-") + 1));
    lease.send(1 + (cic % 16), fromLease("RLC", cic));
  }
  check(await comesTrue(() => engine.counters.ss7.refusals === 0), "every RLC is absorbed");
  const releases = (): number => lease.received.length - engine.counters.ss7.repeated;
  await comesTrue(() => releases() >= calls / 10);
  check(
    core.received.length === (calls * 9) / 10 &&
      new Set(core.received.map(({ bytes }) => cicOf(bytes))).size === core.received.length &&
      released().size === calls / 10 &&
      releases() === calls / 10,
    `each once: ${core.received.length} IAMs, ${lease.received.length} RELs, ${engine.counters.ss7.repeated} of them after T1`,
  );
  check(engine.counters.faults === 0 && engine.counters.ss7.malformed === 0, "no fault");
  // A peer that takes nothing: what can't be sent on waits in the kernel of whoever sends it, not here.
  core.association.read(false);
  const big = Buffer.from(`0100000000000400${"00040ff8".padEnd(2032, "0")}`, "hex");
  big.writeUInt32BE(big.length, 4);
  let sent = 0;
  for (; sent < 4000 && !lease.association.isCongested; sent++) {
    lease.send(0, big);
    if (sent % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  check(
    lease.association.isCongested,
    `a peer that takes nothing stops the other one after ${sent} messages`,
  );
  const expected = core.received.length + sent;
  core.association.read(true);
  await core.wait(expected);
  check(true, "and nothing of it is lost");
  await close();
}

function cicOf(bytes: Buffer): number {
  return bytes.readUInt16LE(32);
}

async function comeAndGo(check: Check, transport: SignallingTransport): Promise<void> {
  const { lease, core, engine, cores, close } = await connectBoth(transport);
  lease.send(4, fromLease(UNLISTED, 4));
  await lease.wait(1);
  check(engine.counters.ss7.refusals === 1, "a refusal waits");
  core.association.close();
  check(
    await comesTrue(() => lease.ended() !== undefined),
    `the core goes: the lessee's association ends (${lease.ended()})`,
  );
  check(engine.counters.ss7.refusals === 0, "what was refused is forgotten");
  const again = await connectPeer(transport, engine.ports[0] ?? 0);
  check(await comesTrue(() => cores.length === 2), "the lessee comes back, and the filter to the core");
  again.send(3, fromLease(LISTED, 3));
  await cores[1]?.wait(1);
  check(cores[1]?.received.length === 1, "calls pass again");
  // A second association from the lessee's address, while the first one answers.
  const second = await connectPeer(transport, engine.ports[0] ?? 0);
  check(
    (await comesTrue(() => second.ended() !== undefined)) && again.ended() === undefined,
    "a second association is refused, and the first one stays",
  );
  again.send(3, fromLease("REL cause=16", 3));
  await cores[1]?.wait(2);
  check(cores.length === 2 && engine.counters.ss7.seconds === 1, "and carries its calls");
  await close();
}

const stp = "/usr/bin/osmo-stp";
const [relayPort, corePort] = [3001, 3002];

const exchange = (name: string, port: number, code: string, context: number): string => `
 asp asp-${name} ${port} 2905 m3ua
  local-ip 127.0.0.1
  remote-ip 127.0.0.1
 as as-${name} m3ua
  asp asp-${name}
  routing-key ${context} ${code}
`;

const has = (peer: TestPeer, kind: string): boolean =>
  peer.received.some(({ bytes }) => bytes.toString("hex", 2, 4) === kind);

const data = (peer: TestPeer): string[] =>
  told(
    peer.received
      .filter(({ bytes }) => bytes[2] === 1)
      .map(({ stream, bytes }) => ({ to: 0 as const, stream, bytes })),
  );

/** Osmocom's signalling transfer point as the far side: a peer that nobody here wrote. */
async function meetStp(check: Check, transport: SignallingTransport): Promise<void> {
  if (!existsSync(stp)) {
    check(true, "osmo-stp is not installed: left out");
    return;
  }
  // 11 is 0.1.3, 900 is 0.112.4 (3, 8 and 3 bits).
  writeFileSync(
    "/tmp/stp.cfg",
    `log stderr
 logging filter all 1
 logging level lss7 info
cs7 instance 0
 point-code 0.0.1
${exchange("lease", relayPort, "0.1.3", 100)}${exchange("core", corePort, "0.112.4", 200)} route-table system
  update route 0.1.3 7.255.7 linkset as-lease
  update route 0.112.4 7.255.7 linkset as-core
 listen m3ua 2905
  accept-asp-connections pre-configured
  local-ip 127.0.0.1
`,
  );
  const log: string[] = [];
  const router = spawn(stp, ["-c", "/tmp/stp.cfg"], { stdio: ["ignore", "pipe", "pipe"] });
  for (const output of [router.stdout, router.stderr])
    output.setEncoding("utf8").on("data", (text: string) => log.push(text));
  const core = await connectPeer(transport, 2905, corePort);
  const engine = await startEngine(linkTo("sctp", 2905, relayPort));
  const lease = await connectPeer(transport, engine.ports[0] ?? 0);
  for (const [peer, context] of [
    [lease, "64"],
    [core, "c8"],
  ] as const) {
    peer.send(0, Buffer.from("0100030100000008", "hex"));
    await comesTrue(() => has(peer, "0304"));
    peer.send(0, Buffer.from(`01000401000000100006000800 0000${context}`.replace(" ", ""), "hex"));
    await comesTrue(() => has(peer, "0403"));
  }
  check(
    has(lease, "0304") && has(lease, "0403"),
    "osmo-stp: ASPUP and ASPAC are acknowledged through the filter",
  );
  lease.send(2, fromLease(UNLISTED, 2));
  lease.send(3, fromLease(LISTED, 3));
  const isThere = await comesTrue(() => data(core).length > 0 && data(lease).length > 0);
  check(
    isThere && data(core)[0] === "0 IAM 11>900-3",
    `osmo-stp routes the allowed call to the core: ${data(core).join()}`,
  );
  check(data(lease)[0] === "0 REL 21 900>11-2", `the refused one gets its REL: ${data(lease).join()}`);
  core.send(3, Buffer.from(fromCore("ANM", 3)).fill(200, 15, 16));
  check(await comesTrue(() => data(lease).length > 1), `and the answer comes back: ${data(lease).join()}`);
  check(data(core).length === 1, "nothing else arrived");
  if (!isThere) console.log(log.join("").slice(-3000), engine.notes.join("; "));
  await engine.stop();
  router.kill("SIGKILL");
}
