import t from "tap";
import { eachAttemptCount } from "../../src/observe/counters.ts";
import { compileText, header, outcomeOf, request, respond } from "../support/proxy.ts";
import { createStreamProxy, everyListener, streamPolicy, type StreamProxy } from "../support/streams.ts";

const core = "198.51.100.1:5060";
const stream = "203.0.113.10:40001";
const datagram = "203.0.113.10:5070";

function viaOf(transport: "TCP" | "UDP"): readonly string[] {
  return [`SIP/2.0/${transport} 203.0.113.10:5070;branch=z9hG4bKcall1`];
}

const fromStream = request({ via: viaOf("TCP") });
const fromDatagram = request({ via: viaOf("UDP") });

/** When, in milliseconds from the first one, something was sent to `to`. */
function timesTo(proxy: StreamProxy, to: string, span: number): readonly number[] {
  const begin = proxy.now;
  const times: number[] = [];
  while (proxy.now < begin + span)
    for (const sent of proxy.wait(100)) if (sent.to === to) times.push(proxy.now - begin);
  return times;
}

void t.test("from a stream to datagrams: timers A, B, E and F (RFC 3261 section 17.1)", async (t) => {
  const rows = [
    ["INVITE", [500, 1500, 3500, 7500, 15_500, 31_500]],
    ["BYE", [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]],
  ] as const;
  for (const [method, expected] of rows) {
    const proxy = createStreamProxy(streamPolicy("udp"));
    const [out] = proxy.receive("tcp", stream, fromStream);
    const dialog =
      method === "INVITE"
        ? out
        : proxy.receive(
            "tcp",
            stream,
            request({
              method,
              cseq: "2 BYE",
              via: viaOf("TCP").map((via) => `${via}bye`),
              to: "<sip:02787654321@192.0.2.1>;tag=called",
              headers: [`Route: ${header(out?.text ?? "", "Record-Route") ?? ""}`],
            }),
          )[0];
    if (method === "BYE") {
      proxy.receive("udp", core, respond(out?.text ?? "", 180));
    }
    t.equal(dialog?.to, core);
    t.same(timesTo(proxy, core, 31_900), expected, method);
    const [end, ...more] = proxy.wait(40_000);
    t.equal(more.length, 0, "and then never again");
    t.equal(end?.to, stream);
    t.match(end?.text, /^SIP\/2\.0 408 Request Timeout/u, "64·T1: 408 for the hop");
    t.equal(proxy.counters.transactionTimeouts, 1);
    t.same(proxy.faults, []);
    const ack = request({
      method: "ACK",
      cseq: "1 ACK",
      via: viaOf("TCP"),
      to: header(end?.text ?? "", "To") ?? "",
    });
    if (method === "INVITE")
      t.equal(outcomeOf(proxy.receive("tcp", stream, ack)), "nothing", "its ACK is ours");
  }
});

void t.test("what ends the repeats of a request", async (t) => {
  for (const [status, isLast] of [
    [100, true],
    [180, true],
    [200, true],
    [486, true],
  ] as const) {
    const proxy = createStreamProxy(streamPolicy("udp"));
    const [out] = proxy.receive("tcp", stream, fromStream);
    proxy.wait(400);
    t.equal(outcomeOf(proxy.receive("udp", core, respond(out?.text ?? "", status))), String(status));
    t.equal(timesTo(proxy, core, 40_000).length === 0, isLast, `INVITE: ${status}`);
    t.equal(proxy.counters.transactionTimeouts, 0);
  }
  const proxy = createStreamProxy(streamPolicy("udp"));
  const [invite] = proxy.receive("tcp", stream, fromStream);
  proxy.receive("udp", core, respond(invite?.text ?? "", 180));
  const cancel = request({ method: "CANCEL", cseq: "1 CANCEL", via: viaOf("TCP") });
  const [out] = proxy.receive("tcp", stream, cancel);
  t.equal(out?.to, core);
  proxy.wait(600);
  proxy.receive("udp", core, respond(out?.text ?? "", 100));
  t.same(timesTo(proxy, core, 9000), [4000, 8000], "another request, once it was heard: every T2");
  proxy.receive("udp", core, respond(out?.text ?? "", 200));
  t.same(timesTo(proxy, core, 40_000), []);
});

