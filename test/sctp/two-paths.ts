import { Buffer } from "node:buffer";
import type { LinkConfig } from "../../src/config/sigwall/m3ua-schema.ts";
import type { EndpointList } from "../../src/wire/sctp/association.ts";
import type { KernelSctp } from "../../src/wire/sctp/kernel-sctp.ts";
import { createSctpTransport } from "../../src/wire/sctp/sctp-transport.ts";
import { fromCore, fromLease, LISTED } from "../support/isup-relay.ts";
import { loopbackPolicy, startEngine, type TestEngine } from "../support/m3ua-engine.ts";
import { compileText } from "../support/proxy.ts";
import { comesTrue } from "../support/until.ts";
import { packetsIn, type Cable, type Host } from "./network.ts";
import { connectFrom, listenAsPeer, type TestPeer } from "./peer.ts";
import type { Check } from "./scenarios.ts";

/** Calls a second, and for how long. Every call has a circuit of its own, of 4096. */
const RATE = 200;
const SECONDS = 18;
/** The primary path is cut at this second, and mended at that one. */
const CUT = 3;
const MENDED = 11;
/** Messages come late by no more than this. Milliseconds of the machine, whose clock is its own. */
const FAILOVER = 3000;

const Type = { iam: 0x01, anm: 0x09, rel: 0x0c, rlc: 0x10 } as const;

export const endpoints = (addresses: readonly string[], port: number): EndpointList => {
  const [first = "", ...others] = addresses;
  return [{ address: first, port }, ...others.map((address) => ({ address, port }))];
};

/** The filter between the lessee that comes to it and the core that it goes to, both by these cables. */
export function linkBy(cables: readonly Cable[], corePort: number, leasePort = 0): LinkConfig {
  const own = endpoints(
    cables.map(({ ownAddress }) => ownAddress),
    0,
  );
  const far = (port: number): EndpointList =>
    endpoints(
      cables.map(({ farAddress }) => farAddress),
      port,
    );
  const [lease, core] = [far(leasePort), far(corePort)];
  return {
    associations: [
      {
        id: "lease",
        transport: "sctp",
        role: "server",
        local: own[0],
        locals: own,
        remote: lease[0],
        remotes: lease,
      },
      {
        id: "core",
        transport: "sctp",
        role: "client",
        local: own[0],
        locals: own,
        remote: core[0],
        remotes: core,
      },
    ],
  };
}

export interface MultiHomed {
  readonly lease: TestPeer;
  readonly core: TestPeer;
  readonly cores: readonly TestPeer[];
  readonly engine: TestEngine;
  /** Where the lessee connects to. */
  readonly remotes: EndpointList;
  readonly close: () => Promise<void>;
}

/** Trunks of peers on a host, told apart by point codes. */
export const policyOf = (address: string): ReturnType<typeof compileText> =>
  compileText(loopbackPolicy.replaceAll("127.0.0.1", address));

export async function connectMultiHomed(sctp: KernelSctp, host: Host): Promise<MultiHomed> {
  const there = createSctpTransport(host.sctp(sctp));
  const addresses = host.cables.map(({ farAddress }) => farAddress);
  const cores: TestPeer[] = [];
  const server = await listenAsPeer(there, (peer) => cores.push(peer), endpoints(addresses, 0));
  const engine = await startEngine(linkBy(host.cables, server.port), policyOf(addresses[0] ?? ""));
  const remotes = endpoints(
    host.cables.map(({ ownAddress }) => ownAddress),
    engine.ports[0] ?? 0,
  );
  const lease = await connectFrom(there, endpoints(addresses, 0), remotes);
  await comesTrue(() => cores.length > 0);
  const [core] = cores;
  if (core === undefined) throw new Error(`the filter did not connect: ${engine.notes.join("; ")}`);
  return {
    lease,
    core,
    cores,
    engine,
    remotes,
    async close() {
      lease.association.close();
      await engine.stop();
      await server.close();
    },
  };
}

