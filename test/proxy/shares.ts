import t from "tap";
import { NEXT_HOP, STRANGER } from "../../src/domain/trunk.ts";
import { compileText, createTestProxy, outcomeOf, request, respond } from "../support/proxy.ts";
import { createStreamProxy, everyListener } from "../support/streams.ts";

/** Two lessees and two next hops that never answer by themselves. */
const twoHops = `
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
nextHopHealth: { probe: off }
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1, 198.51.100.2] } }
  - { id: greedy, side: lessee, match: { addresses: [203.0.113.10] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060", "sip:198.51.100.2:5060"] }
  - { id: calm, side: lessee, match: { addresses: [203.0.113.11] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060", "sip:198.51.100.2:5060"] }
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
`;

const oneHop = twoHops.replaceAll(', "sip:198.51.100.2:5060"', "");

/** An INVITE of its own call, from the address of a trunk. */
function invite(address: string, call: number, transport = "UDP", body = ""): string {
  return request({
    via: [`SIP/2.0/${transport} ${address}:5060;branch=z9hG4bK${call}`],
    from: `<sip:+861087654321@${address}>;tag=t${call}`,
    callId: `${call}@${address}`,
    body,
  });
}

void t.test("kept INVITEs: one trunk's calls that nobody answers leave room for another's", (t) => {
  for (const [name, failoverSize, body, most] of [
    ["many", 200, "", 200],
    ["large", 100_000, `v=0\r\n${"a".repeat(60_000)}`, 1200],
  ] as const) {
    const proxy = createTestProxy(compileText(twoHops), { failoverSize, ledgerSize: 100_000 });
    let passed = 0;
    for (let call = 0; call < most; call++)
      if (outcomeOf(proxy.receive("203.0.113.10:5060", invite("203.0.113.10", call, "UDP", body))) !== "503")
        passed++;
    t.ok(passed < most && passed > most * 0.8, `${name}: ${passed} of ${most} pass`);
    for (let call = 0; call < 10; call++) {
      const [out] = proxy.receive("203.0.113.11:5060", invite("203.0.113.11", call));
      t.match(out?.to, /^198\.51\.100/u, `${name}: the calls of the other trunk do`);
      proxy.receive(out?.to ?? "", respond(out?.text ?? "", 486));
    }
    t.equal(proxy.counters.failoversFull, most - passed);
  }
  t.end();
});

void t.test(
  "kept INVITEs: a trunk that is answered is never held back, and one alone uses nearly all",
  (t) => {
    const proxy = createTestProxy(compileText(twoHops), { failoverSize: 200, ledgerSize: 100_000 });
    for (let call = 0; call < 1000; call++) {
      const [out] = proxy.receive("203.0.113.10:5060", invite("203.0.113.10", call));
      t.match(out?.to, /^198\.51\.100/u);
      proxy.receive(out?.to ?? "", respond(out?.text ?? "", 486));
    }
    t.end();
  },
);

void t.test("between a stream and datagrams: one trunk leaves room for another and for the core", (t) => {
  const rows = [
    ["stream to datagrams: repeats", "tcp", "TCP", oneHop],
    ["datagrams to a stream: answers", "udp", "UDP", oneHop.replaceAll('5060"]', '5060;transport=tcp"]')],
  ] as const;
  for (const [name, transport, via, policy] of rows) {
    const proxy = createStreamProxy(compileText(policy), { transactions: 100 });
    const port = transport === "udp" ? 5060 : 40_001;
    let passed = 0;
    for (let call = 0; call < 120; call++)
      if (
        outcomeOf(proxy.receive(transport, `203.0.113.10:${port}`, invite("203.0.113.10", call, via))) !==
        "503"
      )
        passed++;
    t.ok(passed > 85 && passed < 100, `${name}: ${passed} pass`);
    for (let call = 0; call < 4; call++)
      t.match(
        outcomeOf(proxy.receive(transport, `203.0.113.11:${port}`, invite("203.0.113.11", call, via))),
        /^to 198/u,
        name,
      );
    t.same(proxy.faults, []);
  }
  t.end();
});

void t.test("whose a connection is: trunk, core and next hop, a certificate to come, nobody", (t) => {
  const policy = compileText(`
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1] } }
  - { id: lease, side: lessee, match: { addresses: [203.0.113.10] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.9:5060;transport=tcp"] }
  - { id: named, side: lessee, match: { addresses: [203.0.113.0/24], tlsName: pbx.example }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.9:5060;transport=tcp"] }
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
`);
  const { proxy, now } = createStreamProxy(policy);
  const rows: readonly [address: string, names: readonly string[] | undefined, owner: string | undefined][] =
    [
      ["203.0.113.10", [], "lease"],
      ["203.0.113.10", undefined, "lease"],
      ["203.0.113.77", undefined, STRANGER],
      ["203.0.113.77", [], undefined],
      ["203.0.113.77", ["other.example"], undefined],
      ["203.0.113.77", ["pbx.example"], "named"],
      ["198.51.100.1", [], NEXT_HOP],
      ["198.51.100.9", [], NEXT_HOP],
      ["192.0.2.200", [], undefined],
      ["192.0.2.200", undefined, undefined],
    ];
  const [, tcp, tls] = everyListener;
  if (tcp === undefined || tls === undefined) throw new Error("no listeners");
  for (const [address, names, owner] of rows)
    t.equal(
      proxy.ownerOf(now, tls, { address, port: 40_001, names }),
      owner,
      `${address} ${names?.join() ?? "?"}`,
    );
  t.ok(proxy.isHop(tcp, "198.51.100.9", 5060));
  t.notOk(proxy.isHop(tcp, "198.51.100.9", 5061), "another port");
  t.notOk(proxy.isHop(tcp, "203.0.113.10", 5060), "a trunk that no call is sent to");
  t.end();
});
