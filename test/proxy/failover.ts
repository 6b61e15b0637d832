import t from "tap";
import {
  compileText,
  header,
  headers,
  outcomeOf,
  peers,
  request,
  respond,
  type Sent,
  type TestProxy,
} from "../support/proxy.ts";
import {
  branchOf,
  createHopProxy,
  follow,
  hop,
  invite,
  live,
  policyWith,
  stateOf,
  summary,
} from "../support/next-hops.ts";

/** a first, then b, then c. */
const ranked = `[{ uri: "sip:${hop.a}" }, { uri: "sip:${hop.b}", priority: 2 }, { uri: "sip:${hop.c}", priority: 3 }]`;
const two = `[{ uri: "sip:${hop.a}" }, { uri: "sip:${hop.b}", priority: 2 }]`;
const quiet = "nextHopHealth: { probe: off }";
const toCaller = `to ${peers.lessee}`;

/** A proxy with call 1 on its way to a. */
function begun(
  hops = ranked,
  more = quiet,
  ofTrunk = "",
): { readonly proxy: TestProxy; readonly first: Sent } {
  const proxy = createHopProxy(hops, more, ofTrunk);
  proxy.pass(100);
  const [first] = proxy.receive(peers.lessee, invite(1));
  if (first === undefined || first.to !== hop.a) throw new Error("call 1 did not go to a");
  return { proxy, first };
}

function ackOf(sent: readonly Sent[]): string {
  return sent.find(({ text }) => text.startsWith("ACK "))?.text ?? "";
}

function inviteOf(sent: readonly Sent[]): Sent {
  const found = sent.find(({ text }) => text.startsWith("INVITE "));
  if (found === undefined) throw new Error(`no INVITE in ${summary(sent).join()}`);
  return found;
}

/** The bytes of an INVITE as the caller sent them: without our Via, Record-Route and count. */
function withoutOurs(text: string): string {
  return text
    .replace(/^Via: SIP\/2\.0\/UDP 192\.0\.2\.1.*\r\n/mu, "")
    .replace(/^Record-Route: .*\r\n/mu, "")
    .replace("Max-Forwards: 69", "Max-Forwards: 70");
}

void t.test("503: acknowledged by us, and the same INVITE goes to the next one", async (t) => {
  const { proxy, first } = begun();
  const sent = proxy.receive(hop.a, respond(first.text, 503, { toTag: "busy" }));
  t.same(summary(sent), [`ACK to ${hop.a}`, `INVITE to ${hop.b}`], "and nothing to the caller");
  const ack = ackOf(sent);
  t.match(ack, /^ACK sip:02787654321@192\.0\.2\.1 SIP\/2\.0\r\n/u, "the Request-URI of the INVITE");
  t.same(
    headers(ack, "Via"),
    headers(first.text, "Via").slice(0, 1),
    "its topmost Via alone (section 17.1.1.3)",
  );
  t.match(header(ack, "To"), /;tag=busy$/u, "the To of the answer");
  for (const name of ["From", "Call-ID"]) t.equal(header(ack, name), header(first.text, name), name);
  t.equal(header(ack, "CSeq"), "1 ACK");
  const second = inviteOf(sent);
  t.equal(withoutOurs(second.text), invite(1), "the caller's bytes");
  t.not(branchOf(second.text), branchOf(first.text), "a branch of its own");
  t.equal(proxy.counters.trunks.get("lease")?.failovers503, 1);

  t.same(summary(proxy.receive(hop.b, respond(second.text, 180))), [`180 ${toCaller}`]);
  const route = answeredRouteAt(proxy, hop.b, second.text);
  const bye = request({
    method: "BYE",
    callId: "call-1",
    cseq: "2 BYE",
    to: "<sip:02787654321@192.0.2.1>;tag=called",
    via: ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKbye"],
    headers: [`Route: ${route}`],
  });
  t.equal(
    outcomeOf(proxy.receive(peers.lessee, bye)),
    `to ${hop.b}`,
    "the dialog is where the answer came from",
  );
  t.same(proxy.decisions.length, 1, "one decision for it all");
  t.same(proxy.faults, []);
});

