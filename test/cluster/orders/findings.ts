// Findings on two nodes: the calls of both count, the finding is told once, and both have it in force.
import t from "tap";
import type { CallEvent } from "../../../src/domain/call.ts";
import type { SharedFinding } from "../../../src/screening/detectors/findings.ts";
import { DAY, makeAttempt, makeTrunk, NOW } from "../../support/attempt.ts";
import { createOrderCluster, type OrderNode } from "../../support/order-nodes.ts";
import { basicPolicy } from "../../support/proxy.ts";

const trunk = makeTrunk({ id: "lease" });
const party = "+8613800138000";
const octets = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** A call to the party that she cuts off, begun at `at`. */
function* cutOff(id: string, at: number, called = party): Generator<CallEvent> {
  const call = { id, trunk: trunk.id };
  yield {
    kind: "decided",
    call,
    at,
    decision: {
      attempt: makeAttempt(trunk, { callId: id, called, at }),
      verdict: { kind: "accept", reason: "listed" },
      rule: "default",
      marks: [],
      shadow: [],
      revision: "r1",
    },
    action: { kind: "forwarded", hop: "core" },
  };
  yield { kind: "answered", call, at: at + 9000 };
  yield {
    kind: "ended",
    call,
    at: at + 12_000,
    by: "called",
    how: "released",
    status: 200,
    ringingMs: 1000,
    answeredMs: 9000,
    talkedMs: 3000,
  };
}

function place(node: OrderNode, index: number): void {
  for (const event of cutOff(`${node.name}-1-${index}`, NOW + index * 60_000)) node.happened(event);
}

const toldBy = (node: OrderNode): readonly string[] =>
  node.records.map((note) => (note.record === "finding" ? (note.id ?? "") : note.record));
const inForce = (node: OrderNode): readonly SharedFinding[] => [...node.watch.findings()];

for (const mode of ["monitor", "enforce"] as const) {
  const policy = `${basicPolicy}detectors: { call-bombing: { mode: ${mode}${mode === "enforce" ? ", quarantine: { subject: called, for: 1d }" : ""} } }\n`;
  const shown = mode === "monitor" ? [`called:${party} monitor only 1`] : [`called:${party} in force 1`];

  void t.test(`${mode}: calls of both nodes make one finding, told once`, (t) => {
    const cluster = createOrderCluster(policy);
    const [a, b] = [cluster.start("a"), cluster.start("b")];
    for (let index = 0; index < 10; index++) {
      cluster.now = NOW + index * 60_000;
      place(index % 2 === 0 ? a : b, index);
      cluster.deliver();
    }
    const told = [...toldBy(a), ...toldBy(b)];
    t.equal(told.length, 1, "in the records of one node");
    const [id = ""] = told;
    for (const node of [a, b]) {
      t.same(
        inForce(node).map((finding) => finding.id),
        [id],
        `in force on ${node.name}, under the same id`,
      );
      t.same(node.held(), shown, `listed on ${node.name}`);
    }
    const late = cluster.start("c");
    t.same(late.held(), shown, "a node that starts has it");
    for (let index = 10; index < 14; index++) place(late, index);
    t.same(toldBy(late), [], "and does not tell it again");
    t.end();
  });

  void t.test(`${mode}: the node whose call completed it dies before it tells`, (t) => {
    const cluster = createOrderCluster(policy);
    const [a, b] = [cluster.start("a"), cluster.start("b")];
    let index = 0;
    for (; toldBy(a).length === 0; index++) place(a, index);
    cluster.forget();
    cluster.stop(a);
    t.same([toldBy(b), inForce(b), b.held()], [[], [], []], "b has heard the calls, and tells nothing");
    place(b, index);
    t.equal(toldBy(b).length, 1, "the next call that fits is one of b: it tells");
    t.same(b.held(), shown);
    place(b, index + 1);
    t.equal(toldBy(b).length, 1, "once");
    t.end();
  });
}

void t.test("who answered whom is noted for calls of other nodes too", (t) => {
  const cluster = createOrderCluster(`${basicPolicy}detectors: { call-bombing: {} }\n`);
  const [a, b] = [cluster.start("a"), cluster.start("b")];
  place(a, 1);
  const pair = [861_087_654_321, 8_613_800_138_000] as const;
  for (const node of [a, b]) t.ok(node.answered.has(...pair, NOW + DAY), node.name);
  t.notOk(a.answered.has(pair[0], pair[1] + 1, NOW + DAY));
  t.end();
});

void t.test("a finding that one node told in mode monitor is told again where it is enforced", (t) => {
  const cluster = createOrderCluster(`${basicPolicy}detectors: { call-bombing: {} }\n`);
  const a = cluster.start("a");
  const policy = `${basicPolicy}detectors: { call-bombing: { mode: enforce, quarantine: { subject: called, for: 1d } } }\n`;
  const b = cluster.start("b", { policy });
  let index = 0;
  for (; toldBy(a).length === 0; index++) place(a, index);
  cluster.deliver();
  t.same(b.held(), [`called:${party} monitor only 1`]);
  place(b, index);
  t.equal(toldBy(b).length, 1);
  t.same(b.held(), [`called:${party} in force 1`]);
  t.end();
});

void t.test("a finding leaves Redis when it ends, and comes back to a node that starts again", (t) => {
  const cluster = createOrderCluster(`${basicPolicy}detectors: { call-bombing: {} }\n`);
  const a = cluster.start("a");
  for (let index = 0; toldBy(a).length === 0; index++) place(a, index);
  cluster.stop(a);
  const again = cluster.start("a");
  t.same(again.held(), [`called:${party} monitor only 1`]);
  t.equal(again.orders.figures().kept, 1, "it is kept again");
  cluster.now += 2 * DAY;
  again.orders.tick();
  t.same(cluster.stored(), []);
  t.end();
});

void t.test("entries: what can't be read has no effect", (t) => {
  const cluster = createOrderCluster(`${basicPolicy}detectors: { call-bombing: {} }\n`);
  const a = cluster.start("a");
  const sound = {
    id: "f1x-1",
    detector: "call-bombing",
    profile: "1",
    subject: { kind: "called", number: party },
    at: NOW,
    until: NOW + DAY,
    strength: 9,
    calls: 9,
    participants: [{ trunk: "lease", number: "+8613910000001" }],
    isEnforced: false,
  };
  const subject = `call-bombing called:${party}`;
  const damaged: readonly unknown[] = [
    undefined,
    "finding",
    { ...sound, id: "f".repeat(100) },
    { ...sound, detector: "nobody" },
    { ...sound, subject: { kind: "called", number: "she" } },
    { ...sound, subject: { kind: "called", number: "+8613800138001" } },
    { ...sound, at: -1 },
    { ...sound, until: 1e300 },
    { ...sound, strength: "strong" },
    { ...sound, calls: undefined },
  ];
  for (const finding of damaged) cluster.plant("x", "finding", subject, octets({ version: 1, finding }));
  cluster.deliver();
  t.same([inForce(a), a.orders.figures().unread], [[], damaged.length]);
  cluster.plant("x", "finding", subject, octets({ version: 1, finding: { ...sound, until: NOW } }));
  cluster.deliver();
  t.same(inForce(a), [], "it has ended");
  cluster.plant(
    "x",
    "finding",
    subject,
    octets({ version: 1, finding: { ...sound, participants: [7, {}] } }),
  );
  cluster.deliver();
  t.match(inForce(a), [{ id: "f1x-1", participants: [] }]);
  t.end();
});
