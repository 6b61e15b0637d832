import t from "tap";
import { testTwinSessions } from "../fuzz/hostile-sessions.ts";
import {
  basicPolicy,
  compileText,
  createTestProxy,
  header,
  headers,
  peers,
  request,
  respond,
  type Sent,
} from "../support/proxy.ts";
import { createTwins, type Twins } from "../support/twins.ts";

// The byte path (src/proxy/ordinary) against the general path. Twins are two proxies, one of them without the byte path:
// they throw where what they send, tell, count or keep differs.

/** Small tables: each row has proxies of its own. */
const policy = compileText(`${basicPolicy}tables: { calls: 48, callers: 48, sources: 48 }\n`);

interface Call {
  readonly twins: Twins;
  /** The INVITE as it came, as it went on, and its 200 as the caller has it. */
  readonly invite: string;
  readonly out: string;
  readonly ok: string;
}

function begin(): Call {
  const twins = createTwins((ordinary) => createTestProxy(policy, { ordinary, ledgerSize: 20 }));
  const invite = request({ via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bKinvite;rport`] });
  const out = textOf(twins.receive(peers.lessee, invite));
  return { twins, invite, out, ok: "" };
}

function answered(): Call {
  const call = begin();
  const answer = respond(call.out, 200, { contact: "<sip:uas@198.51.100.1:5060>" });
  return { ...call, ok: textOf(call.twins.receive(peers.core, answer)) };
}

function textOf(sent: readonly Sent[]): string {
  return sent[0]?.text ?? "";
}

/** A request of the caller inside the dialog of the call. */
function ofCaller({ ok }: Call, method: string, headerLines: readonly string[] = []): string {
  return request({
    method,
    via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bK${method};rport`],
    to: header(ok, "To") ?? "",
    cseq: method === "ACK" ? "1 ACK" : `2 ${method}`,
    headers: [`Route: ${header(ok, "Record-Route") ?? ""}`, ...headerLines],
  });
}

/** A request of the called side. */
function ofCalled({ out, ok }: Call, method: string, uri = `sip:pbx@${peers.lessee}`): string {
  return request({
    method,
    uri,
    via: [`SIP/2.0/UDP ${peers.core};branch=z9hG4bK${method}`],
    from: header(ok, "To") ?? "",
    to: header(out, "From") ?? "",
    cseq: `7 ${method}`,
    headers: [`Route: ${header(ok, "Record-Route") ?? ""}`],
  });
}

/** Hands the message in. @returns whether the byte path took it */
function isTaken({ twins }: Call, from: string, message: string): boolean {
  const { taken } = twins.tally;
  twins.receive(from, message);
  return twins.tally.taken > taken;
}

type Row = readonly [what: string, isTaken: boolean, change: (message: string) => string];

const same = (message: string): string => message;
const without = (line: RegExp) => (message: string) => message.replace(line, "");
const withLine = (line: string) => (message: string) =>
  message.replace("\r\nCall-ID:", `\r\n${line}\r\nCall-ID:`);
const put = (from: string | RegExp, to: string) => (message: string) => message.replace(from, to);