void t.test("a forged answer ends nothing", async (t) => {
  const proxy = createStreamProxy(streamPolicy("udp"));
  const [out] = proxy.receive("tcp", stream, fromStream);
  proxy.receive("udp", "203.0.113.10:5060", respond(out?.text ?? "", 486));
  proxy.receive("udp", core, respond((out?.text ?? "").replace(/bKsw(.)./u, "bKsw$1f"), 486));
  t.same(timesTo(proxy, core, 2000), [500, 1500]);
});

void t.test(
  "a refusal of a datagram hop: passed once, and its repeats meet our copy of the ACK",
  async (t) => {
    const proxy = createStreamProxy(streamPolicy("udp"));
    const [out] = proxy.receive("tcp", stream, fromStream);
    const busy = respond(out?.text ?? "", 486);
    t.equal(outcomeOf(proxy.receive("udp", core, busy)), "486");
    t.equal(outcomeOf(proxy.receive("udp", core, busy)), "nothing", "before the ACK there is nothing to say");
    const [ack] = proxy.receive(
      "tcp",
      stream,
      request({
        method: "ACK",
        cseq: "1 ACK",
        via: viaOf("TCP"),
        to: "<sip:02787654321@192.0.2.1>;tag=called",
      }),
    );
    t.equal(ack?.to, core);
    for (const _ of [1, 2]) {
      const [again, ...more] = proxy.receive("udp", core, busy);
      t.equal(more.length, 0);
      t.equal(again?.to, core);
      t.equal(again?.text, ack?.text, "the very ACK");
    }
    const accepted = createStreamProxy(streamPolicy("udp"));
    const [second] = accepted.receive("tcp", stream, fromStream);
    for (const _ of [1, 2])
      t.equal(
        outcomeOf(accepted.receive("udp", core, respond(second?.text ?? "", 200))),
        "200",
        "every 2xx goes on",
      );
  },
);

void t.test("from datagrams to a stream: a repeat is answered, never sent on", async (t) => {
  const proxy = createStreamProxy(streamPolicy("tcp"));
  const [out] = proxy.receive("udp", datagram, fromDatagram);
  t.equal(out?.to, core);
  t.equal(outcomeOf(proxy.receive("tcp", core, respond(out?.text ?? "", 180))), "180");
  t.equal(outcomeOf(proxy.receive("udp", datagram, fromDatagram)), "180", "the last provisional answer");
  t.equal(outcomeOf(proxy.receive("tcp", core, respond(out?.text ?? "", 200))), "200");
  t.equal(
    outcomeOf(proxy.receive("udp", datagram, fromDatagram)),
    "nothing",
    "a 2xx is repeated by the called side",
  );
  t.equal(
    outcomeOf(proxy.receive("tcp", core, respond(out?.text ?? "", 200))),
    "200",
    "and every one goes on",
  );

  const cancel = request({ method: "CANCEL", cseq: "1 CANCEL", via: viaOf("UDP") });
  const [sent] = proxy.receive("udp", datagram, cancel);
  t.equal(sent?.to, core);
  const [answer] = proxy.receive("tcp", core, respond(sent?.text ?? "", 200));
  const [again] = proxy.receive("udp", datagram, cancel);
  t.equal(again?.text, answer?.text, "another request: its final answer");
});

