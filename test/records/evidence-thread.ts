// Evidence in the records thread: its own lock, disks that fail one without the other, threads and processes that end.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import t from "tap";
import type { EvidenceMode } from "../../src/domain/trunk.ts";
import { verifyEvidence } from "../../src/cli/evidence-verify.ts";
import { createBlockReader, isPacket, lineOf } from "../../src/records/evidence/block-reader.ts";
import { listSegments } from "../../src/records/evidence/log-files.ts";
import { until } from "../support/until.ts";
import { forwardedCall, NODE } from "./line-maker.ts";
import { evidenceIn, NOW, place, refusal } from "./records-place.ts";

const DAY = 86_400_000;

/** The lines of every block, in their order. */
function blocksIn(folder: string): readonly Readonly<Record<string, unknown>>[] {
  const lines: Readonly<Record<string, unknown>>[] = [];
  for (const { path } of listSegments(folder, NODE))
    createBlockReader().read(path, (block) => {
      if (isPacket(block)) lines.push(JSON.parse(lineOf(block)));
      return true;
    });
  return lines;
}

function verified(folder: string): string {
  let said = "";
  const output = { write: (text: string) => (said += text) };
  const options = { checkpoints: [], key: undefined, stdout: output, stderr: output };
  return verifyEvidence(folder, options) === 0 ? "right" : said;
}

void t.test("evidence: one process a node, also where only the evidence is shared", async (t) => {
  const { open, prove, folder } = place(t);
  const evidence = evidenceIn(folder);
  open({}, undefined, evidence);
  const refused = /^process \d+ writes the evidence of node gw-a in .*give each process a `node` of its own/u;
  t.throws(() => open({ folder: join(folder, "../elsewhere") }, undefined, evidence), refused);
  t.throws(() => prove(evidence), refused);
  await until(() => existsSync(evidence.folder));
});

for (const isLinked of [false, true])
  void t.test(`evidence: in the folder of the records${isLinked ? ", by a link" : ""}`, async (t) => {
    const { open, folder, lines } = place(t);
    mkdirSync(folder);
    const linked = join(folder, "../linked");
    if (isLinked) symlinkSync(folder, linked);
    const records = open({}, undefined, { ...evidenceIn(folder), folder: isLinked ? linked : folder });
    records.happened(refusal(1));
    await until(() => records.evidence.kept() === 1);
    await records.close();
    t.equal(lines().length, 1);
    t.equal(readFileSync(join(folder, "gw-a.lock"), "latin1"), "");
    t.equal(verified(folder), "right");
  });

void t.test("evidence: goes on while no record line can be written", async (t) => {
  const { open, folder, lines } = place(t, { records: "a file in its place" });
  const evidence = evidenceIn(folder);
  const records = open({}, undefined, {
    ...evidence,
    perTrunk: { blocksPerSecond: 1e6, megabytesPerDay: 1e6 },
  });
  await until(() => !records.figures().isOk);
  // Many times what is written at a time.
  const COUNT = 5000;
  for (let count = 1; count <= COUNT; count++) {
    records.happened(refusal(count));
    if (count % 500 === 0) await until(() => records.evidence.kept() === count);
  }
  t.match(records.figures().evidence, { isOk: true, full: 0, disk: 0 }, "no message was missed");
  rmSync(folder);
  await until(() => records.figures().isOk);
  await records.close();
  t.equal(lines().filter(({ record }) => record === "decided").length, COUNT, "no line either");
  t.equal(blocksIn(evidence.folder).length, COUNT);
  t.equal(verified(evidence.folder), "right");
});

/** How many threads of this process have a low priority (proc(5), stat: field 19 is the nice value). */
function lowThreads(): number {
  return readdirSync("/proc/self/task").filter((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16] === "10";
  }).length;
}

