import t from "tap";
import { encodeIsup } from "../../pcaps/isup-text.ts";
import {
  answeredRoute,
  basicPolicy,
  compileText,
  createTestProxy,
  outcomeOf,
  peers,
  request,
  type RequestParts,
} from "../support/proxy.ts";

const toCore = `to ${peers.core}`;
const sdp = "v=0\r\n";
const qsig = "Content-Type: application/QSIG;version=iso";

/** SDP, and beside it a body that names another caller. */
function beside(type: string, content: string): RequestParts {
  return {
    headers: ["Content-Type: multipart/mixed;boundary=b"],
    body: `--b\r\nContent-Type: application/sdp\r\n\r\n${sdp}\r\n--b\r\nContent-Type: ${type}\r\n\r\n${content}\r\n--b--\r\n`,
  };
}

/** What becomes of a call: where it went, or the reason, and what rules in monitor mode found. */
function outcome(policy: string, from: string, parts: RequestParts): string {
  const proxy = createTestProxy(compileText(policy));
  const foreign = from === peers.abroad ? { from: "<sip:+442079460000@a>;tag=c" } : {};
  const sent = proxy.receive(from, request({ ...foreign, ...parts }));
  t.same(proxy.faults, []);
  const [decision] = proxy.decisions;
  const said = decision?.verdict.kind === "reject" ? decision.verdict.reason : outcomeOf(sent);
  return [said, ...(decision?.shadow ?? []).map(({ verdict }) => `(${verdict.reason})`)].join(" ");
}

const national = basicPolicy.replace("id: intl, side: international,", "id: intl, side: national,");
const allowing = basicPolicy.replace("id: lease, ", "id: lease, bodies: [application/qsig], ");
const watching = basicPolicy.replace("version: 1", "version: 1\nrules: { bodies: { mode: monitor } }");
const emergency = { uri: "sip:110@192.0.2.1", from: "<sip:+861087650000@a>;tag=c" };
const sip = "INVITE sip:1@a SIP/2.0\r\nFrom: <sip:+861087654400@a>\r\n\r\n";

void t.test("bodies that may name a caller, by side of the trunk", async (t) => {
  const rows: readonly (readonly [
    name: string,
    policy: string,
    from: string,
    parts: RequestParts,
    said: string,
  ])[] = [
    ["a lessee", basicPolicy, peers.lessee, beside("application/QSIG", "\x08"), "body-names-caller"],
    ["alone", basicPolicy, peers.lessee, { headers: [qsig], body: "\x08" }, "body-names-caller"],
    [
      "a SIP message",
      basicPolicy,
      peers.lessee,
      { headers: ["c: message/sip"], body: sip },
      "body-names-caller",
    ],
    ["near miss: SDP", basicPolicy, peers.lessee, { headers: ["c: application/sdp"], body: sdp }, toCore],
    ["near miss: a place", basicPolicy, peers.lessee, beside("application/pidf+xml", "<presence/>"), toCore],
    ["a lessee whose trunk allows it", allowing, peers.lessee, beside("application/QSIG", "\x08"), toCore],
    ["another lessee", allowing, peers.second, beside("application/QSIG", "\x08"), "body-names-caller"],
    ["another type", allowing, peers.lessee, beside("application/gtd", "IAM,"), "body-names-caller"],
    ["from abroad", basicPolicy, peers.abroad, beside("application/gtd", "IAM,"), "body-names-caller"],
    [
      "national: counted",
      national,
      peers.abroad,
      beside("application/gtd", "IAM,"),
      `${toCore} (body-names-caller)`,
    ],
    [
      "as the policy says",
      watching,
      peers.lessee,
      beside("application/gtd", "IAM,"),
      `${toCore} (body-names-caller)`,
    ],
    [
      "the core",
      basicPolicy,
      peers.core,
      { ...beside("application/gtd", "IAM,"), uri: "sip:1@203.0.113.10" },
      `to ${peers.lessee}`,
    ],
    [
      "an emergency call",
      basicPolicy,
      peers.lessee,
      { ...beside("application/gtd", "IAM,"), ...emergency },
      toCore,
    ],
    [
      "a MESSAGE",
      basicPolicy.replace("id: lease, ", "id: lease, methods: { MESSAGE: screen }, "),
      peers.lessee,
      { method: "MESSAGE", headers: ["c: message/cpim"], body: "From: <sip:110@a>\r\n\r\n" },
      "body-names-caller",
    ],
    [
      "near miss: text",
      basicPolicy.replace("id: lease, ", "id: lease, methods: { MESSAGE: screen }, "),
      peers.lessee,
      { method: "MESSAGE", headers: ["c: text/plain"], body: "hello" },
      toCore,
    ],
  ];
  for (const [name, policy, from, parts, said] of rows) t.equal(outcome(policy, from, parts), said, name);
});