function answeredRouteAt(proxy: TestProxy, place: string, text: string): string {
  return header(proxy.receive(place, respond(text, 200))[0]?.text ?? "", "Record-Route") ?? "";
}

/** Everything behind the status line. */
function rest(text: string): string {
  return text.slice(text.indexOf("\r\n"));
}

void t.test("503: when it is not absorbed", async (t) => {
  // name, next hops, policy, what happens before, what the caller gets
  const rows: readonly (readonly [
    string,
    string,
    string,
    string,
    (proxy: TestProxy, first: Sent) => void,
    string,
  ])[] = [
    [
      "failoverOn503: false",
      ranked,
      "nextHopHealth: { probe: off, failoverOn503: false }",
      "",
      () => undefined,
      "503",
    ],
    ["the same on the trunk", ranked, quiet, ", failoverOn503: false", () => undefined, "503"],
    ["after 180", ranked, quiet, "", (proxy, first) => proxy.receive(hop.a, respond(first.text, 180)), "503"],
    ["after CANCEL", ranked, quiet, "", (proxy) => proxy.receive(peers.lessee, follow("CANCEL", 1)), "503"],
    ["no other is up", two, quiet, "", (proxy) => proxy.unreachable(hop.b), "503"],
    ["after 32 s", ranked, quiet, "", (proxy) => (proxy.now += 32_000), "503"],
    [
      "as 500 where the policy says so",
      two,
      "nextHopHealth: { probe: off, passThrough503: false }",
      "",
      (proxy) => proxy.unreachable(hop.b),
      "500",
    ],
    [
      "the same on the trunk",
      two,
      quiet,
      ", passThrough503: false",
      (proxy) => proxy.unreachable(hop.b),
      "500",
    ],
    [
      "only one next hop, as 500",
      `["sip:${hop.a}"]`,
      quiet,
      ", passThrough503: false",
      () => undefined,
      "500",
    ],
  ];
  for (const [name, hops, more, ofTrunk, before, status] of rows) {
    const { proxy, first } = begun(hops, more, ofTrunk);
    before(proxy, first);
    const answer = respond(first.text, 503);
    const sent = proxy.receive(hop.a, answer);
    t.same(summary(sent), [`${status} ${toCaller}`], name);
    t.equal(
      rest(sent[0]?.text ?? ""),
      rest(answer.replace(/^Via: .*\r\n/mu, "")),
      `${name}: nothing else changes`,
    );
    t.equal(outcomeOf(proxy.receive(peers.lessee, follow("ACK", 1))), `to ${hop.a}`, `${name}: its ACK`);
  }
  const other = begun();
  t.same(
    summary(other.proxy.receive(hop.a, respond(other.first.text, 500))),
    [`500 ${toCaller}`],
    "500 is no 503",
  );
  const kept = begun(ranked, quiet, ", failoverOn503: true");
  t.equal(
    kept.proxy.receive(hop.a, respond(kept.first.text, 503)).length,
    2,
    "a trunk goes over the global word",
  );
});

void t.test("503 from all: the last one is the caller's", async (t) => {
  const { proxy, first } = begun();
  const second = inviteOf(proxy.receive(hop.a, respond(first.text, 503)));
  const third = inviteOf(proxy.receive(hop.b, respond(second.text, 503)));
  t.equal(third.to, hop.c);
  t.same(summary(proxy.receive(hop.c, respond(third.text, 503))), [`503 ${toCaller}`]);
  t.same(summary(proxy.receive(peers.lessee, follow("ACK", 1))), [`ACK to ${hop.c}`], "and so is its ACK");
  t.same(
    summary(proxy.receive(hop.a, respond(first.text, 503))),
    [`ACK to ${hop.a}`],
    "a repeat of the first one",
  );
  t.same(
    summary(proxy.receive(hop.c, respond(third.text, 503))),
    [`503 ${toCaller}`],
    "a repeat of the last one",
  );

  const five = [1, 2, 3, 4, 5].map((n) => `{ uri: "sip:198.51.100.${n}", priority: ${n} }`);
  const many = begun(`[${five.join(", ")}]`);
  let at = many.first;
  for (const last of [2, 3, 4]) {
    at = inviteOf(many.proxy.receive(at.to, respond(at.text, 503)));
    t.equal(at.to, `198.51.100.${last}:5060`);
  }
  t.same(
    summary(many.proxy.receive(at.to, respond(at.text, 503))),
    [`503 ${toCaller}`],
    "four are tried at most",
  );
});

