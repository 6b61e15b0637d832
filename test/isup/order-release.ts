import t from "tap";
import { RECOVERY, T17, T5 } from "../../src/isup/circuit-release.ts";
import { compileText } from "../support/proxy.ts";
import {
  createTestRelay,
  fromCore,
  fromLease,
  isupPolicy,
  LISTED,
  told,
  type SentUnit,
  type TestRelay,
} from "../support/isup-relay.ts";

const ANM = "hex 090000";

/** A call that stands on a circuit. */
function answer(relay: TestRelay, cic = 2): void {
  relay.lease(LISTED, cic);
  relay.core("hex 06040000", cic);
  relay.core(ANM, cic);
}

function release(
  relay: TestRelay,
  trunk = "lease",
): { sent: readonly string[]; units: readonly SentUnit[]; count: unknown; steps: number } {
  const work = relay.relay.release(new Set([trunk]));
  let steps = 0;
  while (!work.step(relay.now)) steps++;
  const units = relay.take();
  return { sent: told(units), units, count: work.count(), steps };
}

void t.test("REL to both exchanges; RLC is absorbed, and the circuit is free", async (t) => {
  const relay = createTestRelay();
  answer(relay);
  const { sent, count } = release(relay);
  t.same(sent, ["1 REL 21 11>900-2", "0 REL 21 900>11-2"]);
  t.same(count, { released: 1, gone: 0, notReleasable: 0 });
  const ended = relay.events.filter(({ kind }) => kind === "ended");
  t.match(ended, [{ by: "filter", how: "released", cause: 21 }]);
  t.equal(ended.length, 1);
  t.same(relay.core("RLC"), []);
  t.same(relay.lease("RLC"), []);
  t.equal(relay.counters.ss7.refusals, 0);
  t.equal(relay.counters.ss7.calls, 0);
  t.same(told(relay.lease(LISTED)), ["1 IAM 11>900-2"], "the circuit serves the next call");
  t.equal(relay.events.filter(({ kind }) => kind === "ended").length, 1, "told once");
  t.same(relay.faults, []);
});

void t.test("the RLC is lost: the next call of the circuit passes, and no REL comes into it", (t) => {
  for (const side of ["lease", "core"] as const) {
    const relay = createTestRelay();
    answer(relay);
    release(relay);
    const passed = side === "lease" ? "1 IAM 11>900-2" : "0 IAM 900>11-2";
    t.same(told(relay[side](LISTED)), [passed], `of ${side}`);
    t.same(told(relay[side === "lease" ? "core" : "lease"]("RLC")), [], "the other RLC is absorbed");
    t.same(told(relay.pass(T5 + T17)), [], "nothing is repeated");
    t.equal(relay.counters.ss7.refusals, 0);
  }
  const crossing = createTestRelay();
  crossing.lease(LISTED);
  release(crossing);
  t.same(told(crossing.core(LISTED)), [], "an IAM that crosses REL belongs to a dual seizure");
  crossing.pass(RECOVERY);
  t.same(told(crossing.core(LISTED)), ["0 IAM 900>11-2"], "near miss: a second later it is another call");
  t.end();
});

void t.test("circuits that a full table forgets while the order runs are left alone", (t) => {
  const relay = createTestRelay({ circuits: 4 });
  for (const cic of [1, 2, 3, 4]) answer(relay, cic);
  const work = relay.relay.release(new Set(["lease"]));
  work.step(relay.now);
  for (const cic of [5, 6, 7, 8]) relay.lease(LISTED, cic);
  while (!work.step(relay.now));
  t.same(relay.take(), [], "their next calls may be there");
  t.same(work.count(), { released: 0, gone: 4, notReleasable: 0 });
  t.same([relay.counters.ss7.calls, relay.counters.ss7.refusals], [4, 0]);
  t.end();
});

void t.test("a REL that crosses is answered RLC, and goes no further", async (t) => {
  const relay = createTestRelay();
  answer(relay);
  release(relay);
  t.same(told(relay.lease("REL cause=16")), ["0 RLC 900>11-2"]);
  t.same(told(relay.core("REL cause=16")), ["1 RLC 11>900-2"]);
  t.same(told(relay.core("hex 2c0100")), [], "nor does anything else of the call");
  t.same(relay.lease("RLC"), []);
  t.same(relay.core("RLC"), []);
  t.equal(relay.counters.ss7.refusals, 0);
});

void t.test("in set-up too", async (t) => {
  const relay = createTestRelay();
  relay.lease(LISTED);
  t.same(release(relay).sent, ["1 REL 21 11>900-2", "0 REL 21 900>11-2"]);
  t.match(
    relay.events.filter(({ kind }) => kind === "ended"),
    [{ by: "filter", how: "released", cause: 21 }],
  );
});

void t.test("no RLC: repeated by T1, after T5 the circuit is reset (Q.764 table A.1)", async (t) => {
  const relay = createTestRelay();
  answer(relay);
  release(relay);
  relay.core("RLC");
  const repeats = told(relay.pass(299_000));
  t.equal(repeats.length, 19);
  t.ok(repeats.every((line) => line === "0 REL 21 900>11-2"));
  t.same(told(relay.pass(1000)), ["0 RSC 900>11-2"]);
  t.equal(relay.alarms.length, 1);
  t.same(told(relay.lease("RLC")), []);
  t.equal(relay.counters.ss7.refusals, 0);
});

void t.test("which calls", async (t) => {
  const relay = createTestRelay();
  answer(relay, 1);
  answer(relay, 3);
  relay.lease("REL cause=16", 3);
  relay.lease("IAM called=3:110 calling=3:1087654444", 5);
  relay.receive(1, fromCore("IAM called=3:1087654321 calling=3:2787654321", 7));
  t.same(
    release(relay, "core").sent,
    ["0 REL 21 900>11-7", "1 REL 21 11>900-7"],
    "by the trunk that has begun it",
  );
  const work = relay.relay.release(new Set(["lease"]));
  t.notOk(work.step(relay.now), "found");
  relay.lease("REL cause=16", 1);
  while (!work.step(relay.now));
  t.same(work.count(), { released: 0, gone: 2, notReleasable: 0 }, "a REL of theirs has passed");
  t.same(told(relay.take()), []);
  t.equal(relay.counters.ss7.calls, 3, "the emergency call goes on");
});

void t.test("network appearance, routing context and stream are those of the IAM", async (t) => {
  const relay = createTestRelay({ policy: compileText(isupPolicy) });
  relay.receive(0, fromLease(LISTED), 5);
  const { units } = release(relay);
  t.same(
    units.map(({ stream }) => stream),
    [5, 5],
  );
});

void t.test("many circuits: some at a time", async (t) => {
  const relay = createTestRelay();
  for (let cic = 1; cic <= 200; cic++) answer(relay, cic);
  const { count, steps, sent } = release(relay);
  t.same(count, { released: 200, gone: 0, notReleasable: 0 });
  t.equal(sent.length, 400);
  t.ok(steps >= 200 / 32);
});
