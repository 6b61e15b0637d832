import t from "tap";
import type { NextHop, SipTransport } from "../../src/domain/trunk.ts";
import { createNames, refreshDelay, retryDelay } from "../../src/wire/dns/next-hop-names.ts";
import { createQuestions, lookUp } from "../../src/wire/dns/name-lookup.ts";
import type { ResolvedAddress } from "../../src/routing/next-hops.ts";
import { openDnsServer, type DnsServer, type Zone } from "../support/dns-server.ts";
import { compileText } from "../support/proxy.ts";
import { policyWith } from "../support/next-hops.ts";

const zone: Zone = new Map([
  ["A sbc.test", [{ data: "192.0.2.1", ttl: 300 }]],
  ["AAAA sbc.test", [{ data: "2001:db8:0:0:0:0:0:1", ttl: 90 }]],
  [
    "A pool.test",
    [
      { data: "192.0.2.12", ttl: 60 },
      { data: "192.0.2.11", ttl: 60 },
    ],
  ],
  [
    "SRV _sip._udp.srv.test",
    [
      { data: "20 1 5080 backup.test", ttl: 999 },
      { data: "10 30 5070 pool.test", ttl: 999 },
      { data: "10 10 5060 gone.test", ttl: 999 },
    ],
  ],
  ["SRV _sip._tcp.srv.test", [{ data: "1 1 5090 sbc.test", ttl: 999 }]],
  ["SRV _sips._tcp.srv.test", [{ data: "1 1 5091 sbc.test", ttl: 999 }]],
  ["A backup.test", [{ data: "192.0.2.20", ttl: 30 }]],
  ["SRV _sip._udp.none.test", [{ data: "0 0 0 .", ttl: 999 }]],
  ["A none.test", [{ data: "192.0.2.66", ttl: 60 }]],
  ["TXT empty.test", []],
]);

async function withServer(run: (server: DnsServer) => Promise<void>): Promise<void> {
  const server = await openDnsServer();
  for (const [name, records] of zone) server.zone.set(name, records);
  try {
    await run(server);
  } finally {
    await server.close();
  }
}

function text({ address, port, priority, weight }: ResolvedAddress): string {
  return `${address} ${port} ${priority} ${weight}`;
}

void t.test("look-ups: RFC 3263 section 4.2 without NAPTR", async (t) => {
  // name, port, transport, families, what is found, TTL in seconds
  const rows: readonly (readonly [
    string,
    number,
    SipTransport,
    readonly (4 | 6)[],
    readonly string[],
    number,
  ])[] = [
    ["sbc.test", 5099, "udp", [4], ["192.0.2.1 5099 0 1"], 300],
    ["sbc.test", 5099, "udp", [4, 6], ["192.0.2.1 5099 0 1", "2001:db8::1 5099 0 1"], 90],
    ["sbc.test", 0, "udp", [4], ["192.0.2.1 5060 0 1"], 300],
    ["sbc.test", 0, "tcp", [4], ["192.0.2.1 5060 0 1"], 300],
    ["sbc.test", 0, "tls", [4], ["192.0.2.1 5061 0 1"], 300],
    ["sbc.test", 0, "udp", [6], ["2001:db8::1 5060 0 1"], 90],
    ["pool.test", 0, "udp", [4, 6], ["192.0.2.11 5060 0 1", "192.0.2.12 5060 0 1"], 60],
    // A target that is gone makes the rest short-lived; the weight is shared by a target's addresses.
    [
      "srv.test",
      0,
      "udp",
      [4],
      ["192.0.2.11 5070 10 15", "192.0.2.12 5070 10 15", "192.0.2.20 5080 20 1"],
      0,
    ],
    ["srv.test", 0, "tcp", [4], ["192.0.2.1 5090 1 1"], 60],
    ["srv.test", 0, "tls", [4], ["192.0.2.1 5091 1 1"], 60],
  ];
  const failing: readonly (readonly [string, number, SipTransport, readonly (4 | 6)[]])[] = [
    ["srv.test", 5060, "udp", [4]],
    ["none.test", 0, "udp", [4]],
    ["empty.test", 0, "udp", [4, 6]],
    ["nowhere.test", 0, "udp", [4, 6]],
    ["pool.test", 5060, "udp", [6]],
  ];
  await withServer(async (server) => {
    const questions = createQuestions([server.place]);
    for (const [host, port, transport, families, expected, ttl] of rows) {
      const found = await lookUp(questions, { host, port, transport }, families);
      t.same(found.addresses.map(text), expected, `${host}:${port} ${transport}`);
      t.equal(found.ttl, ttl);
    }
    for (const [host, port, transport, families] of failing)
      await t.rejects(lookUp(questions, { host, port, transport }, families), `${host}:${port}`);
    t.ok(server.asked.includes("SRV _sip._udp.srv.test"));
    server.mode = "failure";
    await t.rejects(
      lookUp(questions, { host: "sbc.test", port: 0, transport: "udp" }, [4]),
      "SERVFAIL of SRV",
    );
    await t.rejects(lookUp(questions, { host: "sbc.test", port: 1, transport: "udp" }, [4]), "SERVFAIL of A");
  });
});

