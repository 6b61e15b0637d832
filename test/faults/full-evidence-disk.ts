// The disk of the evidence fills and drains under a running filter: no call passes for it, and every loss is told.
import { spawn } from "node:child_process";
import { once } from "node:events";
import t from "tap";
import type { EvidenceDiskReport } from "./full-evidence-disk-child.ts";

const child = new URL("full-evidence-disk-child.js", import.meta.url).pathname;
const script = 'mount -t tmpfs -o size=96m none "$1" || exit 77; exec "$2" "$3" "$1" "$4" "$5"';

/** @returns undefined where no disk can be mounted */
async function play(folder: string, onFull: string, kept: string): Promise<EvidenceDiskReport | undefined> {
  const run = spawn(
    "unshare",
    ["-m", "sh", "-c", script, "sh", folder, process.execPath, child, onFull, kept],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let out = "";
  let err = "";
  run.stdout.on("data", (text: Buffer) => (out += text.toString()));
  run.stderr.on("data", (text: Buffer) => (err += text.toString()));
  run.on("error", (error) => (err += `unshare failed: ${error.message}`));
  await once(run, "close");
  if (run.exitCode === 77 || err.includes("unshare failed")) return undefined;
  if (out === "") throw new Error(err);
  return JSON.parse(out);
}

for (const [onFull, kept] of [
  ["count", "records"],
  ["count", "no records"],
  ["refuse", "records"],
] as const)
  void t.test(`full disk of the evidence: onFull ${onFull}, ${kept}`, { timeout: 300_000 }, async (t) => {
    const report = await play(t.testdir(), onFull, kept);
    if (report === undefined) {
      t.pass("a small disk", { skip: "no mount namespace here: it needs root and unshare" });
      return;
    }
    t.equal(report.exitCode, 0, "an orderly end");
    t.equal(report.verify, 0, report.said);
    t.match(
      report.log,
      /"level":"error".*(?:ENOSPC|no space).*evidence can't be written to /u,
      "the log says so",
    );
    t.same(
      report.outcomes,
      onFull === "count"
        ? ["emergency forwarded", "listed forwarded", "unlisted 403"]
        : ["emergency forwarded", "listed 503", "unlisted 503"],
    );
    t.same(report.outcomesAfter, ["emergency forwarded", "listed forwarded", "unlisted 403"], "it recovers");
    t.ok(report.before < 250, `with room the answer leaves at once: ${report.before} ms`);
    t.ok(report.whileFull.length > 0);
    for (const delay of report.whileFull)
      t.ok(delay >= 249 && delay < 2000, `without, after 250 ms: ${delay} ms`);
    const told = report.gaps.reduce((sum, lost) => sum + lost, 0);
    t.equal(told, report.lost.disk + report.lost.memory, "gaps and metric agree");
    t.equal(report.blocks + told, report.refused, "every refusal is in the evidence, or a gap counts it");
    if (onFull === "count") {
      t.ok(report.lost.disk >= 100);
      t.ok(report.gaps.includes(report.lost.disk), "one gap for the whole time");
    }
    if (kept !== "records") t.equal(report.recordLines, 0);
    else if (report.lost.memory === 0)
      t.equal(report.recordLines, report.placed, "every call has its record line");
    else t.ok(report.recordLines + report.recordsLost >= report.placed, "or a gap of the records counts it");
    t.comment(JSON.stringify({ ...report, said: "", log: "", outcomes: "", outcomesAfter: "" }));
  });