void t.test("evidence: its thread has the priority of the calls while any trunk waits for it", async (t) => {
  const { open, folder, said } = place(t);
  const before = lowThreads();
  const records = open({}, undefined, { ...evidenceIn(folder), durability: "async" });
  const trunk = { lessee: undefined, longestCall: 1e12 };
  const reload = (...modes: readonly (EvidenceMode | undefined)[]): void =>
    records.know(modes.map((evidence, index) => ({ ...trunk, id: `trunk-${index}`, evidence })));
  reload(undefined, "before-reject");
  records.happened(refusal(1));
  await until(() => records.evidence.kept() === 1);
  t.equal(lowThreads(), before, "one trunk alone waits");
  reload(undefined, "off");
  await until(() => lowThreads() === before + 1);
  reload("before-reject", "off");
  // A process without privileges may not raise it, and says so.
  await until(() => lowThreads() === before || said.some((line) => line.includes("LimitNICE")));
  if (process.getuid?.() === 0) t.equal(lowThreads(), before, "after a reload too");
});

void t.test(
  "evidence: lines are lost for long, and no block is; onFull refuses calls all the time",
  async (t) => {
    const { open, folder, lines } = place(t, { records: "a file in its place" });
    const evidence = evidenceIn(folder);
    const perTrunk = { blocksPerSecond: 1e6, megabytesPerDay: 1e6 };
    const records = open({ onFull: "refuse" }, 1 << 20, { ...evidence, perTrunk });
    await until(() => !records.figures().isOk);
    let count = 0;
    // The ring holds some hundred events, the lines that wait for the disk some ten thousand of these.
    const answers = new Set<boolean>();
    const bytes = Buffer.from(`INVITE sip:1@2 SIP/2.0\r\nUser-Agent: ${"x".repeat(250)}\r\n\r\n`);
    while (records.figures().lost < 1000) {
      for (let more = 0; more < 300; more++) records.happened({ ...refusal(++count), bytes });
      await until(() => records.evidence.kept() === count);
      answers.add(records.isFull("trunk-1"));
    }
    t.same([...answers], [true], "new calls of screened trunks are refused");
    t.match(records.figures().evidence, { isOk: true, full: 0, disk: 0 }, "no message was missed");
    rmSync(folder);
    await until(() => records.figures().isOk);
    t.notOk(records.isFull("trunk-1"), "calls are taken again");
    records.happened(refusal(count + 1));
    await records.close();
    const { lost } = records.figures();
    const found = lines();
    t.match(
      found.filter(({ record }) => record === "gap"),
      [{ lost, why: /^nothing could be written: .*records/u }],
      "one gap tells all lines that were lost",
    );
    t.equal(found.filter(({ record }) => record === "decided").length, count + 1 - lost);
    t.same(
      blocksIn(evidence.folder).map(({ id }) => id),
      Array.from({ length: count + 1 }, (_, index) => `gw-a-t3k9x1-${index + 1}`),
      "evidence has every refusal",
    );
    t.equal(verified(evidence.folder), "right");
  },
);

void t.test(
  "evidence: a thread that ends while lines wait takes them with it, and a gap tells them",
  async (t) => {
    const { open, folder, lines } = place(t, { records: "a file in its place" });
    const evidence = evidenceIn(folder);
    const threads: Worker[] = [];
    const started = (thread: Worker): unknown => threads.push(thread);
    process.on("worker", started);
    t.teardown(() => process.off("worker", started));
    const records = open({}, undefined, evidence);
    records.happened(refusal(1));
    await until(() => records.evidence.kept() === 1);
    records.happened(refusal(2));
    await until(() => records.evidence.kept() === 2);
    await threads[0]?.terminate();
    await until(() => threads.length === 2);
    records.happened(refusal(3));
    await until(() => records.evidence.kept() === 3);
    rmSync(folder);
    await until(() => records.figures().isOk);
    await records.close();
    t.equal(records.figures().lost, 2);
    const told = lines();
    t.match(
      told.filter(({ record }) => record === "gap"),
      [{ lost: 2, why: "nothing could be written: the thread before this one has ended" }],
    );
    t.equal(told.length, 2);
    t.equal(blocksIn(evidence.folder).length, 3, "no block is there twice");
  },
);