void t.test(
  "a refusal of a stream hop is repeated until the ACK: timers G and H (RFC 3261 section 17.2.1)",
  async (t) => {
    const proxy = createStreamProxy(streamPolicy("tcp"));
    const [out] = proxy.receive("udp", datagram, fromDatagram);
    const [busy] = proxy.receive("tcp", core, respond(out?.text ?? "", 486));
    t.equal(busy?.to, datagram);
    t.same(timesTo(proxy, datagram, 8000), [500, 1500, 3500, 7500], "doubled up to T2");
    t.equal(
      proxy.receive("udp", datagram, fromDatagram)[0]?.text,
      busy?.text,
      "and for every repeat of the INVITE",
    );
    const ack = request({
      method: "ACK",
      cseq: "1 ACK",
      via: viaOf("UDP"),
      to: "<sip:02787654321@192.0.2.1>;tag=called",
    });
    t.equal(outcomeOf(proxy.receive("udp", datagram, ack)), `to ${core}`, "the ACK goes on");
    t.equal(outcomeOf(proxy.receive("udp", datagram, ack)), "nothing", "once");
    t.same(timesTo(proxy, datagram, 40_000), [], "nothing is repeated any more");

    const silent = createStreamProxy(streamPolicy("tcp"));
    const [second] = silent.receive("udp", datagram, fromDatagram);
    silent.receive("tcp", core, respond(second?.text ?? "", 486));
    t.equal(timesTo(silent, datagram, 120_000).at(-1), 31_500, "H: given up after 64·T1");
  },
);

void t.test(
  "a hop that can't be reached: 503, repeated like an answer of its own (RFC 3261 section 16.9)",
  async (t) => {
    const proxy = createStreamProxy(streamPolicy("tcp"));
    const [out] = proxy.receive("udp", datagram, fromDatagram);
    if (out === undefined) throw new Error("nothing was sent");
    const tcp = { address: "198.51.100.1", port: 5060 };
    const listener = everyListener.find(({ id }) => id === out.listener);
    if (listener === undefined) throw new Error("no listener");
    proxy.proxy.undelivered(proxy.now, listener, tcp.address, tcp.port, out.bytes, "unreached");
    const [refused, ...more] = proxy.take();
    t.equal(more.length, 0);
    t.equal(refused?.to, datagram);
    t.match(refused?.text, /^SIP\/2\.0 503 /u);
    t.same(timesTo(proxy, datagram, 2000), [500, 1500]);
    t.equal(
      proxy.receive("udp", datagram, fromDatagram)[0]?.text,
      refused?.text,
      "no second try behind the caller's back",
    );
    const to = header(refused?.text ?? "", "To") ?? "";
    const ack = request({ method: "ACK", cseq: "1 ACK", via: viaOf("UDP"), to });
    t.equal(outcomeOf(proxy.receive("udp", datagram, ack)), "nothing", "the ACK is ours");
    t.same(timesTo(proxy, datagram, 40_000), []);

    // A response or an ACK that can't be delivered is nobody's to answer.
    proxy.proxy.undelivered(
      proxy.now,
      listener,
      tcp.address,
      tcp.port,
      refused?.bytes ?? out.bytes,
      "unreached",
    );
    t.same(proxy.take(), []);
    t.same(proxy.faults, []);
  },
);

/** "verdict reason by rule" of every attempt of the lessee that was counted, with how often. */
function counted(proxy: StreamProxy): Record<string, number> {
  const found: Record<string, number> = {};
  eachAttemptCount(proxy.counters, ({ trunk, verdict, reason, rule, mode }, count) => {
    if (trunk === "lease" && mode === "enforce") found[`${verdict} ${reason} by ${rule}`] = count;
  });
  return found;
}

