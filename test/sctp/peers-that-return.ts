import { connect, type Socket } from "node:net";
import type {
  EndpointList,
  PendingAssociation,
  SignallingTransport,
} from "../../src/wire/sctp/association.ts";
import type { KernelSctp } from "../../src/wire/sctp/kernel-sctp.ts";
import { createSctpTransport } from "../../src/wire/sctp/sctp-transport.ts";
import { fromLease, LISTED } from "../support/isup-relay.ts";
import { startEngine, type TestEngine } from "../support/m3ua-engine.ts";
import { comesTrue } from "../support/until.ts";
import { createHost, type Host } from "./network.ts";
import { attach, connectFrom, listenAsPeer, type TestPeer } from "./peer.ts";
import type { Check } from "./scenarios.ts";
import { endpoints, linkBy, policyOf } from "./two-paths.ts";

/** How soon a peer that has lost its association is in again. Milliseconds; two seconds are the test of the former one. */
const SOON = 6000;

interface Stage {
  readonly check: Check;
  readonly host: Host;
  readonly sctp: KernelSctp;
  /** SCTP of the peer's host. */
  readonly there: SignallingTransport;
  readonly engine: TestEngine;
  /** Where the lessee connects to. */
  readonly door: EndpointList;
  readonly cores: readonly TestPeer[];
}

/** Connects, and leaves the association as it is: nobody reads it. */
async function arrive(
  { there, door }: Stage,
  addresses: readonly string[],
  port = 0,
  to = door,
): Promise<PendingAssociation> {
  const outcome = await new Promise<PendingAssociation | Error>((resolve) => {
    there.connect(endpoints(addresses, port), to, resolve);
  });
  if (outcome instanceof Error) throw outcome;
  return outcome;
}

/** Connects once, as somebody who is to be refused; resolves with how it was told. */
async function knock(there: SignallingTransport, from: EndpointList, to: EndpointList): Promise<string> {
  const outcome = await new Promise<PendingAssociation | Error>((resolve) => {
    there.connect(from, to, resolve);
  });
  if (outcome instanceof Error) return outcome.message;
  const peer = attach(outcome);
  await comesTrue(() => peer.ended() !== undefined);
  return peer.ended() ?? "it was let in";
}

/** Waits until the link is up for the `count`th time. */
async function isUpAgain({ engine }: Stage, count: number): Promise<boolean> {
  return comesTrue(() => engine.counters.ss7.linksUp >= count);
}

/** The peer's host forgets the association, and the filter does not learn of it. */
function vanish({ host }: Stage, step: () => void): void {
  for (const cable of host.cables) host.cut(cable);
  step();
  for (const cable of host.cables) host.mend(cable);
}

async function callPasses(stage: Stage, peer: TestPeer, cic: number): Promise<boolean> {
  peer.send(3, fromLease(LISTED, cic));
  return comesTrue(() => stage.cores.at(-1)?.received.length === 1);
}

async function returnsFromAnotherPort(stage: Stage, addresses: readonly string[]): Promise<void> {
  const { check, engine } = stage;
  const first = await arrive(stage, addresses);
  check(await isUpAgain(stage, 1), "a peer with two addresses is up");
  vanish(stage, () => first.refuse());
  const begun = Date.now();
  const again = await connectFrom(stage.there, endpoints(addresses, 0), stage.door);
  const isUp = await isUpAgain(stage, 2);
  check(
    isUp && Date.now() - begun < SOON,
    `a peer that rebooted is in again from another port after ${Date.now() - begun} ms: ${engine.notes.at(-2)}`,
  );
  check(await callPasses(stage, again, 4), "and its calls pass");
  again.association.close();
  await comesTrue(() => engine.counters.ss7.linksDown === 2);
}

async function returnsFromTheSamePort(stage: Stage, addresses: readonly string[]): Promise<void> {
  const { check, engine } = stage;
  const port = 4905;
  const first = await arrive(stage, addresses, port);
  await isUpAgain(stage, 3);
  vanish(stage, () => first.refuse());
  const begun = Date.now();
  const again = await connectFrom(stage.there, endpoints(addresses, port), stage.door);
  check(
    (await isUpAgain(stage, 4)) && engine.notes.some((note) => note.includes("lease: the peer restarted")),
    `a peer that restarts the association goes on with it after ${Date.now() - begun} ms`,
  );
  check(again.ended() === undefined && (await callPasses(stage, again, 5)), "and its calls pass");
  again.association.close();
  await comesTrue(() => engine.counters.ss7.linksDown === 4);
}