/** A message of one kind, for any circuit. */
function template(make: (cic: number) => Buffer): (cic: number) => Buffer {
  const bytes = make(0);
  return (cic) => {
    bytes.writeUInt16LE(cic, 32);
    return bytes;
  };
}

/** Plays both exchanges, and notes when what was sent and when it came. */
function playCalls({ lease, core }: MultiHomed): {
  readonly begin: (cic: number) => void;
  /** How late the latest message came, and the longest time in which none came. */
  readonly latest: () => number;
  readonly longestGap: () => number;
  readonly ended: () => number;
  readonly faults: () => readonly string[];
} {
  const iam = template((cic) => fromLease(LISTED, cic));
  const rel = template((cic) => fromLease("REL cause=16", cic));
  const anm = template((cic) => fromCore("ANM", cic));
  const rlc = template((cic) => fromCore("RLC", cic));
  const sent = new Map<string, number>();
  const faults: string[] = [];
  let latest = 0;
  let longestGap = 0;
  let before = Date.now();
  let ended = 0;
  const read = { lease: 0, core: 0 };

  function say(peer: TestPeer, name: string, bytes: Buffer, cic: number): void {
    sent.set(`${name} ${cic}`, Date.now());
    peer.send(1 + (cic % 16), bytes);
  }

  function hear(name: string, cic: number): void {
    longestGap = Math.max(longestGap, Date.now() - before);
    before = Date.now();
    const at = sent.get(`${name} ${cic}`);
    if (at === undefined) faults.push(`${name} ${cic} came twice, or was never sent`);
    else latest = Math.max(latest, Date.now() - at);
    sent.delete(`${name} ${cic}`);
  }

  function take(): void {
    for (; read.core < core.received.length; read.core++) {
      const { bytes } = core.received[read.core]!;
      const cic = bytes.readUInt16LE(32);
      if (bytes[34] === Type.iam) {
        hear("IAM", cic);
        say(core, "ANM", anm(cic), cic);
      } else if (bytes[34] === Type.rel) {
        hear("REL", cic);
        say(core, "RLC", rlc(cic), cic);
      } else faults.push(`the core got ${bytes.toString("hex")}`);
    }
    for (; read.lease < lease.received.length; read.lease++) {
      const { bytes } = lease.received[read.lease]!;
      const cic = bytes.readUInt16LE(32);
      if (bytes[34] === Type.anm) {
        hear("ANM", cic);
        say(lease, "REL", rel(cic), cic);
      } else if (bytes[34] === Type.rlc) {
        hear("RLC", cic);
        ended++;
      } else faults.push(`the lessee got ${bytes.toString("hex")}`);
    }
  }

  const timer = setInterval(take, 2);
  return {
    begin: (cic) => say(lease, "IAM", iam(cic), cic),
    latest: () => latest,
    longestGap: () => longestGap,
    ended: () => ended,
    faults() {
      clearInterval(timer);
      return [...faults, ...[...sent.keys()].map((key) => `${key} never came`)];
    },
  };
}

