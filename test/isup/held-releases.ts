import { Buffer } from "node:buffer";
import t from "tap";
import { T1 } from "../../src/isup/circuit-release.ts";
import { createTestEvidence } from "../support/evidence-log.ts";
import { createTestRelay, fromLease, LISTED, told, UNLISTED } from "../support/isup-relay.ts";

const REL = ["0 REL 21 900>11-2"];
const RLC = ["0 RLC 900>11-2"];

void t.test("held REL: the IAM is told at once, and released when its evidence is on disk", (t) => {
  const evidence = createTestEvidence("lease");
  const test = createTestRelay({ evidence });
  t.same(told(test.lease(UNLISTED)), []);
  t.match(test.events, [{ kind: "decided", action: { kind: "released", cause: 21 } }]);
  t.same(told(test.evidenceKept()), []);
  t.same(told(test.lease(UNLISTED)), [], "the same IAM again is absorbed");
  t.equal(test.events.length, 1);
  evidence.keepAll();
  t.same(told(test.evidenceKept()), REL);
  t.same(told(test.evidenceKept()), []);
  t.same(told(test.lease("RLC")), []);
  t.equal(test.counters.ss7.refusals, 0, "the circuit is idle");
  t.same(told(test.pass(T1)), []);
  t.end();
});

void t.test("held REL: it leaves by the next tick after 250 ms, and is repeated by T1", (t) => {
  const test = createTestRelay({ evidence: createTestEvidence("lease") });
  test.lease(UNLISTED);
  t.same(told(test.pass(1000)), REL);
  t.equal(test.relay.unkept(), 1);
  t.same(told(test.pass(T1 - 1000)), REL);
  t.end();
});

void t.test("held REL: the exchange gives the call up meanwhile", (t) => {
  const evidence = createTestEvidence("lease");
  const test = createTestRelay({ evidence });
  test.lease(UNLISTED);
  t.same(told(test.lease("REL cause=16")), RLC, "its REL is answered");
  evidence.keepAll();
  t.same(told(test.evidenceKept()), REL, "REL on an idle circuit is answered by RLC (Q.764 section 2.9.6)");
  t.same(told(test.lease("RLC")), []);
  t.equal(test.counters.ss7.refusals, 0);
  t.end();
});

void t.test("held REL: never into the next call of the circuit", (t) => {
  const rows: readonly (readonly [name: string, steps: readonly string[]])[] = [
    ["given up, and another caller", ["REL cause=16", LISTED]],
    ["another caller", [LISTED]],
    ["reset, and another caller", ["RSC", LISTED]],
    ["reset", ["RSC"]],
  ];
  for (const [name, steps] of rows) {
    const evidence = createTestEvidence("lease");
    const test = createTestRelay({ evidence });
    test.lease(UNLISTED);
    for (const step of steps) test.lease(step);
    evidence.keepAll();
    t.same(told(test.evidenceKept()), [], name);
    t.same(told(test.pass(T1)), [], name);
  }
  t.end();
});

void t.test("held REL: circuits of two networks and of two user parts wait side by side", (t) => {
  const evidence = createTestEvidence("lease");
  const test = createTestRelay({ evidence });
  const bytes = fromLease(UNLISTED);
  test.receive(0, bytes);
  const other = Buffer.from(bytes);
  other[other.indexOf("0210", 8, "hex") + 13] = 0;
  test.receive(0, other);
  evidence.keepAll();
  t.same(told(test.evidenceKept()), [...REL, ...REL]);
  t.end();
});

void t.test("held REL: accepted calls and other trunks wait for nothing", (t) => {
  t.equal(createTestRelay({ evidence: createTestEvidence("lease") }).lease(LISTED).length, 1);
  t.same(told(createTestRelay({ evidence: createTestEvidence("other") }).lease(UNLISTED)), REL);
  t.same(told(createTestRelay({ evidence: createTestEvidence("lease"), circuits: 0 }).lease(UNLISTED)), []);
  t.end();
});
