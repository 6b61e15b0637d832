import t from "tap";
import { createHopProxy, hop } from "../support/next-hops.ts";
import { basicPolicy, header, headers, peers, request, respond, type Sent } from "../support/proxy.ts";
import {
  answer2xx,
  CALLED,
  CALLER,
  createQuietProxy,
  linesOf,
  placeCall,
  within,
} from "../support/released-call.ts";

const one = { released: 1, gone: 0, notReleasable: 0 };

const shortly = ({ to, text }: Sent): string => `${to} ${text.split(" ", 2).join(" ")}`;

void t.test("ringing: a final answer to the caller, CANCEL to the called side", async (t) => {
  const proxy = createQuietProxy();
  const invite = placeCall(proxy);
  proxy.receive(peers.core, respond(invite.text, 180));
  const run = proxy.release("lease");
  const [final, cancel] = run.sent;
  t.equal(run.sent.length, 2);
  t.equal(final?.to, peers.lessee);
  t.match(final?.text, /^SIP\/2\.0 403 /u);
  t.match(header(final?.text ?? "", "Reason"), "Q.850;cause=21");
  t.equal(header(final?.text ?? "", "CSeq"), "10 INVITE");
  t.same(linesOf(cancel!), [
    `to ${peers.core}`,
    "CANCEL sip:02787654321@192.0.2.1 SIP/2.0",
    "Via",
    "Max-Forwards: 70",
    `From: ${CALLER}`,
    `To: ${CALLED}`,
    "Call-ID: call-1",
    "CSeq: 10 CANCEL",
    "Content-Length: 0",
  ]);
  t.same(
    headers(cancel?.text ?? "", "Via"),
    headers(invite.text, "Via").slice(0, 1),
    "the branch of the INVITE",
  );
  t.same(run.count(), one);
  const ended = proxy.events.filter(({ kind }) => kind === "ended");
  t.match(ended, [{ by: "filter", how: "released", status: 403, cause: 21 }]);
  t.equal(ended.length, 1);

  t.same(proxy.receive(peers.core, respond(cancel!.text, 200)), [], "the 200 of the CANCEL ends here");
  t.same(
    proxy.receive(peers.core, respond(invite.text, 487)).map(shortly),
    [`${peers.core} ACK sip:02787654321@192.0.2.1`],
    "the 487 is acknowledged here, and reaches nobody",
  );
  const ack = request({
    method: "ACK",
    callId: "call-1",
    cseq: "10 ACK",
    from: CALLER,
    to: header(final!.text, "To") ?? "",
    via: headers(final!.text, "Via").map((value) => value.replace(/;rport=\d+|;received=[\d.]+/gu, ";rport")),
  });
  t.same(proxy.receive(peers.lessee, ack), []);
  t.same(proxy.pass(60_000), [], "nothing is repeated after the ACK and the answers");
  t.equal(proxy.events.filter(({ kind }) => kind === "ended").length, 1, "told once");
  t.same(proxy.faults, []);
});

void t.test(
  "the answer is repeated until its ACK (timer G), the CANCEL until its answer (timer E)",
  async (t) => {
    const proxy = createQuietProxy();
    const invite = placeCall(proxy);
    proxy.receive(peers.core, respond(invite.text, 183));
    proxy.release("lease");
    const again = proxy.pass(3600).map(shortly);
    t.same(again.filter((line) => line.includes(" 403")).length, 3);
    t.same(again.filter((line) => line.includes("CANCEL")).length, 3);
  },
);

void t.test("no provisional answer yet: the CANCEL waits for one (RFC 3261 section 9.1)", async (t) => {
  const proxy = createQuietProxy();
  const invite = placeCall(proxy);
  t.same(proxy.release("lease").sent.map(shortly), [`${peers.lessee} SIP/2.0 403`]);
  t.same(proxy.receive(peers.core, respond(invite.text, 100)).map(shortly), [
    `${peers.core} CANCEL sip:02787654321@192.0.2.1`,
  ]);
  t.same(
    proxy.receive(peers.core, respond(invite.text, 180)).map(shortly),
    [],
    "once, and 180 reaches nobody",
  );
});

void t.test("a repeat of the INVITE meets the same answer", async (t) => {
  const proxy = createQuietProxy();
  const first = request({ callId: "again", from: CALLER });
  proxy.receive(peers.lessee, first);
  const [final] = proxy.release("lease").sent;
  t.equal(proxy.receive(peers.lessee, first)[0]?.text, final?.text);
  t.same(
    proxy.receive(peers.lessee, request({ method: "CANCEL", callId: "again", from: CALLER })),
    [],
    "the CANCEL that crosses gets no answer: the INVITE has its own",
  );
});