const answers: readonly Row[] = [
  ["as it should be", true, same],
  ["a display name in quotes", true, put("To: <", 'To: "Bank, 1" <')],
  ["another field, of which nothing is known", true, withLine("X-Thing: a,b;c")],
  ["a reason phrase beyond ASCII", true, put(" Whatever", " \xff\xfe")],
  ["both Vias on one line", true, put("\r\nVia: SIP/2.0/UDP 203", ", SIP/2.0/UDP 203")],
  ["something behind the message", true, (message) => `${message}more`],
  ["503", false, put("SIP/2.0 183", "SIP/2.0 503")],
  ["a label", false, withLine("P-Sigwall-Label: x")],
  ["a folded Via", false, put(";branch=z9hG4bKsw", "\r\n ;branch=z9hG4bKsw")],
  ["a Via in other words", false, put("Via: SIP/2.0/UDP 192", "Via: SIP / 2.0 / UDP 192")],
  ["another branch", false, put(/z9hG4bKsw0..../, "z9hG4bKsw01234")],
  ["a branch of no listener", false, put("z9hG4bKsw0", "z9hG4bKswz")],
  [
    "a branch in capitals",
    false,
    (message) => message.replace(/z9hG4bKsw0\w{24}/, (mac) => mac.toUpperCase()),
  ],
  ["a parameter in front of the mark", false, put(/(z9hG4bKsw\w{25});sw/, "$1;a=1;sw")],
  ["two marks", false, put(";st=", ";sd=AAAAAAAAAAAAAAAA;st=")],
  ["the mark of nobody", true, put(/;sw=.{16};st/, ";sw=AAAAAAAAAAAAAAAA;st")],
  ["another Call-ID", false, put("Call-ID: call-1", "Call-ID: call-2")],
  ["a Call-ID beyond ASCII", false, put("Call-ID: call-1", "Call-ID: call-\xe9")],
  ["another CSeq", false, put("CSeq: 1 ", "CSeq: 2 ")],
  ["CSeq with zeros in front", true, put("CSeq: 1 ", "CSeq: 0001 ")],
  ["an unknown method", false, put("1 INVITE", "1 INVITES")],
  ["a method in small letters", false, put("1 INVITE", "1 invite")],
  ["the Via of the caller elsewhere", false, put("received=203.0.113.10", "received=203.0.113.99")],
  ["rport with zeros in front", false, put("rport=5060", "rport=05060")],
  ["received twice", false, put(";received=", ";received=203.0.113.10;received=")],
  ["no Via behind ours", false, without(/\r\nVia: SIP\/2.0\/UDP 203[^\r]*/)],
  ["a token in capitals", false, put(/;sw=[^;>]{60,}/, ";SW=ABC.DEF")],
  ["a token with an escape", false, put(/lr;sw=(.)/, "lr;sw=%41$1")],
  ["a token that is confirmed", true, put(/(lr;sw=[^>]*)/, `$1.${"a".repeat(24)}`)],
  ["a Record-Route of somebody in front", true, withLine("Record-Route: <sip:198.51.100.9;lr>")],
  ["tokens of nobody", true, withLine(`Record-Route: <sip:198.51.100.9${";sw=a.b".repeat(70)}>`)],
  ["two To tags", false, put(";tag=called", ";tag=called;tag=b")],
  ["a To without brackets", false, put(/To: <([^>]*)>/, "To: $1")],
  ["no To tag", true, put(";tag=called", "")],
  ["a fault", false, without(/\r\nFrom: [^\r]*/)],
];

void t.test("answers: which are taken, and that both paths do the same with each", async (t) => {
  for (const status of [100, 183, 200, 486, 487])
    for (const [what, expected, change] of answers) {
      const call = begin();
      const answer = change(
        respond(call.out, status, { contact: "<sip:uas@198.51.100.1:5060>" }).replace(`${status} `, "183 "),
      ).replace("SIP/2.0 183", `SIP/2.0 ${status}`);
      const taken = isTaken(call, peers.core, answer);
      // What only a tag or a token shows does not matter where neither is read.
      if (status === 183) t.equal(taken, expected, what);
      t.notOk(isTaken(call, peers.second, answer), `${status}, ${what}: from another peer`);
    }
});

void t.test("answers: a second 2xx, the answer to a BYE, and one that comes twice", async (t) => {
  const call = answered();
  const fork = respond(call.out, 200, { toTag: "fork", contact: "<sip:b@198.51.100.1>" });
  t.ok(isTaken(call, peers.core, fork), "a fork");
  t.ok(isTaken(call, peers.core, fork), "its repeat");
  const bye = textOf(call.twins.receive(peers.lessee, ofCaller(call, "BYE")));
  t.ok(isTaken(call, peers.core, respond(bye, 401)), "a BYE is refused");
  t.ok(isTaken(call, peers.core, respond(bye, 200)), "a BYE is answered");
});

void t.test("a method that only begins like INVITE says nothing of the call", async (t) => {
  for (const status of [200, 486]) {
    const call = begin();
    t.notOk(isTaken(call, peers.core, respond(call.out, status).replace("1 INVITE", "1 INVITED")));
    t.same([...call.twins.proxy.proxy.calls.standing()], [["lease", { setup: 1, answered: 0 }]]);
  }
});

