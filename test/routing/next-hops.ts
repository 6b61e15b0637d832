import t from "tap";
import type { ResolvedAddress } from "../../src/routing/next-hops.ts";
import {
  compileText,
  createTestProxy,
  header,
  outcomeOf,
  peers,
  request,
  respond,
  type Sent,
} from "../support/proxy.ts";
import {
  createHopProxy,
  follow,
  hop,
  invite,
  live,
  policyWith,
  stateOf,
  summary,
} from "../support/next-hops.ts";

const both = `["sip:${hop.a}", "sip:${hop.b}"]`;
const ranked = `[{ uri: "sip:${hop.a}" }, { uri: "sip:${hop.b}", priority: 2 }]`;

/** How many of `count` calls go where. Each is ended, so that nothing is taken for silence. */
function spreadOf(proxy: ReturnType<typeof createHopProxy>, count: number, from = 1): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let number = from; number < from + count; number++) {
    const [sent] = proxy.receive(peers.lessee, invite(number));
    const to = sent?.to ?? "nowhere";
    counts[to] = (counts[to] ?? 0) + 1;
    if (sent !== undefined) proxy.receive(to, respond(sent.text, 486));
  }
  return counts;
}

void t.test("the choice: lowest priority, shared by weight, the same for the same Call-ID", async (t) => {
  const rows = [
    ["one of two, alike", both, { [hop.a]: 0.5, [hop.b]: 0.5 }],
    [
      "three to one",
      `[{ uri: "sip:${hop.a}", weight: 3 }, { uri: "sip:${hop.b}" }]`,
      { [hop.a]: 0.75, [hop.b]: 0.25 },
    ],
    ["the lower priority has all", ranked, { [hop.a]: 1 }],
    [
      "the order in the file is nothing",
      `[{ uri: "sip:${hop.c}", priority: 9 }, { uri: "sip:${hop.b}", priority: 3 }, { uri: "sip:${hop.a}", priority: 3 }]`,
      { [hop.a]: 0.5, [hop.b]: 0.5 },
    ],
  ] as const;
  for (const [name, hops, shares] of rows) {
    const counts = spreadOf(createHopProxy(hops), 1000);
    t.same(Object.keys(counts).toSorted(), Object.keys(shares).toSorted(), name);
    for (const [place, share] of Object.entries(shares)) {
      const found = (counts[place] ?? 0) / 1000;
      t.ok(Math.abs(found - share) < 0.05, `${name}: ${place} has ${found}`);
    }
  }
  const [first, second] = [createHopProxy(both), createHopProxy(both)];
  for (let number = 1; number <= 50; number++) {
    const where = outcomeOf(first.receive(peers.lessee, invite(number)));
    t.equal(outcomeOf(second.receive(peers.lessee, invite(number))), where, "another node chooses alike");
    t.equal(outcomeOf(first.receive(peers.lessee, invite(number))), where, "so does a repeat");
  }
});

void t.test("when one goes down only its calls move", async (t) => {
  const three = `["sip:${hop.a}", "sip:${hop.b}", "sip:${hop.c}"]`;
  const before = createHopProxy(three);
  const after = createHopProxy(three);
  after.pass(100);
  after.unreachable(hop.b);
  const moved: Record<string, number> = {};
  for (let number = 1; number <= 300; number++) {
    const [was] = before.receive(peers.lessee, invite(number));
    const [is] = after.receive(peers.lessee, invite(number));
    if (was?.to === hop.b) moved[is?.to ?? ""] = (moved[is?.to ?? ""] ?? 0) + 1;
    else t.equal(is?.to, was?.to);
  }
  t.same(Object.keys(moved).toSorted(), [hop.a, hop.c], "both others take over");
  t.ok(Math.min(...Object.values(moved)) > 30, "about half each");
});