void t.test("look-ups: when they come again", async (t) => {
  const rows = [
    [100, 0, 80_000],
    [100, 1, 95_000],
    [0, 0, 4000],
    [4, 1, 4750],
    [1_000_000, 0, 2_880_000],
  ] as const;
  for (const [ttl, random, delay] of rows) t.equal(refreshDelay(ttl, random), delay, `TTL ${ttl}`);
  const retries = [
    [1, 0, 750],
    [1, 1, 1250],
    [2, 0.5, 2000],
    [3, 0.5, 4000],
    [6, 0.5, 30_000],
    [1000, 0.5, 30_000],
  ] as const;
  for (const [failures, random, delay] of retries)
    t.equal(retryDelay(failures, random), delay, `failure ${failures}`);
});

void t.test("names: followed through an outage and a reload", async (t) => {
  await withServer(async (server) => {
    const events: string[] = [];
    let told: (() => void) | undefined;
    const questions = createQuestions([server.place]);
    const tell = (event: string): void => {
      events.push(event);
      told?.();
    };
    const names = createNames({
      questions,
      families: [4],
      resolved: (id, addresses) => tell(`${id}: ${addresses.map(text).join(", ")}`),
      changed: (id, error) => tell(`${id} ${error === undefined ? "works" : "fails"}`),
    });
    const until = async (count: number): Promise<void> => {
      while (events.length < count) await new Promise<void>((resolve) => (told = resolve));
    };
    const both = compileText(policyWith('["sip:sbc.test:5060", "sip:nowhere.test"]'));
    names.follow(both);
    names.follow(both);
    await until(2);
    t.same(events.toSorted(), ["nowhere.test fails", "sbc.test:5060: 192.0.2.1 5060 0 1"]);
    t.match(names.status(), [
      { id: "sbc.test:5060", isStale: false, found: 1, failed: 0 },
      { id: "nowhere.test", isStale: true, found: 0, failed: 1 },
    ]);
    server.zone.set("A nowhere.test", [{ data: "192.0.2.99", ttl: 60 }]);
    await until(4);
    t.same(
      events.slice(2),
      ["nowhere.test works", "nowhere.test: 192.0.2.99 5060 0 1"],
      "it is asked for again",
    );

    const asked = server.asked.length;
    names.follow(compileText(policyWith('["sip:sbc.test:5060"]')));
    t.same(
      names.status().map(({ id, found }) => [id, found]),
      [["sbc.test:5060", 1]],
      "what stays is not asked anew",
    );
    t.equal(server.asked.length, asked);
    names.close();
    t.same(names.status(), []);
    questions.cancel();
  });
});

void t.test("names: the parts of a next hop that are asked for", async (t) => {
  const policy = compileText(policyWith('["sip:SBC.Test.", "sips:sbc.test", "sip:sbc.test;transport=tcp"]'));
  const hops: readonly NextHop[] = policy.trunkById("lease")?.trunk.nextHops ?? [];
  t.same(
    hops.map(({ id, host, port, transport, address }) => [id, host, port, transport, address]),
    [
      ["sbc.test", "sbc.test", 0, "udp", undefined],
      ["sbc.test;transport=tls", "sbc.test", 0, "tls", undefined],
      ["sbc.test;transport=tcp", "sbc.test", 0, "tcp", undefined],
    ],
  );
});
