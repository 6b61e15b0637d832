// Loaded into the filter by `node --import`: SIGUSR2 makes the call thread stand still, for 3 s or in a way that never ends.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";

const ways = {
  spin: function spinningForEver() {
    for (;;) Math.sqrt(2);
  },
  regex: function backtrackingForEver() {
    /(a+)+$/u.test(`${"a".repeat(60)}b`);
  },
  kernel() {
    const pipe = join(mkdtempSync(join(tmpdir(), "sigwall-still-")), "pipe");
    execFileSync("mkfifo", [pipe]);
    readFileSync(pipe);
  },
  awhile() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);
    process.stderr.write("moving again\n");
  },
};

if (isMainThread)
  process.on("SIGUSR2", () => {
    process.stderr.write("standing still\n");
    ways[process.env.STANDING_STILL ?? "awhile"]();
  });