void t.test("probes: what is sent, and when", async (t) => {
  const proxy = createHopProxy(both);
  const sent = proxy.pass(1100);
  t.same(sent.map(({ to }) => to).toSorted(), [hop.a, hop.b], "each once in the first second");
  const [text = ""] = sent.filter(({ to }) => to === hop.a).map((message) => message.text);
  t.match(
    text,
    /^OPTIONS sip:198\.51\.100\.1:5060 SIP\/2\.0\r\nVia: SIP\/2\.0\/UDP 192\.0\.2\.1:5060;branch=z9hG4bK/u,
  );
  t.match(header(text, "From"), /^<sip:192\.0\.2\.1:5060>;tag=\w+$/u);
  t.equal(header(text, "To"), "<sip:198.51.100.1:5060>");
  t.equal(header(text, "CSeq"), "1 OPTIONS");
  t.ok(text.endsWith("Content-Length: 0\r\n\r\n"));
  for (const message of sent) t.same(proxy.receive(message.to, respond(message.text, 200)), [], "absorbed");
  const { probes } = live(proxy, 60_000, { [hop.a]: 200, [hop.b]: 200 });
  t.ok(probes.length >= 10 && probes.length <= 14, `${probes.length} in a minute for two`);
  t.equal(proxy.counters.strayResponses, 0);

  const off = createHopProxy(both, "nextHopHealth: { probe: off }");
  t.same(off.pass(60_000), [], "none with probe: off");
  t.same(
    createHopProxy('["sip:[2001:db8::c]:5060"]')
      .pass(1100)
      .map(({ listener }) => listener)
      .toSorted(),
    ["udp:192.0.2.1:5060", "udp:[2001:db8::1]:5060"],
  );
});

void t.test("probes: what proves a next hop up, and what does not", async (t) => {
  // What it answers to every OPTIONS; the state after 7 s, and whether the gauge says up.
  const rows = [
    [200, "up"],
    [404, "up"],
    [405, "up"],
    [483, "up"],
    [500, "up"],
    [603, "up"],
    [503, "down"],
    [408, "down"],
    [100, "down"],
    [undefined, "down"],
  ] as const;
  for (const [status, state] of rows) {
    const proxy = createHopProxy(ranked);
    t.equal(stateOf(proxy, hop.a), "gone", "before the first moment");
    proxy.pass(100);
    t.equal(stateOf(proxy, hop.a), "unknown", "known from then on");
    live(proxy, 7000, { [hop.a]: status, [hop.b]: 200 });
    t.equal(stateOf(proxy, hop.a), state, `answers ${status ?? "nothing"}`);
    t.equal(outcomeOf(proxy.receive(peers.lessee, invite(1))), `to ${state === "up" ? hop.a : hop.b}`);
  }
});

void t.test("probes: nobody else can answer them", async (t) => {
  const rows: readonly (readonly [name: string, from: string, forge: (text: string) => string])[] = [
    ["from another trunk", peers.lessee, (text) => text],
    ["with another branch", hop.a, (text) => text.replace(/branch=\w{12}/u, "branch=z9hG4bKsw000")],
    ["with the branch of no OPTIONS", hop.b, (text) => text.replace(/(branch=z9hG4bKsw.)\w{4}/u, "$10000")],
  ];
  for (const [name, from, forge] of rows) {
    const proxy = createHopProxy(both);
    const probe = proxy.pass(1100).find(({ to }) => to === hop.a);
    t.same(proxy.receive(from, forge(respond(probe?.text ?? "", 200))), [], name);
    t.equal(stateOf(proxy, hop.a), "unknown", name);
    t.equal(proxy.counters.strayResponses, 1, name);
  }
  const late = createHopProxy(both);
  const probe = late.pass(1100).find(({ to }) => to === hop.a);
  late.pass(2000);
  late.receive(hop.a, respond(probe?.text ?? "", 200));
  t.equal(stateOf(late, hop.a), "unknown", "an answer after the timeout is none");
});