void t.test("a 2xx that crosses is acknowledged and ended here", async (t) => {
  const proxy = createQuietProxy();
  const invite = placeCall(proxy);
  proxy.receive(peers.core, respond(invite.text, 180));
  const run = proxy.release("lease");
  const sent = answer2xx(proxy, invite);
  t.same(sent.map(shortly), [
    `${peers.core} ACK sip:uas@198.51.100.7:5080`,
    `${peers.core} BYE sip:uas@198.51.100.7:5080`,
  ]);
  t.same(
    sent.map(({ text }) => header(text, "CSeq")),
    ["10 ACK", "11 BYE"],
  );
  t.same(proxy.receive(peers.core, respond(sent[1]!.text, 200)), []);
  t.same(run.count(), one);
  t.equal(proxy.events.filter(({ kind }) => kind === "ended").length, 1);
  t.equal(proxy.events.filter(({ kind }) => kind === "answered").length, 0);
});

void t.test("requests of an early dialog: CSeq goes on from there, and they end here", async (t) => {
  const proxy = createQuietProxy();
  const invite = placeCall(proxy);
  const [ringing] = proxy.receive(peers.core, respond(invite.text, 183));
  const call = { callId: "call-1", invite, route: header(ringing?.text ?? "", "Record-Route") ?? "" };
  t.equal(within(proxy, call, "caller", "PRACK", { cseq: 11 })[0]?.to, peers.core);
  proxy.release("lease");
  t.match(within(proxy, call, "caller", "PRACK", { cseq: 12 })[0]?.text, /^SIP\/2\.0 481 /u);
  t.match(within(proxy, call, "caller", "BYE", { cseq: 13 })[0]?.text, /^SIP\/2\.0 200 /u);
  const bye = answer2xx(proxy, invite).find(({ text }) => text.startsWith("BYE"));
  t.equal(header(bye?.text ?? "", "CSeq"), "12 BYE");
});

void t.test("withheld: CANCEL and ACK show what the INVITE showed", async (t) => {
  const policy = basicPolicy.replace(
    "id: intl, side: international,",
    "id: intl, side: international, rules: { home-cli-from-abroad: { roamers: withhold } },",
  );
  const proxy = createQuietProxy({}, policy);
  const [invite] = proxy.receive(
    peers.abroad,
    request({
      callId: "w",
      from: "<sip:+8613912345678@203.0.113.20>;tag=caller",
      via: [`SIP/2.0/UDP ${peers.abroad};branch=z9hG4bKw`],
    }),
  );
  proxy.receive(peers.core, respond(invite!.text, 180));
  const cancel = proxy.release("intl").sent[1];
  const [ack] = proxy.receive(peers.core, respond(invite!.text, 487));
  for (const { text } of [cancel!, ack!]) {
    t.equal(header(text, "From"), header(invite!.text, "From"));
    t.notMatch(text, "13912345678");
    t.equal(header(text, "Via"), headers(invite!.text, "Via")[0]);
  }
});

void t.test("several next hops: each that may still ring is cancelled", async (t) => {
  const proxy = createHopProxy(
    `[{ uri: "sip:${hop.a}" }, { uri: "sip:${hop.b}", priority: 2 }]`,
    "nextHopHealth: { probe: off }",
  );
  proxy.pass(100);
  const [first] = proxy.receive(peers.lessee, request({ callId: "m", from: CALLER }));
  t.equal(first?.to, hop.a);
  proxy.unreachable(hop.a);
  const moved = proxy.pass(100).find(({ to }) => to === hop.b);
  proxy.receive(hop.b, respond(moved!.text, 180));
  t.same(
    proxy.release("lease").sent.map(({ to, text }) => `${to} ${text.slice(0, 11)}`),
    [`${peers.lessee} SIP/2.0 403`, `${hop.b} CANCEL sip:`],
  );
  t.same(
    proxy.receive(hop.a, respond(first!.text, 180)).map(({ to, text }) => `${to} ${text.slice(0, 6)}`),
    [`${hop.a} CANCEL`],
    "the former one, once it shows that it has the INVITE",
  );
});

void t.test("an emergency call, and one without room, go on", async (t) => {
  const proxy = createQuietProxy();
  const [emergency] = proxy.receive(peers.lessee, request({ uri: "sip:110@192.0.2.1", callId: "e" }));
  t.same(proxy.release("lease").count(), { released: 0, gone: 0, notReleasable: 1 });
  t.match(proxy.receive(peers.core, respond(emergency!.text, 180))[0]?.text, /^SIP\/2\.0 180/u);
  const full = createQuietProxy({ callBytes: 100 });
  placeCall(full);
  t.same(full.release("lease").count(), { released: 0, gone: 0, notReleasable: 1 });
});
