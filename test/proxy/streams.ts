import { Buffer } from "node:buffer";
import t from "tap";
import type { SipTransport } from "../../src/domain/trunk.ts";
import { createSipFramer } from "../../src/sip/framer.ts";
import { header, headers, outcomeOf, request, respond } from "../support/proxy.ts";
import { createStreamProxy, listenerFor, streamPolicy } from "../support/streams.ts";

const transports: readonly SipTransport[] = ["udp", "tcp", "tls"];

/** What our own URI ends with on each transport. */
const own: Readonly<Record<SipTransport, string>> = {
  udp: "192.0.2.1:5060;lr",
  tcp: "192.0.2.1:5060;transport=tcp;lr",
  tls: "192.0.2.1:5061;transport=tls;lr",
};

/** A lessee behind an ephemeral port, as a client of TCP is; it listens where its Via says. */
const lessee: Readonly<Record<SipTransport, string>> = {
  udp: "203.0.113.10:5060",
  tcp: "203.0.113.10:40001",
  tls: "203.0.113.10:40002",
};
const core: Readonly<Record<SipTransport, string>> = {
  udp: "198.51.100.1:5060",
  tcp: "198.51.100.1:5060",
  tls: "198.51.100.1:5061",
};

function callVia(transport: SipTransport, branch = "call1"): string {
  return `SIP/2.0/${transport.toUpperCase()} 203.0.113.10:5070;branch=z9hG4bK${branch}`;
}

function coreVia(transport: SipTransport, branch: string): string {
  return `SIP/2.0/${transport.toUpperCase()} 198.51.100.1:5060;branch=z9hG4bK${branch}`;
}

for (const ingress of transports) {
  for (const egress of transports) {
    void t.test(`a call from ${ingress} to ${egress}, INVITE to BYE of either side`, async (t) => {
      const proxy = createStreamProxy(streamPolicy(egress));
      const caller = ingress === "udp" ? "203.0.113.10:5070" : lessee[ingress];
      const invite = request({ via: [callVia(ingress)] });
      const [out, ...more] = proxy.receive(ingress, caller, invite);
      t.equal(more.length, 0);
      t.equal(out?.to, core[egress]);
      t.match(out?.listener, new RegExp(`^${egress}:`, "u"), "leaves by a listener of its transport");
      const text = out?.text ?? "";
      const [top, theirs] = headers(text, "Via");
      t.match(
        top,
        `SIP/2.0/${egress.toUpperCase()} 192.0.2.1:${egress === "tls" ? 5061 : 5060};branch=z9hG4bKsw`,
      );
      if (ingress === "udp") t.equal(theirs, callVia(ingress));
      else t.match(theirs, `;rport=${caller.slice(caller.indexOf(":") + 1)};received=203.0.113.10`);
      const routes = headers(text, "Record-Route");
      t.equal(routes.length, ingress === egress ? 1 : 2, "RFC 5658: two values where the sides differ");
      t.match(routes[0], own[egress], "the called side's on top");
      t.match(routes.at(-1), own[ingress], "the caller's below");

      // The core answers on the connection that we opened to it.
      if (egress !== "udp") proxy.connections.set(`${out?.listener} ${core[egress]}`, []);
      for (const status of [100, 180, 200]) {
        const [back, ...others] = proxy.receive(
          egress,
          core[egress],
          respond(text, status, { contact: `<sip:${core.udp}>` }),
        );
        t.equal(others.length, 0);
        t.equal(back?.to, caller, `${status} goes back where the request came from`);
        t.match(back?.listener, new RegExp(`^${ingress}:`, "u"));
        t.equal(headers(back?.text ?? "", "Via").length, 1);
      }
      const answer = proxy.receive(
        egress,
        core[egress],
        respond(text, 200, { contact: `<sip:${core.udp}>` }),
      );
      const set = headers(answer[0]?.text ?? "", "Record-Route");
      const to = "<sip:02787654321@192.0.2.1>;tag=called";
      for (const [method, cseq] of [
        ["ACK", 1],
        ["BYE", 2],
      ] as const) {
        const [sent] = proxy.receive(
          ingress,
          caller,
          request({
            method,
            uri: "sip:198.51.100.1:5060",
            cseq: `${cseq} ${method}`,
            to,
            via: [callVia(ingress, method)],
            headers: set.toReversed().map((value) => `Route: ${value}`),
          }),
        );
        t.equal(sent?.to, core[egress], `${method} follows the INVITE`);
        t.match(sent?.listener, new RegExp(`^${egress}:`, "u"));
        t.equal(header(sent?.text ?? "", "Route"), undefined, "both our values are consumed");
      }
      const transport = ingress === "udp" ? "" : `;transport=${ingress}`;
      const [bye] = proxy.receive(
        egress,
        core[egress],
        request({
          method: "BYE",
          uri: `sip:pbx@203.0.113.10:5070${transport}`,
          from: to,
          to: "<sip:+861087654321@203.0.113.10>;tag=caller",
          via: [coreVia(egress, "bye")],
          headers: set.map((value) => `Route: ${value}`),
        }),
      );
      t.equal(bye?.to, caller, "a request of the called side takes the caller's connection");
      t.same(proxy.faults, []);
      t.equal(proxy.counters.strayResponses, 0);
    });
  }
}