void t.test("down after three misses in a row, asked at once in doubt, then ever more rarely", async (t) => {
  const proxy = createHopProxy(ranked);
  live(proxy, 30_000, { [hop.a]: 200, [hop.b]: 200 });
  t.same(proxy.changes.toSorted(), [
    `${hop.a} up: OPTIONS answered 200`,
    `${hop.b} up: OPTIONS answered 200`,
  ]);
  const begun = proxy.now;
  while (stateOf(proxy, hop.a) === "up" && proxy.now < begun + 60_000) live(proxy, 100, { [hop.b]: 200 });
  const spent = proxy.now - begun;
  t.ok(spent > 6000 && spent <= 17_500, `an interval and three timeouts at most: ${spent} ms`);
  t.equal(proxy.changes.at(-1), `${hop.a} down: OPTIONS met no answer`);
  const asked: number[] = [];
  for (let second = 1; second <= 300; second++) {
    const { probes } = live(proxy, 1000, { [hop.b]: 200 });
    if (probes.includes(hop.a)) asked.push(second);
  }
  const gaps = asked.slice(1).map((second, index) => second - (asked[index] ?? 0));
  t.ok((asked[0] ?? 0) >= 8 && (asked[0] ?? 0) <= 12, `after the interval: ${asked.join()}`);
  t.ok(
    gaps.every((gap, index) => gap + 2 >= (gaps[index - 1] ?? 0)),
    `never sooner: ${gaps.join()}`,
  );
  t.ok(Math.max(...gaps) <= 70 && (gaps.at(-1) ?? 0) >= 54, `up to a minute: ${gaps.join()}`);

  const near = createHopProxy(ranked);
  live(near, 30_000, { [hop.a]: 200, [hop.b]: 200 });
  let asks = 0;
  for (let tick = 0; tick < 600; tick++) {
    for (const { to, text } of near.pass(100)) {
      if (to === hop.a && asks++ % 3 < 2) continue;
      near.receive(to, respond(text, 200));
    }
  }
  t.ok(asks > 10);
  t.equal(stateOf(near, hop.a), "up", "two misses and an answer, again and again, are not down");
});

void t.test(
  "up again after two answers in a row; one that falls again must be well for longer",
  async (t) => {
    const proxy = createHopProxy(ranked);
    const well = { [hop.a]: 200, [hop.b]: 200 };
    live(proxy, 30_000, well);
    const durations: number[] = [];
    for (let fall = 0; fall < 4; fall++) {
      proxy.unreachable(hop.a);
      t.equal(stateOf(proxy, hop.a), "down");
      const begun = proxy.now;
      while (stateOf(proxy, hop.a) === "down" && proxy.now < begun + 200_000) live(proxy, 100, well);
      durations.push(Math.round((proxy.now - begun) / 1000));
    }
    const [first = 0, second = 0, third = 0, fourth = 0] = durations;
    t.ok(first >= 9 && first <= 14, `two answers, the second soon after the first: ${durations.join()}`);
    t.ok(second >= 10 && third >= 20 && fourth >= 40, `held back: ${durations.join()}`);
    t.ok(Math.max(...durations) <= 75, `never for much more than the longest interval: ${durations.join()}`);
    live(proxy, 120_000, well);
    proxy.unreachable(hop.a);
    const begun = proxy.now;
    while (stateOf(proxy, hop.a) === "down" && proxy.now < begun + 200_000) live(proxy, 100, well);
    t.ok(proxy.now - begun <= 14_000, "after two good minutes it is forgiven");
  },
);

void t.test("calls tell: silence and 503 in a row", async (t) => {
  const quiet = "nextHopHealth: { probe: off }";
  const [name, more] = ["probe: off", quiet];
  const silent = createHopProxy(ranked, more);
  for (const number of [1, 2, 3]) silent.receive(peers.lessee, invite(number));
  silent.pass(1900);
  t.equal(stateOf(silent, hop.a), "unknown", "not before the timeout");
  silent.pass(200);
  t.equal(stateOf(silent, hop.a), "down", `${name}: three INVITEs without any answer`);
  t.equal(silent.changes.at(-1), `${hop.a} down: calls met no answer`);

  const two = createHopProxy(ranked, more);
  for (const number of [1, 2]) two.receive(peers.lessee, invite(number));
  two.pass(3000);
  t.equal(stateOf(two, hop.a), "unknown", "two are not enough");
  two.receive(peers.lessee, invite(3));
  two.pass(3000);
  t.equal(stateOf(two, hop.a), "down", "a third one later is, with no answer in between");

  const answered = createHopProxy(ranked, more);
  for (const number of [1, 2, 3, 4]) {
    const [sent] = answered.receive(peers.lessee, invite(number));
    if (number === 3) answered.receive(hop.a, respond(sent?.text ?? "", 100));
    answered.pass(3000);
  }
  t.equal(stateOf(answered, hop.a), "up", "one 100 in between wipes the slate");

  const repeats = createHopProxy(ranked, more);
  for (let repeat = 0; repeat < 5; repeat++) repeats.receive(peers.lessee, invite(1));
  repeats.pass(3000);
  t.equal(stateOf(repeats, hop.a), "unknown", "repeats of one INVITE are one");

  const refusing = createHopProxy(ranked, `nextHopHealth: { probe: off, failoverOn503: false }`);
  refusing.pass(100);
  for (const number of [1, 2, 3]) {
    t.equal(stateOf(refusing, hop.a), "unknown", `after ${number - 1}`);
    const [sent] = refusing.receive(peers.lessee, invite(number));
    t.same(summary(refusing.receive(hop.a, respond(sent?.text ?? "", 503))), [`503 to ${peers.lessee}`]);
  }
  t.equal(stateOf(refusing, hop.a), "down", "three 503");

  const hollow = createHopProxy(ranked);
  live(hollow, 30_000, { [hop.a]: 200, [hop.b]: 200 });
  for (const number of [1, 2, 3]) hollow.receive(peers.lessee, invite(number));
  live(hollow, 2200, { [hop.a]: 200, [hop.b]: 200 });
  t.equal(stateOf(hollow, hop.a), "down", "one that answers OPTIONS and no call is down");
});

