import t from "tap";
import { eachAttemptCount } from "../../src/observe/counters.ts";
import { createScreeningState, type ScreeningState } from "../../src/screening/state.ts";
import {
  basicPolicy,
  compileText,
  createTestProxy,
  outcomeOf,
  peers,
  request,
  type TestProxy,
} from "../support/proxy.ts";

/** Exception policies, and what the peer gets under each when a table is full or a rule fails. */
const exceptions = [
  ["reject", "503", "500"],
  ["drop", "nothing", "nothing"],
  ["accept", "to 198.51.100.1:5060", "to 198.51.100.1:5060"],
] as const;

const policyWith = (exception: string, limits: string, tables = ""): string =>
  `${basicPolicy.replace("lessee: bank, areaCode", `exception: ${exception}, limits: ${limits}, lessee: bank, areaCode`)}${tables}`;

function call(id: string, changes: Parameters<typeof request>[0] = {}): string {
  return request({
    via: [`SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK-${id}`],
    callId: `call-${id}`,
    from: `<sip:+8610876543${id}@203.0.113.10>;tag=a`,
    ...changes,
  });
}

/** "verdict reason" of every enforced attempt that was counted for the lessee's trunk, with how often. */
function counted(proxy: TestProxy): Record<string, number> {
  const found: Record<string, number> = {};
  eachAttemptCount(proxy.counters, ({ trunk, verdict, reason, rule, mode }, count) => {
    if (trunk === "lease" && mode === "enforce") found[`${verdict} ${reason} by ${rule}`] = count;
  });
  return found;
}

void t.test("a full table: the exception policy of the trunk, decided, counted and logged", (t) => {
  const tables = [
    ["callers", "{ attemptsPerCallerPerMinute: 100 }", { callers: 2, recentCalls: 64, subjects: 64 }, 1000],
    ["recentCalls", "{ callsPerSecond: 100 }", { callers: 64, recentCalls: 2, subjects: 64 }, 1000],
    ["ledger", "{}", { callers: 64, recentCalls: 64, subjects: 64 }, 2],
  ] as const;
  for (const [exception, outcome] of exceptions) {
    for (const [table, limits, sizes, ledgerSize] of tables) {
      const name = `${table} full, ${exception}`;
      const state = createScreeningState(sizes);
      const proxy = createTestProxy(compileText(policyWith(exception, limits)), { state, ledgerSize });
      for (const id of ["21", "22"])
        t.equal(outcomeOf(proxy.receive(peers.lessee, call(id))), "to 198.51.100.1:5060");
      t.equal(outcomeOf(proxy.receive(peers.lessee, call("23"))), outcome, name);
      t.equal(
        table === "ledger" ? proxy.counters.ledgerFull : state.tableFull[table],
        1,
        `${name}: the table is named`,
      );
      // An accepted call that the ledger could not keep was judged in full: it stays what it was.
      const third =
        exception === "accept" && table === "ledger"
          ? "accept listed by default"
          : `${exception} overload by exception`;
      const listed = third === "accept listed by default" ? 3 : 2;
      t.same(
        counted(proxy),
        { "accept listed by default": listed, ...(listed === 3 ? {} : { [third]: 1 }) },
        `${name}: counted`,
      );
      t.equal(proxy.decisions.length, 3, `${name}: told`);
      t.equal(
        outcomeOf(proxy.receive(peers.lessee, call("24", { uri: "sip:110@192.0.2.1" }))),
        "to 198.51.100.1:5060",
        `${name}: 110 passes`,
      );
      t.equal(
        outcomeOf(proxy.receive(peers.lessee, call("25", { from: "<sip:+861087650000@h>;tag=a" }))),
        "403",
        `${name}: who isn't listed is refused all the same`,
      );
      t.equal(proxy.counters.faults, 0);
      proxy.now += 62_000;
      t.equal(
        outcomeOf(proxy.receive(peers.lessee, call("26"))),
        "to 198.51.100.1:5060",
        `${name}: room again`,
      );
    }
  }
  t.end();
});

void t.test(
  "a full ledger: what was accepted without it is judged again with every repeat, and its CANCEL finds its way",
  (t) => {
    const proxy = createTestProxy(compileText(policyWith("accept", "{ callsPerSecond: 100 }")), {
      ledgerSize: 1,
    });
    proxy.receive(peers.lessee, call("21"));
    const [first] = proxy.receive(peers.lessee, call("22"));
    const [again] = proxy.receive(peers.lessee, call("22"));
    t.equal(again?.text, first?.text, "the repeat is the same bytes: the next hop sees one transaction");
    const cancel = call("22", { method: "CANCEL", cseq: "1 CANCEL" });
    t.equal(outcomeOf(proxy.receive(peers.lessee, cancel)), "to 198.51.100.1:5060");
    t.end();
  },
);

/** Stores whose given function fails. */
function broken(part: "callRate" | "callerAttempts" | "recentCalls", name: string): ScreeningState {
  const state = createScreeningState({ callers: 64, recentCalls: 64, subjects: 64 });
  Object.assign(state[part], {
    [name]: () => {
      throw new Error(`${part}.${name} failed`);
    },
  });
  return state;
}

void t.test(
  "a rule that throws, looking or paying: the exception policy of the trunk, decided and counted",
  (t) => {
    const limits = "{ callsPerSecond: 100, attemptsPerCallerPerMinute: 100 }";
    const rows = [
      ["call-rate", "callRate", "wait"],
      ["call-rate", "callRate", "take"],
      ["call-frequency", "callerAttempts", "count"],
      ["call-frequency", "callerAttempts", "add"],
    ] as const;
    for (const [exception, , outcome] of exceptions) {
      for (const [rule, part, name] of rows) {
        const state = broken(part, name);
        const proxy = createTestProxy(compileText(policyWith(exception, limits)), { state });
        t.equal(outcomeOf(proxy.receive(peers.lessee, call("21"))), outcome, `${part}.${name}, ${exception}`);
        t.same(counted(proxy), { [`${exception} rule-fault by exception`]: 1 });
        t.equal(proxy.decisions.length, 1, "told");
        t.equal(state.ruleFaults[rule], 1, `${rule} is named`);
        t.equal(proxy.counters.faults, 0, "it did not reach the edge");
        t.equal(
          outcomeOf(proxy.receive(peers.lessee, call("22", { uri: "sip:110@192.0.2.1" }))),
          "to 198.51.100.1:5060",
          "110 passes",
        );
      }
    }
    t.end();
  },
);

void t.test(
  "a failure outside the rules: never passed, and the exception policy says whether the peer is told",
  (t) => {
    for (const [exception, , outcome] of exceptions) {
      const state = broken("recentCalls", "takeFree");
      const proxy = createTestProxy(compileText(policyWith(exception, "{ callsPerSecond: 100 }")), { state });
      const kind = exception === "drop" ? "drop" : "reject";
      const expected = exception === "accept" ? "500" : outcome;
      t.equal(outcomeOf(proxy.receive(peers.lessee, call("21"))), expected, exception);
      t.same(counted(proxy), { [`${kind} rule-fault by exception`]: 1 }, "counted");
      t.equal(proxy.counters.faults, 1);
      t.equal(proxy.faults.length, 1, "told");
      t.equal(
        outcomeOf(proxy.receive(peers.lessee, call("22", { uri: "sip:110@192.0.2.1" }))),
        "to 198.51.100.1:5060",
        "the next message is handled",
      );
    }
    t.end();
  },
);
