import t from "tap";
import type { LineId, LineOrder } from "../../src/domain/line-state.ts";
import type { Policy } from "../../src/policy/policy.ts";
import type { LineAnswer, LineRequest, Released } from "../../src/app/lines/line-request.ts";
import { type KeptLines, NO_LINES, type OrderNote } from "../../src/app/lines/lines-document.ts";
import { createLines, type Lines } from "../../src/app/lines/lines.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";
import type { CommandedLines } from "../../src/screening/line-orders.ts";
import { brokenPolicy, filesOf, printed, soundLists, soundPolicy } from "../config/files.ts";

/** 2026-11-30 20:00 in Shanghai. */
const NOW = Date.parse("2026-11-30T12:00:00Z");
const HOUR = 3_600_000;

function policyOf(text: string): Policy {
  const { policy, issues } = loadPolicy(filesOf({ ...soundLists, "policy.yaml": text }), "policy.yaml");
  if (policy === undefined) throw new Error(printed(issues).join("\n"));
  return policy;
}

interface Bench {
  readonly lines: Lines;
  readonly commanded: CommandedLines;
  readonly notes: OrderNote[];
  readonly warnings: string[];
  readonly kept: () => KeptLines;
  now: number;
  policy: Policy;
  /** Why nothing can be written. */
  broken: string | undefined;
  readonly give: (request: Partial<LineRequest> & Pick<LineRequest, "name">) => Promise<LineAnswer>;
}

interface BenchOptions {
  readonly policy?: string;
  readonly kept?: KeptLines;
  readonly release?: (trunks: ReadonlySet<string>) => Promise<Released>;
  readonly callsOn?: (trunk: string) => number;
  readonly unkept?: string;
  readonly fault?: (error: unknown) => void;
}

function build({
  policy = soundPolicy,
  kept = NO_LINES,
  release,
  callsOn,
  unkept,
  fault,
}: BenchOptions = {}): Bench {
  const commanded: CommandedLines = { orders: new Map() };
  let written = kept;
  const bench: Bench = {
    commanded,
    notes: [],
    warnings: [],
    kept: () => written,
    now: NOW,
    policy: policyOf(policy),
    broken: undefined,
    lines: createLines({
      kept,
      commanded,
      policy: () => bench.policy,
      now: () => bench.now,
      async keep(lines) {
        if (bench.broken !== undefined) throw new Error(bench.broken);
        written = structuredClone(lines);
      },
      unkept: () => unkept,
      note: (note) => bench.notes.push(note),
      release,
      ...(callsOn === undefined ? {} : { callsOn }),
      warn: (message) => bench.warnings.push(message),
      fault: fault ?? ((error) => t.fail(String(error))),
    }),
    give: (request) =>
      bench.lines.order({
        kind: undefined,
        state: "suspended",
        order: "JG-1",
        reason: "a test",
        calls: "keep",
        ...request,
      }),
  };
  return bench;
}

const sayAnswer = (answer: LineAnswer): string =>
  answer.result === "refused"
    ? `${answer.status} ${answer.message}`
    : `${answer.taken.line} ${answer.taken.state} before ${answer.taken.previous} by ${answer.taken.held?.from}`;
const sayNote = ({ line, state, previous, by }: OrderNote): string =>
  `${line} ${previous} to ${state} by ${by}`;

const closedInFile = brokenPolicy(["limits:", "state: { state: closed, order: F-1 }\n    limits:"]);
const lesseeClosedInFile = brokenPolicy(["numbers: acme.csv", "state: closed\n    numbers: acme.csv"]);
const observedInFile = brokenPolicy(["limits:", "state: observe\n    limits:"]);
const namesakes = brokenPolicy(["id: intl", "id: acme-bj"]);

