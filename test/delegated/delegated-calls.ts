import { describeRefusal, judgementOf, type RefusalLine } from "../../src/observe/decision-log.ts";
import { createCalls } from "../../src/calls/call-memory.ts";
import { naming } from "../support/events.ts";
import t from "tap";
import { Buffer } from "node:buffer";
import { capabilitiesOf } from "../../src/domain/capabilities.ts";
import type { Decision } from "../../src/domain/decision.ts";
import type { Policy } from "../../src/policy/policy.ts";
import {
  type Counters,
  createCounters,
  eachAttemptCount,
  eachRequestCount,
} from "../../src/observe/counters.ts";
import {
  createDelegatedCalls,
  type DelegatedCalls,
  type ShownRequest,
} from "../../src/delegated/delegated-call.ts";
import { goDown } from "../../src/routing/hop-health.ts";
import { createOverload, type Overload } from "../../src/judging/overload.ts";
import { createNextHops, type NextHops } from "../../src/routing/next-hops.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { createKeyedTags } from "../../src/sip/tag.ts";
import { compileText, listeners } from "../support/proxy.ts";
import type { Order } from "../../src/delegated/orders.ts";

const now = Date.UTC(2026, 9, 3, 8);

interface Desk {
  readonly calls: DelegatedCalls;
  readonly hops: NextHops;
  readonly overload: Overload;
  readonly counters: Counters;
  readonly decisions: Decision[];
  /** The log lines of requests that are no calls. */
  readonly requests: RefusalLine[];
  /** What the log calls `enforcedAs`, of every decision. */
  readonly substitutes: (number | undefined)[];
  readonly faults: unknown[];
  /** Shows an INVITE from an address and returns the order. */
  take(from: string, change?: (invite: string) => string, flags?: Partial<ShownRequest>): Order;
}

function policyWith(lease: string, rest = ""): Policy {
  return compileText(`
version: 1
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1] } }
  - { id: lease, side: lessee, match: { addresses: [203.0.113.10] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"]${lease} }
  - { id: intl, side: international, match: { addresses: [203.0.113.20] }, nextHops: ["sip:198.51.100.1:5060"]${lease} }
lessees:
  - { id: bank, numbers: bank.csv }
${rest}`);
}

function openDesk(policy: Policy = policyWith("")): Desk {
  const counters = createCounters();
  const decisions: Decision[] = [];
  const requests: RefusalLine[] = [];
  const substitutes: (number | undefined)[] = [];
  const faults: unknown[] = [];
  const hops = createNextHops(listeners, createKeyedTags(Buffer.from("0123456789abcdef")));
  const overload = createOverload();
  const calls = createDelegatedCalls({
    policy: () => policy,
    own: { listeners, names: [] },
    hops,
    state: createScreeningState(policy.tables),
    counters,
    capabilities: capabilitiesOf.drachtio,
    overload,
    elapsed: () => 0,
    calls: createCalls({ ...naming, capacity: 1000, longestCall: () => 43_200_000, tell: () => undefined }),
    happened(event) {
      const judgement = judgementOf(event);
      if (event.kind === "request" && judgement !== undefined) requests.push(describeRefusal(judgement));
      if (event.kind !== "decided") return;
      decisions.push(event.decision);
      substitutes.push(describeRefusal(event).enforcedAs);
    },
    judged: () => undefined,
    fault: (error) => faults.push(error),
  });
  return {
    calls,
    overload,
    hops,
    counters,
    decisions,
    requests,
    substitutes,
    faults,
    take(from, change = (text) => text, flags = {}) {
      const [listener] = listeners;
      if (listener === undefined) throw new Error("no listener");
      const bytes = Buffer.from(change(invite), "latin1");
      return calls.take(now, {
        bytes,
        isLate: false,
        listener,
        address: from,
        port: 5060,
        ...flags,
      });
    },
  };
}

