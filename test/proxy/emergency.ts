import t from "tap";
import { createScreeningState, type ScreeningSizes, type ScreeningState } from "../../src/screening/state.ts";
import {
  basicPolicy,
  compileText,
  createTestProxy,
  outcomeOf,
  peers,
  request,
  type RequestParts,
  type TestProxy,
} from "../support/proxy.ts";

const core = "to 198.51.100.1:5060";
const anyone = "<sip:+861087654321@203.0.113.10>;tag=a";

let calls = 0;

/** A new call of the leased line, by default of a listed number. */
function call(parts: RequestParts = {}): string {
  const id = ++calls;
  return request({
    via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK-${id}`],
    callId: `call-${id}`,
    from: anyone,
    ...parts,
  });
}

/** The same line with these keys. */
function policyWith(keys: string, more = ""): string {
  return basicPolicy.replace("lessee: bank, areaCode", `${keys}lessee: bank, areaCode`) + more;
}

/** A condition under which an ordinary call is lost. */
interface Condition {
  readonly name: string;
  readonly policy?: string;
  readonly sizes?: ScreeningSizes;
  readonly rooms?: { readonly ledgerSize?: number; readonly failoverSize?: number };
  /** Brings the condition about. */
  readonly prepare?: (proxy: TestProxy, state: ScreeningState) => void;
  /** What both calls have in common. */
  readonly parts?: RequestParts;
  /** What becomes of an ordinary call. */
  readonly ordinary: string;
}

const sizes = { callers: 64, recentCalls: 64, subjects: 64 };

function times(count: number, act: () => void): void {
  for (let i = 0; i < count; i++) act();
}

function place(proxy: TestProxy): void {
  proxy.receive(peers.lessee, call());
}

/** Measures a full thread until the overload has reached `stage`. */
function overloaded(stage: 1 | 2): (proxy: TestProxy) => void {
  return (proxy) => {
    const { overload } = proxy.proxy;
    for (let i = 0; i < 1000 && overload.stage < stage; i++) {
      times(5, () => place(proxy));
      proxy.proxy.measure({ busy: 1, late: 500 });
    }
    if (overload.stage !== stage) throw new Error(`no overload of stage ${stage}`);
  };
}

const conditions: readonly Condition[] = [
  // Limits.
  {
    name: "callsPerSecond is spent",
    policy: policyWith("limits: { callsPerSecond: 1 }, "),
    prepare: place,
    ordinary: "503",
  },
  {
    name: "attemptsPerSecond is spent",
    policy: policyWith("limits: { attemptsPerSecond: 1 }, "),
    prepare: place,
    ordinary: "503",
  },
  {
    name: "attemptsPerCallerPerMinute is spent",
    policy: policyWith("limits: { attemptsPerCallerPerMinute: 1 }, "),
    prepare: place,
    ordinary: "403",
  },
  {
    name: "all channels are in use",
    policy: policyWith("limits: { channels: 1 }, "),
    prepare: place,
    ordinary: "503",
  },
  // Tables.
  { name: "the table of calls is full", rooms: { ledgerSize: 1 }, prepare: place, ordinary: "503" },
  {
    name: "the table of calls is full, exception drop",
    policy: policyWith("exception: drop, "),
    rooms: { ledgerSize: 1 },
    prepare: place,
    ordinary: "nothing",
  },
  {
    name: "the table of callers is full",
    policy: policyWith("limits: { attemptsPerCallerPerMinute: 9 }, "),
    sizes: { ...sizes, callers: 1 },
    prepare: (proxy) => {
      proxy.receive(peers.lessee, call({ from: "<sip:+861087654322@h>;tag=a" }));
    },
    ordinary: "503",
  },
  {
    name: "the table of calls that have paid is full",
    policy: policyWith("limits: { callsPerSecond: 9 }, "),
    sizes: { ...sizes, recentCalls: 1 },
    prepare: place,
    ordinary: "503",
  },
  // Overload.
  { name: "overload, stage 2", prepare: overloaded(2), ordinary: "503" },
  // Faults.
  {
    name: "a rule fails",
    policy: policyWith("limits: { channels: 1 }, "),
    prepare: (_proxy, state) => {
      state.channels.of = () => {
        throw new Error("a fault of our own");
      };
    },
    ordinary: "500",
  },
  // Callers whom a rule refuses.
  { name: "hidden by Privacy", parts: { headers: ["Privacy: id"] }, ordinary: "433" },
  {
    name: "anonymous",
    parts: { from: "Anonymous <sip:anonymous@anonymous.invalid>;tag=a" },
    ordinary: "433",
  },
  { name: "no number", parts: { from: "<sip:203.0.113.10>;tag=a" }, ordinary: "403" },
  { name: "a number of no plan", parts: { from: "<sip:+8612@203.0.113.10>;tag=a" }, ordinary: "403" },
  { name: "not listed", parts: { from: "<sip:+861087650000@203.0.113.10>;tag=a" }, ordinary: "403" },
  {
    name: "two callers",
    parts: { headers: ["P-Asserted-Identity: <sip:+861087650000@h>"] },
    ordinary: "403",
  },
  {
    name: "a display name that shows another number",
    policy: policyWith("rules: { display-name: { action: reject } }, "),
    parts: { from: `"110" ${anyone}` },
    ordinary: "403",
  },
  {
    name: "diverted without licence",
    parts: { headers: ["Diversion: <sip:+861087650000@h>;reason=unconditional"] },
    ordinary: "403",
  },
  {
    name: "police-listed",
    policy: `${basicPolicy}lists: { police: { file: police.csv, kind: police } }\n`,
    ordinary: "603",
  },
  // Routing.
  {
    name: "a Route of the caller's choice",
    parts: { headers: ["Route: <sip:198.51.100.77;lr>"] },
    ordinary: "403",
  },
];

const lists = {
  "bank.csv": "number\n+861087654300..+861087654399\n",
  "police.csv": "number\n+861087654321\n",
};

void t.test("no limit, table, fault or rule refuses an emergency call of a domestic trunk", (t) => {
  for (const {
    name,
    policy = basicPolicy,
    sizes: small = sizes,
    rooms,
    prepare,
    parts,
    ordinary,
  } of conditions) {
    const state = createScreeningState(small);
    const proxy = createTestProxy(compileText(policy, lists), { state, ...rooms });
    prepare?.(proxy, state);
    t.equal(outcomeOf(proxy.receive(peers.lessee, call(parts))), ordinary, `${name}: an ordinary call`);
    for (const uri of ["sip:110@192.0.2.1", "sip:010119@192.0.2.1", "urn:service:sos"])
      t.equal(outcomeOf(proxy.receive(peers.lessee, call({ ...parts, uri }))), core, `${name}: ${uri}`);
    t.match(proxy.decisions.at(-1)?.verdict, { kind: "accept", reason: "emergency" }, name);
    t.same(proxy.faults, [], name);
  }
  t.end();
});