/** The primary path is cut under load, and mended: every message arrives once, and soon. */
export async function survivePathLoss(check: Check, sctp: KernelSctp, host: Host): Promise<void> {
  const link = await connectMultiHomed(sctp, host);
  const { engine } = link;
  const [primary, secondary] = host.cables;
  if (primary === undefined || secondary === undefined) throw new Error("two cables");
  const calls = playCalls(link);
  const begun = Date.now();
  const due = (): number => Math.min((Date.now() - begun) / 1000, SECONDS) * RATE;
  let placed = 0;
  let atMost = 0;
  const steps = [
    {
      at: CUT,
      step() {
        atMost = calls.latest();
        host.cut(primary);
      },
    },
    { at: MENDED, step: () => host.mend(primary) },
  ];
  while (placed < SECONDS * RATE) {
    for (; placed < due(); placed++) calls.begin(placed);
    if (Date.now() - begun > (steps[0]?.at ?? Infinity) * 1000) steps.shift()?.step();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const all = SECONDS * RATE;
  const isWhole = await comesTrue(
    () => calls.ended() === all || engine.notes.some((note) => note.includes("down: ")),
  );
  const faults = calls.faults();
  check(
    isWhole && calls.ended() === all && faults.length === 0,
    `${calls.ended()} of ${all} calls, ${RATE} a second, each message once: ${faults.slice(0, 3).join("; ")}`,
  );
  check(
    calls.latest() <= FAILOVER,
    `the latest message came after ${calls.latest()} ms (before the cut: ${atMost} ms), and none came for ${calls.longestGap()} ms at most`,
  );
  check(
    engine.counters.ss7.linksDown === 0 && engine.counters.ss7.pathsLost >= 2,
    `no link went down, ${engine.counters.ss7.pathsLost} paths did: ${engine.notes.join("; ")}`,
  );
  check(await comesTrue(() => engine.counters.ss7.pathsDown === 0), "the paths are up again");
  check(await takesPrimary(link, primary, secondary), "and messages take the primary one");
  check(engine.counters.faults === 0 && engine.counters.ss7.calls === 0, "no fault, and no call left");
  await link.close();
}

/** Sends messages until 50 of them go by the primary path; heartbeats go by both. */
async function takesPrimary({ lease, core }: MultiHomed, primary: Cable, secondary: Cable): Promise<boolean> {
  const batch = 50;
  for (let round = 0; round < 20; round++) {
    const before = [packetsIn(primary), packetsIn(secondary)] as const;
    const expected = core.received.length + batch;
    for (let index = 0; index < batch; index++) {
      lease.send(1, Buffer.from("0100030300000008", "hex"));
      await core.wait(expected - batch + index + 1);
    }
    if (packetsIn(primary) - before[0] >= batch && packetsIn(secondary) - before[1] < batch / 5) return true;
  }
  return false;
}

/** One path by IPv6 and one by IPv4: what an association is named by is down. */
export async function mixFamilies(check: Check, sctp: KernelSctp, host: Host): Promise<void> {
  const link = await connectMultiHomed(sctp, host);
  const { lease, core, engine } = link;
  lease.send(1, fromLease(LISTED, 1));
  await core.wait(1);
  check(
    core.received.length === 1 && !engine.notes.some((note) => note.includes("no path")),
    `an association over IPv6 and IPv4 carries calls: ${engine.notes.join("; ")}`,
  );
  const [first] = host.cables;
  if (first === undefined) throw new Error("no cable");
  host.cut(first);
  lease.send(1, fromLease("REL cause=16", 1));
  await core.wait(2);
  core.send(1, fromCore("RLC", 1));
  await lease.wait(1);
  check(engine.counters.ss7.linksDown === 0, "and goes on by IPv4 when IPv6 is cut");
  host.mend(first);
  await link.close();
}

/** Every path is cut, with messages on their way: the link goes down, and comes back with the paths. */
export async function loseAllPaths(check: Check, sctp: KernelSctp, host: Host): Promise<void> {
  const link = await connectMultiHomed(sctp, host);
  const { lease, core, engine } = link;
  for (const cable of host.cables) host.cut(cable);
  core.send(1, fromCore("ANM", 1));
  lease.send(1, fromLease(LISTED, 1));
  const begun = Date.now();
  check(
    await comesTrue(() => engine.counters.ss7.linksDown === 1),
    `with every path cut the link is down after ${Date.now() - begun} ms: ${engine.notes.at(-1)}`,
  );
  check(engine.counters.ss7.pathsDown === 0, "and no path of it is counted any longer");
  for (const cable of host.cables) host.mend(cable);
  lease.association.close();
  const again = await connectFrom(
    createSctpTransport(host.sctp(sctp)),
    endpoints(
      host.cables.map(({ farAddress }) => farAddress),
      0,
    ),
    link.remotes,
  );
  check(await comesTrue(() => engine.counters.ss7.linksUp === 2), "the link is up again");
  again.association.close();
  await link.close();
}