void t.test("down: what waits there moves at once, and is repeated until somebody answers", async (t) => {
  const { proxy, first } = begun();
  t.same(
    summary(proxy.receive(hop.a, respond(first.text, 100))),
    [`100 ${toCaller}`],
    "the caller repeats no more",
  );
  proxy.unreachable(hop.a);
  const sent = proxy.pass(100);
  t.same(summary(sent), [`INVITE to ${hop.b}`]);
  t.equal(withoutOurs(inviteOf(sent).text), invite(1));
  t.equal(proxy.counters.trunks.get("lease")?.failoversDown, 1);
  const times: number[] = [];
  const from = proxy.now;
  for (let tick = 0; tick < 100; tick++)
    for (const { to } of proxy.pass(100)) if (to === hop.b) times.push(proxy.now - from);
  t.same(times, [500, 1500, 3500, 7500], "timer A");
  proxy.receive(hop.b, respond(inviteOf(sent).text, 100));
  t.same(proxy.pass(20_000), [], "100 ends that");

  const lost = begun(two, "nextHopHealth: { probe: off, missesUntilDown: 100 }");
  lost.proxy.receive(hop.a, respond(lost.first.text, 503));
  const end = lost.proxy.pass(40_000).filter(({ to }) => to === peers.lessee);
  t.same(summary(end), [`503 ${toCaller}`], "nobody answers: the 503 that was, after 32 s");
  t.same(lost.proxy.receive(peers.lessee, ackFor(end)), [], "its ACK is ours");
  const silent = begun(two, "nextHopHealth: { probe: off, missesUntilDown: 100 }");
  silent.proxy.unreachable(hop.a);
  t.same(summary(silent.proxy.pass(40_000).filter(({ to }) => to === peers.lessee)), [`408 ${toCaller}`]);
});

function ackFor(sent: readonly Sent[]): string {
  const to = header(sent[0]?.text ?? "", "To") ?? "";
  return follow("ACK", 1).replace(/^To: .*$/mu, `To: ${to}`);
}

void t.test("down: the caller's repeat moves too, and only then", async (t) => {
  const { proxy, first } = begun();
  t.same(summary(proxy.receive(peers.lessee, invite(1))), [`INVITE to ${hop.a}`], "not while it is up");
  proxy.unreachable(hop.a);
  t.same(summary(proxy.receive(peers.lessee, invite(1))), [`INVITE to ${hop.b}`]);
  t.same(summary(proxy.receive(peers.lessee, invite(1))), [`INVITE to ${hop.b}`], "and stays there");
  t.equal(proxy.counters.trunks.get("lease")?.retransmissions, 3);
  t.equal(proxy.decisions.length, 1);
  proxy.receive(hop.a, respond(first.text, 100));

  const ringing = begun();
  ringing.proxy.receive(hop.a, respond(ringing.first.text, 180));
  ringing.proxy.unreachable(hop.a);
  t.same(
    summary(ringing.proxy.receive(peers.lessee, invite(1))),
    [`INVITE to ${hop.a}`],
    "not when it rang there",
  );
  t.same(ringing.proxy.pass(5000), [], "nor by itself");

  const alone = begun(two);
  for (const place of [hop.a, hop.b]) alone.proxy.unreachable(place);
  t.same(
    summary(alone.proxy.receive(peers.lessee, invite(1))),
    [`INVITE to ${hop.a}`],
    "not when there is nowhere",
  );
});

