// The quarantine on two nodes: orders, findings, releases and callers that join hold on both, whatever came first.
import t from "tap";
import { writeEntry, heldForm } from "../../../src/app/cluster/order-entries.ts";
import type { Finding } from "../../../src/domain/finding.ts";
import type { Held } from "../../../src/state/quarantine/held.ts";
import { DAY, NOW } from "../../support/attempt.ts";
import {
  createOrderCluster,
  emptyDisk,
  type OrderCluster,
  type OrderNode,
} from "../../support/order-nodes.ts";
import { basicPolicy } from "../../support/proxy.ts";

const MINUTE = 60_000;
const policy = `${basicPolicy}detectors:
  one-ring: { mode: enforce, quarantine: { subject: caller, for: 1d } }
  call-bombing: { mode: enforce, quarantine: { subject: called, for: 1d } }
`;
const caller = "caller:+8613910000001@lease";
const party = "called:+8613800138000";
const octets = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function finding(id: string, at: number, strength = 10): Finding {
  return {
    id,
    detector: "one-ring",
    profile: "1",
    subject: { kind: "caller", trunk: "lease", number: "+8613910000001" },
    at,
    until: at + DAY,
    strength,
    facts: { calls: 9 },
    evidence: [],
    participants: [],
  };
}

function bombing(id: string, at: number, ...participants: readonly number[]): Finding {
  return {
    ...finding(id, at),
    detector: "call-bombing",
    subject: { kind: "called", number: "+8613800138000" },
    participants: participants.map((index) => ({ trunk: "lease", number: `+861391000000${index}` })),
  };
}

function joins(node: OrderNode, index: number): void {
  const participant = { trunk: "lease", number: `+861391000000${index}` };
  node.quarantine.join({ ...bombing("f", NOW), calls: 9 }, participant, false);
}

interface Played extends OrderCluster {
  a: OrderNode;
  b: OrderNode;
}

interface Row {
  readonly name: string;
  readonly play: (on: Played) => Promise<unknown> | void;
  readonly holds: readonly string[];
  /** The orders of the other node in the log of b. */
  readonly logged?: readonly string[];
  /** What Redis keeps in the end. */
  readonly stored?: readonly string[];
}

const add = { order: "add", subject: caller, for: "1h" };
const release = { order: "release", subject: caller };
const named = "command caller +8613910000001 lease";
const found = "one-ring caller +8613910000001 lease";