void t.test("a mark in the Via of the caller, behind ours on one line, hides no answer", async (t) => {
  for (const mark of [";sw=AAAAAAAAAAAAAAAA", ";sd=AAAAAAAAAAAAAAAA"]) {
    const call = answered();
    const bye = ofCaller(call, "BYE").replace(";rport", `;rport${mark}`);
    const sent = textOf(call.twins.receive(peers.lessee, bye));
    const refusal = respond(sent, 401).replace("\r\nVia: SIP/2.0/UDP 203", ", SIP/2.0/UDP 203");
    t.ok(refusal.includes(mark) && isTaken(call, peers.core, refusal), mark);
    t.same([...call.twins.proxy.proxy.calls.standing()], [["lease", { setup: 0, answered: 1 }]], mark);
  }
});

/** Answers of the caller to an UPDATE that the called side sends while it rings. */
const answersWithin: readonly Row[] = [
  ["as it should be", false, same],
  ["as if the INVITE had been refused", true, put("SIP/2.0 200", "SIP/2.0 486")],
  ["as if the INVITE had been answered by another", true, put(";tag=caller", ";tag=other")],
];

void t.test("an answer to a request inside the dialog does not pass for one to the INVITE", async (t) => {
  for (const [what, isForged, change] of answersWithin) {
    const call = begin();
    const ringing = textOf(call.twins.receive(peers.core, respond(call.out, 180)));
    const update = textOf(call.twins.receive(peers.core, ofCalled({ ...call, ok: ringing }, "UPDATE")));
    t.match(update, /;sd=/, what);
    const answer = change(respond(update, 200));
    const sent = isForged ? answer.replace(";sd=", ";sw=").replace("7 UPDATE", "7 INVITE") : answer;
    t.equal(isTaken(call, peers.lessee, sent), isForged, what);
    t.same([...call.twins.proxy.proxy.calls.standing()], [["lease", { setup: 1, answered: 0 }]], what);
  }
});

const requests: readonly Row[] = [
  ["as it should be", true, same],
  ["no rport", true, put(";rport", "")],
  ["received and rport of the peer's own", true, put(";rport", ";rport=1;received=192.0.2.77")],
  ["another host in Via", true, put(/UDP [^;]*/, "UDP pbx.example:5070")],
  ["a host with capitals", false, put(/UDP [^;]*/, "UDP PBX.example")],
  [
    "SDP",
    true,
    (message) =>
      `${message.replace("Content-Length: 0", "Content-Type: application/sdp\r\nContent-Length: 3")}v=0`,
  ],
  [
    "another body",
    false,
    (message) =>
      `${message.replace("Content-Length: 0", "Content-Type: application/isup\r\nContent-Length: 3")}v=0`,
  ],
  ["a coded body", false, withLine("Content-Encoding: gzip")],
  [
    "a body without type",
    false,
    (message) => `${message.replace("Content-Length: 0", "Content-Length: 3")}v=0`,
  ],
  ["no Max-Forwards", false, without(/\r\nMax-Forwards: 70/)],
  ["Max-Forwards at its end", false, put("Max-Forwards: 70", "Max-Forwards: 0")],
  ["Max-Forwards with one digit less", true, put("Max-Forwards: 70", "Max-Forwards: 10")],
  ["Proxy-Require", false, withLine("Proxy-Require: x")],
  ["a label", false, withLine("P-Sigwall-Label: x")],
  ["a scheme of its own", false, put(/ sip:\S+ SIP/, " mailto:a@b SIP")],
  ["a tel URI", true, put(/ sip:\S+ SIP/, " tel:+861012345678 SIP")],
  ["no Route", false, without(/\r\nRoute: [^\r]*/)],
  ["a second Route", false, withLine("Route: <sip:198.51.100.1;lr>")],
  ["a folded Route", false, put("Route: <", "Route:\r\n <")],
  ["a parameter behind the token", false, put(/(\r\nRoute: [^>]*)>/, "$1;x>")],
  ["a token of other claims", false, put(/(\r\nRoute: .*sw=)./, "$1z")],
  ["a token in capitals", false, put(/sw=[^>]*/, "sw=ABC")],
  ["a token without confirmation", true, put(/(\r\nRoute: .*)\.[0-9a-f]{24}>/, "$1>")],
  ["a token in the Request-URI too", false, put(/ (sip:\S+) SIP/, " $1;sw=a SIP")],
  ["another Call-ID", false, put("Call-ID: call-1", "Call-ID: call-2")],
  ["another From tag", false, put(";tag=caller", ";tag=other")],
  ["another To tag", true, put(";tag=called", ";tag=other")],
  ["no To tag", false, put(";tag=called", "")],
  ["a misleading name", true, put("From: <", 'From: "110" <')],
  ["a name that holds an address", false, put("From: <", "From: sip:1@2 <")],
  ["the branch of a peer of RFC 2543", true, put("branch=z9hG4bK", "branch=")],
];

