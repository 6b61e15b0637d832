import t from "tap";
import { createTestEvidence } from "../support/evidence-log.ts";
import {
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  outcomeOf,
  peers,
  request,
  respond,
} from "../support/proxy.ts";

const UNLISTED = "<sip:+861087654444@203.0.113.10>;tag=caller";

/** An INVITE of a caller that is not listed. */
function refused(call = 1, headers?: readonly string[]): string {
  return request({
    from: UNLISTED,
    via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKcall${call}`],
    callId: `call-${call}`,
    ...(headers === undefined ? {} : { headers }),
  });
}

/** The request of this method that follows an INVITE. */
function following(method: "ACK" | "CANCEL", toTag = ""): string {
  const to = `<sip:02787654321@192.0.2.1>${toTag}`;
  return request({ method, from: UNLISTED, callId: "call-1", to, cseq: `1 ${method}` });
}

void t.test("held refusal: it is told at once, and answered when its evidence is on disk", (t) => {
  const evidence = createTestEvidence("lease");
  const proxy = createTestProxy(undefined, { evidence });
  t.equal(outcomeOf(proxy.receive(peers.lessee, refused())), "nothing");
  t.same(
    proxy.events.map(({ kind }) => kind),
    ["decided"],
  );
  t.match(proxy.events[0], {
    action: { kind: "answered", status: 403 },
    decision: { rule: "caller-authentication" },
  });
  t.equal(outcomeOf(proxy.evidenceKept()), "nothing", "not on disk yet");
  evidence.keepAll();
  const [answer, more] = proxy.evidenceKept();
  t.match(answer?.text, /^SIP\/2\.0 403 /);
  t.equal(answer?.to, peers.lessee);
  t.equal(header(answer?.text ?? "", "Reason"), 'Q.850;cause=21;text="Call rejected"');
  t.equal(more, undefined);
  t.equal(outcomeOf(proxy.evidenceKept()), "nothing", "sent once");
  // From now on everything is as with any other refusal.
  t.equal(proxy.receive(peers.lessee, refused())[0]?.text, answer?.text, "a repeat gets the same answer");
  const tag = /;tag=[^;]+/u.exec(header(answer?.text ?? "", "To") ?? "")?.[0];
  t.equal(outcomeOf(proxy.receive(peers.lessee, following("ACK", tag))), "nothing", "its ACK ends here");
  t.equal(proxy.events.length, 1);
  t.end();
});

void t.test("held refusal: a repeat is swallowed, and is no second event", (t) => {
  // The last quarter of the rows is kept for calls that pass: with three of four in use, a refused call has none.
  for (const ledgerSize of [1000, 4]) {
    const evidence = createTestEvidence("lease");
    const proxy = createTestProxy(undefined, { evidence, ledgerSize });
    for (const call of [7, 8, 9])
      proxy.receive(
        peers.lessee,
        request({ callId: `call-${call}`, via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK${call}`] }),
      );
    proxy.events.length = 0;
    t.equal(outcomeOf(proxy.receive(peers.lessee, refused())), "nothing");
    for (let repeat = 0; repeat < 3; repeat++)
      t.equal(outcomeOf(proxy.receive(peers.lessee, refused())), "nothing");
    t.equal(proxy.events.length, 1, `${ledgerSize} rows`);
    t.equal(proxy.counters.trunks.get("lease")?.retransmissions, 3);
    t.equal(outcomeOf(proxy.receive(peers.lessee, refused(2))), "nothing", "another call is another one");
    t.equal(proxy.events.length, 2);
    evidence.keepAll();
    t.equal(proxy.evidenceKept().length, 2);
  }
  t.end();
});

void t.test("held refusal: a CANCEL is answered 200, and the refusal follows", (t) => {
  const evidence = createTestEvidence("lease");
  const proxy = createTestProxy(undefined, { evidence });
  proxy.receive(peers.lessee, refused());
  const [answer, more] = proxy.receive(peers.lessee, following("CANCEL"));
  t.match(answer?.text, /^SIP\/2\.0 200 /);
  t.equal(header(answer?.text ?? "", "CSeq"), "1 CANCEL");
  t.equal(more, undefined);
  evidence.keepAll();
  const [refusal] = proxy.evidenceKept();
  t.match(refusal?.text, /^SIP\/2\.0 403 /);
  t.equal(header(refusal?.text ?? "", "CSeq"), "1 INVITE");
  t.equal(
    header(refusal?.text ?? "", "To"),
    header(answer?.text ?? "", "To"),
    "one tag (RFC 3261 section 9.2)",
  );
  t.equal(
    outcomeOf(proxy.receive(peers.lessee, following("CANCEL"))),
    "nothing",
    "now it has had its answer",
  );
  t.end();
});

void t.test("held refusal: it leaves after 250 ms, whatever the disk does", (t) => {
  for (const next of [undefined, Infinity]) {
    const evidence = createTestEvidence("lease");
    evidence.next = next;
    const proxy = createTestProxy(undefined, { evidence });
    proxy.receive(peers.lessee, refused());
    t.equal(outcomeOf(proxy.pass(200)), "nothing");
    t.equal(outcomeOf(proxy.pass(100)), "403");
    t.equal(proxy.proxy.unkept(), 1);
    evidence.keepAll();
    t.equal(outcomeOf(proxy.evidenceKept()), "nothing");
  }
  t.end();
});

void t.test("held refusal: what waits, and what does not", (t) => {
  const screening = basicPolicy.replace("id: lease, ", "id: lease, methods: { MESSAGE: screen }, ");
  const rows = [
    ["a refused call", refused(), peers.lessee, "nothing"],
    ["of another trunk", refused(), peers.second, "403"],
    ["an accepted call", request(), peers.lessee, `to ${peers.core}`],
    [
      "an answer of RFC 3261 itself",
      refused().replace("Max-Forwards: 70", "Max-Forwards: 0"),
      peers.lessee,
      "483",
    ],
    ["a malformed call", refused().replace("CSeq: 1", "CSeq: x"), peers.lessee, "nothing"],
    ["a MESSAGE", refused().replaceAll("INVITE", "MESSAGE"), peers.lessee, "403"],
  ] as const;
  for (const [what, message, from, outcome] of rows) {
    const proxy = createTestProxy(compileText(screening), { evidence: createTestEvidence("lease") });
    t.equal(outcomeOf(proxy.receive(from, message)), outcome, what);
  }
  const none = createTestEvidence("lease");
  none.next = 0;
  const proxy = createTestProxy(undefined, { evidence: none });
  t.equal(outcomeOf(proxy.receive(peers.lessee, refused())), "403", "no evidence of it is kept");
  t.end();
});

void t.test(
  "held refusal: calls that pass go on meanwhile, and answers leave in the order of the calls",
  (t) => {
    const evidence = createTestEvidence("lease");
    const proxy = createTestProxy(undefined, { evidence });
    for (const call of [1, 2, 3]) proxy.receive(peers.lessee, refused(call));
    const passing = request({
      callId: "passing",
      via: ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKpassing"],
    });
    const [onward] = proxy.receive(peers.lessee, passing);
    t.equal(onward?.to, peers.core);
    t.equal(outcomeOf(proxy.receive(peers.core, respond(onward?.text ?? "", 180))), "180");
    evidence.keepAll();
    t.same(
      proxy.evidenceKept().map(({ text }) => header(text, "Call-ID")),
      ["call-1", "call-2", "call-3"],
    );
    t.end();
  },
);
