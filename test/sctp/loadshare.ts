// A linkset of two links to osmo-stp with traffic mode loadshare: a thousand calls, and a link is killed every ten seconds.
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import type { SignallingTransport } from "../../src/wire/sctp/association.ts";
import {
  createExchange,
  readMessage,
  type Exchange,
  type ModelCall,
  type World,
} from "../support/exchanges.ts";
import { CORE, LEASE } from "../support/isup-relay.ts";
import { linkTo, startEngine } from "../support/m3ua-engine.ts";
import { comesTrue } from "../support/until.ts";
import { connectPeer, type TestPeer } from "./peer.ts";
import type { Check } from "./scenarios.ts";

const stp = "/usr/bin/osmo-stp";
const STP_PORT = 2905;
const relayPorts = [3001, 3003] as const;
const corePorts = [3002, 3004] as const;
const CALLS = 1000;
const CIRCUITS = 120;
/** Between two calls, and how long an answered one lasts. Milliseconds. */
const EVERY = 60;
const TALK = 1500;
const KILL_EVERY = 10_000;
const BACK_AFTER = 3000;
/** What died with a link explains failures of its circuit for so long: the exchanges' longest timer. */
const EXPLAINS = 130_000;

const asps = (name: string, ports: readonly number[]): string =>
  ports
    .map(
      (port, index) => ` asp asp-${name}${index} ${port} ${STP_PORT} m3ua
  local-ip 127.0.0.1
  remote-ip 127.0.0.1
`,
    )
    .join("");

const application = (name: string, ports: readonly number[], code: string, context: number): string =>
  `${asps(name, ports)} as as-${name} m3ua
${ports.map((_, index) => `  asp asp-${name}${index}\n`).join("")}  traffic-mode loadshare
  routing-key ${context} ${code}
`;

// 11 is 0.1.3, 900 is 0.112.4 (3, 8 and 3 bits).
const config = `log stderr
 logging filter all 1
 logging level lss7 error
cs7 instance 0
 point-code 0.0.1
${application("lease", relayPorts, "0.1.3", 100)}${application("core", corePorts, "0.112.4", 200)} route-table system
  update route 0.1.3 7.255.7 linkset as-lease
  update route 0.112.4 7.255.7 linkset as-core
 listen m3ua ${STP_PORT}
  accept-asp-connections pre-configured
  local-ip 127.0.0.1
`;

/** One association of an exchange, which comes back when it was killed. */
interface Way {
  peer: TestPeer | undefined;
  isActive: boolean;
  /** Circuits of messages that were sent within the last moments: they may die with the link. */
  recent: { circuit: number; at: number }[];
}

function createWay(): Way {
  return { peer: undefined, isActive: false, recent: [] };
}