const invite = [
  "INVITE sip:02787654321@192.0.2.1 SIP/2.0",
  "Via: SIP/2.0/UDP 203.0.113.10;branch=z9hG4bK1",
  "Max-Forwards: 70",
  "From: <sip:01087654321@pbx>;tag=a",
  "To: <sip:02787654321@192.0.2.1>",
  "Call-ID: c1",
  "CSeq: 1 INVITE",
  "Content-Length: 0",
  "",
  "",
].join("\r\n");

const lessee = "203.0.113.10";
const abroad = "203.0.113.20";
const core = "198.51.100.1";
const calling = (number: string) => (text: string) => text.replace("01087654321", number);
const adding = (line: string) => (text: string) =>
  text.replace("Content-Length", `${line}\r\nContent-Length`);

const roamers = (how: string): string => `, rules: { home-cli-from-abroad: { roamers: ${how} } }`;
const target = (n: number): string => `sip:02787654321@198.51.100.${n}:5060`;
const as = (method: string) => (text: string) => text.replaceAll("INVITE", method);

/** An order as one line. */
function show(order: Order): string {
  const fields = Object.entries(order.fields).map(([name, value]) => `; ${name}: ${value}`);
  return `${order.kind === "answer" ? order.status : order.targets.join(" ")}${fields.join("")}`;
}

void t.test("delegated calls: accepted ones go to the next hop, whatever the message says", (t) => {
  const desk = openDesk();
  t.equal(show(desk.take(lessee)), "sip:02787654321@198.51.100.1:5060");
  t.equal(
    show(desk.take(lessee, (text) => text.replace("@192.0.2.1 ", "@192.0.2.66:666 "))),
    "sip:02787654321@198.51.100.1:5060",
  );
  t.equal(
    show(desk.take(lessee, (text) => text.replace("sip:02787654321@192.0.2.1 ", "tel:+862787654321 "))),
    "sip:+862787654321@198.51.100.1:5060;user=phone",
  );
  t.equal(
    show(desk.take(lessee, (text) => text.replace("02787654321@192.0.2.1 ", "0278765432|1@192.0.2.1 "))),
    "sip:0278765432%7C1@198.51.100.1:5060",
    "nothing in it may end a field of the control protocol",
  );
  t.equal(show(desk.take(lessee, adding("Route: <sip:192.0.2.66;lr>"))), "403");
  t.end();
});

void t.test("delegated calls: refusals are those of the embedded engine", (t) => {
  const desk = openDesk();
  const rejected = 'Reason: Q.850;cause=21;text="Call rejected"';
  const table: readonly (readonly [string, string, (text: string) => string])[] = [
    [lessee, `403; ${rejected}`, calling("01087654400")],
    [lessee, `433; ${rejected}`, adding("Privacy: id")],
    [abroad, `403; ${rejected}`, calling("+861087654321")],
    [lessee, "400", (text) => text.replace("Call-ID: c1", "Call-ID: c1\r\nCall-ID: c2")],
    [lessee, "400", (text) => text.replace("Via: ", "Wire: ")],
    [lessee, "416", (text) => text.replace("INVITE sip:", "INVITE http:")],
    [lessee, "420; Unsupported: foo, bar", adding("Proxy-Require: foo\r\nProxy-Require: bar")],
    [lessee, "483", (text) => text.replace("Max-Forwards: 70", "Max-Forwards: 0")],
    [lessee, "481", (text) => text.replace("@192.0.2.1>", "@192.0.2.1>;tag=b")],
    ["203.0.113.99", "403", (text) => text],
  ];
  for (const [from, expected, change] of table) t.equal(show(desk.take(from, change)), expected, expected);
  t.equal(desk.counters.unknownSource, 1);
  t.same(
    desk.substitutes,
    desk.decisions.map(() => undefined),
    "a refusal needs no substitute",
  );
  t.end();
});