const rows: readonly Row[] = [
  {
    name: "an order on a holds on b",
    play: ({ a }) => a.hold(add),
    holds: [`${caller} in force`],
    logged: ["a: add +8613910000001"],
    stored: [`a quarantine ${named}`],
  },
  {
    name: "a release on b takes the order of a away",
    async play({ a, b, deliver }) {
      await a.hold(add);
      deliver();
      await b.hold(release);
    },
    holds: [`${caller} released`],
    logged: ["a: add +8613910000001"],
  },
  {
    name: "an order after its release binds again",
    async play({ a, b, deliver }) {
      await a.hold(add);
      await a.hold(release);
      deliver();
      await b.hold(add);
    },
    holds: [`${caller} in force`],
    logged: ["a: add +8613910000001", "a: release +8613910000001"],
  },
  {
    name: "a finding that binds on a binds on b",
    play: ({ a }) => void a.quarantine.take(finding("f1a-1", NOW)),
    holds: [`${caller} in force`],
    logged: [],
    stored: [`a quarantine ${found}`],
  },
  {
    name: "a finding of both within milliseconds: one entry",
    play(on) {
      on.a.quarantine.take(finding("f1a-1", NOW));
      on.b.quarantine.take(finding("f1b-1", NOW));
    },
    holds: [`${caller} in force`],
  },
  {
    name: "a release by the id of the other node",
    async play({ a, b, deliver }) {
      a.quarantine.take(finding("f1a-1", NOW));
      deliver();
      t.equal(await b.hold({ order: "release", id: "f1a-1" }), `f1a-1 ${caller} released`);
    },
    holds: [`${caller} released`],
  },
  {
    name: "a release wins over a finding that b took before it heard of the release",
    async play(on) {
      on.a.quarantine.take(finding("f1a-1", NOW));
      on.deliver();
      on.now += 100;
      await on.a.hold(release);
      on.now += 100;
      // b has not heard it: the campaign goes on there.
      on.b.quarantine.take(finding("f1b-1", on.now, 11));
    },
    holds: [`${caller} released`],
  },
  {
    name: "a finding that has grown fourfold since binds again, on both",
    async play(on) {
      on.a.quarantine.take(finding("f1a-1", NOW));
      await on.a.hold(release);
      on.deliver();
      on.now += MINUTE;
      on.b.quarantine.take(finding("f1b-1", on.now, 40));
    },
    holds: [`${caller} in force`],
  },
  {
    name: "b was away: it comes back with a finding that was released meanwhile",
    async play(on) {
      on.b.quarantine.take(finding("f1b-1", NOW));
      on.deliver();
      const disk = on.stop(on.b);
      on.now += MINUTE;
      await on.a.hold(release);
      on.b = on.start("b", { disk });
    },
    holds: [`${caller} released`],
    logged: ["a: release +8613910000001"],
    stored: [`a quarantine ${found}`, `b quarantine ${found}`],
  },
  {
    name: "b was away: it comes back with a release that it was given without Redis",
    async play(on) {
      on.a.quarantine.take(finding("f1a-1", NOW));
      on.deliver();
      const alone = on.start("b", { disk: on.stop(on.b), isCutOff: true });
      on.now += MINUTE;
      await alone.hold(release);
      on.b = on.start("b", { disk: on.stop(alone) });
    },
    holds: [`${caller} released`],
    logged: [],
  },
  {
    name: "a starts again and has lost its disk: it hears what it had kept, and keeps it again",
    async play(on) {
      await on.a.hold(add);
      on.stop(on.a);
      on.a = on.start("a");
      on.deliver();
      t.equal(on.a.orders.figures().kept, 1);
    },
    holds: [`${caller} in force`],
    stored: [`a quarantine ${named}`],
  },
  {
    name: "what a keeps, b does not keep too",
    async play(on) {
      await on.a.hold(add);
      on.deliver();
      on.b = on.start("b", { disk: on.stop(on.b) });
    },
    holds: [`${caller} in force`],
    stored: [`a quarantine ${named}`],
  },
  {
    name: "Redis was lost, and a is gone: b keeps what it has on its disk",
    async play(on) {
      await on.a.hold(add);
      on.deliver();
      const disk = on.stop(on.b);
      on.stop(on.a);
      on.forget();
      on.b = on.start("b", { disk });
      on.a = on.start("c");
    },
    holds: [`${caller} in force`],
    stored: [`b quarantine ${named}`],
  },
  {
    name: "it ends on both, and a takes it away from Redis",
    async play(on) {
      await on.a.hold(add);
      on.deliver();
      on.now += 61 * MINUTE;
      for (const node of [on.a, on.b]) {
        node.quarantine.tick();
        node.orders.tick();
      }
    },
    holds: [],
    stored: [],
  },
  {
    name: "a caller that joins a shield on a joins it on b",
    play(on) {
      on.a.quarantine.take(bombing("f1a-1", NOW, 1));
      on.deliver();
      joins(on.a, 2);
    },
    holds: [`${party} in force 2`],
  },
  {
    name: "callers that join on both at once: both nodes have both",
    play(on) {
      on.a.quarantine.take(bombing("f1a-1", NOW, 1));
      on.deliver();
      joins(on.a, 2);
      joins(on.b, 3);
    },
    holds: [`${party} in force 3`],
  },
  {
    name: "a caller that joins on b while a renews the shield",
    play(on) {
      on.a.quarantine.take(bombing("f1a-1", NOW, 1));
      on.deliver();
      on.now += 50;
      on.a.quarantine.take(bombing("f1a-2", on.now, 1, 2));
      joins(on.b, 3);
    },
    holds: [`${party} in force 3`],
  },
  {
    name: "an order that can't be kept is told to nobody; what b told meanwhile holds",
    async play(on) {
      on.now += 1;
      on.a.broken = "no space left";
      const taken = on.a.hold({ ...add, for: "2h" });
      on.now -= 1;
      await on.b.hold(add);
      on.deliver();
      await taken;
      on.a.broken = undefined;
    },
    holds: [`${caller} in force`],
    stored: [`b quarantine ${named}`],
  },
];

