import t from "tap";
import {
  answeredRoute,
  createTestProxy,
  header,
  headers,
  outcomeOf,
  peers,
  request,
  respond,
  type RequestParts,
} from "../support/proxy.ts";

/** The token parameter of the first Record-Route. */
function ownRoute(text: string): string {
  return header(text, "Record-Route") ?? "";
}

void t.test("an allowed call, INVITE to BYE", async (t) => {
  const proxy = createTestProxy();
  const body = "v=0\r\no=- 1 1 IN IP4 203.0.113.10\r\n\0\xff\r\n";
  const invite = request({
    body,
    headers: ["Contact: <sip:pbx@203.0.113.10:5060>", "X-Odd  :  kept \t as is  ", "s: compact"],
  });
  const [out, ...more] = proxy.receive(peers.lessee, invite);
  t.equal(more.length, 0);
  t.equal(out?.to, peers.core, "to the policy's next hop");
  const text = out?.text ?? "";
  t.equal(headers(text, "Via").length, 2);
  t.match(header(text, "Via"), /^SIP\/2\.0\/UDP 192\.0\.2\.1:5060;branch=z9hG4bKsw/u);
  t.equal(header(text, "Max-Forwards"), "69");
  t.match(ownRoute(text), /^<sip:192\.0\.2\.1:5060;lr;sw=[a-z\d._-]+>$/u);
  // What is left when our three edits are undone is what came in, byte for byte.
  const undone = text
    .replace(/^Via: SIP\/2\.0\/UDP 192\.0\.2\.1.*\r\n/mu, "")
    .replace(/^Record-Route: .*\r\n/mu, "")
    .replace("Max-Forwards: 69", "Max-Forwards: 70");
  t.equal(undone, invite);

  for (const status of [100, 180, 200]) {
    const response = respond(text, status, { contact: "<sip:198.51.100.1:5060>" });
    const [back, ...others] = proxy.receive(peers.core, response);
    t.equal(others.length, 0);
    t.equal(back?.to, peers.lessee, `${status} goes back by Via`);
    const without = response.replace(/^Via: .*\r\n/mu, "");
    const relayed = back?.text ?? "";
    if (status === 100) t.equal(relayed, without, "100: only our Via is gone");
    else {
      t.not(relayed, without, `${status}: our Record-Route learns the called side's tag`);
      t.equal(
        relayed.replace(/^(Record-Route: .*)\.[0-9a-f]{24}>/mu, "$1>"),
        without,
        `${status}: nothing else`,
      );
    }
  }

  const dialog = {
    to: "<sip:02787654321@192.0.2.1>;tag=called",
    uri: "sip:198.51.100.1:5060",
    headers: [`Route: ${ownRoute(text)}`],
  };
  for (const [method, cseq] of [
    ["ACK", 1],
    ["INFO", 2],
    ["BYE", 3],
  ] as const) {
    const [sent] = proxy.receive(
      peers.lessee,
      request({
        ...dialog,
        method,
        cseq: `${cseq} ${method}`,
        via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK${method}`],
      }),
    );
    t.equal(sent?.to, peers.core, `${method} in the dialog`);
    t.equal(header(sent?.text ?? "", "Route"), undefined, `${method}: our Route is consumed`);
  }

  const fromCalled = request({
    method: "BYE",
    uri: "sip:pbx@203.0.113.10:5060",
    via: ["SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKbye"],
    from: "<sip:02787654321@192.0.2.1>;tag=called",
    to: "<sip:+861087654321@203.0.113.10>;tag=caller",
    headers: [`Route: ${ownRoute(text)}`],
  });
  const [bye] = proxy.receive(peers.core, fromCalled);
  t.equal(bye?.to, peers.lessee, "BYE of the called side goes to the caller's Contact");
  t.match(
    proxy.decisions,
    [{ verdict: { kind: "accept", reason: "listed" } }],
    "one decision for the whole call",
  );
  t.same(proxy.faults, []);
});

void t.test("refusals", async (t) => {
  // name, source, parts, status, reason, Reason header
  const rows = [
    [
      "not listed",
      peers.lessee,
      { from: "<sip:+861087654400@a>;tag=caller" },
      403,
      "cli-not-listed",
      "Q.850;cause=21",
    ],
    ["hidden", peers.lessee, { headers: ["Privacy: id"] }, 433, "cli-hidden", "Q.850;cause=21"],
    ["absent", peers.lessee, { from: "<sip:pbx@a>;tag=caller" }, 403, "cli-absent", "Q.850;cause=21"],
    [
      "malformed number",
      peers.lessee,
      { from: "<sip:+86@a>;tag=caller" },
      403,
      "cli-malformed",
      "Q.850;cause=21",
    ],
    ["+86 from abroad", peers.abroad, {}, 403, "home-cli-from-abroad", "Q.850;cause=21"],
    [
      "a foreign Route",
      peers.lessee,
      { headers: ["Route: <sip:203.0.113.66;lr>"] },
      403,
      "routing-refused",
      undefined,
    ],
    [
      "ISUP body",
      peers.lessee,
      { headers: ["Content-Type: application/ISUP;version=x"], body: "\x01" },
      403,
      "isup-undecodable",
      "Q.850;cause=21",
    ],
    [
      "malformed message",
      peers.lessee,
      { headers: ["Max-Forwards: 3"] },
      400,
      "message-malformed",
      undefined,
    ],
  ] as const;
  for (const [name, from, parts, status, reason, cause] of rows) {
    const proxy = createTestProxy();
    const sent = proxy.receive(from, request(parts));
    t.equal(sent.length, 1, `${name}: one answer, nothing forwarded`);
    t.equal(sent[0]?.to, from.startsWith("203.0.113.20") ? "203.0.113.20:5060" : from, name);
    t.match(sent[0]?.text, new RegExp(`^SIP/2\\.0 ${status} `, "u"), name);
    t.match(header(sent[0]?.text ?? "", "To"), /;tag=sw[0-9a-f]{24}$/u, `${name}: To tag`);
    t.equal(header(sent[0]?.text ?? "", "Reason")?.slice(0, 14), cause, `${name}: Reason`);
    t.match(proxy.decisions, [{ verdict: { kind: "reject", reason } }], name);
  }
});

void t.test("a refusal is the same for every repeat, and its ACK and CANCEL are absorbed", async (t) => {
  const proxy = createTestProxy();
  const invite = request({ headers: ["Privacy: id"] });
  const first = proxy.receive(peers.lessee, invite)[0]?.text ?? "";
  proxy.now += 500;
  t.equal(proxy.receive(peers.lessee, invite)[0]?.text, first);
  t.equal(proxy.decisions.length, 1, "judged once");
  t.equal(proxy.counters.trunks.get("lease")?.retransmissions, 1);
  const ack = request({ method: "ACK", cseq: "1 ACK", to: header(first, "To") ?? "" });
  t.same(proxy.receive(peers.lessee, ack), [], "ACK");
  t.same(proxy.receive(peers.lessee, request({ method: "CANCEL", cseq: "1 CANCEL" })), [], "CANCEL");
  const other = createTestProxy();
  t.same(other.receive(peers.lessee, ack), [], "the tag proves itself on a node that never saw the INVITE");
});

void t.test("a reload can't change a call in mid-transaction", async (t) => {
  const proxy = createTestProxy();
  const invite = request();
  const before = proxy.receive(peers.lessee, invite)[0]?.text;
  proxy.policy = { ...proxy.policy, trunks: proxy.policy.trunks };
  proxy.now += 31_999;
  t.equal(proxy.receive(peers.lessee, invite)[0]?.text, before, "the same bytes, 64·T1 minus 1 ms later");
  t.equal(proxy.decisions.length, 1);
  proxy.now += 1;
  proxy.receive(peers.lessee, invite);
  t.equal(proxy.decisions.length, 2, "then it is a call of its own");
});

void t.test("nothing rides on something judged before", async (t) => {
  const proxy = createTestProxy();
  proxy.receive(peers.lessee, request());
  const forged = request({ from: "<sip:+861087654400@a>;tag=caller" });
  t.match(
    proxy.receive(peers.lessee, forged)[0]?.text,
    /^SIP\/2\.0 400 /u,
    "the same branch with another caller",
  );
  t.equal(proxy.counters.trunks.get("lease")?.forgedRepeats, 1);
  const body = proxy.receive(peers.lessee, request({ body: "v=1" }));
  t.match(body[0]?.text, /^SIP\/2\.0 400 /u, "the same branch with another body");
  t.equal(
    proxy.receive(peers.second, request({ via: ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKcall1"] }))
      .length,
    1,
    "another source is another transaction",
  );
  t.equal(proxy.decisions.length, 2);
});

void t.test("CANCEL and the ACK of a relayed refusal follow their INVITE", async (t) => {
  const proxy = createTestProxy();
  const out = proxy.receive(peers.lessee, request())[0];
  const branch = /branch=[^;\r]+/u.exec(out?.text ?? "")?.[0];
  const cancel = proxy.receive(peers.lessee, request({ method: "CANCEL", cseq: "1 CANCEL" }));
  t.equal(cancel.length, 1, "never answered by us");
  t.equal(cancel[0]?.to, peers.core);
  t.match(cancel[0]?.text, branch ?? "none");
  t.equal(header(cancel[0]?.text ?? "", "Record-Route"), undefined);
  const ack = request({ method: "ACK", cseq: "1 ACK", to: "<sip:02787654321@192.0.2.1>;tag=busy" });
  t.match(proxy.receive(peers.lessee, ack)[0]?.text, branch ?? "none");
  const restarted = createTestProxy();
  t.match(restarted.receive(peers.lessee, ack)[0]?.text, branch ?? "none", "also where the ledger is lost");
  t.match(
    restarted.receive(peers.lessee, request({ method: "CANCEL", cseq: "1 CANCEL" }))[0]?.text,
    branch ?? "none",
  );
});

void t.test("responses: only our keyed branch, only from where the request went", async (t) => {
  const proxy = createTestProxy();
  const out = proxy.receive(peers.lessee, request())[0]?.text ?? "";
  const ok = respond(out, 200);
  const stray: readonly (readonly [string, string, string])[] = [
    ["from another peer", peers.second, ok],
    ["another branch", peers.core, ok.replace(/(branch=z9hG4bKsw.)./u, "$1_")],
    [
      "our branch in a Via of another host",
      peers.core,
      ok.replace("UDP 192.0.2.1:5060;", "UDP 192.0.2.2:5060;"),
    ],
    ["something behind the branch", peers.core, ok.replace(/(branch=z9hG4bKsw[0-9a-f]*)/u, "$1(")],
    ["a part of the branch", peers.core, ok.replace(/(branch=z9hG4bKsw[0-9a-f]*)[0-9a-f]/u, "$1")],
    ["another Call-ID", peers.core, ok.replace("call-1@", "call-2@")],
    [
      "another next Via",
      peers.core,
      ok.replace("Via: SIP/2.0/UDP 203.0.113.10:5060", "Via: SIP/2.0/UDP 203.0.113.66:5060"),
    ],
    [
      "received added to the next Via",
      peers.core,
      ok.replace("branch=z9hG4bKcall1", "branch=z9hG4bKcall1;received=203.0.113.66"),
    ],
    [
      "rport added to the next Via",
      peers.core,
      ok.replace("branch=z9hG4bKcall1", "branch=z9hG4bKcall1;rport=9"),
    ],
    ["no next Via", peers.core, ok.replace(/Via: SIP\/2\.0\/UDP 203.*\r\n/u, "")],
    ["not ours at all", peers.core, ok.replace(/z9hG4bKsw[^;\r]*/u, "z9hG4bKx")],
  ];
  for (const [name, from, text] of stray) {
    t.not(text === ok && from === peers.core, true, `${name}: differs`);
    t.same(proxy.receive(from, text), [], name);
  }
  t.equal(proxy.counters.strayResponses, stray.length);
  t.equal(proxy.receive(peers.core, ok).length, 1, "the true one passes");
  const otherKey = createTestProxy(undefined, { key: "another key, 16+" });
  t.same(otherKey.receive(peers.core, ok), [], "a node with another key does not take it");
  t.equal(
    createTestProxy().receive(peers.core, ok).length,
    1,
    "a node with the same key does, without having seen the call",
  );
});

void t.test("Via and Route folded into one line, as SIPp does", async (t) => {
  const proxy = createTestProxy();
  const via =
    "SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKcall1, SIP/2.0/UDP 203.0.113.50:5080;branch=z9hG4bKfar";
  const out = proxy.receive(peers.lessee, request({ via: [via] }))[0]?.text ?? "";
  const folded = respond(out, 200).replace(/^Via: (.*)\r\nVia: (.*)\r\n/mu, "Via: $1, $2\r\n");
  const back = proxy.receive(peers.core, folded)[0]?.text ?? "";
  t.equal(header(back, "Via"), via, "only our value is taken off the line");
  const route = header(out, "Record-Route") ?? "";
  const bye = request({
    method: "BYE",
    to: "<sip:02787654321@192.0.2.1>;tag=called",
    headers: [`Route: ${route}, <sip:198.51.100.7;lr>`],
  });
  const sent = proxy.receive(peers.lessee, bye)[0];
  t.equal(header(sent?.text ?? "", "Route"), "<sip:198.51.100.7;lr>");
  t.equal(sent?.to, peers.core, "a recorded Route of the core does not choose our target");
});

void t.test("received and rport", async (t) => {
  // via of the peer, where the answer goes, what our Via field says
  const rows = [
    [
      "SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK1",
      "203.0.113.10:5060",
      "SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK1",
    ],
    [
      "SIP/2.0/UDP 203.0.113.10;branch=z9hG4bK1",
      "203.0.113.10:5060",
      "SIP/2.0/UDP 203.0.113.10;branch=z9hG4bK1",
    ],
    [
      "SIP/2.0/UDP 10.0.0.1:5080;branch=z9hG4bK1",
      "203.0.113.10:5080",
      "SIP/2.0/UDP 10.0.0.1:5080;branch=z9hG4bK1;received=203.0.113.10",
    ],
    [
      "SIP/2.0/UDP 10.0.0.1:5080;rport;branch=z9hG4bK1",
      "203.0.113.10:40000",
      "SIP/2.0/UDP 10.0.0.1:5080;branch=z9hG4bK1;rport=40000;received=203.0.113.10",
    ],
    [
      "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=6.6.6.6;rport=99",
      "203.0.113.10:40000",
      "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;rport=40000;received=203.0.113.10",
    ],
    [
      "SIP/2.0/UDP 203.0.113.10:5060;received=6.6.6.6;branch=z9hG4bK1",
      "203.0.113.10:5060",
      "SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK1",
    ],
    [
      "SIP/2.0/UDP 203.0.113.10:5060;maddr=6.6.6.6;branch=z9hG4bK1",
      "203.0.113.10:5060",
      "SIP/2.0/UDP 203.0.113.10:5060;maddr=6.6.6.6;branch=z9hG4bK1",
    ],
  ] as const;
  for (const [via, to, filled] of rows) {
    const proxy = createTestProxy();
    const out = proxy.receive("203.0.113.10:40000", request({ via: [via] }))[0]?.text ?? "";
    t.equal(headers(out, "Via")[1], filled, via);
    t.equal(proxy.receive(peers.core, respond(out, 180))[0]?.to, to, `${via}: relayed answer`);
    const refused = proxy.receive(
      "203.0.113.10:40000",
      request({ via: [`${via}2`], headers: ["Privacy: id"] }),
    );
    t.equal(refused[0]?.to, to, `${via}: own answer`);
  }
});

void t.test("IPv6, and a call that crosses from IPv6 to IPv4", async (t) => {
  const proxy = createTestProxy();
  const invite = request({
    uri: "sip:02787654321@[2001:db8::1]",
    via: ["SIP/2.0/UDP [2001:db8::10]:5060;branch=z9hG4bK6"],
    headers: ["Contact: <sip:pbx@[2001:db8::10]:5060>"],
  });
  const out = proxy.receive(peers.sixth, invite)[0];
  t.equal(out?.listener, "udp:192.0.2.1:5060");
  t.equal(out?.to, peers.core);
  const routes = headers(out?.text ?? "", "Record-Route");
  t.match(
    routes,
    [/^<sip:192\.0\.2\.1:5060;lr;/u, /^<sip:\[2001:db8::1\]:5060;lr;/u],
    "RFC 5658: each side sees what it can reach",
  );
  const back = proxy.receive(peers.core, respond(out?.text ?? "", 200))[0];
  t.equal(back?.to, peers.sixth);
  t.equal(back?.listener, "udp:[2001:db8::1]:5060");
  const bye = proxy.receive(
    peers.core,
    request({
      method: "BYE",
      uri: "sip:pbx@[2001:db8::10]:5060",
      via: ["SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKbye"],
      from: "<sip:02787654321@192.0.2.1>;tag=called",
      to: "<sip:+861087654321@203.0.113.10>;tag=caller",
      headers: routes.map((route) => `Route: ${route}`),
    }),
  )[0];
  t.equal(bye?.to, peers.sixth);
  t.equal(header(bye?.text ?? "", "Route"), undefined, "both values are consumed");
});

void t.test("the core may call a trunk; the trunk's answers and requests come back", async (t) => {
  const proxy = createTestProxy();
  const invite = request({
    uri: "sip:87654321@203.0.113.10:5060",
    via: ["SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKcore"],
    from: "<sip:anonymous@anonymous.invalid>;tag=caller",
    to: "<sip:87654321@192.0.2.1>",
    headers: ["Route: <sip:192.0.2.1;lr>", "Contact: <sip:198.51.100.1:5060>"],
  });
  const out = proxy.receive(peers.core, invite)[0];
  t.equal(out?.to, peers.lessee, "by Request-URI, unscreened");
  t.equal(header(out?.text ?? "", "Route"), undefined, "a preloaded Route of ours is consumed");
  t.equal(proxy.receive(peers.lessee, respond(out?.text ?? "", 200))[0]?.to, peers.core);
  const dialog = {
    from: "<sip:87654321@192.0.2.1>;tag=called",
    to: "<sip:anonymous@anonymous.invalid>;tag=caller",
    headers: [`Route: ${header(out?.text ?? "", "Record-Route")}`],
  };
  t.equal(
    proxy.receive(peers.lessee, request({ ...dialog, method: "BYE" }))[0]?.to,
    peers.core,
    "BYE of the called trunk",
  );
  t.match(
    proxy.receive(peers.second, request({ ...dialog, method: "BYE" }))[0]?.text,
    /^SIP\/2\.0 481/u,
    "another trunk has no part in it",
  );
  const routed = request({
    uri: "sip:x@host.example",
    via: ["SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKr"],
    headers: ["Route: <sip:192.0.2.1;lr>, <sip:203.0.113.11;lr>"],
  });
  t.equal(proxy.receive(peers.core, routed)[0]?.to, peers.second, "by Route");
  for (const uri of ["sip:x@203.0.113.66", "sip:x@host.example", "sip:x@192.0.2.1", "sip:x@999.1.1.1"]) {
    t.match(
      proxy.receive(
        peers.core,
        request({ uri, via: ["SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK4" + uri] }),
      )[0]?.text,
      /^SIP\/2\.0 404/u,
      `no target: ${uri}`,
    );
  }
});

void t.test("answered by ourselves", async (t) => {
  const proxy = createTestProxy();
  const status = (parts: object, from: string = peers.lessee): string | undefined =>
    proxy.receive(from, request(parts))[0]?.text.slice(8, 11);
  t.equal(status({ method: "OPTIONS" }), "200");
  t.equal(status({ method: "OPTIONS", to: "<sip:a@b>" }, peers.core), "200");
  t.equal(status({ method: "REGISTER" }), "405");
  t.equal(status({ uri: "http://x" }), "416");
  t.equal(
    status({ headers: ["Proxy-Require: foo"], callId: "2", via: ["SIP/2.0/UDP a;branch=z9hG4bK2"] }),
    "420",
  );
  t.equal(
    proxy
      .receive(peers.lessee, request().replace("Max-Forwards: 70", "Max-Forwards: 0"))[0]
      ?.text.slice(8, 11),
    "483",
  );
  t.same(proxy.receive(peers.stranger, request()), [], "strangers get nothing");
  t.equal(proxy.counters.unknownSource, 1);
  t.same(proxy.receive(peers.lessee, "\r\n\r\n"), [], "keep-alive");
  t.same(proxy.receive(peers.lessee, "\x80\x01rtp"), [], "no SIP");
  t.equal(proxy.counters.notSip, 1);
  t.same(proxy.receive(peers.lessee, request({ via: ["nonsense"] })), [], "no Via to answer by");
});

void t.test("Max-Forwards that is absent becomes 70", async (t) => {
  const out =
    createTestProxy().receive(peers.lessee, request().replace(/Max-Forwards: .*\r\n/u, ""))[0]?.text ?? "";
  t.same(headers(out, "Max-Forwards"), ["70"]);
});

void t.test("what is judged is what is forwarded: Route and Request-URI of a new call", async (t) => {
  const rows: readonly (readonly [string, object, string])[] = [
    [
      "our URI with a made-up token, target in the Route",
      { uri: "sip:02787654322@192.0.2.1;sw=x", headers: ["Route: <sip:02787654321@198.51.100.1>"] },
      "403",
    ],
    [
      "the same with lr",
      { uri: "sip:02787654322@192.0.2.1;sw=x", headers: ["Route: <sip:02787654321@198.51.100.1;lr>"] },
      "403",
    ],
    ["behind a Route of ours", { headers: ["Route: <sip:192.0.2.1;lr>, <sip:203.0.113.66>"] }, "403"],
    ["a Route of ours alone is fine", { headers: ["Route: <sip:192.0.2.1;lr>"] }, `to ${peers.core}`],
  ];
  for (const [name, parts, wanted] of rows) {
    const proxy = createTestProxy();
    t.equal(outcomeOf(proxy.receive(peers.lessee, request(parts))), wanted, name);
  }
});

void t.test(
  "an emergency call goes on without the Route of its caller, and so do its CANCEL and ACK",
  (t) => {
    const rows: readonly (readonly [string, RequestParts])[] = [
      ["a Route elsewhere", { headers: ["Route: <sip:198.51.100.77;lr>"] }],
      [
        "our URI with a made-up token, target in the Route",
        { uri: "sip:110@192.0.2.1;sw=x", headers: ["Route: <sip:02787654321@198.51.100.1>"] },
      ],
      ["behind a Route of ours", { headers: ["Route: <sip:192.0.2.1;lr>, <sip:203.0.113.66>"] }],
    ];
    for (const [name, parts] of rows) {
      const proxy = createTestProxy();
      for (const method of ["INVITE", "CANCEL", "ACK"]) {
        const sent = proxy.receive(
          peers.lessee,
          request({ uri: "sip:110@192.0.2.1", ...parts, method, cseq: `1 ${method}` }),
        );
        t.equal(outcomeOf(sent), `to ${peers.core}`, `${name}: ${method}`);
        t.same(headers(sent[0]?.text ?? "", "Route"), [], `${name}: ${method} has no Route`);
        t.match(sent[0]?.text, /^\w+ sip:110@192\.0\.2\.1/u, `${name}: the number that was judged`);
      }
    }
    const abroad = request({
      uri: "sip:110@192.0.2.1",
      via: ["SIP/2.0/UDP 203.0.113.20;branch=z9hG4bKx"],
      headers: ["Route: <sip:198.51.100.77;lr>"],
    });
    t.equal(outcomeOf(createTestProxy().receive(peers.abroad, abroad)), "403", "not from abroad");
    t.end();
  },
);

void t.test("ACK and CANCEL carry no Route that their INVITE could not have", async (t) => {
  const proxy = createTestProxy();
  const foreign = ["Route: <sip:203.0.113.66;lr>"];
  t.equal(
    outcomeOf(
      proxy.receive(peers.lessee, request({ method: "ACK", to: "<sip:a@b>;tag=x", headers: foreign })),
    ),
    "nothing",
  );
  t.equal(outcomeOf(proxy.receive(peers.lessee, request({ method: "CANCEL", headers: foreign }))), "403");
  proxy.receive(peers.lessee, request());
  t.equal(
    outcomeOf(
      proxy.receive(peers.lessee, request({ method: "CANCEL", headers: ["Route: <sip:203.0.113.66>"] })),
    ),
    "403",
  );
});

void t.test("a CANCEL without To tag is of no dialog, whatever token its Route has", async (t) => {
  const proxy = createTestProxy();
  const route = answeredRoute(proxy, proxy.receive(peers.lessee, request())[0]?.text ?? "");
  const cancel = (routes: readonly string[]): string => {
    const via = ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKforgotten"];
    const [out] = proxy.receive(peers.lessee, request({ method: "CANCEL", via, headers: routes }));
    return out === undefined
      ? "nothing"
      : `${outcomeOf([out])} ${out.text.slice(0, out.text.indexOf("\r\n"))}`;
  };
  t.equal(
    cancel([`Route: ${route}`]),
    `to ${peers.core} CANCEL sip:02787654321@192.0.2.1 SIP/2.0`,
    "with a token alone, it goes where its INVITE would go",
  );
  t.match(cancel([`Route: ${route}`, "Route: <sip:203.0.113.66>"]), "403", "a strict Route behind the token");
});

void t.test("IPv6 in any spelling", async (t) => {
  for (const host of ["[2001:DB8::10]", "[2001:db8:0:0:0:0:0:10]", "[2001:db8::0010]"]) {
    const proxy = createTestProxy();
    const invite = request({
      uri: `sip:1@${host}:5060`,
      via: ["SIP/2.0/UDP [2001:db8::c]:5060;branch=z9hG4bKc6"],
    });
    const out = proxy.receive(peers.core6, invite)[0];
    t.equal(out?.to, peers.sixth, host);
    t.equal(outcomeOf(proxy.receive(peers.sixth, respond(out?.text ?? "", 200))), "200", `${host}: answer`);
    const bye = request({
      method: "BYE",
      uri: "sip:x@[2001:db8::c]",
      from: "<sip:1@x>;tag=called",
      to: "<sip:x@y>;tag=caller",
      headers: [
        `Route: ${(header(out?.text ?? "", "Record-Route") ?? "").replace("2001:db8::1]", "2001:0DB8::1]")}`,
      ],
    });
    t.equal(
      outcomeOf(proxy.receive(peers.sixth, bye)),
      `to ${peers.core6}`,
      `${host}: our Route in another spelling`,
    );
  }
});

void t.test("a Via that was written anew is the same Via", async (t) => {
  const proxy = createTestProxy();
  const out =
    proxy.receive(
      peers.lessee,
      request({ via: ['SIP/2.0/UDP PBX.example : 5080;x="a;received=1.2.3.4";branch=z9hG4bKv'] }),
    )[0]?.text ?? "";
  t.equal(
    headers(out, "Via")[1],
    'SIP/2.0/UDP PBX.example : 5080;x="a;received=1.2.3.4";branch=z9hG4bKv;received=203.0.113.10',
    "quotes hold",
  );
  const written = respond(out, 200).replace("PBX.example : 5080", "pbx.example:5080");
  t.equal(proxy.receive(peers.core, written)[0]?.to, "203.0.113.10:5080");
});

/** An INVITE whose branch alone is 50 kB. */
function bulkyInvite(name: string): string {
  return request({
    via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK${name}${"x".repeat(50_000)}`],
    callId: name,
    headers: ["Privacy: id"],
  });
}

void t.test("nothing a peer writes makes an entry of ours large, or starves another trunk", async (t) => {
  const proxy = createTestProxy(undefined, { ledgerSize: 8 });
  for (let i = 0; i < 20; i++)
    t.match(proxy.receive(peers.lessee, bulkyInvite(`c${i}`))[0]?.text, /^SIP\/2\.0 433 /u);
  t.equal(
    proxy.receive(peers.second, request({ via: ["SIP/2.0/UDP 203.0.113.11:5060;branch=z9hG4bKgood"] }))[0]
      ?.to,
    peers.core,
    "refusals leave room for calls",
  );
});