void t.test("delegated calls: what can't be done is refused, and the decision says so", (t) => {
  const roaming = calling("+8613912345678");
  const named = adding('P-Asserted-Identity: "110" <sip:+861087654321@a>');
  const table: readonly (readonly [string, string, string, (text: string) => string, string, number?])[] = [
    [roamers("drop"), "drop", abroad, roaming, "403", 403],
    [`${roamers("drop")}, dropAs: 480`, "drop", abroad, roaming, "480", 480],
    [roamers("withhold"), "withhold", abroad, roaming, "403", 403],
    [
      `${roamers("withhold")}, status: { home-cli-from-abroad: 606 }`,
      "withhold",
      abroad,
      roaming,
      "606",
      606,
    ],
    ["", "reject", lessee, named, "403"],
    [", rules: { display-name: { mode: monitor } }", "accept", lessee, named, "sip"],
  ];
  for (const [keys, verdict, from, change, status, enforcedAs] of table) {
    const desk = openDesk(policyWith(keys));
    t.equal(show(desk.take(from, change)).slice(0, 3), status, keys);
    t.match(desk.decisions, [{ verdict: { kind: verdict } }], keys);
    t.same(desk.substitutes, [enforcedAs], keys);
  }
  const unstripped = openDesk();
  unstripped.take(lessee, named);
  const counted: string[] = [];
  eachAttemptCount(unstripped.counters, ({ verdict, reason, rule }) =>
    counted.push(`${verdict} ${reason} ${rule}`),
  );
  t.same(counted, ["reject display-name-misleading display-name"], "counted as refused");
  t.equal(unstripped.counters.trunks.get("lease")?.namesRemoved, 0, "and not as a name that was removed");
  t.match(
    show(unstripped.take(lessee, (text) => named(text).replace("sip:02787654321@", "sip:110@"))),
    /^sip:110@/,
    "an emergency call goes on with the name",
  );
  const labelled = openDesk(policyWith(`${roamers("label")}, label: { text: not verified }`));
  t.equal(
    show(labelled.take(abroad, roaming)),
    'sip:02787654321@198.51.100.1:5060; P-Sigwall-Label: home-cli-from-abroad;text="not verified"',
    "a field may be added",
  );
  t.equal(labelled.substitutes[0], undefined);
  t.equal(
    show(labelled.take(abroad, adding("P-Sigwall-Label: fine"))),
    "400",
    "and nobody else adds this one",
  );
  t.equal(
    show(
      labelled.take(core, (text) =>
        adding("P-Sigwall-Label: fine")(text).replace("@192.0.2.1 ", "@203.0.113.10 "),
      ),
    ),
    "sip:02787654321@203.0.113.10:5060",
  );
  t.end();
});

void t.test(
  "delegated calls: three targets at most, the best that is up first, one where that is asked for",
  (t) => {
    const hops = [1, 2, 3, 4].map((n) => `{ uri: "sip:198.51.100.${n}:5060", priority: ${n} }`).join(", ");
    const text = (keys: string): Policy =>
      compileText(`
version: 1
trunks:
  - { id: lease, side: lessee, match: { addresses: [203.0.113.10] }, lessee: bank, areaCode: "10", nextHops: [${hops}]${keys} }
lessees:
  - { id: bank, numbers: bank.csv }
`);
    const desk = openDesk(text(""));
    t.equal(show(desk.take(lessee)), [1, 2, 3].map(target).join(" "));
    const health = text("").nextHopHealth;
    for (const hop of desk.hops.destinations()) if (hop.address !== "198.51.100.3") goDown(hop, now, health);
    t.equal(show(desk.take(lessee)), target(3), "what is down is left out");
    for (const hop of desk.hops.destinations()) goDown(hop, now, health);
    t.equal(show(desk.take(lessee)), target(1), "unless nothing else is there");
    t.equal(desk.counters.trunks.get("lease")?.noneUp, 1);
    t.equal(show(openDesk(text(", failoverOn503: false")).take(lessee)), target(1));
    t.end();
  },
);

void t.test("delegated calls: the core's go where it says, to trunks only", (t) => {
  const desk = openDesk();
  t.equal(
    show(desk.take(core, (text) => text.replace("@192.0.2.1 ", "@203.0.113.10 "))),
    "sip:02787654321@203.0.113.10:5060",
  );
  t.equal(show(desk.take(core, (text) => text.replace("@192.0.2.1 ", "@192.0.2.66 "))), "404");
  t.equal(show(desk.take(core)), "404", "not to ourselves");
  t.equal(
    show(desk.take(core, adding("Route: <sip:203.0.113.20:5070;lr>"))),
    "sip:02787654321@203.0.113.20:5070",
  );
  t.end();
});

