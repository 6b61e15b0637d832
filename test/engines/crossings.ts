import { naming } from "../support/events.ts";
import t, { type Test } from "tap";
import type { SipTransport } from "../../src/domain/trunk.ts";
import { createEmbeddedEngine } from "../../src/engines/embedded.ts";
import { createCounters } from "../../src/observe/counters.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { createAuthority, materialOf } from "../support/certificates.ts";
import { compileText } from "../support/proxy.ts";
import { openSipJsPeer, sdp } from "../support/sip-js-peer.ts";
import { scenarios } from "./scenarios.ts";

const called = "02787654321";

/** Every scenario again, from one transport to another. Trunks are told apart by listener, since a connection comes from any port. */
for (const [ingress, egress, address] of [
  ["tcp", "tcp", "127.0.0.1"],
  ["tcp", "udp", "127.0.0.1"],
  ["udp", "tcp", "127.0.0.1"],
  ["tls", "udp", "127.0.0.1"],
  ["udp", "tls", "127.0.0.1"],
  ["tls", "tcp", "127.0.0.1"],
  ["tcp", "udp", "::1"],
  ["udp", "tls", "::1"],
] as const)
  void t.test(`${ingress} to ${egress} on ${address}`, (t) => runCrossing(t, ingress, egress, address));

async function runCrossing(
  t: Test,
  ingress: SipTransport,
  egress: SipTransport,
  address: string,
): Promise<void> {
  const host = address.includes(":") ? `[${address}]` : address;
  const authority = createAuthority(t.testdir());
  const identity = { own: authority.issue("peer", `DNS:peer.example,IP:${address}`), authority };
  const open = (user: string, transport: SipTransport): ReturnType<typeof openSipJsPeer> =>
    openSipJsPeer(user, address, transport, transport === "tls" ? identity : undefined);
  const [lessee, abroad, moved, stranger, core] = await Promise.all([
    open("lessee", ingress),
    open("abroad", ingress),
    open("moved", ingress),
    open("stranger", ingress),
    open(called, egress),
  ]);
  // Canonical ids with a number of their own; what is bound is any free port.
  const ids = [ingress, ingress, ingress, ingress, egress].map(
    (transport, index) => `${transport}:${host}:${index + 1}`,
  );
  const to = `sip:${host}:${core.port};transport=${egress}`;
  const policy = compileText(`
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
  - { id: core-out, side: core, match: { addresses: ["${address}"], ports: [${core.port}] } }
  - { id: core, side: core, match: { addresses: ["${address}"], listener: "${ids[4]}" } }
  - { id: lease, side: lessee, match: { addresses: ["${address}"], listener: "${ids[0]}"${ingress === "tls" ? ", tlsName: peer.example" : ""} }, lessee: bank, areaCode: "10", nextHops: ["${to}"] }
  - { id: intl, side: international, match: { addresses: ["${address}"], listener: "${ids[1]}" }, nextHops: ["${to}"], rules: { home-cli-from-abroad: { roamers: withhold } } }
  - { id: moved, side: lessee, match: { addresses: ["${address}"], listener: "${ids[2]}" }, lessee: bank, areaCode: "10", nextHops: ["${to}"], mode: redirect }
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
`);
  const counters = createCounters();
  const engine = createEmbeddedEngine({
    listen: ids.map((id) => ({
      id,
      transport: id.startsWith("udp") ? "udp" : id.startsWith("tcp") ? "tcp" : "tls",
      address,
      port: 0,
    })),
    tls: materialOf(authority.issue("filter", `IP:${address}`), authority),
    streams: { connections: 64, perSource: 64, idleSeconds: 60, messageSeconds: 10, unreadMegabytes: 64 },
    policy: () => policy,
    state: createScreeningState(policy.tables),
    counters,
    key: new Uint8Array(32).fill(7),
    naming,
    happened: () => undefined,
    fault: (error) => t.fail(String(error)),
  });
  const bound = await engine.start();
  for (const [index, peer] of [lessee, abroad, moved, stranger, core].entries())
    peer.proxy = { address, port: Number(bound[index]?.slice(bound[index].lastIndexOf(":") + 1)) };

  let byes = 0;
  let cancels = 0;
  const callers = new Map(Object.entries({ lessee, abroad, moved, stranger, core }));
  for (const scenario of scenarios) {
    const caller = callers.get(scenario.from);
    // The others need trunks and lists of their own, or a transport on which requests are repeated.
    if (caller === undefined || scenario.to !== undefined || scenario.call.repeat === true) continue;
    if (scenario.reason === "police-listed") continue;
    core.answering = scenario.answering;
    caller.answering = scenario.answering;
    const before = core.seen.invites.length;
    const result = caller.call(called, scenario.call).then(({ status }) => status);
    const silence =
      scenario.status === undefined
        ? [lessee.call(called, { from: "01087654400" }).then(() => undefined)]
        : [];
    t.equal(await Promise.race([result, ...silence]), scenario.status, `${scenario.name}: final status`);
    t.equal(core.seen.invites.length - before, scenario.reaches ? 1 : 0, "INVITEs at the called side");
    if (scenario.reaches) t.equal(core.seen.bodies.at(-1), sdp.content, "body byte for byte");
    if (scenario.status === 200 && scenario.answering !== "answer-and-hang-up") byes++;
    if (scenario.call.cancel === true) cancels++;
  }
  t.equal(core.seen.byes, byes, "every answered call that its caller ended was ended by BYE");
  t.equal(core.seen.cancels, cancels);
  t.equal(counters.strayResponses, 0);
  t.equal(counters.transactionTimeouts, 0);
  await engine.stop();
  await Promise.all([lessee, abroad, moved, stranger, core].map((peer) => peer.close()));
  t.equal(counters.streams.open, 0, "no connection is left");
}
