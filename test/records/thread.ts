// The records thread: lines on disk within its pause, tickets, one process a node, and a folder that can't be written.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { verifyEvidence } from "../../src/cli/evidence-verify.ts";
import { until } from "../support/until.ts";
import { endOf, forwardedCall, NODE } from "./line-maker.ts";
import { evidenceIn, NOW, place, refusal } from "./records-place.ts";

void t.test("thread: lines of calls and of others, then an orderly end", async (t) => {
  const { open, lines, folder, said } = place(t);
  const records = open();
  records.know([{ id: "trunk-1", lessee: "acme", longestCall: 1e12, evidence: undefined }]);
  records.note({ record: "policy", revision: "r1", cause: "half a pair: \ud83d" });
  for (let count = 1; count <= 100; count++) records.happened(forwardedCall(count, {}, NOW));
  records.happened({ kind: "ringing", call: { id: "x", trunk: "y" }, at: NOW });
  records.happened(endOf(1, NOW));
  await until(() => lines().length === 102);
  const found = lines();
  t.match(
    found.find(({ record }) => record === "policy"),
    { node: NODE, revision: "r1", cause: "half a pair: \ufffd" },
  );
  t.same(
    found.filter(({ record }) => record === "decided").map(({ id }) => id),
    Array.from({ length: 100 }, (_, index) => `gw-a-t3k9x1-${index + 1}`),
    "in their order",
  );
  t.match(
    found.find(({ record }) => record === "ended"),
    { lessee: "acme", seconds: 57.8 },
  );
  t.match(readFileSync(join(folder, "gw-a.lock"), "latin1"), `${process.pid}`);
  t.equal(statSync(folder).mode & 0o777, 0o700);
  await until(() => records.figures().bytes > 0);
  // A last line that no pause has written yet.
  records.happened(endOf(2, NOW));
  await records.close();
  t.equal(lines().length, 103);
  t.equal(readFileSync(join(folder, "gw-a.lock"), "latin1"), "", "nothing was lost");
  t.match(readFileSync(join(folder, "gw-a.open"), "latin1"), /^sigwall-open 1 \d+\n/u);
  t.equal(readFileSync(join(folder, "gw-a.open"), "latin1").trim().split("\n").length, 1 + 98);
  t.match(records.figures(), { isOk: true, lost: 0 });
  t.same(said, []);

  const again = open();
  again.happened(forwardedCall(200, {}, NOW));
  await until(() => lines().length === 104);
  t.notOk(
    lines().some(({ record }) => record === "gap"),
    "an orderly restart is no gap",
  );
});

void t.test("thread: one process a node", async (t) => {
  const { open, folder } = place(t);
  open();
  t.throws(
    () => open(),
    /^process \d+ writes the records of node gw-a in .*give each process a `node` of its own/u,
  );
  await until(() => existsSync(folder));
});

void t.test("thread: a ticket is kept when the evidence of its refusal is on disk", async (t) => {
  const { open, folder, lines } = place(t);
  const records = open({}, undefined, evidenceIn(folder));
  const { ticket, kept } = records.evidence;
  const woken: number[] = [];
  records.onDurable(() => woken.push(kept()));
  records.happened(forwardedCall(1, {}, NOW));
  t.equal(ticket(), 0, "an accepted call has none");
  records.happened(refusal(2));
  t.equal(ticket(), 1);
  records.happened(refusal(3));
  t.equal(ticket(), 2);
  await until(() => woken.at(-1) === 2);
  for (let count = 4; count <= 12; count++) records.happened(refusal(count));
  t.equal(ticket(), 0, "beyond the budget of its trunk nothing is kept, and nothing waited for");
  await until(() => kept() === 5);
  t.match(records.figures().evidence, { isOk: true, full: 0, beyond: 6, disk: 0 });
  await records.close();
  t.equal(lines().filter(({ record }) => record === "decided").length, 12, "the lines are all there");
  t.match(
    lines().filter(({ record }) => record === "gap"),
    [{ lost: 6, why: "evidence-budget: blocks-per-second", reasons: { "cli-not-listed": 6 } }],
  );
  let said = "";
  const output = { write: (text: string) => (said += text) };
  const code = verifyEvidence(join(folder, "../evidence"), {
    checkpoints: [],
    key: undefined,
    stdout: output,
    stderr: output,
  });
  t.equal(code, 0, said);
});

