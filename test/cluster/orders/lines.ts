// Orders for lines on two nodes: what is given on one holds on both, whatever came first, and whoever was away.
import t from "tap";
import { readLines, writeLines } from "../../../src/app/lines/lines-document.ts";
import {
  createOrderCluster,
  emptyDisk,
  type OrderCluster,
  type OrderNode,
} from "../../support/order-nodes.ts";
import { basicPolicy } from "../../support/proxy.ts";

const MINUTE = 60_000;
const closedInFile = basicPolicy.replace("id: lease, ", "id: lease, state: { state: closed, order: F-1 }, ");

const octets = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

interface Played extends OrderCluster {
  a: OrderNode;
  b: OrderNode;
}

interface Row {
  readonly name: string;
  readonly policy?: string;
  /** What the clock of b is ahead. Milliseconds. */
  readonly ahead?: number;
  readonly play: (on: Played) => Promise<unknown> | void;
  /** What holds on a and on b. */
  readonly holds: string;
  /** Lines of both records: `NODE LINE STATE ORDER BY`. */
  readonly records: readonly string[];
  /** The orders of the other node in the log of b. */
  readonly logged?: readonly string[];
}

const suspend = "trunk:lease suspended JG-1";
const open = "trunk:lease active JG-2";
const close = "trunk:lease closed JG-3";

