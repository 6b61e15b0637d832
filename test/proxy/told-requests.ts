// What the log says of a request that is refused before any rule is asked: status, reason and words. Each is counted once.
import t from "tap";
import type { RequestDecided } from "../../src/domain/call.ts";
import { describeRefusal, judgementOf, type RefusalLine } from "../../src/observe/decision-log.ts";
import { eachRequestCount } from "../../src/observe/counters.ts";
import {
  answeredRoute,
  basicPolicy,
  compileText,
  createTestProxy,
  outcomeOf,
  peers,
  request,
  type RequestParts,
  type TestProxy,
} from "../support/proxy.ts";

const inside = { to: "<sip:02787654321@192.0.2.1>;tag=called" };
const listed = "<sip:+861087654321@203.0.113.10>;tag=caller";
const carried = "methods: { MESSAGE: screen, PUBLISH: [presence], other: pass }";

/** {@link basicPolicy}, with these keys on the trunk `lease`. */
function policyWith(keys: string): ReturnType<typeof compileText> {
  return compileText(
    keys === ""
      ? basicPolicy
      : basicPolicy.replace("id: lease, side: lessee,", () => `id: lease, side: lessee, ${keys},`),
  );
}

function told(proxy: TestProxy): readonly RequestDecided[] {
  return proxy.events.filter((event): event is RequestDecided => event.kind === "request");
}

function lineOf(event: RequestDecided): RefusalLine {
  const judgement = judgementOf(event);
  if (judgement === undefined) throw new Error("the log has no line");
  return describeRefusal(judgement);
}

/** Every counter that a refusal may add to, as "what: count". */
function counted(proxy: TestProxy, trunk: string): readonly string[] {
  const found: string[] = [];
  eachRequestCount(proxy.counters, (labels, count) => {
    if (labels.trunk === trunk) found.push(`${labels.method} ${labels.reason}: ${count}`);
  });
  const counters = proxy.counters.trunks.get(trunk);
  for (const [status, count] of counters?.protocolErrors ?? []) found.push(`status ${status}: ${count}`);
  if (counters !== undefined && counters.forgedRepeats > 0) found.push(`forged: ${counters.forgedRepeats}`);
  for (const count of counters?.attempts.values() ?? []) found.push(`attempts: ${count}`);
  return found;
}

interface Row {
  readonly what: string;
  /** Keys of the trunk. */
  readonly keys?: string;
  /** Requests before, which are forwarded. */
  readonly before?: RequestParts;
  readonly parts: RequestParts;
  readonly change?: (text: string) => string;
  /** Who sends it; the trunk `lease` when left out. */
  readonly from?: string;
  readonly status: number;
  readonly reason: string;
  readonly why: string;
  /** The counter that it adds to. */
  readonly counted: string;
}

