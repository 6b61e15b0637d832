import t from "tap";
import { encodeIsup } from "../../pcaps/isup-text.ts";
import { packCalls } from "../../src/calls/call-snapshot.ts";
import {
  basicPolicy,
  header,
  headers,
  peers,
  request,
  respond,
  type Sent,
  type TestProxy,
} from "../support/proxy.ts";
import {
  answer2xx,
  answerCall,
  CALLED,
  CALLER,
  createQuietProxy,
  linesOf,
  within,
} from "../support/released-call.ts";

const nothing = { released: 0, gone: 0, notReleasable: 0 };

/** The BYE of ours to a side, among what was sent. */
function byeTo(sent: readonly Sent[], peer: string): Sent {
  const found = sent.find(({ to, text }) => to === peer && text.startsWith("BYE "));
  if (found === undefined) throw new Error(`no BYE to ${peer}`);
  return found;
}

function answerBoth(proxy: TestProxy, sent: readonly Sent[], status = 200): Sent[] {
  return sent.flatMap((bye) => proxy.receive(bye.to, respond(bye.text, status)));
}

void t.test("an answered call: a BYE to each side, as the other side would send it", async (t) => {
  const proxy = createQuietProxy();
  answerCall(proxy);
  const run = proxy.release("lease");
  t.same(run.sent.map(linesOf), [
    [
      `to ${peers.core}`,
      "BYE sip:uas@198.51.100.7:5080 SIP/2.0",
      "Via",
      "Max-Forwards: 70",
      `From: ${CALLER}`,
      `To: ${CALLED};tag=called`,
      "Call-ID: call-1",
      "CSeq: 11 BYE",
      'Reason: Q.850;cause=21;text="Call rejected"',
      "Content-Length: 0",
    ],
    [
      `to ${peers.lessee}`,
      "BYE sip:pbx@203.0.113.10:5070 SIP/2.0",
      "Via",
      "Max-Forwards: 70",
      `From: ${CALLED};tag=called`,
      `To: ${CALLER}`,
      "Call-ID: call-1",
      "CSeq: 1 BYE",
      'Reason: Q.850;cause=21;text="Call rejected"',
      "Content-Length: 0",
    ],
  ]);
  t.same(
    headers(run.sent[0]?.text ?? "", "Via").length,
    1,
    "there is no Via behind ours: the answer ends here",
  );
  t.not(header(run.sent[0]?.text ?? "", "Via"), header(run.sent[1]?.text ?? "", "Via"));
  t.equal(run.waiting(), 1);
  t.same(answerBoth(proxy, run.sent), [], "the answers reach nobody");
  t.equal(run.waiting(), 0);
  t.same(run.count(), { released: 1, gone: 0, notReleasable: 0 });
  const ended = proxy.events.filter(({ kind }) => kind === "ended");
  t.match(ended, [{ by: "filter", how: "released", status: 200, cause: 21, call: { trunk: "lease" } }]);
  t.equal(ended.length, 1, "told once");
  t.same(proxy.pass(60_000), [], "nothing is repeated, and nothing comes of it");
  t.equal(proxy.counters.strayResponses, 0);
  t.same(proxy.proxy.calls.standing().get("lease") ?? { setup: 0, answered: 0 }, { setup: 0, answered: 0 });
  t.same(proxy.faults, []);
});

void t.test("who is released", async (t) => {
  const proxy = createQuietProxy();
  answerCall(proxy, { callId: "a" });
  t.same(proxy.release("lease-2").count(), nothing, "another trunk");
  t.same(proxy.release("no such trunk").count(), nothing);
  answerCall(proxy, { callId: "b" });
  const b = answerCall(proxy, { callId: "c" });
  within(proxy, b, "caller", "BYE");
  const run = proxy.release("lease", "lease-2");
  t.same(
    run.sent.map(({ text }) => header(text, "Call-ID")),
    ["a", "a", "b", "b"],
    "not the call that a BYE has left",
  );
  t.same(proxy.release("lease").count(), nothing, "once");
});

void t.test("CSeq: one above the highest of each direction", async (t) => {
  const proxy = createQuietProxy();
  const call = answerCall(proxy);
  within(proxy, call, "caller", "INFO", { cseq: 40 });
  within(proxy, call, "caller", "INFO", { cseq: 39 });
  within(proxy, call, "called", "INFO", { cseq: 7000 });
  const { sent } = proxy.release("lease");
  t.equal(header(byeTo(sent, peers.core).text, "CSeq"), "41 BYE");
  t.equal(header(byeTo(sent, peers.lessee).text, "CSeq"), "7001 BYE");
});

