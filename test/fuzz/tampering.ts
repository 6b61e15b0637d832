import { Buffer } from "node:buffer";
import t from "tap";
import { request, respond, type Sent } from "../support/proxy.ts";
import type { Datagram } from "./conversation.ts";
import { createMemory, createReferee } from "./referee.ts";
import { createProxy, peers } from "./setting.ts";

/** A sent message with other text. */
function change(sent: Sent, from: string | RegExp, to: string): Sent {
  const text = sent.text.replace(from, to);
  if (text === sent.text) throw new Error(`nothing to change: ${String(from)}`);
  return { ...sent, text, bytes: Buffer.from(text, "latin1") };
}

function say(from: string, text: string): Datagram {
  return { after: 0, from, bytes: Buffer.from(text, "latin1") };
}

const invite = say(
  peers.lessee,
  request({
    headers: ["P-Asserted-Identity: <sip:+861087654321@a>", "Subject: x"],
    body: "v=0\r\n",
    via: ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKt", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKu"],
  }),
);

/** What a proxy could do wrong with an accepted INVITE, and what the referee must call it. */
const tampered: readonly (readonly [name: string, kind: string, (sent: Sent) => readonly Sent[]])[] = [
  ["twice", "more than one datagram for one", (sent) => [sent, sent]],
  ["to somebody unknown", "to a stranger", (sent) => [{ ...sent, to: "203.0.113.66:5060" }]],
  ["the body", "changed on the way", (sent) => [change(sent, "v=0", "v=1")]],
  ["a shorter body", "unreadable", (sent) => [change(sent, "v=0\r\n", "v=0")]],
  ["a field less", "changed on the way", (sent) => [change(sent, "Subject: x\r\n", "")]],
  ["a field more", "changed on the way", (sent) => [change(sent, "Subject: x", "Subject: x\r\nX: y")]],
  [
    "a field with other white space",
    "changed on the way",
    (sent) => [change(sent, "Subject: x", "Subject:  x")],
  ],
  [
    "fields in another order",
    "changed on the way",
    (sent) => [change(sent, /(Call-ID:.*\r\n)(CSeq:.*\r\n)/, "$2$1")],
  ],
  ["another target", "changed on the way", (sent) => [change(sent, "INVITE sip:0", "INVITE sip:1")]],
  ["no Via of ours", "changed on the way", (sent) => [change(sent, /Via: .*sw.*\r\n/, "")]],
  ["another's Via", "changed on the way", (sent) => [change(sent, "10.0.0.1", "10.0.0.2")]],
  [
    "Max-Forwards as it was",
    "changed on the way",
    (sent) => [change(sent, "Max-Forwards: 69", "Max-Forwards: 70")],
  ],
  ["a bare LF", "unreadable", (sent) => [change(sent, "Subject: x\r\n", "Subject: x\n")]],
  ["two From fields", "unreadable", (sent) => [change(sent, "Subject: x", "f: <sip:1@a>")]],
];

void t.test("the referee sees what a proxy does wrong with an accepted call", (t) => {
  for (const [name, kind, tamper] of tampered) {
    const proxy = createProxy();
    const [sent] = proxy.receive(invite.from, invite.bytes);
    if (sent === undefined) throw new Error("the call was not accepted");
    const judge = (out: readonly Sent[]): string | undefined =>
      createReferee(proxy, createMemory()).judge(invite, out, proxy.decisions)?.kind;
    t.equal(judge([sent]), undefined, `${name}: nothing wrong with what was really sent`);
    t.equal(judge(tamper(sent)), kind, name);
  }
  t.end();
});

/** Calls that must not pass, as a proxy without rules would let them through. */
const forbidden: readonly (readonly [name: string, from: string, parts: Parameters<typeof request>[0]])[] = [
  ["not listed", peers.lessee, { from: "<sip:+861087654400@a>;tag=1" }],
  [
    "a second PAI",
    peers.lessee,
    { headers: ["P-Asserted-Identity: <sip:01087654321@a>, <tel:01087654400>"] },
  ],
  ["escaped digits", peers.lessee, { from: "<sip:%2b861087654400@a>;tag=1" }],
  ["a folded PAI", peers.lessee, { headers: ["P-Asserted-Identity:\r\n <sip:01087654400@a>"] }],
  ["a compact From", peers.lessee, { headers: ["f: <sip:01087654400@a>"] }],
  ["hidden", peers.lessee, { headers: ["Privacy: critical;id"] }],
  ["ISUP", peers.lessee, { headers: ["c: application/ISUP"] }],
  ["+86 from abroad", peers.abroad, {}],
];