void t.test("thread: after a kill a gap says so, and a torn line is cut", async (t) => {
  const { open, lines } = place(t, {
    "records/gw-a.lock": "123456789\n",
    "records/2026-11-30/12-gw-a.ndjson": '{"record":"x","time":"2026-11-30T12:00:07.000Z"}\n{"record":"tor',
  });
  open();
  await until(() => lines().length === 2);
  const [first, gap] = lines();
  t.equal(first?.["record"], "x");
  t.match(gap, { record: "gap", node: NODE, from: "2026-11-30T12:00:07.000Z", lost: 1 });
  t.match(gap?.["why"], /^the process before this one was killed: .*its last line was torn and was cut$/u);
});

void t.test("thread: retention is told", async (t) => {
  const { open, lines, folder } = place(t, {
    "records/2001-01-01/12-gw-a.ndjson": "1234\n",
    "records/gw-a.retention": `${new Date().toISOString()}\n`,
  });
  open({ keepDays: 400 });
  await until(() => lines().length === 1);
  t.match(lines(), [
    { record: "deleted", day: "2001-01-01", files: 1, bytes: 5, why: "retention", keepDays: 400 },
  ]);
  t.notOk(readdirSync(folder).includes("2001-01-01"));
});

for (const onFull of ["count", "refuse"] as const)
  void t.test(`thread: a folder that can't be written, onFull ${onFull}`, async (t) => {
    const { open, lines, said, folder } = place(t, { records: "a file in its place" });
    // 2 MB: a few thousand calls.
    const records = open({ onFull }, 1 << 21);
    await until(() => !records.figures().isOk);
    t.match(said, [/^error records can't be written to .*records: /u]);
    t.equal(
      records.isFull("trunk-1"),
      onFull === "refuse",
      "nothing can be written, so nothing is let through",
    );
    let pushed = 0;
    let taken = 0;
    while (records.figures().lost < 250) {
      const before = records.figures().lost;
      pushed++;
      records.happened(forwardedCall(pushed, {}, NOW + pushed));
      if (records.figures().lost === before) taken++;
    }
    t.equal(records.isFull("trunk-1"), onFull === "refuse");
    t.equal(taken + 250, pushed);
    rmSync(folder);
    await until(() => records.figures().isOk);
    await until(() => lines().some(({ record, lost }) => record === "gap" && lost === 250));
    t.match(said.at(-1), /^info records are written to .* again$/u);
    const found = lines();
    t.equal(found.filter(({ record }) => record === "decided").length, taken, "what found room is there");
    t.match(
      found.filter(({ record }) => record === "gap"),
      [
        {
          from: new Date(NOW + taken + 1).toISOString(),
          to: new Date(NOW + pushed).toISOString(),
          lost: 250,
          why: /^nothing could be written: /u,
        },
      ],
      "and what did not is told, exactly and once",
    );
    t.notOk(records.isFull("trunk-1"));
    t.equal(records.figures().lost, 250);
    records.happened(forwardedCall(pushed + 1, {}, NOW));
    await until(() => lines().filter(({ record }) => record === "decided").length === taken + 1);
  });

void t.test("thread: an end that can't write leaves its pid, and the next start tells of it", async (t) => {
  const { open, said, folder, lines } = place(t);
  const records = open();
  records.happened(forwardedCall(1, {}, NOW));
  await until(() => lines().length === 1);
  rmSync(join(folder, "2026-11-30"), { recursive: true });
  writeFileSync(join(folder, "2026-11-30"), "in the way");
  for (let count = 2; count <= 6; count++) records.happened(forwardedCall(count, {}, NOW));
  await until(() => !records.figures().isOk);
  await records.close();
  t.equal(records.figures().lost, 5, "counted");
  t.match(said.at(-1), /^error the last record lines could not be written/u);
  t.match(readFileSync(join(folder, "gw-a.lock"), "latin1"), `${process.pid}`);
});