void t.test(
  "a connection that is gone: back to where the peer listens (RFC 3261 section 18.2.2)",
  async (t) => {
    const rows = [
      ["its sent-by port", "203.0.113.10:5070", "203.0.113.10:5070"],
      ["the default port", "pbx.example", "203.0.113.10:5060"],
    ] as const;
    for (const [name, sentBy, expected] of rows) {
      const proxy = createStreamProxy(streamPolicy("udp"));
      const [out] = proxy.receive(
        "tcp",
        lessee.tcp,
        request({ via: [`SIP/2.0/TCP ${sentBy};branch=z9hG4bKx`] }),
      );
      const answer = respond(out?.text ?? "", 180);
      t.equal(proxy.receive("udp", core.udp, answer)[0]?.to, lessee.tcp, `${name}: open`);
      proxy.connections.clear();
      const [back] = proxy.receive("udp", core.udp, respond(out?.text ?? "", 200));
      t.equal(back?.to, expected, name);
      t.match(back?.listener, /^tcp:/u);
      const set = headers(back?.text ?? "", "Record-Route");
      const [bye] = proxy.receive(
        "udp",
        core.udp,
        request({
          method: "BYE",
          uri: "sip:pbx@pbx.example",
          from: "<sip:02787654321@192.0.2.1>;tag=called",
          to: "<sip:+861087654321@203.0.113.10>;tag=caller",
          via: [coreVia("udp", "bye")],
          headers: set.map((value) => `Route: ${value}`),
        }),
      );
      t.equal(bye?.to, expected, `${name}: and so do requests`);
    }
  },
);

void t.test("answers are taken from the hop alone, whatever connection it uses", async (t) => {
  const rows: readonly (readonly [name: string, transport: SipTransport, from: string, relayed: boolean])[] =
    [
      ["by our connection", "tcp", core.tcp, true],
      ["by one of its own", "tcp", "198.51.100.1:41000", true],
      ["by a datagram, which anybody can forge", "udp", core.udp, false],
      ["by TLS, where the request did not go", "tls", core.tls, false],
      ["from another address", "tcp", "203.0.113.10:5060", false],
    ];
  for (const [name, transport, from, relayed] of rows) {
    const proxy = createStreamProxy(streamPolicy("tcp"));
    const [out] = proxy.receive("tcp", lessee.tcp, request({ via: [callVia("tcp")] }));
    const sent = proxy.receive(transport, from, respond(out?.text ?? "", 180));
    t.equal(sent.length, relayed ? 1 : 0, name);
    t.equal(proxy.counters.strayResponses, relayed ? 0 : 1);
  }
});