async function comesByAnyAddress(stage: Stage, [first = "", second = ""]: readonly string[]): Promise<void> {
  const { check, engine, host, there, door } = stage;
  const [primary] = host.cables;
  if (primary === undefined) throw new Error("no cable");
  host.cut(primary);
  const peer = await connectFrom(
    there,
    endpoints([first, second], 0),
    endpoints(door.map(({ address }) => address).toReversed(), door[0].port),
  );
  check(
    await isUpAgain(stage, 5),
    "with the first path cut, the peer comes by the second, and the filter goes by it",
  );
  check(await callPasses(stage, peer, 6), "and its calls pass");
  host.mend(primary);
  peer.association.close();
  await comesTrue(() => engine.counters.ss7.linksDown === 5);
  // An address that the configuration does not name, with one that it names in the list of the association.
  host.ip("addr add 10.1.0.7/24 dev eth0");
  const other = await connectFrom(there, endpoints(["10.1.0.7", second], 0), door);
  check(
    (await isUpAgain(stage, 6)) && other.ended() === undefined,
    "a peer from an address that is not listed, with one that is: taken once that one is proved",
  );
  check(await callPasses(stage, other, 7), "and its calls pass");
  check(
    engine.notes.some(
      (note) =>
        note === "lease: the association of the peer does not have the address 10.1.0.2: no path goes there",
    ),
    "a path that is missing is told",
  );
  const strangers = engine.counters.ss7.strangers;
  const told = await knock(there, endpoints(["10.1.0.7"], 0), door);
  check(
    engine.counters.ss7.strangers === strangers + 1,
    `the same host without that address is a stranger: ${told}`,
  );
  check(other.ended() === undefined, "and ends nothing");
  await meetHostileHost(stage, second, other);
  other.association.close();
  await comesTrue(() => engine.counters.ss7.linksDown === 6);
  await meetHostileHost(stage, second, undefined);
}

let hostile: Host | undefined;

/** Another host lists an address of the peer as its own. */
async function meetHostileHost(stage: Stage, claimed: string, live: TestPeer | undefined): Promise<void> {
  const { check, engine, door, sctp } = stage;
  if (hostile === undefined) {
    hostile = await createHost("hostile", ["10.3.0.66"]);
    hostile.ip(`addr add ${claimed}/32 dev lo`);
    hostile.ip("route add default via 10.3.0.1");
  }
  const up = engine.counters.ss7.linksUp;
  const strangers = engine.counters.ss7.strangers;
  const there = createSctpTransport(hostile.sctp(sctp));
  const told = await knock(there, endpoints(["10.3.0.66", claimed], 0), door);
  const what = live === undefined ? "" : ", and ends nothing";
  check(
    told !== "it was let in" && engine.counters.ss7.linksUp === up && live?.ended() === undefined,
    `a host that claims the peer's address is not the peer${what}: ${told}, ${engine.counters.ss7.strangers - strangers} stranger`,
  );
}

/** Peers that lose their association without the filter's knowledge, by SCTP. */
export async function returnBySctp(check: Check, sctp: KernelSctp, host: Host): Promise<void> {
  const there = createSctpTransport(host.sctp(sctp));
  const addresses = host.cables.map(({ farAddress }) => farAddress);
  const cores: TestPeer[] = [];
  const server = await listenAsPeer(there, (peer) => cores.push(peer), endpoints(addresses, 0));
  const engine = await startEngine(linkBy(host.cables, server.port), policyOf(addresses[0] ?? ""));
  const door = endpoints(
    host.cables.map(({ ownAddress }) => ownAddress),
    engine.ports[0] ?? 0,
  );
  const stage = { check, host, there, engine, door, cores, sctp };
  await returnsFromAnotherPort(stage, addresses);
  await returnsFromTheSamePort(stage, addresses);
  await comesByAnyAddress(stage, addresses);
  check(engine.counters.faults === 0, "no fault");
  await engine.stop();
  await server.close();
}

/** The same by TCP, which has no restart. */
export async function returnByTcp(check: Check, sctp: KernelSctp, host: Host): Promise<void> {
  const [cable] = host.cables;
  if (cable === undefined) throw new Error("no cable");
  const cores: TestPeer[] = [];
  const server = await listenAsPeer(createSctpTransport(sctp), (peer) => cores.push(peer));
  const [, core] = linkBy(host.cables, 1).associations;
  const tcp = { transport: "tcp", id: "lease", role: "server" } as const;
  const local = endpoints([cable.ownAddress], 0);
  const remote = endpoints([cable.farAddress], 0);
  const loopback = endpoints(["127.0.0.1"], 0);
  const corePlace = endpoints(["127.0.0.1"], server.port);
  const engine = await startEngine(
    {
      associations: [
        { ...tcp, local: local[0], locals: local, remote: remote[0], remotes: remote },
        { ...core, local: loopback[0], locals: loopback, remote: corePlace[0], remotes: corePlace },
      ],
    },
    policyOf(cable.farAddress),
  );
  const place = { host: cable.ownAddress, port: engine.ports[0] ?? 0, localAddress: cable.farAddress };
  const dial = async (): Promise<Socket> =>
    host.withinTick(() => connect(place).on("error", () => undefined));
  const first = await dial();
  check(await comesTrue(() => engine.counters.ss7.linksUp === 1), "a peer by TCP is up");
  host.cut(cable);
  first.resetAndDestroy();
  host.mend(cable);
  const begun = Date.now();
  const second = await dial();
  check(
    (await comesTrue(() => engine.counters.ss7.linksUp === 2)) && Date.now() - begun < SOON,
    `TCP: a peer that rebooted is in again after ${Date.now() - begun} ms: ${engine.notes.at(-2)}`,
  );
  // The peer is there, answers nothing and says nothing: its kernel acknowledges.
  const third = await dial();
  check(
    (await comesTrue(() => engine.counters.ss7.seconds === 1)) && !second.destroyed,
    "TCP: a second connection is refused while the kernel of the peer acknowledges",
  );
  check(engine.counters.ss7.linksDown === 1, "and ends nothing");
  for (const socket of [second, third]) socket.destroy();
  await engine.stop();
  await server.close();
}
