import tap from "tap";
import { createListener } from "../../src/routing/listener.ts";
import {
  basicPolicy,
  compileText,
  createTestProxy,
  headers,
  outcomeOf,
  peers,
  request,
  respond,
  type Sent,
  type TestProxy,
} from "../support/proxy.ts";

const outer = createListener("udp:192.0.2.1:5060", 0, "udp", "192.0.2.1", 5060);
const inner = createListener("udp:192.0.2.2:5060", 1, "udp", "192.0.2.2", 5060);

/** Trunks tied to their sides. */
const tied = basicPolicy
  .replace("addresses: [198.51.100.1,", 'listener: "udp:192.0.2.2:5060", addresses: [198.51.100.1,')
  .replaceAll(/addresses: \[203/gu, 'listener: "udp:192.0.2.1:5060", addresses: [203');
/** Only the core is: the other trunks are heard on both. */
const coreOnly = basicPolicy.replace(
  "addresses: [198.51.100.1,",
  'listener: "udp:192.0.2.2:5060", addresses: [198.51.100.1,',
);

function create(policy: string): TestProxy {
  return createTestProxy(compileText(policy), { listeners: [outer, inner] });
}

const fromCore = (uri: string, more: Parameters<typeof request>[0] = {}): string =>
  request({
    uri,
    via: ["SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKcore1"],
    from: "<sip:+8613812345678@198.51.100.1>;tag=core",
    to: "<sip:01087654321@192.0.2.2>",
    callId: "core-1",
    headers: ["Contact: <sip:c@198.51.100.1:5060>"],
    ...more,
  });

const shown = (sent: readonly Sent[]): string[] =>
  sent.map(({ listener, to, text }) => `${text.split(" ", 1)[0] ?? ""} ${listener} ${to}`);

void tap.test(
  "a message leaves by the side of the peer that it goes to, and both sides are recorded",
  async (t) => {
    for (const [name, policy] of [
      ["tied", tied],
      ["the core alone tied", coreOnly],
    ] as const) {
      const proxy = create(policy);
      t.same(
        shown(proxy.pass(1100)).filter((each) => each.includes(peers.core)),
        [`OPTIONS ${inner.id} ${peers.core}`],
        `${name}: OPTIONS`,
      );
      const invite = request();
      const [out] = proxy.receive(peers.lessee, invite, outer);
      t.same(shown(out === undefined ? [] : [out]), [`INVITE ${inner.id} ${peers.core}`], name);
      t.match(headers(out?.text ?? "", "Via")[0], /UDP 192\.0\.2\.2:5060/u, name);
      const recorded = headers(out?.text ?? "", "Record-Route");
      t.match(recorded[0], /^<sip:192\.0\.2\.2:5060;lr;/u, `${name}: the called side's on top`);
      t.match(recorded[1], /^<sip:192\.0\.2\.1:5060;lr;/u, name);
      const cancel = request({ method: "CANCEL", cseq: "1 CANCEL", headers: [] });
      t.same(
        shown(proxy.receive(peers.lessee, cancel, outer)),
        [`CANCEL ${inner.id} ${peers.core}`],
        `${name}: CANCEL`,
      );
      const [ok] = proxy.receive(peers.core, respond(out?.text ?? "", 200), inner);
      t.same(
        shown(ok === undefined ? [] : [ok]),
        [`SIP/2.0 ${outer.id} ${peers.lessee}`],
        `${name}: the answer`,
      );
      const set = headers(ok?.text ?? "", "Record-Route");
      const bye = (from: "caller" | "called"): string =>
        request({
          method: "BYE",
          cseq: "2 BYE",
          uri: from === "caller" ? "sip:c@198.51.100.1:5060" : "sip:pbx@203.0.113.10:5060",
          via: [`SIP/2.0/UDP ${from === "caller" ? peers.lessee : peers.core};branch=z9hG4bKbye`],
          from:
            from === "caller"
              ? "<sip:+861087654321@203.0.113.10>;tag=caller"
              : "<sip:02787654321@192.0.2.1>;tag=called",
          to:
            from === "caller"
              ? "<sip:02787654321@192.0.2.1>;tag=called"
              : "<sip:+861087654321@203.0.113.10>;tag=caller",
          headers: (from === "caller" ? set.toReversed() : set).map((value) => `Route: ${value}`),
        });
      t.same(
        shown(proxy.receive(peers.lessee, bye("caller"), outer)),
        [`BYE ${inner.id} ${peers.core}`],
        `${name}: BYE of the caller`,
      );
      t.same(
        shown(proxy.receive(peers.core, bye("called"), inner)),
        [`BYE ${outer.id} ${peers.lessee}`],
        `${name}: BYE of the called side`,
      );
      const restarted = create(policy);
      t.same(
        shown(restarted.receive(peers.core, bye("called"), inner)),
        [`BYE ${outer.id} ${peers.lessee}`],
        `${name}: after a restart`,
      );
    }
  },
);

void tap.test("a call of the core arrives at a PBX from the address that the PBX knows", async (t) => {
  const proxy = create(tied);
  const [out] = proxy.receive(peers.core, fromCore("sip:01087654321@203.0.113.10:5060"), inner);
  t.same(shown(out === undefined ? [] : [out]), [`INVITE ${outer.id} ${peers.lessee}`]);
  t.match(headers(out?.text ?? "", "Record-Route")[0], /^<sip:192\.0\.2\.1:5060;lr;/u);
  t.equal(outcomeOf(proxy.receive(peers.lessee, respond(out?.text ?? "", 180), outer)), "180");
  t.equal(
    proxy.receive(peers.core, fromCore("sip:01087654321@203.0.113.10:5060", { callId: "c2" }), outer).length,
    0,
    "nobody is the core on the other side",
  );
});

/** The core and a PBX at one address: the listener alone tells them apart. */
const oneHost = basicPolicy
  .replace("addresses: [198.51.100.1,", 'listener: "udp:192.0.2.2:5060", addresses: [198.51.100.1,')
  .replace("addresses: [203.0.113.10]", 'listener: "udp:192.0.2.1:5060", addresses: [198.51.100.1]');

void tap.test("the core and a PBX may share an address", async (t) => {
  const proxy = create(oneHost);
  t.ok(
    shown(proxy.pass(1100)).includes(`OPTIONS ${inner.id} ${peers.core}`),
    "OPTIONS to the core leaves by its side",
  );
  const host = "198.51.100.1:5080";
  const invite = request({ via: [`SIP/2.0/UDP ${host};branch=z9hG4bKpbx`] });
  const [out] = proxy.receive(host, invite, outer);
  t.same(shown(out === undefined ? [] : [out]), [`INVITE ${inner.id} ${peers.core}`]);
  t.equal(outcomeOf(proxy.receive(peers.core, respond(out?.text ?? "", 180), inner)), "180");
  const toPbx = fromCore(`sip:01087654321@${host}`);
  t.same(shown(proxy.receive(peers.core, toPbx, inner)), [`INVITE ${outer.id} ${host}`]);
  const cancel = fromCore(`sip:01087654321@${host}`, { method: "CANCEL", cseq: "1 CANCEL", headers: [] });
  t.same(shown(proxy.receive(peers.core, cancel, inner)), [`CANCEL ${outer.id} ${host}`]);
  const via = [`SIP/2.0/UDP ${peers.core};branch=z9hG4bKcore2`];
  const toItself = fromCore(`sip:01087654321@${peers.core}`, { callId: "core-2", via });
  t.equal(outcomeOf(proxy.receive(peers.core, toItself, inner)), "403", "the core itself");
});

const pbx = basicPolicy
  .replace(
    "id: core, side: core,",
    'id: core, side: core, nextHops: ["sip:203.0.113.10:5060", { uri: "sip:203.0.113.11:5060", priority: 2 }],',
  )
  .replace("addresses: [198.51.100.1,", "addresses: [198.51.100.0/28,");

const calls: readonly (readonly [name: string, text: string, outcome: string])[] = [
  ["the filter", fromCore("sip:01087654321@192.0.2.1:5060"), `to ${peers.lessee}`],
  ["the filter, without port", fromCore("sip:01087654321@192.0.2.1"), `to ${peers.lessee}`],
  [
    "the filter by Route, and by Request-URI",
    fromCore("sip:01087654321@192.0.2.1", { headers: ["Route: <sip:192.0.2.1;lr>"] }),
    `to ${peers.lessee}`,
  ],
  [
    "the filter by Route, and a name",
    fromCore("sip:01087654321@bank.example", { headers: ["Route: <sip:192.0.2.1;lr>"] }),
    `to ${peers.lessee}`,
  ],
  ["a PBX", fromCore("sip:01087654321@203.0.113.11:5060"), `to ${peers.second}`],
  [
    "a PBX by Route",
    fromCore("sip:01087654321@192.0.2.1", { headers: ["Route: <sip:203.0.113.20:5060;lr>"] }),
    `to ${peers.abroad}`,
  ],
  [
    "the filter by Route, and a PBX",
    fromCore("sip:01087654321@203.0.113.11", { headers: ["Route: <sip:192.0.2.1;lr>"] }),
    `to ${peers.second}`,
  ],
  ["a number", fromCore("tel:+861087654321"), `to ${peers.lessee}`],
  [
    "a number by Route",
    fromCore("tel:+861087654321", { headers: ["Route: <sip:203.0.113.20:5060;lr>"] }),
    `to ${peers.abroad}`,
  ],
  ["an emergency service", fromCore("urn:service:sos.fire"), `to ${peers.lessee}`],
  ["nobody we know", fromCore("sip:01087654321@203.0.113.99:5060"), "404"],
  ["a name", fromCore("sip:01087654321@bank.example"), "404"],
  ["the core itself", fromCore("sip:02787654321@198.51.100.1:5060"), "403"],
  ["another node of the core", fromCore("sip:02787654321@198.51.100.2:5060"), "403"],
  [
    "the core by Route",
    fromCore("sip:02787654321@192.0.2.1", { headers: ["Route: <sip:198.51.100.1:5060;lr>"] }),
    "403",
  ],
  [
    "the core behind our Route",
    fromCore("sip:02787654321@198.51.100.1", { headers: ["Route: <sip:192.0.2.1;lr>"] }),
    "403",
  ],
  [
    "the core with a forged dialog",
    fromCore("sip:02787654321@198.51.100.1:5060", { to: "<sip:x@y>;tag=z" }),
    "403",
  ],
  ["a MESSAGE to the core", fromCore("sip:02787654321@198.51.100.1:5060", { method: "MESSAGE" }), "403"],
  ["an OPTIONS to the core", fromCore("sip:x@198.51.100.1:5060", { method: "OPTIONS" }), "200"],
  [
    "a MESSAGE to the filter",
    fromCore("sip:01087654321@192.0.2.1", { method: "MESSAGE" }),
    `to ${peers.lessee}`,
  ],
];

void tap.test(
  "the core: calls to the filter go to its next hops, calls to a PBX go there, none goes back to the core",
  async (t) => {
    for (const [name, text, outcome] of calls) {
      const proxy = createTestProxy(compileText(pbx));
      t.equal(outcomeOf(proxy.receive(peers.core, text)), outcome, name);
      if (outcome === "403" && text.startsWith("INVITE") && !text.includes("tag=z"))
        t.equal(proxy.decisions[0]?.verdict.reason, "routing-refused", name);
    }
  },
);

void tap.test(
  "next hops of the core fail over as those of any trunk; a PBX that the core named does not",
  async (t) => {
    const proxy = createTestProxy(compileText(pbx));
    const [out] = proxy.receive(peers.core, fromCore("sip:01087654321@192.0.2.1"));
    t.same(
      shown(proxy.receive(peers.lessee, respond(out?.text ?? "", 503))).map((each) => each.split(" ").at(-1)),
      [peers.lessee, peers.second],
    );
    const [named] = proxy.receive(
      peers.core,
      fromCore("sip:01087654321@203.0.113.10", {
        callId: "c3",
        via: ["SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKc3"],
      }),
    );
    t.equal(named?.to, peers.lessee);
    t.equal(outcomeOf(proxy.receive(peers.lessee, respond(named?.text ?? "", 503))), "503");
  },
);