void t.test("no CSeq of ours is higher than there may be one", async (t) => {
  const proxy = createQuietProxy();
  const call = answerCall(proxy);
  within(proxy, call, "caller", "INFO", { cseq: 2 ** 31 - 1 });
  within(proxy, call, "called", "INFO", { cseq: 2 ** 31 - 2 });
  const { sent } = proxy.release("lease");
  t.equal(header(byeTo(sent, peers.core).text, "CSeq"), "2147483647 BYE");
  t.equal(header(byeTo(sent, peers.lessee).text, "CSeq"), "2147483647 BYE");
});

void t.test("Route: the Record-Route values beyond us, nearest first", async (t) => {
  const ours = "<sip:192.0.2.1:5060;lr;sw=";
  const cases = [
    {
      name: "loose routers on both sides",
      above: ["<sip:p2.example;lr>", "<sip:198.51.100.3;lr>"],
      below: ["<sip:203.0.113.4;lr>, <sip:edge.example;lr>"],
      called: { uri: "sip:uas@198.51.100.7:5080", route: "<sip:198.51.100.3;lr>,<sip:p2.example;lr>" },
      caller: { uri: "sip:pbx@203.0.113.10:5070", route: "<sip:203.0.113.4;lr>,<sip:edge.example;lr>" },
    },
    {
      name: "several values in one field, with commas in them",
      above: ['"a, b" <sip:p2.example;lr>,<sip:198.51.100.3;lr>;x="1,2"'],
      below: [],
      called: {
        uri: "sip:uas@198.51.100.7:5080",
        route: '<sip:198.51.100.3;lr>;x="1,2","a, b" <sip:p2.example;lr>',
      },
      caller: { uri: "sip:pbx@203.0.113.10:5070", route: undefined },
    },
    {
      name: "strict routers (12.2.1.1)",
      above: ["<sip:198.51.100.3>"],
      below: ["<sip:203.0.113.4>", "<sip:203.0.113.5;lr>"],
      called: { uri: "sip:198.51.100.3", route: "<sip:uas@198.51.100.7:5080>" },
      caller: { uri: "sip:203.0.113.4", route: "<sip:203.0.113.5;lr>,<sip:pbx@203.0.113.10:5070>" },
    },
  ];
  for (const { name, above, below, called, caller } of cases) {
    const proxy = createQuietProxy();
    // A proxy puts its value on top of ours on the way there; that of a proxy before us stands below ours.
    const lines = below.map((value) => `Record-Route: ${value}`);
    const contact = "Contact: <sip:pbx@203.0.113.10:5070>";
    const [invite] = proxy.receive(
      peers.lessee,
      request({ callId: "r", cseq: "10 INVITE", from: CALLER, to: CALLED, headers: [contact, ...lines] }),
    );
    const recorded = above.map((value) => `Record-Route: ${value}\r\n`).join("");
    const text = respond(invite?.text ?? "", 200, { contact: "<sip:uas@198.51.100.7:5080>" }).replace(
      "Record-Route: ",
      `${recorded}Record-Route: `,
    );
    t.match(headers(text, "Record-Route").join(), ours);
    proxy.receive(peers.core, text);
    const { sent } = proxy.release("lease");
    for (const [peer, expected] of [
      [peers.core, called],
      [peers.lessee, caller],
    ] as const) {
      const bye = byeTo(sent, peer).text;
      t.equal(bye.slice(4, bye.indexOf(" SIP/2.0")), expected.uri, `${name}: Request-URI`);
      t.equal(header(bye, "Route"), expected.route, `${name}: Route`);
    }
  }
});

void t.test(
  "Route: a second value close behind one that begins as ours, where the other side's is longer",
  async (t) => {
    for (const ordinary of [undefined, false] as const) {
      const proxy = createQuietProxy(ordinary === undefined ? {} : { ordinary });
      const [invite] = proxy.receive(peers.sixth, request({ from: CALLER, to: CALLED }));
      const text = respond(invite?.text ?? "", 200, { contact: "<sip:uas@198.51.100.7:5080>" }).replace(
        "Record-Route: ",
        "Record-Route: <sip:192.0.2.1:5060;lr;sw=>,<sip:p2.example;lr>\r\nRecord-Route: ",
      );
      proxy.receive(peers.core, text);
      const { sent } = proxy.release("lease-6");
      const route = header(byeTo(sent, peers.core).text, "Route");
      t.equal(route, "<sip:p2.example;lr>,<sip:192.0.2.1:5060;lr;sw=>");
    }
  },
);