for (const { name, play, holds, logged, stored } of rows)
  void t.test(name, async (t) => {
    const cluster = createOrderCluster(policy);
    const on: Played = Object.assign(cluster, { a: cluster.start("a"), b: cluster.start("b") });
    await play(on);
    on.deliver();
    t.same(on.a.held(), holds, "on a");
    t.same(on.b.held(), holds, "on b");
    t.same(idsOf(on.a), idsOf(on.b), "under the same ids");
    if (logged !== undefined) t.same(on.b.log, logged, "in the log of b");
    if (stored !== undefined) t.same(on.stored(), stored, "kept in Redis");
    const before = on.stored().length;
    on.deliver();
    t.equal(on.stored().length, before, "nothing goes back and forth");
  });

const idsOf = ({ table }: OrderNode): readonly string[] => [...table.entries()].map(({ held }) => held.id);

const sound: Held = {
  id: "o1x-1",
  holder: "command",
  profile: "",
  subject: { kind: "caller", trunk: "lease", number: "+8613910000001" },
  since: NOW,
  until: NOW + DAY,
  mark: undefined,
  markUntil: 0,
  calls: 0,
  strength: 0,
  changed: NOW,
  participants: [],
};

void t.test("entries: what can't be read, or has ended, has no effect", (t) => {
  const cluster = createOrderCluster(policy);
  const a = cluster.start("a");
  const damaged: readonly (readonly [subject: string, held: unknown])[] = [
    [named, undefined],
    [named, 7],
    [named, { ...sound, holder: "nobody" }],
    [named, { ...sound, id: 1 }],
    [named, { ...sound, id: "o".repeat(100) }],
    [named, { ...sound, subject: { kind: "caller", number: "+8613910000001" } }],
    [named, { ...sound, subject: { kind: "trunk" } }],
    [named, { ...sound, subject: { ...sound.subject, number: "everybody" } }],
    ["command caller +8613910000002 lease", sound],
  ];
  for (const [subject, held] of damaged)
    cluster.plant("x", "quarantine", subject, octets({ version: 1, held }));
  cluster.plant("x", "quarantine", named, octets({ version: 2, held: sound }));
  cluster.deliver();
  t.same(a.held(), []);
  t.equal(a.orders.figures().unread, damaged.length + 1);
  t.equal(a.log.length, 1, "told once a minute");
  cluster.plant("x", "quarantine", named, octets({ version: 1, held: { ...sound, until: "never" } }));
  cluster.plant("x", "quarantine", named, octets({ version: 1, held: { ...sound, until: 1e300 } }));
  cluster.plant("x", "quarantine", named, octets({ version: 1, held: { ...sound, until: NOW } }));
  cluster.deliver();
  t.same(a.held(), [], "an end that is none has passed");
  cluster.plant("x", "quarantine", named, writeEntry(heldForm, sound));
  cluster.deliver();
  t.same(a.held(), [`${caller} in force`]);
  t.end();
});

void t.test("a node keeps at most 3,584 entries with an end; what is beyond is told once a minute", (t) => {
  const cluster = createOrderCluster(policy);
  const quarantine = Array.from({ length: 3600 }, (_, index): Held => {
    const number = `+86139${10_000_000 + index}`;
    return { ...sound, id: `o1b-${index}`, subject: { kind: "caller", trunk: "lease", number } };
  });
  const b = cluster.start("b", { disk: { ...emptyDisk(), quarantine } });
  t.equal(cluster.stored().length, 3584);
  t.match(b.orders.figures(), { kept: 3584, untold: 16 });
  t.same(b.log, ["orders and findings are not told to other nodes: this node keeps too many"]);
  cluster.now += 2 * DAY;
  b.orders.tick();
  t.same(cluster.stored(), [], "they have ended");
  t.equal(b.orders.figures().kept, 0);
  t.end();
});