void t.test("a killed next hop loses no call that it had not answered", async (t) => {
  const proxy = createHopProxy(`["sip:${hop.a}", "sip:${hop.b}"]`);
  live(proxy, 5000, { [hop.a]: 200, [hop.b]: 200 });
  const open = new Map<string, string>();
  for (let number = 1; number <= 200; number++) {
    const [sent] = proxy.receive(peers.lessee, invite(number));
    if (sent?.to === hop.a) {
      open.set(`call-${number}`, sent.text);
      if (number % 2 === 0) proxy.receive(hop.a, respond(sent.text, 100));
    } else if (sent !== undefined) proxy.receive(hop.b, respond(sent.text, 200));
    proxy.pass(10);
  }
  t.ok(open.size > 60, `${open.size} were at the one that died`);
  const { sent } = live(proxy, 12_000, { [hop.b]: 200 });
  t.equal(stateOf(proxy, hop.a), "down");
  const rescued = new Set(sent.filter(({ to }) => to === hop.b).map(({ text }) => header(text, "Call-ID")));
  t.same(
    [...open.keys()].filter((callId) => !rescued.has(callId)),
    [],
    "each went to the other one",
  );
});

void t.test("late answers of one that was given up", async (t) => {
  const rows = [
    [100, [`CANCEL to ${hop.a}`]],
    [180, [`CANCEL to ${hop.a}`]],
    [183, [`CANCEL to ${hop.a}`]],
    [302, [`ACK to ${hop.a}`]],
    [486, [`ACK to ${hop.a}`]],
    [487, [`ACK to ${hop.a}`]],
    [503, [`ACK to ${hop.a}`]],
    [603, [`ACK to ${hop.a}`]],
  ] as const;
  for (const [status, expected] of rows) {
    const { proxy, first } = begun();
    proxy.unreachable(hop.a);
    const second = inviteOf(proxy.pass(100));
    const sent = proxy.receive(hop.a, respond(first.text, status));
    t.same(summary(sent), expected, `${status}`);
    const [own] = sent;
    t.equal(branchOf(own?.text ?? ""), branchOf(first.text), `${status}: its own transaction`);
    if (own?.text.startsWith("CANCEL")) {
      t.equal(
        header(own.text, "To"),
        header(first.text, "To"),
        "CANCEL has the To of the INVITE (section 9.1)",
      );
      t.same(proxy.receive(hop.a, respond(own.text, 200)), [], "and its answer is ours");
      t.equal(proxy.counters.strayResponses, 0);
    }
    t.same(
      summary(proxy.receive(hop.b, respond(second.text, 486))),
      [`486 ${toCaller}`],
      "the other one decides",
    );
    t.same(summary(proxy.receive(peers.lessee, follow("ACK", 1))), [`ACK to ${hop.b}`]);
  }
  const { proxy, first } = begun();
  proxy.unreachable(hop.a);
  const second = inviteOf(proxy.pass(100));
  proxy.receive(hop.b, respond(second.text, 180));
  const sent = proxy.receive(hop.a, respond(first.text, 200));
  t.same(summary(sent), [`CANCEL to ${hop.b}`, `200 ${toCaller}`], "a 200 is passed, and the others end");
  t.equal(branchOf(sent[0]?.text ?? ""), branchOf(second.text));
  t.same(
    summary(proxy.receive(hop.b, respond(second.text, 180))),
    [`CANCEL to ${hop.b}`],
    "what still rings is cancelled again",
  );
  t.same(
    summary(proxy.receive(hop.b, respond(second.text, 487))),
    [`ACK to ${hop.b}`],
    "behind a 2xx the caller gets nothing but a 2xx (section 16.7 step 5)",
  );
  t.same(
    proxy.events.map(({ kind }) => kind),
    ["decided", "moved", "ringing", "answered"],
    "the call stands",
  );
  t.same(proxy.proxy.calls.standing().get("lease"), { setup: 0, answered: 1 });
});