const table: readonly Row[] = [
  {
    what: "a method that the trunk does not carry",
    parts: { method: "MESSAGE", from: listed },
    status: 405,
    reason: "method-not-allowed",
    why: "MESSAGE is not carried on this trunk",
    counted: "MESSAGE method-not-allowed: 1",
  },
  {
    what: "the same with another status by the policy",
    keys: "status: { method-not-allowed: 403 }",
    parts: { method: "REFER", from: listed },
    status: 403,
    reason: "method-not-allowed",
    why: "REFER is not carried on this trunk",
    counted: "REFER method-not-allowed: 1",
  },
  {
    what: "a method that nobody knows, asked of the filter itself",
    parts: { method: "FOO", uri: "sip:192.0.2.1:5060" },
    status: 501,
    reason: "method-not-allowed",
    why: "FOO is unknown",
    counted: "other method-not-allowed: 1",
  },
  {
    what: "a method that looks like a number",
    parts: { method: "13812345678" },
    status: 405,
    reason: "method-not-allowed",
    why: "1381xxxxxxx is not carried on this trunk",
    counted: "other method-not-allowed: 1",
  },
  {
    what: "an event package that the trunk may not use",
    keys: carried,
    parts: { method: "PUBLISH", from: listed, headers: ["Event: dialog;x=1"] },
    status: 489,
    reason: "method-not-allowed",
    why: "event package dialog",
    counted: "PUBLISH method-not-allowed: 1",
  },
  {
    what: "no event package",
    keys: carried,
    parts: { method: "PUBLISH", from: listed },
    status: 489,
    reason: "method-not-allowed",
    why: "it names no single event package",
    counted: "PUBLISH method-not-allowed: 1",
  },
  {
    what: "a BYE without To tag",
    parts: { method: "BYE" },
    status: 481,
    reason: "dialog-unknown",
    why: "it belongs in a dialog and has no To tag",
    counted: "BYE dialog-unknown: 1",
  },
  {
    what: "a BYE without Route of ours",
    parts: { method: "BYE", ...inside },
    status: 481,
    reason: "dialog-unknown",
    why: "it has no Route of ours",
    counted: "BYE dialog-unknown: 1",
  },
  {
    what: "a re-INVITE with a token of somebody else",
    parts: { ...inside, headers: ["Route: <sip:192.0.2.1;lr;sw=forged>"] },
    status: 481,
    reason: "dialog-unknown",
    why: "its Route of ours is that of another peer, Call-ID or tag",
    counted: "INVITE dialog-unknown: 1",
  },
  {
    what: "a Route that leads elsewhere",
    keys: carried,
    parts: { method: "FOO", headers: ["Route: <sip:13812345678@sbc.carrier.example;lr>"] },
    status: 403,
    reason: "routing-refused",
    why: "route sbc.carrier.example",
    counted: "other routing-refused: 1",
  },
  {
    what: "a CANCEL with a Route that its INVITE did not have",
    before: {},
    parts: { method: "CANCEL", headers: ["Route: <sip:198.51.100.66;lr>"] },
    status: 403,
    reason: "routing-refused",
    why: "route 198.51.100.66",
    counted: "CANCEL routing-refused: 1",
  },
  {
    what: "from the core back to the core",
    parts: { method: "MESSAGE", uri: "sip:198.51.100.1:5060" },
    from: peers.core,
    status: 403,
    reason: "routing-refused",
    why: "route 198.51.100.1",
    counted: "MESSAGE routing-refused: 1",
  },
  {
    what: "from the core to nowhere",
    parts: { method: "MESSAGE", uri: "sip:somewhere.example" },
    from: peers.core,
    status: 404,
    reason: "protocol",
    why: "no next hop can take it",
    counted: "status 404: 1",
  },
  {
    what: "a number that is none in Max-Forwards",
    parts: { method: "BYE", ...inside },
    change: (text) => text.replace("Max-Forwards: 70", "Max-Forwards: 300"),
    status: 400,
    reason: "message-malformed",
    why: "Max-Forwards is not a number of 0 to 255",
    counted: "status 400: 1",
  },
  {
    what: "two From tags",
    parts: { method: "BYE", ...inside, from: `${listed};tag=other` },
    status: 400,
    reason: "message-malformed",
    why: "From: two tags",
    counted: "status 400: 1",
  },
  {
    what: "a Via that is none behind the first",
    parts: { method: "BYE", via: ["SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKcall1, nonsense"] },
    status: 400,
    reason: "message-malformed",
    why: "Via: a value that is none",
    counted: "status 400: 1",
  },
  {
    what: "a version of SIP that nobody speaks",
    parts: { method: "BYE", ...inside },
    change: (text) => text.replace(" SIP/2.0\r\n", " SIP/3.0\r\n"),
    status: 505,
    reason: "message-malformed",
    why: "",
    counted: "status 505: 1",
  },
  {
    what: "a scheme that is not carried",
    parts: { method: "BYE", ...inside, uri: "http:02787654321@192.0.2.1" },
    status: 416,
    reason: "protocol",
    why: "a Request-URI of the scheme http",
    counted: "status 416: 1",
  },
  {
    what: "options that nobody knows",
    parts: { method: "BYE", ...inside, headers: ["Proxy-Require: x, y", "Proxy-Require: z"] },
    status: 420,
    reason: "protocol",
    why: "Proxy-Require: x, y, z",
    counted: "status 420: 1",
  },
  {
    what: "no hop left",
    parts: { method: "BYE", ...inside },
    change: (text) => text.replace("Max-Forwards: 70", "Max-Forwards: 0"),
    status: 483,
    reason: "protocol",
    why: "Max-Forwards is 0",
    counted: "status 483: 1",
  },
  {
    what: "another INVITE under the branch, Call-ID and CSeq of the first",
    before: {},
    parts: { from: "<sip:+861087654322@203.0.113.10>;tag=caller" },
    status: 400,
    reason: "message-malformed",
    why: "the branch, Call-ID and CSeq of an earlier request, with other content",
    counted: "forged: 1",
  },
  {
    what: "the same of a MESSAGE",
    keys: carried,
    before: { method: "MESSAGE", from: listed },
    parts: { method: "MESSAGE", from: listed, body: "other" },
    status: 400,
    reason: "message-malformed",
    why: "the branch, Call-ID and CSeq of an earlier request, with other content",
    counted: "forged: 1",
  },
];

void t.test("a refused request that is no call: one line with the words, one counter", (t) => {
  for (const row of table) {
    const { what, keys = "", before, parts, change = (text: string) => text, from = peers.lessee } = row;
    const proxy = createTestProxy(policyWith(keys));
    const headers: readonly string[] = [];
    if (before !== undefined) proxy.receive(from, request({ headers, ...before }));
    const counters = new Set(counted(proxy, from === peers.core ? "core" : "lease"));
    proxy.events.length = 0;
    const sent = proxy.receive(from, change(request({ headers, ...parts })));
    t.equal(outcomeOf(sent), String(row.status), `${what}: on the wire`);
    const [event, second] = told(proxy);
    t.equal(second, undefined, `${what}: told once`);
    if (event === undefined) {
      t.fail(`${what}: not told`);
      continue;
    }
    const line = lineOf(event);
    t.match(line, {
      trunk: from === peers.core ? "core" : "lease",
      verdict: "reject",
      reason: row.reason,
      rule: "protocol",
      source: from,
      transport: "udp",
      callId: "call-1@203.0.113.10",
      action: "answered",
      status: row.status,
      revision: /.+/,
    });
    if (row.why === "") t.ok(line.why, `${what}: has words`);
    else t.equal(line.why, row.why, `${what}: why`);
    t.notMatch(JSON.stringify(line), /\d{9}/, `${what}: no number is shown`);
    const added = counted(proxy, line.trunk).filter((text) => !counters.has(text));
    t.same(added, [row.counted], `${what}: counted once`);
    t.same(proxy.decisions.slice(before === undefined ? 0 : 1), [], `${what}: nobody was judged`);
  }
  t.end();
});