void t.test("orders: what is answered, for file, command, names and dates", async (t) => {
  type Give = Partial<LineRequest> & Pick<LineRequest, "name">;
  const rows: readonly {
    readonly name: string;
    readonly policy?: string;
    readonly before?: readonly Give[];
    readonly give: Give;
    readonly says: string;
  }[] = [
    { name: "a trunk", give: { name: "lease" }, says: "trunk:lease suspended before active by command" },
    {
      name: "a lessee",
      give: { name: "acme-bj" },
      says: "lessee:acme-bj suspended before active by command",
    },
    {
      name: "of the kind that is asked for",
      give: { kind: "lessee", name: "lease" },
      says: '404 unknown lessee "lease"; the policy has lessee:acme-bj',
    },
    {
      name: "unknown, and near to another",
      give: { name: "leas" },
      says: '404 unknown trunk or lessee "leas"; did you mean "lease"?; the policy has trunk:lease, trunk:intl, lessee:acme-bj',
    },
    {
      name: "a trunk and a lessee of one name",
      policy: namesakes,
      give: { name: "acme-bj" },
      says: '404 a trunk and a lessee are called "acme-bj": write trunk:acme-bj or lessee:acme-bj',
    },
    {
      name: "one of them by its kind",
      policy: namesakes,
      give: { kind: "trunk", name: "acme-bj" },
      says: "trunk:acme-bj suspended before active by command",
    },
    {
      name: "the core",
      give: { name: "core" },
      says: '409 trunk "core" is of side core: calls from the core are not screened, so no order can stop them',
    },
    {
      name: "milder than the file: the file holds",
      policy: closedInFile,
      give: { name: "lease", state: "observe" },
      says: "trunk:lease closed before closed by policy.yaml:12:5",
    },
    {
      name: "stricter than the file",
      policy: observedInFile,
      give: { name: "lease" },
      says: "trunk:lease suspended before observe by command",
    },
    {
      name: "once more: the newer order counts",
      before: [{ name: "lease", state: "closed" }],
      give: { name: "lease", state: "observe" },
      says: "trunk:lease observe before closed by command",
    },
    {
      name: "open",
      before: [{ name: "lease" }],
      give: { name: "lease", state: "active" },
      says: "trunk:lease active before suspended by undefined",
    },
    {
      name: "open what is open",
      give: { name: "lease", state: "active" },
      says: "trunk:lease active before active by undefined",
    },
    {
      name: "open what the file observes",
      policy: observedInFile,
      before: [{ name: "lease" }],
      give: { name: "lease", state: "active" },
      says: "trunk:lease observe before suspended by policy.yaml:12:5",
    },
    {
      name: "open what the file closes",
      policy: closedInFile,
      before: [{ name: "lease" }],
      give: { name: "lease", state: "active" },
      says: "409 trunk:lease is closed by the policy file: policy.yaml:12:5; set its state there to active, then open it; nothing was changed",
    },
    {
      name: "open a trunk whose lessee the file closes",
      policy: lesseeClosedInFile,
      give: { name: "lease", state: "active" },
      says: "409 lessee:acme-bj is closed by the policy file: policy.yaml:19:5; set its state there to active, then open it; nothing was changed",
    },
    {
      name: "open a trunk whose lessee is stopped by command",
      before: [{ name: "acme-bj" }],
      give: { name: "lease", state: "active" },
      says: "409 the order for the lessee stops it: lessee:acme-bj is suspended (order JG-1); open lessee:acme-bj; nothing was changed",
    },
    {
      name: "open a trunk that has an order of its own beside that: the own one goes",
      before: [{ name: "acme-bj" }, { name: "lease", state: "closed" }],
      give: { name: "lease", state: "active" },
      says: "trunk:lease suspended before closed by command",
    },
    {
      name: "until a day: its end",
      give: { name: "lease", until: "2026-11-30" },
      says: "trunk:lease suspended before active by command",
    },
    {
      name: "until a day that is over",
      give: { name: "lease", until: "2026-11-29" },
      says: "400 until: 2026-11-29 has passed (it is 2026-11-30T20:00:00.000+08:00)",
    },
    {
      name: "until now",
      give: { name: "lease", until: "2026-11-30T20:00" },
      says: "400 until: 2026-11-30T20:00 has passed (it is 2026-11-30T20:00:00.000+08:00)",
    },
    {
      name: "until no day",
      give: { name: "lease", until: "tomorrow" },
      says: "400 until: tomorrow is no date or time; expected 2026-12-31, or 2026-12-31T18:00 (Asia/Shanghai)",
    },
  ];
  for (const { name, policy, before = [], give, says } of rows) {
    const bench = build(policy === undefined ? {} : { policy });
    for (const earlier of before) await bench.give(earlier);
    const orders = [...bench.commanded.orders];
    const answer = await bench.give(give);
    await bench.lines.settled();
    t.equal(sayAnswer(answer), says, name);
    if (answer.result === "refused")
      t.same([...bench.commanded.orders], orders, `${name}: nothing was changed`);
    t.same(bench.kept().orders, bench.commanded.orders, `${name}: what holds is kept`);
    const told = bench.notes.length - before.length;
    t.equal(told, answer.result === "taken" ? 1 : 0, `${name}: an order that was taken is a record`);
  }
});