const rows: readonly Row[] = [
  {
    name: "an order on a holds on b",
    play: ({ a }) => a.line(suspend),
    holds: "suspended JG-1",
    records: ["a trunk:lease suspended JG-1 command"],
    logged: ["a: trunk:lease suspended"],
  },
  {
    name: "an order for the lessee",
    play: async ({ a }) => a.line("lessee:bank observe JG-1"),
    holds: "active",
    records: ["a lessee:bank observe JG-1 command"],
    logged: ["a: lessee:bank observe"],
  },
  {
    name: "open on a opens b",
    async play({ a, deliver }) {
      await a.line(suspend);
      deliver();
      await a.line(open);
    },
    holds: "active",
    records: ["a trunk:lease suspended JG-1 command", "a trunk:lease active JG-2 command"],
    logged: ["a: trunk:lease suspended", "a: trunk:lease active"],
  },
  {
    name: "open on b takes the order of a away",
    async play({ a, b, deliver }) {
      await a.line(suspend);
      deliver();
      await b.line(open);
    },
    holds: "active",
    records: ["a trunk:lease suspended JG-1 command", "b trunk:lease active JG-2 command"],
    logged: ["a: trunk:lease suspended"],
  },
  {
    name: "both within milliseconds: the later one holds",
    async play(on) {
      await on.a.line(close);
      on.now += 2;
      await on.b.line(suspend);
    },
    holds: "suspended JG-1",
    records: ["a trunk:lease closed JG-3 command", "b trunk:lease suspended JG-1 command"],
    logged: [],
  },
  {
    name: "both in one millisecond: the stricter one holds",
    async play({ a, b }) {
      await a.line(close);
      await b.line(suspend);
    },
    holds: "closed JG-3",
    records: ["a trunk:lease closed JG-3 command", "b trunk:lease suspended JG-1 command"],
    logged: ["a: trunk:lease closed"],
  },
  {
    name: "both in one millisecond, one of them opens",
    async play({ a, b, deliver }) {
      await a.line(suspend);
      deliver();
      await b.line(open);
      await a.line(close);
    },
    holds: "closed JG-3",
    records: [
      "a trunk:lease suspended JG-1 command",
      "a trunk:lease closed JG-3 command",
      "b trunk:lease active JG-2 command",
    ],
    logged: ["a: trunk:lease suspended", "a: trunk:lease closed"],
  },
  {
    name: "the clock of b is a minute behind: what b knew, b replaces all the same",
    ahead: -MINUTE,
    async play({ a, b, deliver }) {
      await a.line(suspend);
      deliver();
      await b.line(open);
    },
    holds: "active",
    records: ["a trunk:lease suspended JG-1 command", "b trunk:lease active JG-2 command"],
    logged: ["a: trunk:lease suspended"],
  },
  {
    name: "the clock of b is a minute ahead: a replaces what it knows",
    ahead: MINUTE,
    async play({ a, b, deliver }) {
      await b.line(suspend);
      deliver();
      await a.line(open);
    },
    holds: "active",
    records: ["a trunk:lease active JG-2 command", "b trunk:lease suspended JG-1 command"],
    logged: ["a: trunk:lease active"],
  },
  {
    name: "b was away: it comes back without the order",
    async play(on) {
      const disk = on.stop(on.b);
      await on.a.line(suspend);
      on.deliver();
      on.b = on.start("b", { disk });
    },
    holds: "suspended JG-1",
    records: ["a trunk:lease suspended JG-1 command"],
    logged: ["a: trunk:lease suspended"],
  },
  {
    name: "b was away: it comes back with an older order, which was taken away",
    async play(on) {
      await on.b.line(suspend);
      on.deliver();
      const disk = on.stop(on.b);
      on.now += MINUTE;
      await on.a.line(open);
      on.b = on.start("b", { disk });
    },
    holds: "active",
    records: ["a trunk:lease active JG-2 command"],
    logged: ["a: trunk:lease active"],
  },
  {
    name: "b was away: it comes back with an order that it was given without Redis",
    async play(on) {
      const disk = on.stop(on.b);
      await on.a.line(suspend);
      on.now += MINUTE;
      const alone = on.start("b", { disk, isCutOff: true });
      await alone.line(close);
      const later = on.stop(alone);
      on.b = on.start("b", { disk: later });
    },
    holds: "closed JG-3",
    records: ["a trunk:lease suspended JG-1 command"],
    logged: [],
  },
  {
    name: "Redis was lost: a node that starts learns the order from one that has heard it",
    async play(on) {
      await on.a.line(suspend);
      on.deliver();
      await on.b.lines.settled();
      const disk = on.stop(on.b);
      on.stop(on.a);
      on.forget();
      on.b = on.start("b", { disk });
      on.a = on.start("a");
    },
    holds: "suspended JG-1",
    records: [],
    logged: [],
  },
  {
    name: "the node that took the order is gone for good, and its entries too",
    async play(on) {
      await on.a.line(suspend);
      on.deliver();
      on.stop(on.a);
      on.a = on.start("c");
    },
    holds: "suspended JG-1",
    records: [],
    logged: ["a: trunk:lease suspended"],
  },
  {
    name: "until: the order ends on both, and the node that took it tells the end",
    async play(on) {
      await on.a.line(suspend, { until: "2026-10-03T09:00" });
      on.deliver();
      on.now += 60 * MINUTE;
      on.a.lines.tick();
      on.b.lines.tick();
    },
    holds: "active",
    records: ["a trunk:lease suspended JG-1 command", "a trunk:lease active JG-1 until"],
    logged: ["a: trunk:lease suspended", "a: trunk:lease active"],
  },
  {
    name: "until: b was away, and hears of an order that has ended",
    async play(on) {
      const disk = on.stop(on.b);
      await on.a.line(suspend, { until: "2026-10-03T09:00" });
      on.now += 60 * MINUTE;
      on.a.lines.tick();
      on.b = on.start("b", { disk });
    },
    holds: "active",
    records: ["a trunk:lease suspended JG-1 command", "a trunk:lease active JG-1 until"],
    logged: ["a: trunk:lease active"],
  },
  {
    name: "the file is stricter: it holds on both, beside the order",
    policy: closedInFile,
    play: ({ a }) => a.line(suspend),
    holds: "suspended JG-1, file closed",
    records: [
      "a trunk:lease closed F-1 file",
      "a trunk:lease closed JG-1 command",
      "b trunk:lease closed F-1 file",
    ],
    logged: ["a: trunk:lease closed"],
  },
  {
    name: "an order that can't be kept is told to nobody",
    async play({ a }) {
      a.broken = "no space left";
      await a.line(suspend);
      a.broken = undefined;
    },
    holds: "active",
    records: [],
    logged: [],
  },
  {
    name: "an order that can't be kept: what b told meanwhile holds",
    async play(on) {
      on.now += 1;
      on.a.broken = "no space left";
      const taken = on.a.line(close);
      on.now -= 1;
      await on.b.line(suspend);
      on.deliver();
      await taken;
      on.a.broken = undefined;
      await on.a.lines.settled();
      on.a.lines.tick();
    },
    holds: "suspended JG-1",
    records: ["b trunk:lease suspended JG-1 command"],
    logged: [],
  },
];