void t.test("what is no refusal, gets no answer or comes from no trunk has no line", (t) => {
  const rows: readonly (readonly [
    what: string,
    from: string,
    parts: RequestParts,
    outcome: string,
    counts: readonly string[],
  ])[] = [
    ["OPTIONS", peers.lessee, { method: "OPTIONS" }, "200", []],
    [
      "an ACK with a token of somebody else",
      peers.lessee,
      { method: "ACK", ...inside, headers: ["Route: <sip:192.0.2.1;lr;sw=forged>"] },
      "nothing",
      ["ACK dialog-unknown: 1"],
    ],
    [
      "an ACK that can't be read",
      peers.lessee,
      { method: "ACK", from: `${listed};tag=other` },
      "nothing",
      ["status 400: 1"],
    ],
    [
      "a request of a trunk that passes",
      peers.core,
      { method: "FOO", uri: "sip:203.0.113.10" },
      "to 203.0.113.10:5060",
      [],
    ],
    ["a stranger", peers.stranger, { method: "MESSAGE" }, "nothing", []],
  ];
  for (const [what, from, parts, outcome, counts] of rows) {
    const proxy = createTestProxy();
    t.equal(outcomeOf(proxy.receive(from, request({ headers: [], ...parts }))), outcome, what);
    t.same(told(proxy), [], `${what}: nothing is told`);
    t.same(counted(proxy, from === peers.core ? "core" : "lease"), counts, `${what}: counted as it was`);
  }
  // A next hop that is no trunk: its refusal is counted under a name of its own, and never told.
  const proxy = createTestProxy(
    compileText(basicPolicy.replace('["sip:198.51.100.1:5060"] }', '["sip:198.51.100.77:5060"] }')),
  );
  const bye = request({ method: "BYE", headers: [], ...inside });
  t.equal(outcomeOf(proxy.receive("198.51.100.77:5060", bye)), "481", "a next hop that is no trunk");
  t.same(told(proxy), []);
  t.same(counted(proxy, "next-hop"), ["BYE dialog-unknown: 1"]);
  t.end();
});

void t.test("a request refused in a dialog that is known carries the id of its call", (t) => {
  const proxy = createTestProxy(policyWith(carried));
  const [out] = proxy.receive(peers.lessee, request());
  const [begun] = proxy.events;
  if (out === undefined || begun?.kind !== "decided") throw new Error("no call");
  const route = answeredRoute(proxy, out.text);
  const rows: readonly (readonly [parts: RequestParts, status: number, why: string])[] = [
    [{ method: "REFER" }, 405, "REFER is not carried on this trunk"],
    [{ method: "PUBLISH" }, 489, "it names no single event package"],
  ];
  for (const [parts, status, why] of rows) {
    proxy.events.length = 0;
    const via = [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK${String(parts.method)}`];
    const text = request({
      via,
      ...inside,
      cseq: `2 ${String(parts.method)}`,
      headers: [`Route: ${route}`],
      ...parts,
    });
    t.equal(outcomeOf(proxy.receive(peers.lessee, text)), String(status));
    const [event] = told(proxy);
    if (event === undefined) throw new Error("not told");
    t.match(lineOf(event), { id: begun.call.id, status, why });
  }
  t.end();
});

function viaOf(branch: string): readonly string[] {
  return [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK${branch}`];
}

void t.test(
  "above fifty a second they are told as a sum, all are counted, and calls keep their share",
  (t) => {
    const proxy = createTestProxy(policyWith("limits: { attemptsPerSecond: 1 }"));
    for (let i = 0; i < 200; i++)
      proxy.receive(peers.lessee, request({ method: "BYE", via: viaOf(`b${i}`), headers: [], ...inside }));
    t.equal(told(proxy).length, 50);
    t.same(counted(proxy, "lease"), ["BYE dialog-unknown: 200"]);
    for (let i = 0; i < 51; i++) proxy.receive(peers.lessee, request({ via: viaOf(`i${i}`) }));
    t.equal(proxy.events.filter(({ kind }) => kind === "decided").length, 51, "one that passes, fifty shed");
    proxy.pass(2000);
    t.match(
      proxy.events.filter(({ kind }) => kind === "shed"),
      [{ of: "requests", trunk: "lease", reason: "dialog-unknown", status: 481, count: 150 }],
    );
    const second = told(proxy).length;
    proxy.receive("203.0.113.11:5060", request({ method: "BYE", headers: [], ...inside }));
    t.equal(told(proxy).length, second + 1, "another trunk has a share of its own");
    t.end();
  },
);
