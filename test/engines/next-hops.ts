import { naming } from "../support/events.ts";
import { createSocket, type Socket } from "node:dgram";
import t from "tap";
import { createEmbeddedEngine } from "../../src/engines/embedded.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { createCounters, type Counters } from "../../src/observe/counters.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { openDnsServer } from "../support/dns-server.ts";
import { branchOf } from "../support/next-hops.ts";
import { compileText, respond } from "../support/proxy.ts";
import { openSipJsPeer, type SipJsPeer } from "../support/sip-js-peer.ts";
import { inTime } from "../support/until.ts";

/** A softswitch of a few lines, which can be stopped and started on its port. */
interface Switch {
  readonly port: number;
  /** INVITEs that came. One that its caller repeats on a busy machine counts once: its branch is the same. */
  readonly invites: number;
  start(): Promise<void>;
  stop(): Promise<void>;
}

async function openSwitch(): Promise<Switch> {
  let socket: Socket | undefined;
  let port = 0;
  const branches = new Set<string>();
  const made: Switch = {
    get port() {
      return port;
    },
    get invites() {
      return branches.size;
    },
    async start() {
      const opened = createSocket("udp4");
      socket = opened;
      await new Promise<void>((bound) => opened.bind(port, "127.0.0.1", bound));
      port = opened.address().port;
      opened.on("message", (bytes, from) => {
        const text = bytes.toString("latin1");
        if (text.startsWith("ACK")) return;
        if (text.startsWith("INVITE")) branches.add(branchOf(text));
        opened.send(respond(text, 200, { contact: `<sip:127.0.0.1:${port}>` }), from.port, from.address);
      });
    },
    async stop() {
      const closing = socket;
      socket = undefined;
      if (closing !== undefined) await new Promise<void>((closed) => closing.close(() => closed()));
    },
  };
  await made.start();
  return made;
}

/** Soon enough to be waited for, and late enough that a switch on a busy machine has answered. */
const quick = `nextHopHealth: { intervalSeconds: 0.2, timeoutSeconds: 2, missesUntilDown: 2, longestIntervalSeconds: 0.4 }`;

interface Running {
  readonly engine: Engine;
  readonly counters: Counters;
  readonly caller: SipJsPeer;
  /** Resolves when the next hop has told of this change. */
  readonly until: (change: string) => Promise<void>;
}

async function run(
  nextHops: string,
  corePorts: readonly number[],
  nameServers?: readonly string[],
): Promise<Running> {
  const caller = await openSipJsPeer("lessee");
  const policy = compileText(`
version: 1
trunks:
  - { id: core, side: core, match: { addresses: [127.0.0.1], ports: [${corePorts.join(", ")}] } }
  - { id: lease, side: lessee, match: { addresses: [127.0.0.1], ports: [${caller.port}] }, lessee: bank, areaCode: "10", nextHops: ${nextHops} }
lessees:
  - { id: bank, numbers: bank.csv }
${quick}
`);
  const counters = createCounters();
  const changes: string[] = [];
  let told: (() => void) | undefined;
  const tell = (change: string): void => {
    changes.push(change);
    told?.();
  };
  const engine = createEmbeddedEngine({
    listen: [{ id: "udp:127.0.0.1:0", transport: "udp", address: "127.0.0.1", port: 0 }],
    policy: () => policy,
    state: createScreeningState(policy.tables),
    counters,
    key: new Uint8Array(32).fill(7),
    naming,
    happened: () => undefined,
    fault: (error) => t.fail(String(error)),
    ...(nameServers === undefined ? {} : { nameServers }),
    nextHopChanged: (key, state) => tell(`${key.slice(key.lastIndexOf(":") + 1)} ${state}`),
    nameChanged: (id, error) => tell(`${id} ${error === undefined ? "works" : "fails"}`),
  });
  const [bound] = await engine.start();
  caller.proxy = { address: "127.0.0.1", port: Number(bound?.slice(bound.lastIndexOf(":") + 1)) };
  return {
    engine,
    counters,
    caller,
    async until(change) {
      while (!changes.includes(change)) {
        const next = new Promise<void>((resolve) => (told = resolve));
        await inTime(next, () => `"${change}" is not told, only ${changes.join()}`);
      }
      changes.length = 0;
    },
  };
}

const call = { from: "01087654321" };

void t.test("a next hop that is stopped and started again: no call is lost", async (t) => {
  const [first, second] = await Promise.all([openSwitch(), openSwitch()]);
  const hops = `[{ uri: "sip:127.0.0.1:${first.port}" }, { uri: "sip:127.0.0.1:${second.port}", priority: 2 }]`;
  const { engine, counters, caller, until } = await run(hops, [first.port, second.port]);
  t.same(
    engine.nextHops().map(({ state }) => state),
    ["unknown", "unknown"],
    "known from the start",
  );
  await until(`${first.port} up`);
  t.equal((await caller.call("02787654321", call)).status, 200);
  t.same([first.invites, second.invites], [1, 0]);

  await first.stop();
  const begun = caller.call("02787654321", call);
  await until(`${first.port} down`);
  t.equal((await begun).status, 200, "the call that was under way");
  t.equal((await caller.call("02787654321", call)).status, 200, "and one after it");
  t.equal(first.invites, 1);
  t.ok(second.invites >= 2);
  t.ok(
    (counters.trunks.get("lease")?.failoversDown ?? 0) <= 1,
    "one moved at most; a probe may have been first",
  );

  await first.start();
  await until(`${first.port} up`);
  t.equal((await caller.call("02787654321", call)).status, 200);
  t.equal(first.invites, 2, "back again");
  await engine.stop();
  await Promise.all([caller.close(), first.stop(), second.stop()]);
});

void t.test("a next hop with a name: found, moved, and kept when DNS is gone", async (t) => {
  const [first, second] = await Promise.all([openSwitch(), openSwitch()]);
  const dns = await openDnsServer();
  dns.zone.set("A a.test", [{ data: "127.0.0.1", ttl: 1 }]);
  const srv = (port: number): void =>
    void dns.zone.set("SRV _sip._udp.sbc.test", [{ data: `0 1 ${port} a.test`, ttl: 1 }]);
  srv(first.port);
  const { engine, caller, until } = await run('["sip:sbc.test"]', [1], [dns.place]);
  t.match(engine.nextHops(), [{ trunk: "lease", id: "sbc.test", state: "down", addresses: 0 }]);
  await until(`${first.port} up`);
  t.match(engine.nextHops(), [{ state: "up", addresses: 1 }]);
  t.equal((await caller.call("02787654321", call)).status, 200, "no trunk names its address");

  srv(second.port);
  await until(`${second.port} up`);
  t.equal((await caller.call("02787654321", call)).status, 200);
  t.same([first.invites, second.invites], [1, 1], "after the TTL, which is 5 s at least");

  dns.mode = "failure";
  const [before] = engine.names();
  await until("sbc.test fails");
  t.equal(before?.isStale, false);
  t.match(engine.nextHops(), [{ state: "up", addresses: 1 }]);
  t.equal((await caller.call("02787654321", call)).status, 200, "the last addresses stay");
  t.equal(second.invites, 2);
  await engine.stop();
  await Promise.all([caller.close(), first.stop(), second.stop(), dns.close()]);
});