void t.test("orders: in force before anything is written, and taken back where that fails", async (t) => {
  const bench = build();
  const taken = bench.give({ name: "lease" });
  t.equal(bench.commanded.orders.get("trunk:lease")?.state, "suspended", "in the same turn");
  t.equal(bench.notes.length, 0, "told when it is kept");
  await taken;
  await bench.lines.settled();
  bench.broken = "no space left on the device";
  t.equal(
    sayAnswer(await bench.give({ name: "lease", state: "active" })),
    "503 the order can't be kept: no space left on the device; nothing was changed",
  );
  t.equal(bench.commanded.orders.get("trunk:lease")?.state, "suspended", "it is still stopped");
  t.equal(sayAnswer(await bench.give({ name: "intl" })).slice(0, 3), "503");
  t.same([...bench.commanded.orders.keys()], ["trunk:lease"]);
  t.equal(bench.notes.length, 1, "no record of what did not happen");
  bench.broken = undefined;
  t.equal(sayAnswer(await bench.give({ name: "lease", state: "active" })).slice(0, 18), "trunk:lease active");

  const homeless = build({ unkept: "the state folder state can't be used: it is no folder" });
  t.equal(
    sayAnswer(await homeless.give({ name: "lease" })),
    "503 the state folder state can't be used: it is no folder; nothing was changed",
  );
  t.equal(homeless.commanded.orders.size, 0);
});

void t.test("orders end and begin by themselves, and each change is a record", async (t) => {
  const bench = build({
    policy: brokenPolicy(
      ["limits:", "state: { state: observe, since: 2026-11-30T22:00, until: 2026-11-30T23:00 }\n    limits:"],
      ["numbers: acme.csv", "state: { state: closed, until: 2026-11-30T22:30 }\n    numbers: acme.csv"],
    ),
  });
  bench.lines.begin();
  t.same(bench.notes.splice(0).map(sayNote), ["lessee:acme-bj active to closed by file"]);
  await bench.give({ name: "lease", until: "2026-11-30T21:00" });
  t.same(bench.notes.splice(0).map(sayNote), ["trunk:lease active to suspended by command"]);
  const look = (hours: number): readonly string[] => {
    bench.now = NOW + hours * HOUR;
    bench.lines.tick();
    return bench.notes.splice(0).map(sayNote);
  };
  t.same(look(0.999), []);
  t.same(look(1), ["trunk:lease suspended to active by until"]);
  t.equal(bench.commanded.orders.size, 0);
  t.same(look(1.999), []);
  t.same(look(2), ["trunk:lease active to observe by file"]);
  t.same(look(2.5), ["lessee:acme-bj closed to active by until"]);
  t.same(look(3), ["trunk:lease observe to active by until"]);
  t.same(look(4), []);
  await bench.lines.settled();
  t.same([...bench.kept().states], [], "and so it is kept");
});

void t.test("a reload that changes a state is a record; a line that leaves keeps its order", async (t) => {
  const bench = build();
  bench.lines.begin();
  await bench.give({ name: "intl", state: "closed" });
  bench.notes.length = 0;
  bench.policy = policyOf(closedInFile);
  bench.lines.policyChanged();
  t.same(bench.notes.splice(0), [
    {
      record: "order",
      time: "2026-11-30T12:00:00.000Z",
      line: "trunk:lease",
      state: "closed",
      previous: "active",
      order: "F-1",
      reason: "",
      by: "file",
    },
  ]);
  bench.lines.policyChanged();
  t.same(bench.notes, [], "once");
  bench.policy = policyOf(soundPolicy.replace(/ {2}- id: intl\n(?: {4}.*\n)+/u, () => ""));
  bench.lines.policyChanged();
  bench.lines.policyChanged();
  t.same(bench.notes.splice(0).map(sayNote), ["trunk:lease closed to active by file"]);
  t.same(bench.warnings, [
    "an order for trunk:intl is kept, and the policy has no such line: it holds again when the line is there",
  ]);
  t.equal(bench.commanded.orders.get("trunk:intl")?.state, "closed");
  t.equal(sayAnswer(await bench.give({ name: "intl" })).slice(0, 26), "404 unknown trunk or lesse");
  t.equal(
    sayAnswer(await bench.give({ name: "intl", state: "active" })),
    "trunk:intl active before closed by undefined",
    "it can be taken away all the same",
  );
});

const suspended: LineOrder = { state: "suspended", order: "JG-1", reason: "a test", calls: "keep" };
const orderOf = (line: LineId, order: LineOrder): KeptLines["orders"] => new Map([[line, order]]);

void t.test("a start: what was kept holds, and what changed meanwhile is told once", async (t) => {
  const late: OrderNote = {
    record: "order",
    time: "2026-11-30T11:00:00.000Z",
    line: "trunk:lease",
    state: "suspended",
    previous: "active",
    order: "JG-1",
    reason: "a test",
    by: "command",
  };
  const first = build({
    kept: { ...NO_LINES, orders: orderOf("trunk:lease", suspended), untold: [late] },
  });
  t.equal(first.commanded.orders.get("trunk:lease")?.state, "suspended", "before the first call");
  first.lines.begin();
  t.same(first.notes, [late], "an order that no record has is told as it was");
  await first.lines.settled();
  t.same(first.kept().untold, []);
  const second = build({ kept: first.kept() });
  second.lines.begin();
  t.same(second.notes, [], "and not again");
  const ended = build({
    kept: {
      orders: orderOf("trunk:lease", { ...suspended, until: NOW }),
      changes: new Map([["trunk:lease", { at: NOW - HOUR, node: "" }]]),
      states: new Map([["trunk:lease", "suspended"]]),
      untold: [],
    },
  });
  ended.lines.begin();
  t.same(
    ended.notes.map(sayNote),
    ["trunk:lease suspended to active by until"],
    "it ended while nothing ran",
  );
});

