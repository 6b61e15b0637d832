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
  },
  {
    call: "a listed caller, a trunk without next hop",
    policy: hopless,
    wire: "404",
    told: "accept listed default; answered 404 no-next-hop",
  },
  {
    call: "shed by attemptsPerSecond",
    policy: limited,
    before: 1,
    wire: "503",
    told: "reject overload protocol; answered 503",
  },
  {
    call: "Proxy-Require: x",
    change: (text) => text.replace("\r\n\r\n", "\r\nProxy-Require: x\r\n\r\n"),
    wire: "420",
    told: "reject protocol protocol; answered 420",
  },
  {
    call: "a scheme that is not carried",
    change: (text) => text.replace("INVITE sip:", "INVITE http:"),
    wire: "416",
    told: "reject protocol protocol; answered 416",
  },
  {
    call: "no hop left",
    change: (text) => text.replace("Max-Forwards: 70", "Max-Forwards: 0"),
    wire: "483",
    told: "reject protocol protocol; answered 483",
  },
  {
    call: "an unlisted caller",
    change: (text) => text.replace("+861087654321", "+861087654400"),
    wire: "403",
    told: "reject cli-not-listed caller-authentication; answered 403",
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