void t.test("a trunk with tlsName is the peer whose certificate proves it, and nobody else", async (t) => {
  const rows: readonly (readonly [
    name: string,
    transport: SipTransport,
    from: string,
    names: readonly string[],
    outcome: string,
  ])[] = [
    ["the name", "tls", "203.0.113.77:40000", ["pbx.example"], "to 198.51.100.1:5060"],
    ["among others", "tls", "203.0.113.77:40000", ["a.example", "pbx.example"], "to 198.51.100.1:5060"],
    ["another name", "tls", "203.0.113.77:40000", ["pbx.example.net"], "nothing"],
    ["a part of it", "tls", "203.0.113.77:40000", ["example"], "nothing"],
    ["no name", "tls", "203.0.113.77:40000", [], "nothing"],
    ["the name, from elsewhere", "tls", "203.0.114.77:40000", ["pbx.example"], "nothing"],
    ["no TLS", "tcp", "203.0.113.77:40000", [], "nothing"],
    ["no connection", "udp", "203.0.113.77:5060", [], "nothing"],
  ];
  for (const [name, transport, from, names, outcome] of rows) {
    const proxy = createStreamProxy(streamPolicy("udp"));
    proxy.connections.set(
      `${transport === "tls" ? "tls:192.0.2.1:5061" : "tcp:192.0.2.1:5060"} ${from}`,
      names,
    );
    const sent = proxy.receive(transport, from, request({ via: [callVia(transport)] }));
    t.equal(outcomeOf(sent), outcome, name);
    if (outcome !== "nothing") t.equal(proxy.decisions[0]?.attempt.trunk.id, "named");
  }
});

/** A call of the core to a trunk that is known by its name. */
function inviteNamed(branch: string): string {
  return request({
    uri: "sip:01087654321@203.0.113.77:5061;transport=tls",
    from: "<sip:+8613800138000@198.51.100.1>;tag=caller",
    via: [coreVia("udp", branch)],
    callId: branch,
  });
}

void t.test("the core reaches a trunk with tlsName, connected or not", async (t) => {
  const proxy = createStreamProxy(streamPolicy("udp"));
  const [out] = proxy.receive("udp", core.udp, inviteNamed("a"));
  t.equal(out?.to, "203.0.113.77:5061");
  t.match(out?.listener, /^tls:/u);
  const nowhere = inviteNamed("b").replace("203.0.113.77", "203.0.114.77");
  t.equal(outcomeOf(proxy.receive("udp", core.udp, nowhere)), "404", "never to where no trunk is");
});

void t.test("larger than a datagram: streams carry it, datagrams don't", async (t) => {
  const body = `v=0\r\n${"v".repeat(200_000)}`;
  const rows: readonly (readonly [SipTransport, string])[] = [
    ["tcp", "to 198.51.100.1:5060"],
    ["tls", "to 198.51.100.1:5061"],
    ["udp", "513"],
  ];
  for (const [transport, outcome] of rows) {
    const proxy = createStreamProxy(streamPolicy(transport));
    const sent = proxy.receive("tcp", lessee.tcp, request({ via: [callVia("tcp")], body }));
    t.equal(outcomeOf(sent), outcome, transport);
    if (transport === "tcp") t.ok(sent[0]?.text.endsWith(body), "byte for byte");
  }
});

void t.test(
  "tcpAbove: a large request goes by TCP, with everything that belongs to it (RFC 3261 section 18.1.1)",
  async (t) => {
    const policy = streamPolicy("udp", ", tcpAbove: 1300");
    const small = createStreamProxy(policy);
    t.match(small.receive("udp", lessee.udp, request({ via: [callVia("udp")] }))[0]?.listener, /^udp:/u);
    const proxy = createStreamProxy(policy);
    const via = [callVia("udp")];
    const [out] = proxy.receive(
      "udp",
      "203.0.113.10:5070",
      request({ via, body: `v=0\r\n${"v".repeat(1000)}` }),
    );
    t.match(out?.listener, /^tcp:/u);
    t.equal(out?.to, core.tcp, "same address, same port");
    const [cancel] = proxy.receive(
      "udp",
      "203.0.113.10:5070",
      request({ via, method: "CANCEL", cseq: "1 CANCEL" }),
    );
    t.match(cancel?.listener, /^tcp:/u, "its CANCEL is small, and follows it");
    t.equal(header(cancel?.text ?? "", "Via"), header(out?.text ?? "", "Via"), "with its branch");
    const never = createStreamProxy(streamPolicy("udp"));
    const [same] = never.receive(
      "udp",
      "203.0.113.10:5070",
      request({ via, body: `v=0\r\n${"v".repeat(1000)}` }),
    );
    t.match(same?.listener, /^udp:/u, "only where the policy says so");
  },
);

