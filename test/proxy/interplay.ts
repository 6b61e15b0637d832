import t from "tap";
import { compileText, header, outcomeOf, peers, request, respond, type Sent } from "../support/proxy.ts";
import { createHopProxy, follow, hop, invite, policyWith, summary } from "../support/next-hops.ts";
import { createStreamProxy, listenerFor, streamPolicy, type StreamProxy } from "../support/streams.ts";

const two = `[{ uri: "sip:${hop.a}" }, { uri: "sip:${hop.b}", priority: 2 }]`;
const quiet =
  "nextHopHealth: { probe: off, timeoutSeconds: 30, missesUntilDown: 100, intervalSeconds: 3600, longestIntervalSeconds: 3600 }";
const core = "198.51.100.1:5060";
const stream = "203.0.113.10:40001";
const datagram = "203.0.113.10:5070";

function via(transport: "TCP" | "UDP"): readonly string[] {
  return [`SIP/2.0/${transport} 203.0.113.10:5070;branch=z9hG4bKcall1`];
}

/** The calls that an INVITE was sent for, each once. */
function invited(sent: readonly Sent[], place: string): ReadonlySet<string | undefined> {
  return new Set(
    sent
      .filter(({ text, to }) => text.startsWith("INVITE ") && to === place)
      .map(({ text }) => header(text, "Call-ID")),
  );
}

void t.test(
  "calls that can go nowhere do not keep others from moving, nor from being repeated",
  async (t) => {
    const lonely = `nextHops: [{ uri: "sip:198.51.100.8:5060" }, { uri: "sip:198.51.100.9:5060", priority: 2 }]`;
    const policy = policyWith(two, quiet).replace(
      /(id: lease-2.*)nextHops: \[[^\]]*\]/u,
      (_all, before: string) => before + lonely,
    );
    const proxy = createHopProxy(two, quiet);
    proxy.policy = compileText(policy);
    proxy.pass(100);
    proxy.unreachable("198.51.100.8:5060");
    proxy.unreachable("198.51.100.9:5060");
    for (let i = 0; i < 300; i++)
      proxy.receive(
        peers.second,
        request({
          callId: `stuck-${i}`,
          via: [`SIP/2.0/UDP 203.0.113.11:5060;branch=z9hG4bKstuck${i}`],
        }),
      );
    for (let i = 0; i < 3; i++) proxy.receive(peers.lessee, invite(i));
    proxy.unreachable(hop.a);
    t.equal(invited(proxy.pass(1000), hop.b).size, 3, "moved");
    t.equal(invited(proxy.pass(1000), hop.b).size, 3, "and repeated");
    const ends = proxy.pass(40_000).filter(({ to }) => to === peers.lessee);
    t.same(new Set(ends.map(({ text }) => text.slice(8, 11))), new Set(["408"]), "and answered in the end");
    t.equal(ends.length, 3);
  },
);

void t.test("more waiting calls than one tick moves: all of them move", async (t) => {
  const proxy = createHopProxy(two, quiet);
  proxy.pass(100);
  for (let i = 0; i < 450; i++) proxy.receive(peers.lessee, invite(i));
  proxy.unreachable(hop.a);
  t.equal(invited(proxy.pass(1000), hop.b).size, 450);
});

void t.test("a moved call that nobody answers is answered 408, however much else is going on", async (t) => {
  const proxy = createHopProxy(two, quiet);
  proxy.pass(100);
  proxy.receive(peers.lessee, invite(1));
  proxy.unreachable(hop.a);
  proxy.pass(31_900);
  // Between two ticks, other calls take the places of those that are over.
  proxy.now += 150;
  const begun = proxy.now;
  for (let i = 2; i < 40; i++) proxy.receive(peers.lessee, invite(i));
  const ends = proxy.pass(200).filter(({ to, text }) => to === peers.lessee && text.includes("call-1\r\n"));
  t.same(summary(ends), [`408 to ${peers.lessee}`]);
  t.ok(proxy.now - begun < 1000);
});