void t.test("release: of the trunks of the line, once, and counted", async (t) => {
  const asked: string[][] = [];
  const counts = { released: 3, gone: 1, notReleasable: 2 };
  const release = (trunks: ReadonlySet<string>): Promise<Released> => {
    asked.push([...trunks]);
    return Promise.resolve(counts);
  };
  const bench = build({ release });
  const answer = await bench.give({ name: "acme-bj", calls: "release" });
  t.match(answer, { taken: { line: "lessee:acme-bj", ...counts } });
  t.match(bench.notes, [{ line: "lessee:acme-bj", calls: "release", ...counts }]);
  await bench.give({ name: "intl" });
  t.same(asked.splice(0), [["lease"]], "keep releases nothing");

  const byFile = build({
    release,
    policy: brokenPolicy(["limits:", "state: { state: closed, calls: release }\n    limits:"]),
  });
  byFile.lines.begin();
  byFile.lines.tick();
  await new Promise(setImmediate);
  t.same(asked.splice(0), [["lease"]], "the file releases too, once");
  t.match(byFile.notes, [{ line: "trunk:lease", by: "file", calls: "release", ...counts }]);

  const faults: unknown[] = [];
  const failing = build({
    release: () => Promise.reject(new Error("our own")),
    callsOn: () => 4,
    fault: (error) => faults.push(error),
  });
  t.match(await failing.give({ name: "lease", calls: "release" }), {
    taken: { state: "suspended", released: 0, gone: 0, notReleasable: 4 },
  });
  t.match(
    failing.notes,
    [{ line: "trunk:lease", state: "suspended", notReleasable: 4 }],
    "told all the same",
  );
  t.match(faults, [{ message: "our own" }]);

  const without = build({ callsOn: (trunk) => (trunk === "lease" ? 5 : 7) });
  t.match(await without.give({ name: "lease", calls: "release" }), {
    taken: { released: 0, gone: 0, notReleasable: 5 },
  });
});

void t.test("an order is told once, however long its calls need and its disk takes", async (t) => {
  const released: (() => void)[] = [];
  const { lines, notes, give } = build({
    release: () =>
      new Promise((resolve) => released.push(() => resolve({ released: 3, gone: 0, notReleasable: 0 }))),
  });
  const first = give({ name: "lease", state: "closed", calls: "release" });
  lines.tick();
  lines.policyChanged();
  await lines.settled();
  lines.tick();
  lines.policyChanged();
  t.same(notes, [], "nobody tells the order before its calls are released");
  // Another order for the line meanwhile is told at once.
  const second = give({ name: "lease", state: "suspended", order: "JG-2" });
  await second;
  lines.tick();
  t.same(notes.map(sayNote), ["trunk:lease closed to suspended by command"]);
  t.equal(released.length, 1);
  released[0]?.();
  await first;
  lines.tick();
  t.match(notes.slice(1), [{ by: "command", order: "JG-1", released: 3 }]);
  t.equal(notes.length, 2, "the state that holds was told: the late count changes nothing");
});

void t.test("two orders for a line that can't be kept: neither is in force", async (t) => {
  const rows = [
    { name: "one after the other", states: ["suspended", "closed"] },
    { name: "the second one opens", states: ["suspended", "active"] },
  ] as const;
  for (const { name, states } of rows) {
    const bench = build();
    bench.broken = "ENOSPC: no space left on device";
    const answers = await Promise.all(states.map((state) => bench.give({ name: "lease", state })));
    t.same(
      answers.map(({ result }) => result),
      ["refused", "refused"],
      name,
    );
    t.same([...bench.commanded.orders], [], `${name}: nothing was changed`);
    bench.lines.tick();
    t.same(bench.notes, [], `${name}: nothing is told`);
  }
});

void t.test("a rule that does not enforce: the answer warns", async (t) => {
  const bench = build({ policy: brokenPolicy(["rules:\n", "rules:\n  line-state: { mode: monitor }\n"]) });
  t.match(await bench.give({ name: "lease" }), {
    taken: { warnings: ['rule line-state is monitor on trunk "lease": its calls pass'] },
  });
});