void t.test("with probe: off one that is down is tried again after a while", async (t) => {
  const proxy = createHopProxy(ranked, "nextHopHealth: { probe: off }");
  proxy.pass(100);
  const waits: number[] = [];
  for (let fall = 0; fall < 4; fall++) {
    proxy.unreachable(hop.a);
    const begun = proxy.now;
    while (stateOf(proxy, hop.a) === "down" && proxy.now < begun + 200_000) proxy.pass(100);
    waits.push(proxy.now - begun);
  }
  t.same(waits, [10_000, 20_000, 40_000, 60_000]);
});

void t.test("all down: the best is tried anyway, and counted", async (t) => {
  for (const [name, hops] of [
    ["two", ranked],
    ["one", `["sip:${hop.a}"]`],
  ] as const) {
    const proxy = createHopProxy(hops);
    proxy.pass(100);
    for (const place of [hop.a, hop.b]) proxy.unreachable(place);
    const [sent] = proxy.receive(peers.lessee, invite(1));
    t.equal(sent?.to, hop.a, name);
    t.equal(proxy.counters.trunks.get("lease")?.noneUp, 1, name);
    t.same(summary(proxy.receive(hop.a, respond(sent?.text ?? "", 200))), [`200 to ${peers.lessee}`], name);
    t.match(proxy.decisions, [{ verdict: { kind: "accept" } }], `${name}: the decision is that of the rules`);
  }
});

void t.test("names: no address, addresses, other ones, and a reload", async (t) => {
  const text = policyWith('["sip:sbc.example.com"]');
  const proxy = createHopProxy('["sip:sbc.example.com"]');
  proxy.pass(100);
  t.match(
    proxy.nextHops()[0],
    { id: "sbc.example.com", state: "down", addresses: 0 },
    "down before DNS spoke",
  );
  t.same(summary(proxy.receive(peers.lessee, invite(1))), [`503 to ${peers.lessee}`]);
  t.equal(proxy.counters.trunks.get("lease")?.protocolErrors.get(503), 1);
  const [outsideCore, other] = ["192.0.2.77:5070", "192.0.2.78:5060"];
  proxy.resolve("sbc.example.com", [{ address: "192.0.2.77", port: 5070, priority: 0, weight: 1 }]);
  t.match(proxy.nextHops()[0], { state: "unknown", addresses: 1 });
  const [sent] = proxy.receive(peers.lessee, invite(2));
  t.equal(sent?.to, outsideCore);
  const [back] = proxy.receive(
    outsideCore,
    respond(sent?.text ?? "", 200, { contact: "<sip:x@192.0.2.77:5070>" }),
  );
  t.equal(back?.to, peers.lessee, "its answers are taken, though no trunk names it");
  const route = header(back?.text ?? "", "Record-Route") ?? "";
  const bye = (from: string, number: number): string =>
    request({
      method: "BYE",
      callId: "call-2",
      uri: "sip:pbx@203.0.113.10:5060",
      via: [`SIP/2.0/UDP ${from};branch=z9hG4bKbye${number}`],
      from: "<sip:02787654321@192.0.2.1>;tag=called",
      to: "<sip:+861087654321@203.0.113.10>;tag=caller",
      headers: [`Route: ${route}`],
    });
  t.equal(outcomeOf(proxy.receive(outsideCore, bye(outsideCore, 1))), `to ${peers.lessee}`, "and its BYE");

  proxy.resolve("sbc.example.com", [{ address: "192.0.2.78", port: 5060, priority: 0, weight: 1 }]);
  t.equal(
    outcomeOf(proxy.receive(peers.lessee, invite(3))),
    `to ${other}`,
    "new calls go to the new address",
  );
  t.equal(
    outcomeOf(proxy.receive(outsideCore, bye(outsideCore, 2))),
    `to ${peers.lessee}`,
    "the old one still ends its calls",
  );
  const byCaller = request({
    method: "BYE",
    callId: "call-2",
    uri: "sip:x@192.0.2.77:5070",
    to: "<sip:02787654321@192.0.2.1>;tag=called",
    via: ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKbye3"],
    headers: [`Route: ${route}`],
  });
  t.equal(outcomeOf(proxy.receive(peers.lessee, byCaller)), `to ${outsideCore}`, "and they reach it");
  proxy.policy = compileText(text.replace("version: 1", "version: 1\nspecialUsers: []"));
  t.equal(outcomeOf(proxy.receive(peers.lessee, invite(4))), `to ${other}`, "a reload keeps the addresses");
  proxy.now += 4 * 3_600_000;
  proxy.pass(100);
  t.same(proxy.receive(outsideCore, bye(outsideCore, 4)), [], "after four hours it is a stranger");
  t.same(proxy.receive("192.0.2.79:5060", bye("192.0.2.79:5060", 5)), [], "as others always were");
});

