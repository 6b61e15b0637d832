import t from "tap";
import type { CallDecided, CallEvent } from "../../src/domain/call.ts";
import { describeRefusal, isRefusal } from "../../src/observe/decision-log.ts";
import {
  basicPolicy,
  compileText,
  createTestProxy,
  peers,
  request,
  type TestProxy,
} from "../support/proxy.ts";

/** What is told of one call, as `verdict reason rule; action`. */
function tell(event: CallEvent): string {
  if (event.kind !== "decided") return event.kind;
  const { verdict, rule } = event.decision;
  const { action } = event;
  const done =
    action.kind === "answered"
      ? [action.kind, action.status, ...(action.why === undefined ? [] : [action.why])].join(" ")
      : action.kind === "forwarded" || action.kind === "redirected"
        ? `${action.kind} ${action.hop}`
        : action.kind;
  return `${verdict.kind} ${verdict.reason} ${rule}; ${done}`;
}

function toldBy(proxy: TestProxy): readonly string[] {
  return proxy.events.map(tell);
}

function policyWith(before: string, after: string): string {
  const changed = basicPolicy.replace(before, after);
  if (changed === basicPolicy) throw new Error(`the policy has no ${before}`);
  return changed;
}

const hop = 'nextHops: ["sip:198.51.100.1:5060"]';
const unresolved = policyWith(
  `lessee: bank, areaCode: "10", ${hop} }`,
  'lessee: bank, areaCode: "10", nextHops: ["sip:softswitch.example"] }',
);
const hopless = policyWith(`lessee: bank, areaCode: "10", ${hop} }`, 'lessee: bank, areaCode: "10" }');
const limited = policyWith(
  `lessee: bank, areaCode: "10", ${hop} }`,
  `lessee: bank, areaCode: "10", ${hop}, limits: { attemptsPerSecond: 1 } }`,
);

/** The wire and what is told of it agree: what was decided, and what was done. */
const table: readonly {
  readonly call: string;
  readonly policy?: string;
  readonly change?: (text: string) => string;
  /** Calls before this one. */
  readonly before?: number;
  readonly wire: string;
  readonly told: string;
  /** The words in the log. */
  readonly why?: string;
}[] = [
  {
    call: "a listed caller",
    wire: "INVITE",
    told: "accept listed default; forwarded udp:198.51.100.1:5060",
  },
  {
    call: "a listed caller, the next hop's name has no address yet",
    policy: unresolved,
    wire: "503",
    told: "accept listed default; answered 503 no-next-hop",
    why: "no-next-hop",
  },
  {
    call: "a listed caller, a trunk without next hop",
    policy: hopless,
    wire: "404",
    told: "accept listed default; answered 404 no-next-hop",
    why: "no-next-hop",
  },
  {
    call: "shed by attemptsPerSecond",
    policy: limited,
    before: 1,
    wire: "503",
    told: "reject overload protocol; answered 503",
    why: "the filter protects itself or drains",
  },
  {
    call: "Proxy-Require: x",
    change: (text) => text.replace("\r\n\r\n", "\r\nProxy-Require: x\r\n\r\n"),
    wire: "420",
    told: "reject protocol protocol; answered 420",
    why: "Proxy-Require: x",
  },
  {
    call: "a scheme that is not carried",
    change: (text) => text.replace("INVITE sip:", "INVITE http:"),
    wire: "416",
    told: "reject protocol protocol; answered 416",
    why: "a Request-URI of the scheme http",
  },
  {
    call: "no hop left",
    change: (text) => text.replace("Max-Forwards: 70", "Max-Forwards: 0"),
    wire: "483",
    told: "reject protocol protocol; answered 483",
    why: "Max-Forwards is 0",
  },
  {
    call: "a Max-Forwards that is none",
    change: (text) => text.replace("Max-Forwards: 70", "Max-Forwards: 300"),
    wire: "400",
    told: "reject message-malformed protocol; answered 400",
    why: "Max-Forwards is not a number of 0 to 255",
  },
  {
    call: "two From tags",
    change: (text) => text.replace(";tag=caller", ";tag=caller;tag=other"),
    wire: "400",
    told: "reject message-malformed protocol; answered 400",
    why: "From: two tags",
  },
  {
    call: "a Route that leads elsewhere, a number in front of its host",
    change: (text) => text.replace("\r\n\r\n", "\r\nRoute: <sip:13812345678@sbc.carrier.example;lr>\r\n\r\n"),
    wire: "403",
    told: "reject routing-refused protocol; answered 403",
    why: "route sbc.carrier.example",
  },
  {
    call: "a Route whose host looks like a number",
    change: (text) => text.replace("\r\n\r\n", "\r\nRoute: <sip:a.13812345678.example;lr>\r\n\r\n"),
    wire: "403",
    told: "reject routing-refused protocol; answered 403",
    why: "route a.1381xxxxxxx.example",
  },
  {
    call: "a Route of ours",
    change: (text) => text.replace("\r\n\r\n", "\r\nRoute: <sip:192.0.2.1;lr>\r\n\r\n"),
    wire: "INVITE",
    told: "accept listed default; forwarded udp:198.51.100.1:5060",
  },
  {
    call: "a forwarded call without a licence",
    change: (text) =>
      text.replace(
        "\r\n\r\n",
        "\r\nDiversion: <sip:+861087654322@203.0.113.10>;reason=unconditional\r\n\r\n",
      ),
    wire: "403",
    told: "reject diversion-unlicensed diversion-licence; answered 403",
    why: "forwarding signalling from a number without the licence",
  },
  {
    call: "an unlisted caller",
    change: (text) => text.replace("+861087654321", "+861087654400"),
    wire: "403",
    told: "reject cli-not-listed caller-authentication; answered 403",
    why: "field from",
  },
];

