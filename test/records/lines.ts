// What the lines of events say: their fields, the order of their fields, and what is left out.
import { Buffer } from "node:buffer";
import t from "tap";
import type { CallDecided, CallEvent } from "../../src/domain/call.ts";
import type { Facts } from "../../src/domain/decision.ts";
import { numberFound } from "../../src/records/lines/attempt-line.ts";
import { NOW } from "../support/attempt.ts";
import { asRead, createLineMaker, decisionOn, endOf, forwardedCall, NODE } from "./line-maker.ts";

const SDP =
  "v=0\r\nm=audio 4 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\nm=video 6 RTP/AVP 31\r\n";

function invite(fields: readonly string[], body = ""): Buffer {
  const head = ["INVITE sip:02787654321@192.0.2.2 SIP/2.0", ...fields, `Content-Length: ${body.length}`];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`, "latin1");
}

const refused: CallDecided = {
  kind: "decided",
  call: { id: "gw-a-t3k9x1-1042", trunk: "trunk-1" },
  at: NOW + 1.7,
  decision: decisionOn(
    {
      calling: ['pai "A \\"B\\"" +861087654400', "from 01087654400", "rpid anonymous"],
      diversion: ["div +861088881234"],
      privacy: ["id", "none"],
    },
    {
      verdict: {
        kind: "reject",
        reason: "police-listed",
        facts: { list: "police", field: "from", line: "lists/police.csv:17", notice: "公刑通2026-114" },
      },
      rule: "deny-lists",
      shadow: [
        { rule: "number-class", verdict: { kind: "reject", reason: "number-class" } },
        {
          rule: "deny-lists",
          verdict: {
            kind: "reject",
            reason: "denylisted",
            facts: { list: "nuisance", field: "from", line: "lists/nuisance.csv:4" },
          },
        },
        {
          rule: "line-state",
          verdict: { kind: "reject", reason: "line-stopped", facts: { line: "trunk:a" } },
        },
      ],
      marks: [{ kind: "label", reason: "display-name-misleading" }],
    },
  ),
  action: { kind: "answered", status: 603 },
  overlapOf: "gw-a-t3k9x1-1041",
  listener: "udp:192.0.2.2:5060",
  bytes: invite(
    ["From: <sip:01087654400@pbx.example>;tag=1", "user-AGENT: Acme PBX/1", "Content-Type: application/sdp"],
    SDP,
  ),
};

void t.test("lines: a refused call, field by field in the order of the contract", (t) => {
  const line = asRead(createLineMaker()(refused));
  t.same(line, {
    record: "decided",
    id: "gw-a-t3k9x1-1042",
    node: NODE,
    time: "2026-10-03T00:15:00.001Z",
    signalling: "sip",
    transport: "udp",
    source: "192.0.2.1:5060",
    destination: "192.0.2.2:5060",
    callId: "call-1",
    requestUri: "sip:02787654321@192.0.2.2",
    calling: [
      {
        source: "p-asserted-identity",
        raw: "+861087654400",
        number: "+861087654400",
        presentation: "allowed",
      },
      { source: "from", raw: "01087654400", number: "+861087654400", presentation: "allowed" },
      { source: "remote-party-id", raw: "anonymous", why: "token", presentation: "restricted" },
    ],
    called: { raw: "02787654321", number: "+862787654321" },
    diversion: [
      { source: "diversion", raw: "+861088881234", number: "+861088881234", presentation: "allowed" },
    ],
    trunk: "trunk-1",
    lessee: "acme",
    listener: "udp:192.0.2.2:5060",
    privacy: ["id", "none"],
    displays: ['"A \\"B\\""'],
    bodies: ["application/sdp"],
    agent: "Acme PBX/1",
    codecs: "PCMA,PCMU,telephone-event,H261",
    fromHost: "pbx.example",
    marks: [{ verdict: "label", reason: "display-name-misleading" }],
    verdict: "reject",
    reason: "police-listed",
    rule: "deny-lists",
    mode: "enforce",
    // Whom a rule in monitor mode would have refused, and by which row.
    shadow: [
      { rule: "number-class", verdict: "reject", reason: "number-class" },
      {
        rule: "deny-lists",
        verdict: "reject",
        reason: "denylisted",
        number: "+861087654400",
        listLine: "lists/nuisance.csv:4",
      },
      { rule: "line-state", verdict: "reject", reason: "line-stopped" },
    ],
    revision: "9f2c00000000",
    action: "answered",
    status: 603,
    cause: 21,
    overlapOf: "gw-a-t3k9x1-1041",
    listLine: "lists/police.csv:17",
    notice: "公刑通2026-114",
  });
  const order =
    "record id node time signalling transport source destination callId requestUri calling called diversion trunk lessee " +
    "listener privacy displays bodies agent codecs fromHost marks verdict reason rule mode shadow revision action status " +
    "cause overlapOf listLine notice";
  t.equal(Object.keys(line).join(" "), order);
  t.end();
});

void t.test("lines: names in ISUP, with their sources", (t) => {
  const make = createLineMaker();
  const call = forwardedCall(7);
  const names = [
    { source: "isup-generic-name", display: "BANK 95588", presentation: "restricted" },
    { source: "isup-display-information", display: "\xff\u00a0", presentation: "allowed" },
  ] as const;
  const attempt = { ...call.decision.attempt, names };
  const line = asRead(make({ ...call, decision: { ...call.decision, attempt } }));
  t.same(line["names"], [
    { source: "isup-generic-name", raw: "BANK 95588", presentation: "restricted" },
    { source: "isup-display-information", raw: "\ufffd\ufffd", presentation: "allowed" },
  ]);
  t.same(line["rawHex"], { "names[1].raw": "ffa0" });
  t.end();
});

void t.test("lines: the contract of the lessee, and the name that a TLS peer proved", (t) => {
  const make = createLineMaker();
  const call = forwardedCall(7);
  const { attempt } = call.decision;
  const trunk = { ...attempt.trunk, contract: "HT-7", tlsName: "pbx.example" };
  const over = (transport: "tls" | "tcp"): Record<string, unknown> =>
    asRead(
      make({
        ...call,
        decision: {
          ...call.decision,
          attempt: { ...attempt, trunk, origin: { ...attempt.origin, transport } },
        },
      }),
    );
  t.match(over("tls"), { contract: "HT-7", tlsName: "pbx.example" });
  t.match(over("tls"), { contract: "HT-7", tlsName: "pbx.example" }, "the second time as a number");
  t.notOk("tlsName" in over("tcp"), "nothing but TLS proves a name");
  t.end();
});

void t.test("lines: a forwarded call and its end; empty fields are left out", (t) => {
  const make = createLineMaker();
  t.same(Object.keys(asRead(make(forwardedCall(7)))), [
    ..."record id node time signalling transport source destination callId requestUri calling called".split(
      " ",
    ),
    ..."trunk lessee listener verdict reason rule mode revision action nextHop".split(" "),
  ]);
  t.equal(
    make(endOf(7)).line,
    '{"record":"ended","id":"gw-a-t3k9x1-7","node":"gw-a","time":"2026-10-03T00:16:01.200Z","trunk":"trunk-1",' +
      '"lessee":"acme","ringingMs":1200,"answeredMs":3400,"seconds":57.8,"by":"called","how":"released","status":200,"cause":16}',
  );
  t.end();
});

const call = { id: "gw-a-t3k9x1-9", trunk: "other" };
const others: readonly (readonly [what: string, event: CallEvent, line: object])[] = [
  [
    "an end without an answer",
    { kind: "ended", call, at: NOW, by: "filter", how: "timed-out" },
    { record: "ended", id: call.id, trunk: "other", by: "filter", how: "timed-out" },
  ],
  [
    "answered at once, ended at once: 0 is a value",
    { kind: "ended", call, at: NOW, by: "caller", how: "released", answeredMs: 0, ringingMs: 0, talkedMs: 0 },
    {
      record: "ended",
      id: call.id,
      trunk: "other",
      ringingMs: 0,
      answeredMs: 0,
      seconds: 0,
      by: "caller",
      how: "released",
    },
  ],
  [
    "moved",
    { kind: "moved", call, at: NOW, hop: "udp:192.0.2.9:5060", why: "503" },
    { record: "moved", id: call.id, trunk: "other", nextHop: "udp:192.0.2.9:5060", why: "503" },
  ],
  [
    "a sum of shed calls",
    {
      kind: "shed",
      trunk: "other",
      reason: "overload",
      status: 503,
      count: 70_000,
      from: NOW - 1000,
      to: NOW,
    },
    {
      record: "shed",
      trunk: "other",
      reason: "overload",
      status: 503,
      count: 70_000,
      from: "2026-10-03T00:14:59.000Z",
      to: "2026-10-03T00:15:00.000Z",
    },
  ],
];

void t.test("lines: other events", (t) => {
  const make = createLineMaker();
  for (const [what, event, line] of others)
    t.same(asRead(make(event)), { ...line, node: NODE, time: "2026-10-03T00:15:00.000Z" }, what);
  const sum = {
    kind: "shed",
    trunk: "other",
    reason: "overload",
    status: 503,
    count: 1,
    from: NOW,
    to: NOW,
  } as const;
  const shed = asRead(make({ ...sum, of: "requests" }));
  t.equal(shed["of"], "requests");
  t.end();
});

void t.test("lines: a request that was refused unread has no party; a judged one has", (t) => {
  const make = createLineMaker();
  const request: CallEvent = {
    kind: "request",
    call: undefined,
    trunk: "trunk-1",
    method: "MESSAGE",
    at: NOW,
    reason: "method-not-allowed",
    decision: decisionOn({}, { verdict: { kind: "reject", reason: "method-not-allowed" }, rule: "protocol" }),
    action: { kind: "answered", status: 405 },
    bytes: Buffer.from("MESSAGE sip:a@b SIP/2.0\r\n\r\n"),
  };
  const judged = asRead(make(request));
  t.match(judged, { record: "request", method: "MESSAGE", status: 405, calling: [{ source: "from" }] });
  t.notOk("id" in judged);
  const unread = asRead(make({ ...request, refusedAs: "kind", call }));
  t.notOk("calling" in unread || "called" in unread);
  t.equal(unread["id"], call.id);
  t.end();
});

void t.test("lines: evidence is what was not simply accepted", (t) => {
  const make = createLineMaker();
  t.equal(make(forwardedCall(1)).evidence, undefined);
  const long = Buffer.alloc(20_000, "x");
  // The flag is set by the call thread; the message is there for every call.
  const line = asRead(make({ ...refused, bytes: long }));
  t.match(line, { record: "decided", reason: "police-listed" }, "a message that can't be read costs no line");
  t.end();
});

void t.test("lines: codecs of offers that differ a little, one after the other", (t) => {
  const make = createLineMaker();
  const audio = "m=audio 4 RTP/AVP 8 101\r\n";
  const named = "a=rtpmap:101 telephone-event/8000\r\n";
  const table: readonly (readonly [what: string, body: string, codecs?: string])[] = [
    ["an offer", `v=0\r\n${audio}${named}`, "PCMA,telephone-event"],
    ["the same with another port", `v=0\r\nm=audio 6 RTP/AVP 8 101\r\n${named}`, "PCMA,telephone-event"],
    ["the same without a name for 101", `v=0\r\n${audio}`, "PCMA,101"],
    ["the name before the medium", `v=0\r\n${named}${audio}`, "PCMA,telephone-event"],
    ["the same, and another name behind", `v=0\r\na=rtpmap:8 X/1\r\n${audio}${named}`, "X,telephone-event"],
    ["again without", `v=0\r\n${audio}${named}`, "PCMA,telephone-event"],
    ["a second medium", `v=0\r\n${audio}${named}m=video 6 RTP/AVP 31\r\n`, "PCMA,telephone-event,H261"],
    ["a medium in the first line", audio, "PCMA,101"],
    ["m= in the middle of a line", "v=0\r\ns=m=audio 4 RTP/AVP 0\r\n"],
    ["a medium without formats", `v=0\r\nm=audio 4 RTP/AVP\r\n${named}`],
    ["formats of a second medium alone", `m=audio 4\r\n${audio}`, "PCMA,101"],
    ["line ends of one octet", "v=0\nm=audio 4 RTP/AVP 0\n", "PCMU"],
  ];
  for (const [what, body, codecs] of table) {
    const bytes = invite(["Content-Type: application/sdp"], body);
    t.equal(asRead(make({ ...refused, bytes }))["codecs"], codecs, what);
  }
  t.end();
});

void t.test("lines: a finding names the number of its field, unless the field holds several", (t) => {
  const { attempt } = decisionOn({
    calling: [
      "from 01087654400",
      "pai +861087654321",
      "pai +861087654322",
      "rpid anonymous",
      "ppi 95588",
      "ppi 95588",
    ],
    diversion: ["div +861088881234"],
  });
  const rows: readonly (readonly [facts: Facts | undefined, number: string | undefined])[] = [
    [{ field: "from" }, "+861087654400"],
    [{ field: "p-asserted-identity" }, undefined],
    [{ field: "diversion" }, "+861088881234"],
    // The same number twice is one number. A word is none.
    [{ field: "p-preferred-identity" }, "95588"],
    [{ field: "remote-party-id" }, undefined],
    [{ class: "fixed" }, undefined],
    [undefined, undefined],
  ];
  for (const [facts, number] of rows) t.equal(numberFound(attempt, facts), number, JSON.stringify(facts));
  t.end();
});