function routeOf(sent: readonly Sent[]): string {
  return header(sent[0]?.text ?? "", "Record-Route") ?? "";
}

void t.test("a next hop that a reload takes out: its calls in progress end as they began", async (t) => {
  const old = "192.0.2.77:5070";
  const outside = policyWith(`["sip:${old}"]`);
  const after = policyWith(`["sip:${hop.b}"]`);
  // The same place with a trunk of its own, which goes with it.
  const withTrunk = outside.replace(
    "addresses: [198.51.100.0/24,",
    "addresses: [198.51.100.0/24, 192.0.2.77,",
  );
  for (const [name, before] of [
    ["no trunk names it", outside],
    ["its trunk goes too", withTrunk],
  ] as const) {
    const proxy = createTestProxy(compileText(before));
    proxy.pass(100);
    const place = { uri: "sip:pbx@203.0.113.10:5060", from: "<sip:02787654321@192.0.2.1>;tag=called" };
    const bye = (number: number, route: string, callId = "call-1"): string =>
      request({
        ...place,
        method: "BYE",
        callId,
        via: [`SIP/2.0/UDP ${old};branch=z9hG4bKbye${number}`],
        to: "<sip:+861087654321@203.0.113.10>;tag=caller",
        headers: [`Route: ${route}`],
      });
    const [first] = proxy.receive(peers.lessee, invite(1));
    const [second] = proxy.receive(peers.lessee, invite(2));
    t.same([first?.to, second?.to], [old, old]);
    const route = routeOf(proxy.receive(old, respond(first?.text ?? "", 200)));

    proxy.policy = compileText(after);
    proxy.pass(100);
    t.equal(
      outcomeOf(proxy.receive(peers.lessee, invite(3))),
      `to ${hop.b}`,
      `${name}: new calls go elsewhere`,
    );
    const answered = proxy.receive(old, respond(second?.text ?? "", 200));
    t.equal(outcomeOf(answered), "200", `${name}: the call that rang there is answered`);
    t.equal(outcomeOf(proxy.receive(old, bye(1, routeOf(answered), "call-2"))), `to ${peers.lessee}`, name);
    const byCaller = request({
      method: "BYE",
      uri: `sip:x@${old}`,
      to: "<sip:02787654321@192.0.2.1>;tag=called",
      via: ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKbye2"],
      headers: [`Route: ${route}`],
      callId: "call-1",
    });
    t.equal(
      outcomeOf(proxy.receive(peers.lessee, byCaller)),
      `to ${old}`,
      `${name}: the caller ends it there`,
    );
    t.equal(
      outcomeOf(proxy.receive(old, bye(2, route))),
      `to ${peers.lessee}`,
      `${name}: or it the caller's`,
    );

    t.same(proxy.receive(old, request({ callId: "new" })), [], `${name}: it begins nothing`);
    const forged = [route.replace("sw=", "sw=x"), routeOf(answered)];
    for (const other of forged)
      t.equal(
        outcomeOf(proxy.receive(old, bye(3, other))),
        "481",
        `${name}: and needs the token of the call`,
      );
    const neighbour = "192.0.2.77:5071";
    t.same(proxy.receive(neighbour, bye(4, route)), [], `${name}: another port there is a stranger`);
    t.equal(proxy.proxy.nextHops().filter(({ id }) => id.includes("192.0.2.77")).length, 0);
    proxy.now += 4 * 3_600_000;
    proxy.pass(100);
    t.same(proxy.receive(old, bye(5, route)), [], `${name}: after four hours it is a stranger too`);
  }
});