void t.test(
  "evidence: a thread that ends takes no ticket with it, and refuses no call afterwards",
  async (t) => {
    const { open, folder, lines } = place(t);
    const evidence = evidenceIn(folder);
    const threads: Worker[] = [];
    const started = (thread: Worker): unknown => threads.push(thread);
    process.on("worker", started);
    t.teardown(() => process.off("worker", started));
    const records = open({ onFull: "refuse" }, undefined, { ...evidence, onFull: "refuse" });
    const { ticket, kept } = records.evidence;
    records.happened(refusal(1));
    await until(() => kept() === 1 && lines().length === 1);
    // The log takes messages, and can't write them.
    rmSync(join(evidence.folder, "2026-11-30"), { recursive: true });
    rmSync(evidence.folder, { recursive: true });
    writeFileSync(evidence.folder, "in the way");
    records.happened(refusal(2, NOW + DAY));
    await until(() => !records.figures().evidence.isOk);
    t.ok(records.isFull("trunk-1"));
    t.equal(kept(), 1);
    // With the second of these lines the refusal is out of the ring.
    for (const more of [3, 4]) {
      records.happened(forwardedCall(more, {}, NOW));
      await until(() => lines().length === more);
    }
    await threads[0]?.terminate();
    await until(() => !records.figures().isOk);
    rmSync(evidence.folder);
    await until(() => records.figures().isOk && records.figures().evidence.isOk);
    await until(() => kept() === 2);
    t.notOk(records.isFull("trunk-1"), "calls are taken again");
    records.happened(refusal(5));
    t.equal(ticket(), 3);
    await until(() => kept() === 3);
    t.equal(records.figures().evidence.disk, 1, "what the thread had not written is counted");
    await records.close();
    t.match(
      blocksIn(evidence.folder).map(({ record, lost }) => [record, lost]),
      [
        ["gap", 1],
        ["decided", undefined],
      ],
      "and told",
    );
  },
);

void t.test("evidence alone: after a kill a gap in the log says so", async (t) => {
  const { prove, folder } = place(t, { "evidence/gw-a.lock": "123456789\n" });
  const evidence = evidenceIn(folder);
  const records = prove(evidence);
  records.happened(refusal(1));
  await until(() => records.evidence.kept() === 1);
  await records.close();
  const [gap, call, ...more] = blocksIn(evidence.folder);
  t.match(
    [gap, call].find((line) => line?.["record"] === "gap")?.["why"],
    /the process before this one was killed: /u,
  );
  t.same(more, []);
  const again = prove(evidence);
  again.happened(refusal(2));
  await until(() => again.evidence.kept() === 1);
  await again.close();
  t.equal(blocksIn(evidence.folder).length, 3, "an orderly restart is no gap");
});

void t.test("evidence alone: a folder that is writable later is locked then", async (t) => {
  const { prove, folder } = place(t, { evidence: "a file in its place" });
  const evidence = evidenceIn(folder);
  const records = prove(evidence);
  await until(() => !records.figures().evidence.isOk);
  rmSync(evidence.folder);
  await until(() => records.figures().evidence.isOk);
  t.throws(() => prove(evidence), /^process \d+ writes the evidence of node gw-a/u);
});

void t.test("evidence: an end that can't write it says so, and leaves its pid", async (t) => {
  const { open, said, folder } = place(t);
  const evidence = evidenceIn(folder);
  const records = open({}, undefined, evidence);
  records.happened(refusal(1));
  await until(() => records.evidence.kept() === 1);
  // A file where the folder of the next day should be.
  writeFileSync(join(evidence.folder, "2026-12-01"), "");
  for (let count = 2; count <= 4; count++) records.happened(refusal(count, NOW + DAY));
  await until(() => !records.figures().evidence.isOk);
  await records.close();
  t.match(
    said.at(-1),
    /^error the last evidence could not be written to .*the next start tells it as a gap$/u,
  );
  t.match(readFileSync(join(evidence.folder, "gw-a.lock"), "latin1"), `${process.pid}`);
  t.equal(records.figures().lost, 0, "the lines are all there");
});
