import tap from "tap";
import { compileText, createTestProxy, outcomeOf, peers, respond, type TestProxy } from "../support/proxy.ts";
import { createHopProxy, hop, invite } from "../support/next-hops.ts";

/** The core is a cluster; its next hop and a gateway of its own stand where trunks tell sources apart. */
const policy = (core: string, hops = '["sip:198.51.100.1:5060"]'): string => `
version: 1
trunks:
  - { id: core, side: core, match: ${core} }
  - { id: lease, side: lessee, match: { addresses: [203.0.113.10] }, lessee: bank, areaCode: "10", nextHops: ${hops} }
  - { id: neighbour, side: national, match: { addresses: [198.51.100.1], ports: [5070] }, nextHops: ["sip:198.51.100.1:5060"] }
  - { id: intl, side: international, match: { addresses: [203.0.113.20] }, nextHops: ["sip:198.51.100.1:5060"] }
lessees: [{ id: bank, numbers: bank.csv }]
nextHopHealth: { probe: off }
`;
const cluster = policy("{ addresses: [198.51.100.0/28] }");
const single = policy("{ addresses: [198.51.100.1], ports: [5060] }");
/** No trunk covers the next hop. */
const uncovered = policy("{ addresses: [198.51.100.77] }");

type Row = readonly [name: string, policy: string, from: string, taken: boolean, told?: "stray" | "unknown"];
const rows: readonly Row[] = [
  ["the place that was asked", cluster, "198.51.100.1:5060", true],
  ["another port of that address", cluster, "198.51.100.1:50933", true],
  ["another node of that trunk", cluster, "198.51.100.2:5060", true],
  ["another node, another port", cluster, "198.51.100.14:6000", true],
  ["a neighbour at that address, a trunk of its own", cluster, "198.51.100.1:5070", false, "stray"],
  ["another trunk", cluster, peers.lessee, false, "stray"],
  ["an address beside the trunk", cluster, "198.51.100.16:5060", false, "unknown"],
  ["a stranger", cluster, peers.stranger, false, "unknown"],
  ["another port, which the trunk does not match", single, "198.51.100.1:50933", true],
  ["another address, which no trunk matches", single, "198.51.100.2:5060", false, "unknown"],
  ["a next hop of no trunk, from where it was asked", uncovered, "198.51.100.1:5060", true],
  ["a next hop of no trunk, from another port", uncovered, "198.51.100.1:50933", true],
  ["a next hop of no trunk, from another address", uncovered, "198.51.100.2:5060", false, "unknown"],
  ["the core's own address for a next hop of no trunk", uncovered, "198.51.100.77:5060", false, "stray"],
];

void tap.test("an answer is taken from the peer that was asked, whatever its port and node", async (t) => {
  for (const [name, text, from, taken, told] of rows) {
    const proxy = createTestProxy(compileText(text));
    const [asked] = proxy.receive(peers.lessee, invite(1));
    t.equal(asked?.to, "198.51.100.1:5060", name);
    const ringing = proxy.receive(from, respond(asked?.text ?? "", 180));
    t.equal(outcomeOf(ringing), taken ? "180" : "nothing", `${name}: 180`);
    t.equal(ringing[0]?.to, taken ? peers.lessee : undefined, name);
    t.equal(proxy.counters.strayResponses, told === "stray" ? 1 : 0, `${name}: stray`);
    t.equal(proxy.counters.unknownSource, told === "unknown" ? 1 : 0, `${name}: unread`);
    const restarted = createTestProxy(compileText(text));
    t.equal(
      restarted.receive(from, respond(asked?.text ?? "", 180)).length,
      taken ? 1 : 0,
      `${name}: after a restart`,
    );
  }
});

void tap.test("no answer but that of our request is taken from elsewhere", async (t) => {
  const forgeries: readonly (readonly [name: string, forge: (text: string) => string])[] = [
    ["another place stated", (text) => text.replace(/;st=[^;\r]*/u, ";st=198.51.100.2_5060")],
    ["no place stated", (text) => text.replace(/;st=[^;\r]*/u, "")],
    ["an empty place", (text) => text.replace(/;st=[^;\r]*/u, ";st=")],
    ["a place of another transport", (text) => text.replace(/(;st=[^;\r]*)/u, "$1_tcp")],
    ["a long place", (text) => text.replace(/(;st=[^;\r]*)/u, `$1${"_1".repeat(400)}`)],
    ["another Call-ID", (text) => text.replace("Call-ID: call-1", "Call-ID: call-2")],
    ["another branch", (text) => text.replace(/branch=z9hG4bKsw.\w{4}/u, "branch=z9hG4bKsw00000")],
    ["another caller's Via", (text) => text.replace("UDP 203.0.113.10:5060", "UDP 203.0.113.10:5099")],
  ];
  for (const [name, forge] of forgeries) {
    const proxy = createTestProxy(compileText(cluster));
    const [asked] = proxy.receive(peers.lessee, invite(1));
    const answer = respond(asked?.text ?? "", 180);
    t.not(forge(answer), answer, `${name}: differs`);
    t.same(proxy.receive("198.51.100.2:5060", forge(answer)), [], name);
    t.equal(proxy.counters.strayResponses, 1, name);
    t.equal(proxy.counters.trunks.get("core")?.strayResponses, 1, `${name}: told of its trunk`);
    t.match(proxy.counters.strays.take(1)[0], /^core 198\.51\.100\.2:5060, .+ ×1$/u, name);
    t.equal(outcomeOf(proxy.receive("198.51.100.2:5060", answer)), "180", `${name}: the true one passes`);
  }
});

void tap.test("of a next hop, requests from a port that no trunk matches stay unread", async (t) => {
  const proxy = createTestProxy(compileText(uncovered));
  for (const text of [invite(1), "SIP/2.0", "SIP/2.0 ", "x"]) proxy.receive("198.51.100.1:50933", text);
  t.equal(proxy.counters.unknownSource, 3);
  t.same(proxy.events, []);
});

function stateOf(proxy: TestProxy, id: string): string | undefined {
  return proxy.nextHops().find((each) => each.id === id)?.state;
}

void tap.test("what an answer from elsewhere says is said of the next hop that was asked", async (t) => {
  const proxy = createHopProxy('["sip:198.51.100.1:5060", { uri: "sip:198.51.100.2:5060", priority: 2 }]');
  for (const message of proxy.pass(1100)) proxy.receive("198.51.100.9:7000", respond(message.text, 200));
  t.equal(stateOf(proxy, hop.a), "up", "OPTIONS answered by another node");
  t.equal(stateOf(proxy, hop.b), "up");
  const [asked] = proxy.receive(peers.lessee, invite(1));
  t.equal(asked?.to, hop.a);
  const moved = proxy.receive("198.51.100.1:7000", respond(asked?.text ?? "", 503));
  t.same(
    moved.map(({ text, to }) => `${text.split(" ", 1)[0]} ${to}`),
    [`ACK ${hop.a}`, `INVITE ${hop.b}`],
    "a 503 from another port moves the call; its ACK goes to where the INVITE went",
  );
});