function iam(calling: string): string {
  return encodeIsup(`IAM called=3:2787654321 calling=3:${calling}`).toString("latin1");
}

void t.test("application/x-isup is read and judged like application/ISUP", async (t) => {
  for (const name of ["application/ISUP", "application/x-isup"]) {
    const type = `${name};version=itu-t92+`;
    t.equal(outcome(basicPolicy, peers.lessee, beside(type, iam("1087654321"))), toCore, type);
    t.equal(outcome(basicPolicy, peers.lessee, beside(type, iam("1087654400"))), "cli-not-listed", type);
    t.equal(outcome(basicPolicy, peers.lessee, beside(name, iam("1087654321"))), "isup-undecodable", name);
  }
  t.equal(outcome(national, peers.abroad, beside("application/x-isup2", "\x01")), "isup-undecodable");
});

void t.test("inside a dialog", async (t) => {
  const policy = compileText(
    basicPolicy.replace("id: lease, ", "id: lease, methods: { REFER: screen, NOTIFY: [refer] }, "),
  );
  const proxy = createTestProxy(policy);
  const route = answeredRoute(proxy, proxy.receive(peers.lessee, request())[0]?.text ?? "");
  const told = (): string[] =>
    proxy.events.flatMap((event) => (event.kind === "request" ? [event.reason] : []));
  let branch = 0;
  const send = (method: string, type: string, more: Partial<RequestParts> = {}): string => {
    const parts: RequestParts = {
      method,
      to: "<sip:02787654321@192.0.2.1>;tag=called",
      via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bKin${branch++}`],
      cseq: `${2 + branch} ${method}`,
      headers: [`Route: ${route}`, `Content-Type: ${type}`, "Event: refer", "Refer-To: <sip:1@a>"],
      body: "v=0\r\n",
      ...more,
    };
    return outcomeOf(proxy.receive(peers.lessee, request(parts)));
  };
  for (const method of ["INVITE", "UPDATE", "INFO", "PRACK", "REFER"]) {
    t.equal(send(method, "application/QSIG"), "403", method);
    t.equal(told().at(-1), "body-names-caller", method);
    t.equal(send(method, "application/sdp"), toCore, `near miss: ${method}`);
  }
  t.equal(send("ACK", "application/QSIG"), "nothing", "an ACK is not answered");
  t.equal(send("NOTIFY", "message/sipfrag"), toCore, "what became of a transfer (RFC 3515)");
  const before = told().length;
  const again = { via: [`SIP/2.0/UDP ${peers.lessee};branch=z9hG4bKagain`], cseq: "90 INVITE" };
  t.equal(send("INVITE", "application/gtd", again), "403");
  t.equal(send("INVITE", "application/gtd", again), "403", "its repeat");
  t.equal(told().length, before + 1, "told once");
  t.equal(
    send("ACK", "application/sdp", { ...again, cseq: "90 ACK", body: "" }),
    "nothing",
    "its ACK ends here",
  );
  t.equal(send("BYE", "application/QSIG"), toCore, "a BYE ends the call whatever it carries");
});

void t.test("the body of an ACK that belongs to nothing that is remembered", async (t) => {
  const rows: readonly (readonly [type: string, from: string, expected: string])[] = [
    ["application/sdp", peers.lessee, toCore],
    ["application/QSIG", peers.lessee, "nothing"],
    ["message/sipfrag", peers.abroad, "nothing"],
    ["application/ISUP;version=itu-t92+", peers.lessee, "nothing"],
  ];
  for (const [type, from, expected] of rows) {
    const ack = request({
      method: "ACK",
      to: "<sip:02787654321@192.0.2.1>;tag=called",
      via: [`SIP/2.0/UDP ${from};branch=z9hG4bKstray`],
      cseq: "1 ACK",
      headers: [`Content-Type: ${type}`],
      body: "v=0\r\n",
    });
    t.equal(
      outcomeOf(createTestProxy(compileText(basicPolicy)).receive(from, ack)),
      expected,
      `${type} from ${from}`,
    );
  }
});