void t.test("a next hop that left the policy while it has a call", async (t) => {
  const begun = (): ReturnType<typeof createHopProxy> => {
    const proxy = createHopProxy(two, quiet);
    proxy.pass(100);
    proxy.receive(peers.lessee, invite(1));
    proxy.unreachable(hop.a);
    return proxy;
  };
  const ringing = begun();
  const [moved] = ringing.pass(100);
  t.equal(moved?.to, hop.b);
  ringing.policy = compileText(policyWith(`["sip:${hop.c}", "sip:198.51.100.4:5060"]`, quiet));
  ringing.pass(100);
  t.equal(outcomeOf(ringing.receive(hop.b, respond(moved?.text ?? "", 180))), "180");
  t.same(summary(ringing.pass(40_000)), [], "it rings: no repeats, no 408");

  const busy = begun();
  const [second] = busy.pass(100);
  busy.policy = compileText(policyWith(`["sip:${hop.c}", "sip:198.51.100.4:5060"]`, quiet));
  busy.pass(100);
  t.equal(outcomeOf(busy.receive(hop.b, respond(second?.text ?? "", 486))), "486");
  t.same(summary(busy.receive(peers.lessee, follow("ACK", 1))), [`ACK to ${hop.b}`]);
  t.same(summary(busy.pass(40_000)), [], "it is over");
});

void t.test("two trunks at one address keep their calls apart", async (t) => {
  const byPort = policyWith(two, quiet)
    .replace("match: { addresses: [203.0.113.10] }", "match: { addresses: [203.0.113.10], ports: [5060] }")
    .replace("match: { addresses: [203.0.113.11] }", "match: { addresses: [203.0.113.10], ports: [5062] }")
    .replace(
      /(id: lease-2.*)nextHops: \[[^\]]*\]/u,
      (_all, before: string) => `${before}nextHops: ["sip:198.51.100.8:5060", "sip:198.51.100.9:5060"]`,
    );
  const proxy = createHopProxy(two, quiet);
  proxy.policy = compileText(byPort);
  proxy.pass(100);
  t.equal(outcomeOf(proxy.receive(peers.lessee, invite(1))), `to ${hop.a}`);
  const [other] = proxy.receive("203.0.113.10:5062", invite(1));
  t.match(other?.to, /^198\.51\.100\.[89]:/u);
  t.equal(outcomeOf(proxy.receive(peers.lessee, invite(1))), `to ${hop.a}`, "the repeat");
  t.same(summary(proxy.receive(peers.lessee, follow("CANCEL", 1))), [`CANCEL to ${hop.a}`]);
});

void t.test("a trunk that begins to redirect: calls in progress go on", async (t) => {
  const proxy = createHopProxy(`["sip:${hop.a}"]`, quiet);
  const [ringing] = proxy.receive(peers.lessee, invite(1));
  proxy.receive(hop.a, respond(ringing?.text ?? "", 180));
  const [answered] = proxy.receive(peers.lessee, invite(2));
  const route =
    header(proxy.receive(hop.a, respond(answered?.text ?? "", 200))[0]?.text ?? "", "Record-Route") ?? "";
  proxy.policy = compileText(policyWith(`["sip:${hop.a}"]`, quiet, ", mode: redirect"));
  t.same(summary(proxy.receive(peers.lessee, follow("CANCEL", 1))), [`CANCEL to ${hop.a}`]);
  t.same(summary(proxy.receive(peers.lessee, follow("ACK", 1))), [`ACK to ${hop.a}`]);
  const ack = request({
    method: "ACK",
    callId: "call-2",
    cseq: "1 ACK",
    to: "<sip:02787654321@192.0.2.1>;tag=called",
    via: ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKack"],
    headers: [`Route: ${route}`],
  });
  t.same(summary(proxy.receive(peers.lessee, ack)), [`ACK to ${hop.a}`], "of a 2xx");
  t.equal(outcomeOf(proxy.receive(peers.lessee, invite(3))), "302");
  proxy.pass(40_000);
  t.same(summary(proxy.receive(peers.lessee, follow("CANCEL", 3))), [], "nothing was sent on");
});

void t.test("a call that tcpAbove moved to TCP and that rings for long can be cancelled", async (t) => {
  const proxy = createStreamProxy(streamPolicy("udp", ", tcpAbove: 1300"));
  const body = `v=0\r\n${"x".repeat(1400)}`;
  const [out] = proxy.receive("udp", datagram, request({ via: via("UDP"), body }));
  t.equal(out?.listener, "tcp:192.0.2.1:5060");
  proxy.receive("tcp", core, respond(out?.text ?? "", 180));
  proxy.wait(60_000);
  const cancel = request({ method: "CANCEL", cseq: "1 CANCEL", via: via("UDP"), headers: [] });
  const sent = proxy.receive("udp", datagram, cancel);
  const branch = header(out?.text ?? "", "Via");
  t.ok(
    sent.some(({ text, listener }) => listener.startsWith("tcp:") && header(text, "Via") === branch),
    "by TCP, under the branch of its INVITE",
  );
});