void t.test("CANCEL goes to all that were tried, and gets one answer", async (t) => {
  const { proxy, first } = begun();
  const second = inviteOf(proxy.receive(hop.a, respond(first.text, 503)));
  const cancels = proxy.receive(peers.lessee, follow("CANCEL", 1));
  t.same(summary(cancels), [`CANCEL to ${hop.a}`, `CANCEL to ${hop.b}`]);
  t.same(
    cancels.map(({ text }) => branchOf(text)),
    [branchOf(first.text), branchOf(second.text)],
  );
  t.same(proxy.receive(hop.a, respond(cancels[0]?.text ?? "", 481)), [], "the one that was given up");
  t.same(summary(proxy.receive(hop.b, respond(cancels[1]?.text ?? "", 200))), [`200 ${toCaller}`]);
  t.same(summary(proxy.receive(hop.b, respond(second.text, 487))), [`487 ${toCaller}`]);
  t.same(summary(proxy.receive(peers.lessee, follow("ACK", 1))), [`ACK to ${hop.b}`]);
  t.same(proxy.pass(5000), [], "nothing is sent again");
});

void t.test("who remembers: 4 minutes here, the first choice elsewhere", async (t) => {
  const { proxy, first } = begun();
  const second = inviteOf(proxy.receive(hop.a, respond(first.text, 503)));
  proxy.receive(hop.b, respond(second.text, 180));
  proxy.now += 200_000;
  t.same(
    summary(proxy.receive(peers.lessee, follow("CANCEL", 1))),
    [`CANCEL to ${hop.a}`, `CANCEL to ${hop.b}`],
    "it has rung for longer than the ledger knows",
  );
  t.same(summary(proxy.receive(hop.b, respond(second.text, 487))), [`487 ${toCaller}`]);
  t.same(summary(proxy.receive(peers.lessee, follow("ACK", 1))), [`ACK to ${hop.b}`]);

  const detour = createHopProxy(two, quiet);
  detour.pass(100);
  detour.unreachable(hop.a);
  t.same(summary(detour.receive(peers.lessee, invite(1))), [`INVITE to ${hop.b}`]);
  detour.pass(40_000);
  t.equal(stateOf(detour, hop.a), "unknown", "a is back");
  t.same(
    summary(detour.receive(peers.lessee, follow("CANCEL", 1))),
    [`CANCEL to ${hop.b}`],
    "a call that never went to its first choice",
  );

  const elsewhere = createHopProxy(two, quiet);
  elsewhere.pass(100);
  elsewhere.unreachable(hop.a);
  for (const method of ["CANCEL", "ACK"] as const) {
    t.same(
      summary(elsewhere.receive(peers.lessee, follow(method, 1))),
      [`${method} to ${hop.a}`],
      `${method} elsewhere`,
    );
  }
});

void t.test("bounds: a full table, and a reload in between", async (t) => {
  for (const [exception, expected] of [
    ["reject", [`503 ${toCaller}`]],
    ["drop", []],
    ["accept", [`INVITE to ${hop.a}`]],
  ] as const) {
    const proxy = createHopProxy(two, quiet, `, exception: ${exception}`, { failoverSize: 16 });
    for (let number = 1; number <= 16; number++) {
      t.same(summary(proxy.receive(peers.lessee, invite(number))), [`INVITE to ${hop.a}`]);
    }
    t.same(summary(proxy.receive(peers.lessee, invite(17))), expected, exception);
    t.equal(proxy.counters.failoversFull, 1);
    proxy.now += 33_000;
    t.same(summary(proxy.receive(peers.lessee, invite(18))), [`INVITE to ${hop.a}`], "room again");
  }
  const { proxy, first } = begun();
  proxy.policy = compileText(policyWith(`["sip:${hop.a}"]`, quiet));
  t.same(
    summary(proxy.receive(hop.a, respond(first.text, 503))),
    [`503 ${toCaller}`],
    "nowhere to go any more",
  );
  const replaced = begun();
  replaced.proxy.policy = compileText(policyWith(`["sip:${hop.b}"]`, quiet).replaceAll(hop.a, hop.c));
  t.same(
    summary(replaced.proxy.receive(peers.lessee, invite(1))),
    [`INVITE to ${hop.b}`],
    "its next hop is gone",
  );
  const gone = begun();
  gone.proxy.policy = compileText(policyWith(ranked, quiet).replace("id: lease,", "id: renamed,"));
  t.same(
    summary(gone.proxy.receive(hop.a, respond(gone.first.text, 503))),
    [`503 ${toCaller}`],
    "its trunk is gone",
  );
  t.same([...proxy.faults, ...gone.proxy.faults], []);
});