for (const { name, policy = basicPolicy, ahead = 0, play, holds, records, logged } of rows)
  void t.test(name, async (t) => {
    const cluster = createOrderCluster(policy);
    const on: Played = Object.assign(cluster, {
      a: cluster.start("a"),
      b: cluster.start("b", { ahead }),
    });
    await play(on);
    on.deliver();
    await on.a.lines.settled();
    await on.b.lines.settled();
    t.equal(on.a.state(), holds, "on a");
    t.equal(on.b.state(), holds, "on b");
    const said = [on.a, on.b].flatMap((node) => node.records.map((note) => sayNote(node, note)));
    t.same(said, records, "told once, by the node that took it");
    if (logged !== undefined) t.same(on.b.log, logged, "in the log of b, with the node it came from");
    for (const node of [on.a, on.b]) {
      const again = cluster.start(`${node.name}-again`, { disk: cluster.stop(node), isCutOff: true });
      t.equal(again.state(), holds, `${node.name} has it on its disk`);
    }
  });

function sayNote({ name }: OrderNode, note: OrderNode["records"][number]): string {
  return note.record === "order"
    ? `${name} ${note.line} ${note.state} ${note.order} ${note.by}`
    : note.record;
}

void t.test(
  "release: each node ends the calls that it carries, and the record is written once",
  async (t) => {
    const cluster = createOrderCluster(basicPolicy);
    const a = cluster.start("a");
    const b = cluster.start("b");
    await a.line(suspend, { calls: "release" });
    cluster.deliver();
    await new Promise(setImmediate);
    t.same([a.released, b.released], [["lease"], ["lease"]]);
    t.match(a.records, [{ calls: "release", released: 1 }]);
    t.same(b.records, []);
    const late = cluster.start("c");
    await new Promise(setImmediate);
    t.same(late.released, ["lease"], "calls that a restart has brought back are ended too");
  },
);

void t.test("the disk of b is full: the order holds there all the same", async (t) => {
  const cluster = createOrderCluster(basicPolicy);
  const a = cluster.start("a");
  const b = cluster.start("b");
  b.broken = "no space left";
  await a.line(suspend);
  cluster.deliver();
  await b.lines.settled();
  t.equal(b.state(), "suspended JG-1");
  t.same(b.log, ["a: trunk:lease suspended", "fault: no space left"]);
});

void t.test("entries: what can't be read has no effect, and is counted and told", (t) => {
  const cluster = createOrderCluster(basicPolicy);
  const a = cluster.start("a");
  const stamp = { at: 1_800_000_000_000, node: "x" };
  const order = { state: "closed", calls: "keep" };

  const damaged: readonly (readonly [subject: string, value: unknown])[] = [
    ["trunk:lease", undefined],
    ["trunk:lease", null],
    ["trunk:lease", []],
    ["trunk:lease", { version: 2, stamp, order }],
    ["trunk:lease", { version: 1, order }],
    ["trunk:lease", { version: 1, stamp: { ...stamp, at: -1 }, order }],
    ["trunk:lease", { version: 1, stamp: { ...stamp, at: 9e15 }, order }],
    ["trunk:lease", { version: 1, stamp: { ...stamp, node: "" }, order }],
    ["trunk:lease", { version: 1, stamp, order: { ...order, state: "active" } }],
    ["trunk:lease", { version: 1, stamp, order: { ...order, state: "asleep" } }],
    ["trunk:lease", { version: 1, stamp, order: "closed" }],
    ["lease", { version: 1, stamp, order }],
    ["trunk:../lease", { version: 1, stamp, order }],
  ];
  for (const [subject, value] of damaged)
    cluster.plant("x", "line", subject, value === undefined ? new Uint8Array([123, 0, 255]) : octets(value));
  cluster.deliver();
  t.equal(a.state(), "active");
  t.equal(a.orders.figures().unread, damaged.length);
  t.same(a.log, ["an entry of another node can't be read: it has no effect here"], "once a minute");
  cluster.plant("x", "line", "trunk:lease", octets({ version: 1, stamp, order, more: "of a later release" }));
  cluster.deliver();
  t.equal(a.state(), "closed ");
  t.end();
});

void t.test("lines.json: a file of before, without times, is older than every change", async (t) => {
  const cluster = createOrderCluster(basicPolicy);
  const b = cluster.start("b");
  await b.line(suspend);
  await b.line(open);
  const old = readLines(emptyDisk().lines);
  const text = writeLines({ ...old, orders: new Map([["trunk:lease", { state: "closed", calls: "keep" }]]) });
  t.match(text, '"changes": {},');
  const before = text.replace('"changes": {},', () => "");
  const a = cluster.start("a", { disk: { lines: before, quarantine: [] } });
  t.equal(a.state(), "active", "b had opened it");
  const other = createOrderCluster(basicPolicy);
  const c = other.start("c");
  const d = other.start("d", { disk: { lines: text, quarantine: [] } });
  other.deliver();
  t.same([c.state(), d.state()], ["closed ", "closed "], "nobody has changed it since");
});
