// A disk that is really full: a file system of 4 MB in a mount namespace. Nothing is torn, doubled or lost untold.
import { spawnSync } from "node:child_process";
import t from "tap";
import type { FullDiskReport } from "./full-disk-child.ts";

void t.test("full disk: it fills and drains; every event has a line or is told", (t) => {
  const folder = t.testdir();
  const child = new URL("full-disk-child.js", import.meta.url).pathname;
  const script = 'mount -t tmpfs -o size=4m none "$1" || exit 77; exec "$2" "$3" "$1"';
  const run = spawnSync("unshare", ["-m", "sh", "-c", script, "sh", folder, process.execPath, child], {
    encoding: "utf8",
    timeout: 120_000,
  });
  if (
    run.status === 77 ||
    run.stderr.includes("unshare failed") ||
    run.error?.message.includes("ENOENT") === true
  ) {
    t.pass("a disk of 4 MB", { skip: "no mount namespace here: it needs root and unshare" });
    t.end();
    return;
  }
  t.equal(run.error, undefined);
  t.equal(run.stderr, "");
  const report: FullDiskReport = JSON.parse(run.stdout);
  t.ok(report.lost >= 100);
  t.equal(report.told, report.lost, "the gaps say exactly how many");
  t.match(report.gaps, [{ why: /^nothing could be written: .*(?:ENOSPC|no space)/u }]);
  t.equal(report.decided + report.lost, report.pushed, "every event has a line or is told");
  t.equal(report.bad, 0, "no line is torn");
  t.equal(report.twice, 0, "no line is there twice");
  t.end();
});