/** An address as SRV records give it. */
function addressOf(last: number, priority: number, weight: number): ResolvedAddress {
  return { address: `198.51.100.${last}`, port: 5060, priority, weight };
}

void t.test("names: addresses that nothing can reach, and our own, are not used", async (t) => {
  const proxy = createHopProxy('["sip:sbc.example.com", "sip:sbc.example.com;transport=tcp"]');
  proxy.pass(100);
  proxy.resolve("sbc.example.com", [{ address: "192.0.2.1", port: 5060, priority: 0, weight: 1 }]);
  proxy.resolve("sbc.example.com;transport=tcp", [addressOf(2, 0, 1)]);
  t.same(
    proxy
      .nextHops()
      .filter(({ trunk }) => trunk === "lease")
      .map(({ state }) => state),
    ["down", "down"],
  );
  t.same(summary(proxy.receive(peers.lessee, invite(1))), [`503 to ${peers.lessee}`]);
  t.same(
    summary(proxy.pass(30_000)).filter((each) => each !== `OPTIONS to ${hop.a}`),
    [],
    "nor asked",
  );
});

void t.test("names: SRV priority and weight hold within the name", async (t) => {
  const proxy = createHopProxy('["sip:sbc.example.com"]');
  proxy.pass(100);
  proxy.resolve("sbc.example.com", [addressOf(1, 10, 90), addressOf(2, 10, 10), addressOf(3, 20, 100)]);
  const counts = spreadOf(proxy, 1000);
  t.same(Object.keys(counts).toSorted(), [hop.a, hop.b], "the lower priority only");
  t.ok(Math.abs((counts[hop.a] ?? 0) - 900) < 40, `by weight: ${counts[hop.a]}`);
  for (const down of [hop.a, hop.b]) proxy.unreachable(down);
  proxy.now += 40_000;
  t.same(spreadOf(proxy, 10, 2000), { [hop.c]: 10 }, "the backup when those are down");
  proxy.resolve("sbc.example.com", [addressOf(3, 0, 0), addressOf(4, 0, 100)]);
  proxy.now += 40_000;
  const [rare = 0, usual = 0] = ["198.51.100.3:5060", "198.51.100.4:5060"].map(
    (each) => spreadOf(proxy, 300, 3000 + 300 * Number(each.includes(".4:")))[each] ?? 0,
  );
  t.ok(rare <= 3 && usual >= 297, "weight 0 has next to nothing (RFC 2782)");
});

void t.test("a reload keeps the state of next hops that stay", async (t) => {
  const proxy = createHopProxy(ranked);
  live(proxy, 5000, { [hop.a]: 200, [hop.b]: 200 });
  proxy.unreachable(hop.a);
  proxy.policy = compileText(policyWith(`["sip:${hop.a}", "sip:${hop.c}"]`));
  proxy.receive(peers.stranger, "");
  t.same(
    [hop.a, hop.b, hop.c].map((id) => stateOf(proxy, id)),
    ["down", "gone", "unknown"],
  );
});

void t.test("a trunk without a choice: answers and ACK go their ways", async (t) => {
  const proxy = createHopProxy(`["sip:${hop.a}"]`);
  const [sent] = proxy.receive(peers.lessee, invite(1));
  t.equal(sent?.to, hop.a);
  const [back] = proxy.receive(hop.a, respond(sent?.text ?? "", 503));
  t.equal(outcomeOf(back === undefined ? [] : [back]), "503", "the only one's 503 goes to the caller");
  t.equal(outcomeOf(proxy.receive(peers.lessee, follow("ACK", 1))), `to ${hop.a}`);
});