void t.test("told: what was decided and what was done, together, once", (t) => {
  for (const {
    call,
    policy = basicPolicy,
    change = (text: string) => text,
    before = 0,
    wire,
    told,
    why,
  } of table) {
    const proxy = createTestProxy(compileText(policy));
    for (let i = 0; i < before; i++)
      proxy.receive(
        peers.lessee,
        request({ via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKbefore${i}`] }),
      );
    proxy.events.length = 0;
    const text = change(request());
    const [sent] = proxy.receive(peers.lessee, text);
    t.equal(sent?.text.split(" ")[sent.text.startsWith("SIP/2.0") ? 1 : 0], wire, `${call}: on the wire`);
    t.same(toldBy(proxy), [told], `${call}: told`);
    proxy.receive(peers.lessee, text);
    t.same(toldBy(proxy), [told], `${call}: a repeat is not told`);
    const [event] = proxy.events;
    if (event?.kind !== "decided") throw new Error("not told");
    t.equal(isRefusal(event), wire !== "INVITE", `${call}: the log has it unless it was carried`);
    t.equal(describeRefusal(event).why, why, `${call}: the words in the log`);
  }
  t.end();
});

void t.test("told: the line of the log has the fields of a record, masked", (t) => {
  const proxy = createTestProxy(compileText(unresolved));
  proxy.receive(peers.lessee, request());
  const event = proxy.events.find((each): each is CallDecided => each.kind === "decided");
  if (event === undefined) throw new Error("not told");
  t.match(describeRefusal(event), {
    id: /^test-\w+-1$/,
    trunk: "lease",
    lessee: "bank",
    verdict: "accept",
    reason: "listed",
    transport: "udp",
    callId: /.+/,
    action: "answered",
    status: 503,
    why: "no-next-hop",
  });
  t.notMatch(JSON.stringify(describeRefusal(event)), /\d{9}/, "no number is shown");
  t.end();
});

void t.test("told: more than fifty a second of one trunk are told as a sum", (t) => {
  const proxy = createTestProxy(compileText(limited));
  for (let i = 0; i < 200; i++)
    proxy.receive(peers.lessee, request({ via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bKflood${i}`] }));
  const decided = proxy.events.filter(({ kind }) => kind === "decided");
  t.equal(decided.length, 51, "one that passes, fifty that are shed");
  proxy.pass(2000);
  const sums = proxy.events.filter((event) => event.kind === "shed");
  t.equal(sums.length, 1);
  t.match(sums[0], { trunk: "lease", reason: "overload", status: 503, count: 149 });
  t.end();
});
