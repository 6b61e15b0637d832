// Orders for the quarantine, its list and its journal: what is taken, kept, found again, and what can't be.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import {
  appendJournal,
  journalPath,
  readJournal,
  replaceJournal,
  wholeJournal,
  writeJournalLine,
} from "../../src/app/quarantine/quarantine-journal.ts";
import type { FindingNote } from "../../src/app/quarantine/quarantine-lines.ts";
import { readQuarantineRequest, type QuarantineRow } from "../../src/app/quarantine/quarantine-request.ts";
import { openQuarantine } from "../../src/app/quarantine/open-quarantine.ts";
import { createQuarantine, type Quarantine } from "../../src/app/quarantine/quarantine.ts";
import { keepAnswered, restoreAnswered } from "../../src/app/counts/answered-file.ts";
import type { Finding } from "../../src/domain/finding.ts";
import { createLog, type LogEntry } from "../../src/observe/log.ts";
import type { FindingInForce } from "../../src/screening/detectors/findings.ts";
import { createAnsweredPairs } from "../../src/state/quarantine/answered-pairs.ts";
import type { Held } from "../../src/state/quarantine/held.ts";
import { createQuarantineTable, type QuarantineTable } from "../../src/state/quarantine/quarantine-table.ts";
import { DAY, makeState, NOW } from "../support/attempt.ts";
import { basicPolicy, compileText } from "../support/proxy.ts";
import { until } from "../support/until.ts";

const HOUR = 3_600_000;
const person = (index: number): string => `+86139${10_000_000 + index}`;
const victim = "+8613800138000";

const held: Held = {
  id: "f1-1",
  holder: "one-ring",
  profile: "1",
  subject: { kind: "caller", trunk: "lease", number: person(1) },
  since: NOW,
  until: NOW + DAY,
  mark: "label",
  markUntil: NOW + 2 * DAY,
  calls: 9,
  strength: 10,
  participants: [],
};
const shield: Held = {
  ...held,
  id: "f1-2",
  holder: "call-bombing",
  subject: { kind: "called", number: victim },
  participants: [{ trunk: "lease", number: person(2) }],
};

function openFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-quarantine-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

void t.test("the journal: what is appended is read again; the last line of an entry holds", async (t) => {
  const folder = openFolder(t);
  t.same(readJournal(folder, NOW), { entries: [], lines: 0, trouble: undefined }, "none yet");
  const participant = { trunk: "intl", number: "+14155550123" };
  await appendJournal(folder, writeJournalLine({ held }) + writeJournalLine({ held: shield }));
  await appendJournal(folder, writeJournalLine({ join: "f1-2", participant }));
  await appendJournal(folder, writeJournalLine({ held: { ...held, id: "f1-3", until: NOW + 3 * DAY } }));
  const joined = { ...shield, participants: [...shield.participants, participant] };
  t.same(readJournal(folder, NOW), {
    entries: [joined, { ...held, id: "f1-3", until: NOW + 3 * DAY }],
    lines: 4,
    trouble: undefined,
  });
  t.same(
    readJournal(folder, NOW + 2 * DAY).entries.map(({ id }) => id),
    ["f1-3"],
    "what has ended is left out",
  );
  await replaceJournal(folder, wholeJournal([joined]));
  t.same(readJournal(folder, NOW), { entries: [joined], lines: 1, trouble: undefined });
});