export async function shareLoad(check: Check, transport: SignallingTransport): Promise<void> {
  if (!existsSync(stp)) {
    check(true, "osmo-stp is not installed: left out");
    return;
  }
  writeFileSync("/tmp/loadshare.cfg", config);
  const router = spawn(stp, ["-c", "/tmp/loadshare.cfg"], { stdio: "ignore" });
  const engine = await startEngine(relayPorts.map((port) => linkTo("sctp", STP_PORT, port)));
  const deaths = new Map<number, number>();
  const wrong: string[] = [];
  const unexplained: string[] = [];
  let isOver = false;

  const world: World = {
    calls: [],
    after: (millis, step) => void setTimeout(step, millis).unref(),
    wrong: (what) => void wrong.push(what),
    send(from, bytes) {
      const ways = (from === lease ? leaseWays : coreWays).filter(({ isActive }) => isActive);
      const { circuit } = readMessage(bytes);
      const way = ways[turn++ % ways.length];
      if (way === undefined) {
        deaths.set(circuit, Date.now());
        return;
      }
      way.recent.push({ circuit, at: Date.now() });
      way.peer?.send(1 + (circuit % 8), bytes);
    },
    failed(call, circuit, why) {
      const isExplained =
        why === "dual seizure" || Date.now() - (deaths.get(circuit) ?? -Infinity) < EXPLAINS;
      if (!isExplained) unexplained.push(`call ${call.id} on circuit ${circuit}: ${why}`);
      call.state = call.attempts < 6 ? "waiting" : "given-up";
    },
  };
  let turn = 0;
  const lease = createExchange(LEASE, CORE, CIRCUITS, world);
  const core = createExchange(CORE, LEASE, CIRCUITS, world);
  const leaseWays = relayPorts.map(createWay);
  const coreWays = corePorts.map(createWay);

  /** Connects, and speaks ASPUP and ASPAC through the filter, or to the transfer point itself. */
  const connect = async (of: Exchange, index: number): Promise<void> => {
    const mine = (of === lease ? leaseWays : coreWays)[index]!;
    let acknowledged = "";
    const hear = (bytes: Buffer): void => {
      const kind = bytes.toString("hex", 2, 4);
      if (kind === "0101") {
        const told = readMessage(bytes);
        if (of === core && told.id >= 0 && world.calls[told.id]?.isListed !== true)
          wrong.push(`call ${told.id} of nobody has reached the core`);
        of.receive(bytes);
      } else acknowledged += ` ${kind}`;
    };
    const peer = await connectPeer(
      transport,
      of === lease ? engine.ports[index]! : STP_PORT,
      of === lease ? 0 : corePorts[index]!,
      hear,
    );
    const context = of === lease ? "64" : "c8";
    for (const [message, answer] of [
      ["0100030100000008", "0304"],
      [`0100040100000010000600080000 00${context}`.replace(" ", ""), "0403"],
    ] as const) {
      for (let tries = 0; tries < 20 && !acknowledged.includes(answer); tries++) {
        peer.send(0, Buffer.from(message, "hex"));
        await comesTrue(() => acknowledged.includes(answer) || peer.ended() !== undefined);
        if (peer.ended() !== undefined) return connect(of, index);
      }
    }
    mine.peer = peer;
    mine.isActive = true;
  };

  const kill = (index: number): void => {
    const mine = leaseWays[index]!;
    mine.isActive = false;
    const now = Date.now();
    // What is on its way in either direction may die; nobody can know what the transfer point had in hand.
    for (const each of [...leaseWays, ...coreWays]) {
      for (const { circuit, at } of each.recent) if (now - at < 1000) deaths.set(circuit, now);
      each.recent = [];
    }
    mine.peer?.association.close();
    setTimeout(() => {
      if (!isOver) void connect(lease, index);
    }, BACK_AFTER);
  };

  await Promise.all([connect(core, 0), connect(core, 1), connect(lease, 0), connect(lease, 1)]);
  check(true, "osmo-stp: four ASPs are active, two of each application server, loadshare");
  let kills = 0;
  const killer = setInterval(() => kill(kills++ % 2), KILL_EVERY);
  const hangUps = setInterval(() => {
    for (const exchange of [lease, core])
      for (const [circuit, { state }] of exchange.circuits.entries())
        if (state !== "idle" && Math.random() < EVERY / TALK) exchange.hangUp(circuit);
  }, EVERY);
  const isPlaced = new Promise<void>((resolve) => {
    const placer = setInterval(() => {
      const id = world.calls.length;
      if (id < CALLS) {
        const caller = id % 3 === 1 ? core : lease;
        const call: ModelCall = {
          id,
          isListed: id % 3 !== 0,
          caller,
          circuit: 0,
          attempts: 0,
          state: "waiting",
        };
        world.calls.push(call);
      } else if (world.calls.every(({ state }) => state !== "waiting" && state !== "trying")) {
        clearInterval(placer);
        resolve();
      }
      for (const call of world.calls) if (call.state === "waiting") call.caller.place(call);
    }, EVERY);
  });
  await isPlaced;
  clearInterval(killer);
  await comesTrue(() => [...leaseWays, ...coreWays].every(({ isActive }) => isActive));
  const isIdle = (): boolean => [...lease.circuits, ...core.circuits].every(({ state }) => state === "idle");
  for (let tries = 0; tries < 8 && !(isIdle() && engine.counters.ss7.calls === 0); tries++)
    await comesTrue(() => isIdle() && engine.counters.ss7.calls === 0);
  clearInterval(hangUps);
  isOver = true;
  const of = (...states: readonly ModelCall["state"][]): number =>
    world.calls.filter(({ state }) => states.includes(state)).length;
  const { ss7 } = engine.counters;
  const listed = world.calls.filter(({ isListed }) => isListed).length;
  check(kills >= 5, `${kills} links were killed under ${CALLS} calls`);
  check(of("over", "up") === listed, `listed calls that came up: ${of("over", "up")} of ${listed}`);
  check(of("refused") === CALLS - listed, `others that were released: ${of("refused")} of ${CALLS - listed}`);
  check(unexplained.length === 0, `no call failed but with its link: ${unexplained.join("; ")}`);
  check(wrong.length === 0, `nothing that must not be: ${wrong.join("; ")}`);
  check(isIdle(), "every circuit is idle at both exchanges");
  check(
    ss7.calls === 0 && ss7.refusals === 0,
    `the filter knows of ${ss7.calls} calls, ${ss7.refusals} refusals`,
  );
  check(engine.counters.faults === 0, "no fault");
  await engine.stop();
  router.kill("SIGKILL");
}