void t.test("Record-Route that can't be used", async (t) => {
  const proxy = createQuietProxy();
  answerCall(proxy, {
    callId: "many",
    lines: Array.from({ length: 40 }, (_, i) => `Record-Route: <sip:p${i};lr>`),
  });
  answerCall(proxy, { callId: "broken", lines: ['Record-Route: <sip:a;lr>,"b <sip:c>'] });
  t.same(proxy.release("lease").count(), { released: 0, gone: 0, notReleasable: 2 });
  t.equal(proxy.events.filter(({ kind }) => kind === "ended").length, 0, "the calls go on");
  const bare = createQuietProxy();
  const [invite] = bare.receive(peers.lessee, request({ callId: "bare", from: CALLER, to: CALLED }));
  const text = respond(invite?.text ?? "", 200).replace(/Record-Route: .*\r\n/u, "");
  bare.receive(peers.core, text);
  const { sent } = bare.release("lease");
  t.match(
    byeTo(sent, peers.core).text,
    "BYE sip:198.51.100.1:5060 SIP/2.0",
    "no Contact: asked at its place",
  );
});

void t.test("target refresh: the Contact of re-INVITE, UPDATE and their 2xx", async (t) => {
  const cases = [
    {
      side: "caller",
      method: "INVITE",
      contact: "<sip:new@203.0.113.10:5072>",
      answer: "<sip:fresh@198.51.100.9>",
    },
    {
      side: "called",
      method: "UPDATE",
      contact: "<sip:moved@198.51.100.8>",
      answer: "<sip:late@203.0.113.10>",
    },
    { side: "caller", method: "INFO", contact: "<sip:no@203.0.113.10>", answer: "<sip:no@198.51.100.9>" },
    { side: "called", method: "INVITE", contact: "<sip:a@x?Subject=y>;q=1", answer: "<sip:b c@d>" },
  ] as const;
  const expected = [
    ["sip:fresh@198.51.100.9", "sip:new@203.0.113.10:5072"],
    ["sip:moved@198.51.100.8", "sip:late@203.0.113.10"],
    ["sip:uas@198.51.100.7:5080", "sip:pbx@203.0.113.10:5070"],
    ["sip:a@x", "sip:pbx@203.0.113.10:5070"],
  ];
  for (const [index, { side, method, contact, answer }] of cases.entries()) {
    const proxy = createQuietProxy();
    const call = answerCall(proxy);
    const [out] = within(proxy, call, side, method, { headers: [`Contact: ${contact}`] });
    const other = side === "caller" ? peers.core : peers.lessee;
    t.equal(out?.to, other);
    proxy.receive(other, respond(out?.text ?? "", 200, { contact: answer }));
    const { sent } = proxy.release("lease");
    const uris = [peers.core, peers.lessee].map((peer) => byeTo(sent, peer).text.slice(4).split(" ")[0]);
    t.same(uris, expected[index], `${method} of the ${side} side`);
  }
});