void t.test(
  "requests of the caller: which are taken, and that both paths do the same with each",
  async (t) => {
    for (const method of ["ACK", "BYE", "PRACK", "INFO", "OPTIONS", "UPDATE", "INVITE"])
      for (const [what, expected, change] of requests) {
        const call = answered();
        const taken = isTaken(call, peers.lessee, change(ofCaller(call, method)));
        if (method === "PRACK") t.equal(taken, expected, what);
        if (method === "INVITE" || method === "UPDATE") t.notOk(taken, `${method}, ${what}`);
        const other = answered();
        t.notOk(
          isTaken(other, peers.second, change(ofCaller(other, method))),
          `${method}, ${what}: another peer`,
        );
      }
  },
);

void t.test("requests of the called side", async (t) => {
  const uris: readonly (readonly [uri: string, isTaken: boolean])[] = [
    [`sip:pbx@${peers.lessee}`, true],
    [`sip:${peers.lessee}`, true],
    ["sip:pbx@203.0.113.10", true],
    ["sip:pbx@203.0.113.10:05060", false],
    ["sip:pbx@203.0.113.10:5061", false],
    ["sip:pbx@203.0.113.10:5060;transport=tcp", false],
    ["sip:pbx@203.0.113.11:5060", false],
    ["sip:pbx@192.0.2.1:5060", false],
    ["sip:pbx@198.51.100.1:5060", false],
    ["sip:a@b@203.0.113.10", true],
    ["sip:pbx@pbx.example", false],
    ["sips:pbx@203.0.113.10", false],
    ["tel:+861087654321", false],
  ];
  for (const method of ["BYE", "PRACK"])
    for (const [uri, expected] of uris) {
      const call = answered();
      t.equal(isTaken(call, peers.core, ofCalled(call, method, uri)), expected, `${method} ${uri}`);
    }
});

void t.test("the ACK of a refusal of ours ends here; any other tag goes its own way", async (t) => {
  const twins = createTwins((ordinary) => createTestProxy(policy, { ordinary, ledgerSize: 20 }));
  const invite = request({ from: "<sip:+442079460000@203.0.113.10>;tag=caller" });
  const refusal = textOf(twins.receive(peers.lessee, invite));
  t.match(refusal, "SIP/2.0 403 ");
  const to = header(refusal, "To") ?? "";
  const call = { twins, invite, out: "", ok: "" };
  const ack = (tagged: string): string =>
    invite
      .replace(/^INVITE/, "ACK")
      .replace("1 INVITE", "1 ACK")
      .replace(/\r\nTo: [^\r]*/, `\r\nTo: ${tagged}`);
  t.ok(isTaken(call, peers.lessee, ack(to)), "ours");
  for (const [what, tagged] of [
    ["a digit more", `${to}0`],
    ["a digit less", to.slice(0, -1)],
    ["another digit", to.slice(0, -1) + (to.endsWith("0") ? "1" : "0")],
    ["another tag", "<sip:02787654321@192.0.2.1>;tag=x"],
  ] as const)
    t.notOk(isTaken(call, peers.lessee, ack(tagged)), what);
  t.notOk(
    isTaken(call, peers.lessee, ack(to).replace("\r\nCall-ID", "\r\nRoute: <sip:a@b>\r\nCall-ID")),
    "with a Route",
  );
});

void t.test("an ACK with the branch of its INVITE follows the INVITE, whatever its Route says", async (t) => {
  const call = answered();
  const ack = ofCaller(call, "ACK").replace("z9hG4bKACK", "z9hG4bKinvite");
  t.notOk(isTaken(call, peers.lessee, ack));
  t.equal(headers(call.out, "Via").length, 2);
});

testTwinSessions(20_000, 24);