void t.test("a full table meets the trunk's exception policy", async (t) => {
  for (const [exception, outcome] of [
    ["reject", "503"],
    ["drop", "nothing"],
    ["accept", `to ${core}`],
  ] as const) {
    for (const [transport, from, via, next] of [
      ["tcp", stream, "TCP", "udp"],
      ["udp", datagram, "UDP", "tcp"],
    ] as const) {
      const proxy = createStreamProxy(streamPolicy(next, `, exception: ${exception}`), { transactions: 16 });
      for (let i = 0; i < 16; i++) {
        const text = request({ via: viaOf(via).map((value) => value + String(i)), callId: `c${i}` });
        t.equal(outcomeOf(proxy.receive(transport, from, text)), `to ${core}`);
      }
      const sent = proxy.receive(transport, from, request({ via: viaOf(via), callId: "full" }));
      const row = `${transport}: ${exception}`;
      t.equal(outcomeOf(sent), outcome, row);
      t.equal(proxy.counters.transactionsFull, 1);
      const isRefused = exception !== "accept";
      const listed = { "accept listed by default": isRefused ? 16 : 17 };
      t.same(
        counted(proxy),
        isRefused ? { ...listed, [`${exception} overload by exception`]: 1 } : listed,
        `${row}: counted as what became of it`,
      );
      t.match(
        proxy.decisions.at(-1)?.verdict,
        isRefused ? { kind: exception, reason: "overload" } : { kind: "accept", reason: "listed" },
        `${row}: told likewise`,
      );
      const again = proxy.receive(transport, from, request({ via: viaOf(via), callId: "full" }));
      t.equal(outcomeOf(again), outcome, `${row}: its repeat`);
      t.equal(proxy.decisions.length, 17, "which is judged no more");
      const ack = { method: "ACK", cseq: "1 ACK", to: header(sent[0]?.text ?? "", "To") ?? "" };
      if (exception === "reject")
        t.equal(
          outcomeOf(proxy.receive(transport, from, request({ via: viaOf(via), callId: "full", ...ack }))),
          "nothing",
          `${row}: its ACK is ours`,
        );
      const emergency = {
        uri: "sip:110@192.0.2.1",
        via: viaOf(via).map((value) => `${value}e`),
        callId: "e",
      };
      t.equal(
        outcomeOf(proxy.receive(transport, from, request(emergency))),
        `to ${core}`,
        `${row}: 110 passes`,
      );
      proxy.wait(66_000);
      const late = request({ via: viaOf(via).map((value) => `${value}l`), callId: "late" });
      t.equal(outcomeOf(proxy.receive(transport, from, late)), `to ${core}`, `${row}: room again`);
      t.same(proxy.faults, []);
    }
  }
});

void t.test(
  "a full table: the call that was refused is not sent to another next hop afterwards",
  async (t) => {
    const hops = ["198.51.100.1:5060", "198.51.100.2:5060"];
    const [first, second] = hops.map((place) => `"sip:${place};transport=tcp"`);
    const proxy = createStreamProxy(
      compileText(`
version: 1
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.0/24] } }
  - { id: abroad, side: international, match: { addresses: [203.0.113.10] }, nextHops: [${first}, { uri: ${second}, priority: 2 }] }
nextHopHealth: { probe: off }
`),
      { transactions: 1 },
    );
    const from = "<sip:+442079460000@a>;tag=a";
    const call = (id: string): string =>
      request({ from, via: viaOf("UDP").map((value) => value + id), callId: id });
    t.equal(outcomeOf(proxy.receive("udp", datagram, call("1"))), `to ${hops[0]}`);
    t.equal(outcomeOf(proxy.receive("udp", datagram, call("2"))), "503");
    proxy.proxy.unreachable(proxy.now, "tcp", "198.51.100.1", 5060);
    const moved = proxy.wait(40_000).filter(({ text }) => text.startsWith("INVITE "));
    t.same([...new Set(moved.map(({ text }) => header(text, "Call-ID")))], ["1"]);
  },
);

void t.test("from datagram to datagram and from stream to stream nothing is kept", async (t) => {
  for (const [transport, from, next, text] of [
    ["udp", datagram, "udp", fromDatagram],
    ["tcp", stream, "tcp", fromStream],
    ["tcp", stream, "tls", fromStream],
  ] as const) {
    const proxy = createStreamProxy(streamPolicy(next));
    t.equal(proxy.receive(transport, from, text).length, 1);
    t.same(proxy.wait(40_000), [], `${transport} to ${next}`);
  }
});