void t.test("From and To as each side knows them", async (t) => {
  const policy = basicPolicy.replace(
    "id: intl, side: international,",
    "id: intl, side: international, rules: { home-cli-from-abroad: { roamers: withhold } },",
  );
  const proxy = createQuietProxy({}, policy);
  const roamer = '"Wang" <sip:+8613912345678@203.0.113.20>;tag=caller';
  const [invite] = proxy.receive(
    peers.abroad,
    request({ callId: "w", from: roamer, to: CALLED, via: [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bKw`] }),
  );
  answer2xx(proxy, invite!);
  const { sent } = proxy.release("intl");
  const toCalled = byeTo(sent, peers.core).text;
  t.equal(header(toCalled, "From"), '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=caller', "withheld");
  t.notMatch(toCalled, "13912345678");
  t.equal(header(byeTo(sent, peers.abroad).text, "To"), roamer, "the caller knows its own number");
});

void t.test("a fork: each dialog that stands gets its BYE", async (t) => {
  const proxy = createQuietProxy();
  const call = answerCall(proxy, { tag: "one" });
  answer2xx(proxy, call.invite, { tag: "two", contact: "<sip:second@198.51.100.8>" });
  answer2xx(proxy, call.invite, { tag: "two", contact: "<sip:second@198.51.100.8>" });
  answer2xx(proxy, call.invite, { tag: "three", contact: "<sip:third@198.51.100.9>" });
  within(proxy, call, "caller", "BYE", { tag: "one" });
  const run = proxy.release("lease");
  const told = run.sent.map(({ to, text }) => `${to} ${text.slice(4).split(" ")[0]} ${header(text, "To")}`);
  t.same(told, [
    `${peers.core} sip:second@198.51.100.8 ${CALLED};tag=two`,
    `${peers.lessee} sip:pbx@203.0.113.10:5070 ${CALLER}`,
    `${peers.core} sip:third@198.51.100.9 ${CALLED};tag=three`,
    `${peers.lessee} sip:pbx@203.0.113.10:5070 ${CALLER}`,
  ]);
  answerBoth(proxy, run.sent);
  t.same(run.count(), { released: 1, gone: 0, notReleasable: 0 });
  const late = answer2xx(proxy, call.invite, { tag: "four", contact: "<sip:fourth@198.51.100.10>" });
  t.same(
    late.map(({ to, text }) => `${to} ${text.split(" ", 2).join(" ")} ${header(text, "CSeq")}`),
    [
      `${peers.core} ACK sip:fourth@198.51.100.10 10 ACK`,
      `${peers.core} BYE sip:fourth@198.51.100.10 12 BYE`,
    ],
    "a dialog that begins afterwards is acknowledged and ended here; the caller hears nothing of it",
  );
  t.same(
    answer2xx(proxy, call.invite, { tag: "four" }).map(({ text }) => text.slice(0, 3)),
    ["ACK"],
    "its repeat is acknowledged again",
  );
  t.equal(proxy.events.filter(({ kind }) => kind === "ended").length, 1);
});

void t.test("what crosses", async (t) => {
  const proxy = createQuietProxy();
  const call = answerCall(proxy);
  const run = proxy.release("lease");
  for (const side of ["caller", "called"] as const) {
    const [answer, ...more] = within(proxy, call, side, "BYE");
    t.match(answer?.text, /^SIP\/2\.0 200 /u, `a BYE of the ${side} side is answered`);
    t.equal(answer?.to, side === "caller" ? peers.lessee : peers.core);
    t.same(more, [], "and goes no further");
  }
  t.match(within(proxy, call, "caller", "INVITE")[0]?.text, /^SIP\/2\.0 481 /u, "re-INVITE");
  t.match(within(proxy, call, "called", "INFO")[0]?.text, /^SIP\/2\.0 481 /u, "INFO");
  t.equal(within(proxy, call, "caller", "ACK")[0]?.to, peers.core, "an ACK goes on: nobody answers it");
  answerBoth(proxy, run.sent, 481);
  t.same(run.count(), { released: 0, gone: 1, notReleasable: 0 }, "both sides had ended it by themselves");
  t.equal(proxy.events.filter(({ kind }) => kind === "ended").length, 1, "told once");
  const other = createQuietProxy();
  const known = answerCall(other);
  other.release("lease");
  other.pass(33_000);
  t.equal(within(other, known, "caller", "BYE")[0]?.to, peers.core, "after 64·T1 nobody knows the call");
});

void t.test("answers of the sides, and what is counted", async (t) => {
  const cases: readonly [called: number, caller: number, count: string][] = [
    [200, 200, "released"],
    [481, 200, "released"],
    [200, 408, "released"],
    [481, 481, "gone"],
    [408, 481, "gone"],
    [401, 500, "released"],
  ];
  for (const [called, caller, expected] of cases) {
    const proxy = createQuietProxy();
    answerCall(proxy);
    const run = proxy.release("lease");
    proxy.receive(peers.core, respond(byeTo(run.sent, peers.core).text, called));
    t.equal(run.waiting(), 1);
    proxy.receive(peers.lessee, respond(byeTo(run.sent, peers.lessee).text, caller));
    t.same(run.count(), { ...nothing, [expected]: 1 }, `${called} and ${caller}`);
  }
});

void t.test("repeated by timer E until answered, for 64·T1", async (t) => {
  const proxy = createQuietProxy();
  answerCall(proxy);
  const run = proxy.release("lease");
  const [toCore, toLessee] = run.sent;
  proxy.receive(peers.lessee, respond(toLessee!.text, 200));
  const times: number[] = [];
  const begun = proxy.now;
  while (proxy.now < begun + 40_000)
    for (const again of proxy.pass(100)) {
      t.equal(again.text, toCore?.text);
      t.equal(again.to, peers.core);
      times.push(proxy.now - begun);
    }
  t.same(times, [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
  t.equal(run.waiting(), 0);
  t.same(run.count(), { released: 1, gone: 0, notReleasable: 0 });
  const trying = createQuietProxy();
  answerCall(trying);
  const { sent } = trying.release("lease");
  for (const bye of sent) trying.receive(bye.to, respond(bye.text, 100));
  t.same(trying.pass(3900), [], "after a provisional answer every T2");
  t.equal(trying.pass(200).length, 2);
});

void t.test("an answer of somebody else settles nothing", async (t) => {
  const proxy = createQuietProxy();
  answerCall(proxy);
  const run = proxy.release("lease");
  const bye = byeTo(run.sent, peers.core).text;
  t.same(proxy.receive(peers.second, respond(bye, 200)), []);
  t.equal(proxy.counters.strayResponses, 1);
  t.equal(run.waiting(), 1);
  t.same(
    proxy.receive(peers.core, respond(bye.replace(/branch=z9hG4bKsw0\w/u, "branch=z9hG4bKsw0_"), 200)),
    [],
  );
  t.equal(run.waiting(), 1);
});

void t.test("calls that can't be released go on", async (t) => {
  const full = createQuietProxy({ callBytes: 550 });
  const first = answerCall(full, { callId: "first" });
  answerCall(full, { callId: "second" });
  answerCall(full, { callId: "third" });
  const run = full.release("lease");
  t.equal(run.sent.length % 2, 0);
  const { released, notReleasable } = run.count();
  t.equal(released + notReleasable, 3);
  t.ok(released > 0 && notReleasable > 0, "`callBytes` is full: some have no octets");
  t.equal(full.counters.callBytesFull, notReleasable, "and are counted");
  t.match(within(full, first, "caller", "BYE")[0]?.text, /^SIP\/2\.0 200 /u);

  const none = createQuietProxy({ callBytes: 0 });
  const call = answerCall(none);
  t.same(none.release("lease").count(), { ...nothing, notReleasable: 1 });
  t.equal(within(none, call, "caller", "BYE")[0]?.to, peers.core, "it ends by its own BYE");

  const emergency = createQuietProxy();
  const [invite] = emergency.receive(peers.lessee, request({ uri: "sip:110@192.0.2.1", callId: "e" }));
  answer2xx(emergency, invite!);
  t.same(emergency.release("lease").count(), { ...nothing, notReleasable: 1 }, "an emergency call");
});

void t.test("a restart: the row is known, what a BYE needs is not", async (t) => {
  const former = createQuietProxy();
  const call = answerCall(former);
  const proxy = createQuietProxy();
  proxy.now = former.now;
  const { shared, trunkNames } = former.proxy.calls;
  const packed = packCalls(shared, trunkNames());
  t.equal(packed && proxy.proxy.calls.restore(packed.bytes, proxy.now).rows, 1);
  t.same(proxy.release("lease").count(), { ...nothing, notReleasable: 1 });
  t.equal(within(proxy, call, "caller", "BYE")[0]?.to, peers.core);
});

void t.test("SIP-I: the BYE carries a REL", async (t) => {
  const body = encodeIsup("IAM called=3:2787654321 calling=3:1087654321").toString("latin1");
  const rows: readonly [type: string, expected: string][] = [
    ["application/ISUP;version=itu-t92+", "application/ISUP;version=itu-t92+"],
    ["application/isup; version=nxv3; base=etsi121", "application/ISUP;version=nxv3;base=etsi121"],
  ];
  for (const [type, expected] of rows) {
    const proxy = createQuietProxy();
    const contact = "Contact: <sip:pbx@203.0.113.10:5070>";
    const [invite] = proxy.receive(
      peers.lessee,
      request({ callId: "i", from: CALLER, to: CALLED, headers: [contact, `Content-Type: ${type}`], body }),
    );
    answer2xx(proxy, invite!);
    const { sent } = proxy.release("lease");
    t.equal(sent.length, 2);
    for (const bye of sent) {
      t.equal(header(bye.text, "Content-Type"), expected);
      t.equal(header(bye.text, "Content-Disposition"), "signal;handling=optional");
      t.equal(header(bye.text, "Content-Length"), "6");
      t.same([...bye.bytes.subarray(-6)], [0x0c, 2, 0, 2, 0x83, 0x80 | 21], "REL, cause 21 (Q.763 table 33)");
    }
  }
});

void t.test("many calls: some at a time", async (t) => {
  const proxy = createQuietProxy({ ledgerSize: 3000, callBytes: 10_000_000 });
  for (let i = 0; i < 400; i++) answerCall(proxy, { callId: `c${i}` });
  const work = proxy.proxy.release(new Set(["lease"]));
  let steps = 0;
  while (!work.step(proxy.now)) steps++;
  t.ok(steps >= 400 / 16, "a call thread that does nothing else for long is none");
  t.same(work.count(), { ...nothing, released: 400 });
  const repeated = proxy.pass(500).length;
  t.equal(repeated, 200, "repeats are spread as well");
});