void t.test(
  "a cancelled INVITE is not repeated: it must not ring later (RFC 3261 section 9.1)",
  async (t) => {
    const proxy = createStreamProxy(streamPolicy("udp"));
    proxy.receive("tcp", stream, request({ via: via("TCP") }));
    const cancel = request({ method: "CANCEL", cseq: "1 CANCEL", via: via("TCP"), headers: [] });
    t.equal(outcomeOf(proxy.receive("tcp", stream, cancel)), `to ${core}`);
    t.same(
      summary(proxy.wait(40_000)).filter((line) => line.startsWith("INVITE")),
      [],
    );
  },
);

void t.test("a full table stops new calls only: what is in progress goes on, unrepeated", async (t) => {
  for (const [transport, from, name, next] of [
    ["tcp", stream, "TCP", "udp"],
    ["udp", datagram, "UDP", "tcp"],
  ] as const) {
    const proxy = createStreamProxy(streamPolicy(next, ", exception: reject"), { transactions: 16 });
    let route = "";
    for (let i = 0; i < 16; i++) {
      const text = request({ via: via(name).map((value) => value + String(i)), callId: `c${i}` });
      const [out] = proxy.receive(transport, from, text);
      if (i === 0) route = header(out?.text ?? "", "Record-Route") ?? "";
      if (i === 0 && next === "udp") proxy.receive(next, core, respond(out?.text ?? "", 200));
    }
    if (next === "udp")
      proxy.receive(transport, from, request({ via: via(name).map((value) => `${value}z`), callId: "z" }));
    const bye = request({
      method: "BYE",
      cseq: "2 BYE",
      callId: "c0",
      via: via(name).map((value) => `${value}bye`),
      to: "<sip:02787654321@192.0.2.1>;tag=called",
      headers: route.split(/,\s*/u).map((value) => `Route: ${value}`),
    });
    t.equal(outcomeOf(proxy.receive(transport, from, bye)), `to ${core}`, `${transport}: BYE`);
    t.equal(
      outcomeOf(proxy.receive(transport, from, request({ via: via(name), callId: "new" }))),
      "503",
      `${transport}: INVITE`,
    );
  }
});

function lose(proxy: StreamProxy, place: string, sent: Sent | undefined): readonly Sent[] {
  const [address = "", port = ""] = place.split(":");
  proxy.proxy.undelivered(
    proxy.now,
    listenerFor("tcp", address),
    address,
    Number(port),
    sent?.bytes ?? Buffer.alloc(0),
    "unreached",
  );
  return proxy.take();
}

void t.test("an answer that a closed connection can't take says nothing of the next hop", async (t) => {
  const proxy = createStreamProxy(streamPolicy("tcp"));
  proxy.wait(100);
  const [answer] = proxy.receive(
    "tcp",
    "198.51.100.1:41000",
    request({
      method: "OPTIONS",
      cseq: "1 OPTIONS",
      uri: "sip:192.0.2.1",
      via: ["SIP/2.0/TCP 198.51.100.1:41000;branch=z9hG4bKping"],
    }),
  );
  t.match(answer?.text, /^SIP\/2\.0 200/u);
  lose(proxy, "198.51.100.1:41000", answer);
  t.not(proxy.proxy.nextHops()[0]?.state, "down");
  lose(proxy, core, answer);
  t.equal(proxy.proxy.nextHops()[0]?.state, "down", "its own port does");
});