void t.test("what can't be framed is answered 400 where it can be answered", async (t) => {
  const whole = request({ via: [callVia("tcp")] });
  const rows = [
    ["a request", whole, "400"],
    ["half a request with a Via", whole.slice(0, whole.indexOf("Call-ID")), "400"],
    ["no Via", "INVITE sip:a@b SIP/2.0\r\nFrom: x\r\n\r\n", "nothing"],
    ["an ACK", whole.replaceAll("INVITE", "ACK"), "nothing"],
    ["a response", "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a\r\n\r\n", "nothing"],
    ["no SIP", "GET / HTTP/1.1\r\n\r\n", "nothing"],
    ["nothing", "", "nothing"],
  ] as const;
  for (const [name, text, outcome] of rows) {
    const proxy = createStreamProxy(streamPolicy("udp"));
    proxy.connections.set(`tcp:192.0.2.1:5060 ${lessee.tcp}`, []);
    const tcp = listenerFor("tcp", "203.0.113.10");
    const peer = { address: "203.0.113.10", port: 40001, names: [] };
    proxy.proxy.unframed(proxy.now, tcp, peer, Buffer.from(text, "latin1"), "no Content-Length");
    t.equal(outcomeOf(proxy.take()), outcome, name);
    t.same(proxy.faults, []);
    t.equal(proxy.decisions.length, 0, "and judged as nothing");
  }
});

/** What the framer of a peer makes of the bytes. */
function framed(bytes: Buffer): readonly string[] {
  const framer = createSipFramer();
  const events: string[] = [];
  framer.push(bytes);
  for (let event = framer.next(); event !== undefined; event = framer.next())
    events.push(event.kind === "message" ? event.bytes.toString("latin1") : event.kind);
  return events;
}

function withoutLength(text: string): string {
  return text.replace(/Content-Length: \d+\r\n/u, "");
}

void t.test(
  "from a datagram without Content-Length: a stream is told where the message ends (RFC 3261 section 18.3)",
  async (t) => {
    // Whoever cuts the stream where the header ends would take the body for a call that nobody has judged.
    const hidden = request({ from: "<sip:+861087650000@a>;tag=hidden", callId: "hidden" });
    for (const egress of ["tcp", "tls"] as const) {
      for (const body of ["", "v=0\r\n", hidden]) {
        const proxy = createStreamProxy(streamPolicy(egress));
        const [out] = proxy.receive(
          "udp",
          "203.0.113.10:5070",
          withoutLength(request({ via: [callVia("udp")], headers: ["Content-Type: application/sdp"], body })),
        );
        const name = `to ${egress}, body of ${body.length}`;
        const [message = "", ...more] = framed(out?.bytes ?? Buffer.alloc(0));
        t.same(more, [], name);
        t.ok(message.startsWith("INVITE ") && message.endsWith(`\r\n\r\n${body}`), name);
        t.same(headers(message, "Content-Length"), [String(body.length)], name);
      }
    }
    const proxy = createStreamProxy(streamPolicy("udp"));
    const [out] = proxy.receive("tcp", lessee.tcp, request({ via: [callVia("tcp")] }));
    const [back] = proxy.receive(
      "udp",
      core.udp,
      withoutLength(respond(out?.text ?? "", 200, { body: hidden })),
    );
    t.equal(framed(back?.bytes ?? Buffer.alloc(0)).length, 1, "and so is one that an answer goes back on");
    const toDatagram = createStreamProxy(streamPolicy("udp"));
    const [plain] = toDatagram.receive(
      "udp",
      "203.0.113.10:5070",
      withoutLength(request({ via: [callVia("udp")] })),
    );
    t.equal(header(plain?.text ?? "", "Content-Length"), undefined, "a datagram ends where it ends");
  },
);
