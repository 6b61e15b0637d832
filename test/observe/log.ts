import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { createLog } from "../../src/observe/log.ts";
import type { Log, LogLevel } from "../../src/observe/log.ts";

/** What a log writes to its descriptor, line by line. */
async function written(
  level: LogLevel,
  isForPeople: boolean,
  write: (log: Log) => void,
): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-log-"));
  const path = join(folder, "log");
  const fd = openSync(path, "w");
  const log = createLog(level, fd, isForPeople);
  write(log);
  await new Promise<void>(log.close);
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  rmSync(folder, { recursive: true });
  return lines;
}

function writeSome(log: Log): void {
  log.info("policy reloaded", { revision: "0123456789ab", cause: ["SIGHUP", "file change"] });
  log.omitted("refusals", 1234);
  log.fault(new Error("number 13812345678 is odd"));
}

void t.test("log: JSON lines with level and time", async (t) => {
  const lines = (await written("info", false, writeSome)).map((line): unknown => JSON.parse(line));
  t.equal(lines.length, 3);
  t.match(lines[0], {
    level: "info",
    msg: "policy reloaded",
    revision: "0123456789ab",
    cause: ["SIGHUP", "file change"],
  });
  t.match(lines[0], { time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ });
  t.match(lines[1], { level: "warn", msg: "… 1,234 more refusals in the last second", omitted: 1234 });
  t.match(lines[2], { level: "error", stack: /^Error: number 1381xxxxxxx is odd\n {4}at / });
});

void t.test("log: a terminal gets lines for people", async (t) => {
  const lines = await written("info", true, writeSome);
  t.match(
    lines[0],
    /^\d\d:\d\d:\d\d\.\d{3} info {2}policy reloaded revision=0123456789ab cause=SIGHUP,file change$/,
  );
  t.match(lines[1], /warn {2}… 1,234 more refusals in the last second omitted=1234$/);
  t.match(lines[2], /error internal fault $/);
  t.match(lines[3], "  Error: number 1381xxxxxxx is odd");
});

void t.test("log: a level keeps what is below it out", async (t) => {
  t.equal((await written("warn", false, writeSome)).length, 2);
  t.equal((await written("silent", false, writeSome)).length, 0);
});