void t.test(
  "a repeat that meets no answer goes on: the connection may have broken with the first one in it",
  async (t) => {
    const proxy = createStreamProxy(streamPolicy("tcp"));
    const text = request({ via: via("UDP") });
    const [out] = proxy.receive("udp", datagram, text);
    const [again] = proxy.receive("udp", datagram, text);
    t.equal(again?.text, out?.text, "the same bytes: one transaction");
    proxy.receive("tcp", core, respond(out?.text ?? "", 100));
    t.equal(outcomeOf(proxy.receive("udp", datagram, text)), "100", "it is there");
  },
);
void t.test("an address that DNS gives no more stays a source over streams too", async (t) => {
  const policy = compileText(`
version: 1
trunks:
  - { id: lease, side: lessee, match: { addresses: [203.0.113.10] }, lessee: bank, areaCode: "10", nextHops: ["sip:core.example;transport=tcp"] }
lessees:
  - { id: bank, numbers: bank.csv }
nextHopHealth: { probe: off }
`);
  const proxy = createStreamProxy(policy);
  const place = { port: 5060, priority: 0, weight: 1 };
  proxy.wait(100);
  const hopId = proxy.proxy.nextHops()[0]?.id ?? "";
  proxy.proxy.resolve(proxy.now, hopId, [{ ...place, address: "198.51.100.1" }]);
  const [out] = proxy.receive("tcp", stream, request({ via: via("TCP") }));
  t.equal(out?.to, core);
  const [answered] = proxy.receive("tcp", core, respond(out?.text ?? "", 200));
  proxy.proxy.resolve(proxy.now, hopId, [{ ...place, address: "198.51.100.2" }]);
  const listener = listenerFor("tcp", "198.51.100.1");
  const peer = { address: "198.51.100.1", port: 5060, names: [] };
  t.equal(proxy.proxy.ownerOf(proxy.now, listener, peer), "next-hop", "its connection stays open");
  const bye = request({
    method: "BYE",
    cseq: "2 BYE",
    via: ["SIP/2.0/TCP 203.0.113.10:5070;branch=z9hG4bKbye"],
    to: "<sip:02787654321@192.0.2.1>;tag=called",
    headers: [`Route: ${header(answered?.text ?? "", "Record-Route") ?? ""}`],
  });
  t.equal(outcomeOf(proxy.receive("tcp", stream, bye)), `to ${core}`, "where its call is");
  proxy.wait(100);
  proxy.now += 5 * 3_600_000;
  proxy.wait(100);
  t.equal(proxy.proxy.ownerOf(proxy.now, listener, peer), undefined, "for hours, not for ever");
});

void t.test("a name that leads to ourselves alone: the caller is told, and nothing is sent", async (t) => {
  const proxy = createHopProxy(`["sip:core.example:5060"]`, quiet);
  proxy.pass(100);
  const id = proxy.nextHops().find(({ trunk }) => trunk === "lease")?.id ?? "";
  proxy.resolve(id, [{ address: "192.0.2.1", port: 5060, priority: 0, weight: 1 }]);
  t.same(summary(proxy.receive(peers.lessee, invite(1))), [`503 to ${peers.lessee}`]);
  proxy.resolve(id, [{ address: "198.51.100.1", port: 5060, priority: 0, weight: 1 }]);
  t.same(summary(proxy.receive(peers.lessee, invite(2))), [`INVITE to ${hop.a}`]);
});

void t.test("what tcpAbove moved to TCP is not taken for a next hop at the same address", async (t) => {
  const policy = compileText(
    policyWith(
      `["sip:${hop.a}", { uri: "sip:198.51.100.1:5080;transport=tcp", priority: 2 }]`,
      quiet,
      ", tcpAbove: 1300",
    ),
  );
  const proxy = createStreamProxy(policy);
  proxy.wait(100);
  const [out] = proxy.receive(
    "udp",
    datagram,
    request({ via: via("UDP"), body: `v=0\r\n${"x".repeat(1400)}` }),
  );
  t.equal(out?.to, hop.a);
  t.equal(out?.listener, "tcp:192.0.2.1:5060");
  const cancel = request({ method: "CANCEL", cseq: "1 CANCEL", via: via("UDP"), headers: [] });
  t.equal(outcomeOf(proxy.receive("udp", datagram, cancel)), `to ${hop.a}`);
});

void t.test("a withheld number stays so in the CANCEL of a call that rings for long", async (t) => {
  const roamer = {
    from: "<sip:+8613912345678@a>;tag=c",
    via: [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bKroam`],
  };
  const cancel = request({ ...roamer, method: "CANCEL", cseq: "1 CANCEL", headers: [] });
  const hops = `["sip:${hop.a}"]`;
  for (const more of [quiet, ""]) {
    const proxy = createHopProxy(hops, more);
    proxy.policy = compileText(
      policyWith(hops, more).replace(
        "side: international,",
        "side: international, rules: { home-cli-from-abroad: { roamers: withhold } },",
      ),
    );
    proxy.pass(100);
    const [out] = proxy.receive(peers.abroad, request(roamer));
    t.match(header(out?.text ?? "", "From"), /anonymous@/u);
    proxy.receive(hop.a, respond(out?.text ?? "", 180));
    proxy.pass(200_000);
    const [sent] = proxy.receive(peers.abroad, cancel);
    t.equal(sent?.to, hop.a);
    t.match(header(sent?.text ?? "", "From"), /anonymous@/u);
    t.equal(header(sent?.text ?? "", "Via"), header(out?.text ?? "", "Via"));
  }
});