void t.test("the referee reads callers itself", (t) => {
  for (const [name, from, parts] of forbidden) {
    const proxy = createProxy();
    const [good] = proxy.receive(invite.from, invite.bytes);
    const [accept] = proxy.decisions;
    if (good === undefined || accept === undefined) throw new Error("the call was not accepted");
    const bad = say(from, request(parts));
    const passed = Buffer.from(
      bad.bytes
        .toString("latin1")
        .replace("Via:", `Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKsw${"0".repeat(25)}\r\nVia:`)
        .replace("Max-Forwards: 70", "Max-Forwards: 69"),
      "latin1",
    );
    const sent = [{ ...good, bytes: passed, text: passed.toString("latin1") }];
    const referee = createReferee(proxy, createMemory());
    t.match(
      referee.judge(bad, sent, [])?.kind,
      name === "a compact From" ? "unreadable" : "unjudged",
      `${name}: not accepted`,
    );
    t.match(
      createReferee(proxy, createMemory()).judge(bad, sent, [accept])?.detail,
      name === "a compact From" ? /from stands 2/ : /caller|ISUP/,
      `${name}: accepted by mistake`,
    );
  }
  t.end();
});

void t.test("the referee sees a number that was to be withheld", (t) => {
  const proxy = createProxy();
  const roamer = say(
    peers.abroad,
    request({ from: "<sip:+8613800138000@a>;tag=1", headers: ["Subject: x"] }),
  );
  const [sent] = proxy.receive(roamer.from, roamer.bytes);
  if (sent === undefined) throw new Error("the call was not accepted");
  const judge = (out: Sent): string | undefined =>
    createReferee(proxy, createMemory()).judge(roamer, [out], proxy.decisions)?.kind;
  t.equal(judge(sent), undefined, "withheld");
  t.equal(
    judge(change(sent, /From: .*(;tag=1)/, "From: <sip:+8613800138000@a>$1")),
    "changed on the way",
    "in From",
  );
  const pai = "Max-Forwards: 69\r\nP-Asserted-Identity: <tel:+8613800138000>";
  t.equal(judge(change(sent, "Max-Forwards: 69", pai)), "changed on the way", "in another field");
  t.end();
});

void t.test("the referee follows responses and dialogs", (t) => {
  const proxy = createProxy();
  const referee = createReferee(proxy, createMemory());
  const [out] = proxy.receive(invite.from, invite.bytes);
  if (out === undefined) throw new Error("the call was not accepted");
  t.equal(referee.judge(invite, [out], proxy.decisions), undefined);
  const ok = say(peers.core, respond(out.text, 200, { body: "v=0\r\n" }));
  const [back] = proxy.receive(ok.from, ok.bytes);
  if (back === undefined) throw new Error("the answer was not relayed");
  t.equal(referee.judge(ok, [back], []), undefined, "a true one");
  t.match(
    referee.judge(say(peers.national, ok.bytes.toString("latin1")), [back], [])?.kind,
    "stray",
    "from elsewhere",
  );
  t.match(referee.judge(ok, [{ ...back, to: peers.abroad }], [])?.kind, "stray", "to somebody else");
  t.match(
    referee.judge(ok, [change(back, "v=0", "v=1")], [])?.kind,
    "changed on the way",
    "with another body",
  );
  const stray = say(peers.core, ok.bytes.toString("latin1").replace(/z9hG4bKsw./, "z9hG4bKsx0"));
  t.match(referee.judge(stray, [back], [])?.kind, "stray", "with a branch that is not ours");
  const bye = say(
    peers.lessee,
    request({ method: "BYE", to: "<sip:1@a>;tag=called", headers: ["Route: <sip:192.0.2.1;lr;sw=a!b>"] }),
  );
  const passed = change(out, "INVITE sip:02787654321@192.0.2.1", "BYE sip:02787654321@192.0.2.1");
  t.ok(referee.judge(bye, [passed], []), "a BYE that nothing proves");
  t.end();
});