void t.test(
  "the journal: a cut end is passed over, a damaged line is told, and the others hold",
  async (t) => {
    const folder = openFolder(t);
    await appendJournal(folder, writeJournalLine({ held }) + writeJournalLine({ held: shield }));
    const text = readFileSync(journalPath(folder), "utf8");
    appendFileSync(journalPath(folder), text.slice(0, 60));
    t.match(readJournal(folder, NOW), { entries: [{ id: "f1-1" }, { id: "f1-2" }], trouble: undefined });
    writeFileSync(journalPath(folder), text.slice(0, 60));
    t.same(
      readJournal(folder, NOW),
      { entries: [], lines: 1, trouble: undefined },
      "a first line that was cut: the file is written anew, so that the next line does not stand behind it",
    );
    for (let at = 0; at < text.length - 1; at += 11) {
      const octets = Buffer.from(text);
      octets[at]! ^= 1 << (at % 7);
      writeFileSync(journalPath(folder), octets);
      const { entries, trouble } = readJournal(folder, NOW);
      t.ok(entries.length === 1 || (octets[at] === 10 && entries.length === 0), `octet ${at}`);
      t.match(trouble, /has \d lines that can't be read/, `octet ${at}`);
    }
  },
);

interface Desk {
  readonly quarantine: Quarantine;
  readonly table: QuarantineTable;
  readonly notes: readonly FindingNote[];
  readonly order: (body: object) => Promise<string>;
  setTime: (now: number) => void;
}

function openDesk(
  detectors: string,
  given: {
    readonly findings?: readonly FindingInForce[];
    readonly failing?: boolean;
    readonly capacity?: number;
  } = {},
): Desk {
  const policy = compileText(`${basicPolicy}detectors: ${detectors}\n`);
  const table = createQuarantineTable(given.capacity);
  const notes: FindingNote[] = [];
  let now = NOW;
  let orders = 0;
  const quarantine = createQuarantine({
    table,
    kept: [],
    policy: () => policy,
    now: () => now,
    keep: () => (given.failing === true ? Promise.reject(new Error("no space left")) : Promise.resolve()),
    unkept: () => undefined,
    note: (line) => void notes.push(line),
    findings: () => given.findings ?? [],
    name: () => `o1-${++orders}`,
    fault: () => undefined,
  });
  return {
    quarantine,
    table,
    notes,
    setTime: (next) => (now = next),
    async order(body) {
      const request = readQuarantineRequest({ reason: "a test", ...body });
      if (typeof request === "string") return request;
      const answer = await quarantine.order(request);
      return answer.result === "refused"
        ? `${answer.status} ${answer.message}`
        : answer.taken.map(({ id, subject, state }) => `${id} ${subject} ${state}`).join(", ");
    },
  };
}

const bombing: FindingInForce = {
  id: "f1-9",
  detector: "call-bombing",
  profile: "1",
  subject: { kind: "called", number: victim },
  at: NOW,
  until: NOW + DAY,
  strength: 12,
  calls: 9,
  participants: [{ trunk: "lease", number: person(1) }],
};

void t.test(
  "orders: subjects as people write them, added, renewed, released by id and by subject",
  async (t) => {
    const { order, table, notes, quarantine } = openDesk("{ one-ring: {} }");
    t.equal(
      await order({ order: "add", subject: "caller:13910000001@lease", for: "30m" }),
      `o1-1 caller:${person(1)}@lease in force`,
    );
    t.equal(
      await order({ order: "add", subject: `callerBlock:${person(42)}@lease`, for: "1d" }),
      `o1-2 callerBlock:${person(0)}@lease in force`,
    );
    t.equal(
      await order({ order: "add", subject: "caller:95588@lease", for: "1d" }),
      "o1-3 caller:95588@lease in force",
    );
    t.equal(
      await order({ order: "add", subject: `caller:${person(1)}@lease`, for: "7d" }),
      `o1-4 caller:${person(1)}@lease in force`,
      "renewed",
    );
    t.equal(table.count, 3);
    t.match(
      await order({ order: "release", id: "o1-1" }),
      /^404 nothing is in quarantine as o1-1/,
      "the renewed one has another id",
    );
    t.equal(await order({ order: "release", id: "o1-4" }), `o1-4 caller:${person(1)}@lease released`);
    t.equal(
      await order({ order: "release", subject: "caller:95588@lease" }),
      "o1-3 caller:95588@lease released",
    );
    t.same(
      notes.map(({ id, order: what, mode, by }) => `${id ?? ""} ${what ?? ""} ${mode} ${by ?? ""}`),
      ["o1-1 add", "o1-2 add", "o1-3 add", "o1-4 add", "o1-4 release", "o1-3 release"].map(
        (text) => `${text} enforce command`,
      ),
    );
    t.same([...quarantine.counts()], [["command", 1]]);
  },
);

void t.test("orders: a party is shielded from whom a finding names, and from who joins it", async (t) => {
  const { order, table, quarantine } = openDesk("{ call-bombing: {} }", { findings: [bombing] });
  t.match(
    await order({ order: "add", subject: "called:+8613800138001", for: "1d" }),
    /^409 no finding names callers that bomb/,
  );
  t.equal(
    await order({ order: "add", subject: `called:${victim}`, for: "1d" }),
    `o1-1 called:${victim} in force`,
  );
  const entry = table.get("command", bombing.subject);
  t.same(entry?.held.participants, bombing.participants);
  quarantine.join(bombing, { trunk: "lease", number: person(2) }, false);
  t.equal(entry?.held.participants.length, 2);
  quarantine.take({
    ...bombing,
    id: "f1-10",
    evidence: [],
    facts: {},
    participants: [1, 2, 3].map((index) => ({ trunk: "lease", number: person(index) })),
  });
  t.equal(entry?.held.participants.length, 3, "and from whom a later finding names");
  t.equal(
    await order({ order: "release", subject: `called:${victim}` }),
    `o1-1 called:${victim} released, f1-9 called:${victim} released`,
    "the order, and the finding",
  );
});

void t.test("orders: a finding in mode monitor is listed, and released before it ever binds", async (t) => {
  const { order, quarantine, table } = openDesk(
    "{ call-bombing: { mode: enforce, quarantine: { subject: called } } }",
    {
      findings: [bombing],
    },
  );
  t.match(quarantine.list(0), {
    next: undefined,
    rows: [
      {
        id: "f1-9",
        state: "monitor only",
        subject: `called:${victim}`,
        calls: 9,
        participants: 1,
        refused: 0,
      },
    ],
  });
  t.equal(await order({ order: "release", id: "f1-9" }), `f1-9 called:${victim} released`);
  const finding: Finding = { ...bombing, evidence: [], facts: { calls: 9 }, id: "f1-10" };
  t.same(quarantine.take(finding), { unbound: "released" });
  t.match(quarantine.take({ ...finding, strength: 47 }), { unbound: "released" }, "nearly fourfold");
  t.match(
    quarantine.take({ ...finding, strength: 48 }),
    { entry: { held: { id: "f1-10" } } },
    "it has grown fourfold",
  );
  t.equal(table.size, 1);
});

void t.test("orders: what can't be kept is not in force, and a full quarantine says so", async (t) => {
  const failing = openDesk("{}", { failing: true });
  t.equal(
    await failing.order({ order: "add", subject: "trunk:lease", for: "1d" }),
    "503 the order can't be kept: no space left; nothing was changed",
  );
  t.equal(failing.table.size, 0);
  t.same(failing.notes, []);
  const full = openDesk("{}", { capacity: 4 });
  for (let i = 0; i < 4; i++)
    await full.order({ order: "add", subject: `caller:${person(i)}@lease`, for: "1h" });
  t.equal(
    await full.order({ order: "add", subject: "trunk:lease", for: "1d" }),
    "503 the quarantine is full (4 entries); nothing was changed",
  );
  full.setTime(NOW + HOUR);
  full.quarantine.tick();
  t.equal(full.table.count, 0, "they have ended");
});

void t.test("the list comes in parts, entries before findings, each once", async (t) => {
  const findings = Array.from({ length: 333 }, (_, i) => ({
    ...bombing,
    id: `f1-${i}`,
    subject: { kind: "called", number: person(i) } as const,
  }));
  const desk = openDesk("{}", { findings });
  for (let i = 0; i < 300; i++)
    await desk.order({ order: "add", subject: `caller:${person(i)}@lease`, for: "1h" });
  const rows: QuarantineRow[] = [];
  const sizes: number[] = [];
  for (let next: number | undefined = 0; next !== undefined;) {
    const page = desk.quarantine.list(next);
    rows.push(...page.rows);
    sizes.push(page.rows.length);
    ({ next } = page);
  }
  t.same(sizes, [200, 200, 200, 33]);
  t.equal(new Set(rows.map(({ subject }) => subject)).size, 633);
  t.equal(rows[299]?.detector, "command");
  t.equal(rows[300]?.detector, "call-bombing");
});

/** A quarantine as a filter opens it. */
function openFilter(t: Test, folder: string, why?: string) {
  const state = makeState();
  const entries: LogEntry[] = [];
  const policy = compileText(
    `${basicPolicy}detectors: { one-ring: { mode: enforce, quarantine: { subject: caller } } }\n`,
  );
  const opened = openQuarantine({
    folder: { path: folder, why, epoch: 36 },
    state,
    policy: () => policy,
    findings: () => [],
    note: () => undefined,
    log: createLog("info", Date.now, (entry) => void entries.push(entry)),
    fault: () => undefined,
  });
  t.teardown(opened.close);
  return { ...opened, state, entries };
}

const finding: Finding = {
  id: "f10-1",
  detector: "one-ring",
  profile: "1",
  subject: { kind: "caller", trunk: "lease", number: person(1) },
  at: Date.now(),
  until: Date.now() + DAY,
  evidence: [],
  facts: { calls: 8 },
  strength: 10,
  participants: [],
};

void t.test("a state folder: findings are kept behind the calls, and found by the next filter", async (t) => {
  const folder = openFolder(t);
  const first = openFilter(t, folder);
  t.match(first.take(finding), { entry: { isOn: true } });
  for (let i = 2; i < 500; i++)
    first.take({
      ...finding,
      id: `f10-${i}`,
      subject: { kind: "caller", trunk: "lease", number: person(i) },
    });
  await first.close();
  const second = openFilter(t, folder);
  t.equal(second.state.quarantine.size, 499);
  t.ok(second.isKept());
  await second.close();
  t.equal(readJournal(folder, Date.now()).lines, 499);

  appendFileSync(journalPath(folder), "0123456789abcdef {}\n");
  const third = openFilter(t, folder);
  t.match(third.entries, [{ level: "error", message: /has 1 lines that can't be read/ }]);
  t.equal(third.state.quarantine.size, 499, "the others hold");
  t.match(readFileSync(`${journalPath(folder)}.damaged`, "utf8"), /0123456789abcdef \{\}\n$/, "set aside");
  t.notOk(third.isKept(), "something may be missing");
  const request = readQuarantineRequest({ order: "add", subject: "trunk:lease", for: "1h", reason: "x" });
  if (typeof request === "string") throw new Error(request);
  t.match(await third.order(request), { result: "taken" });
  t.ok(third.isKept(), "until an operator has looked");
  await third.close();
});

void t.test(
  "a state folder that can't be written: findings bind all the same, an order is refused",
  async (t) => {
    const none = openFilter(t, "", "it is taken");
    t.match(none.take(finding), { entry: { isOn: true } });
    t.notOk(none.isKept());
    const request = readQuarantineRequest({ order: "add", subject: "trunk:lease", for: "1h", reason: "x" });
    if (typeof request === "string") throw new Error(request);
    t.match(await none.order(request), {
      result: "refused",
      status: 503,
      message: /can't be used: it is taken; nothing was changed/,
    });

    const folder = openFolder(t);
    const gone = openFilter(t, join(folder, "gone"));
    t.match(await gone.order(request), {
      result: "refused",
      status: 503,
      message: /the order can't be kept: ENOENT/,
    });
    gone.take(finding);
    await until(() => !gone.isKept());
    t.equal(gone.state.quarantine.size, 1, "the finding binds");
  },
);

void t.test("who answered whom is kept in a file, and a damaged one is told", (t) => {
  const path = join(openFolder(t), "answered.pairs");
  const pairs = createAnsweredPairs(1024);
  t.equal(restoreAnswered(path, pairs), undefined, "none yet");
  pairs.note(1, 2, NOW, false);
  if (pairs.shared === undefined) throw new Error("nothing was noted");
  keepAnswered(path, pairs.shared, NOW);
  const next = createAnsweredPairs(1024);
  t.equal(restoreAnswered(path, next), undefined);
  t.ok(next.has(1, 2, NOW));
  const octets = readFileSync(path);
  for (const [name, damaged, says] of [
    ["cut", octets.subarray(0, -1), "it is no such file"],
    ["empty", Buffer.alloc(0), "it is no such file"],
    [
      "changed",
      Buffer.from(octets.map((octet, i) => (i === 99 ? octet ^ 1 : octet))),
      "it was cut or changed after it was written",
    ],
  ] as const) {
    writeFileSync(path, damaged);
    const fresh = createAnsweredPairs(1024);
    t.equal(restoreAnswered(path, fresh), says, name);
    t.notOk(fresh.has(1, 2, NOW));
  }
  t.end();
});