void t.test("delegated calls: redirected ones are told where", (t) => {
  const desk = openDesk(policyWith(", mode: redirect"));
  t.equal(show(desk.take(lessee)), "302; Contact: <sip:02787654321@198.51.100.1:5060>");
  t.equal(show(desk.take(lessee, calling("01087654400"))).slice(0, 3), "403");
  t.end();
});

void t.test("delegated calls: too late is 503, before any rule and its limits", (t) => {
  const desk = openDesk(policyWith(", limits: { callsPerSecond: 1 }"));
  t.equal(
    show(desk.take(lessee, undefined, { isLate: true })),
    '503; Reason: Q.850;cause=42;text="Call rejected"',
  );
  t.match(desk.decisions, [{ verdict: { kind: "reject", reason: "overload" }, rule: "protocol" }]);
  t.match(show(desk.take(lessee)), "sip:", "the token is still there");
  t.end();
});

void t.test(
  "delegated calls: what there is no room for is 503, in a drain and above attemptsPerSecond",
  (t) => {
    const desk = openDesk(
      policyWith(", limits: { attemptsPerSecond: 1 }", "overload: { retryAfterSeconds: 5 }"),
    );
    const shed = '503; Reason: Q.850;cause=42;text="Call rejected"; Retry-After: 5';
    t.match(show(desk.take(lessee)), "sip:");
    t.equal(show(desk.take(lessee)), shed);
    t.match(
      show(desk.take(lessee, (text) => text.replace("sip:02787654321@", "sip:110@"))),
      "sip:110@",
      "but emergency calls",
    );
    const draining = openDesk();
    draining.overload.drain();
    t.match(show(draining.take(lessee)), /^503/);
    t.end();
  },
);

void t.test("delegated calls: an error of our own is answered by the exception policy", (t) => {
  for (const [keys, status] of [
    ["", "500"],
    [", status: { rule-fault: 503 }", "503"],
    [", exception: drop, dropAs: 480", "480"],
    [", exception: accept", "500"],
  ] as const) {
    const sound = policyWith(keys);
    const broken = (kind: "judge" | "match"): Policy => ({
      ...sound,
      matchTrunk: (...where) => {
        const source = sound.matchTrunk(...where);
        if (kind === "match") throw new Error("broken");
        if (source === undefined) return undefined;
        const screen = {
          ...source.screen,
          judge: () => {
            throw new Error("broken");
          },
        };
        return { ...source, screen };
      },
    });
    const desk = openDesk(broken("judge"));
    t.equal(show(desk.take(lessee)).slice(0, 3), status, `${keys}: nothing passes`);
    t.equal(desk.counters.faults, 1);
    t.equal(desk.faults.length, 1);
    t.equal(
      show(openDesk(broken("match")).take(lessee)).slice(0, 3),
      "500",
      "before the trunk is known, too",
    );
  }
  t.end();
});

void t.test("delegated calls: OPTIONS is answered, other methods are refused and counted", (t) => {
  const desk = openDesk();
  t.match(show(desk.take(lessee, as("OPTIONS"))), /^200; Allow: INVITE/);
  t.match(show(desk.take(lessee, as("MESSAGE"))), /^405; Allow: INVITE/);
  t.match(show(desk.take(lessee, as("REGISTER"))), /^405/);
  const counted: string[] = [];
  eachRequestCount(desk.counters, ({ method, reason }) => counted.push(`${method} ${reason}`));
  t.same(counted, ["MESSAGE method-not-allowed", "REGISTER method-not-allowed"]);
  t.match(desk.requests, [
    {
      method: "MESSAGE",
      status: 405,
      why: "MESSAGE is not carried by this engine",
      source: /^203\.0\.113\.10:/,
    },
    { method: "REGISTER", status: 405, reason: "method-not-allowed" },
  ]);
  t.equal(desk.requests.length, 2, "OPTIONS is no refusal");
  t.end();
});
