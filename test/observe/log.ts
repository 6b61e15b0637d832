import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { createLog } from "../../src/observe/log.ts";
import type { Log, LogEntry, LogLevel } from "../../src/observe/log.ts";
import { peopleClock } from "../../src/app/admin/people-clock.ts";
import { createLogSink } from "../../src/app/admin/log-sink.ts";
import { describeRefusal } from "../../src/observe/decision-log.ts";
import { createLogWriter } from "../../src/observe/log-writer.ts";
import { decidedOf } from "./decision.ts";

/** What a log writes to its descriptor, line by line. */
async function written(
  level: LogLevel,
  timeZone: string | undefined,
  write: (log: Log) => void,
): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-log-"));
  const path = join(folder, "log");
  const fd = openSync(path, "w");
  const writer = createLogWriter(level, peopleClock(timeZone), (lossLine) => createLogSink(fd, lossLine));
  write(createLog(level, () => Date.UTC(2026, 5, 1, 12), writer.write));
  await new Promise<void>(writer.close);
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
  const lines = (await written("info", undefined, writeSome)).map((line): unknown => JSON.parse(line));
  t.equal(lines.length, 3);
  t.match(lines[0], {
    level: "info",
    msg: "policy reloaded",
    revision: "0123456789ab",
    cause: ["SIGHUP", "file change"],
  });
  t.match(lines[0], { time: "2026-06-01T12:00:00.000Z" }, "when it was said, not when it was written");
  t.match(lines[1], { level: "warn", msg: "… 1,234 more refusals in the last second", omitted: 1234 });
  t.match(lines[2], { level: "error", stack: /^Error: number 1381xxxxxxx is odd\n {4}at / });
});

void t.test("log: a terminal gets lines for people, in the zone of the policy", async (t) => {
  const lines = await written("info", "Asia/Shanghai", writeSome);
  t.match(
    lines[0],
    /^20:00:00\.000\+08:00 info {2}policy reloaded revision=0123456789ab cause=SIGHUP,file change$/,
  );
  t.match(lines[1], /warn {2}… 1,234 more refusals in the last second omitted=1234$/);
  t.match(lines[2], /error internal fault $/);
  t.match(lines[3], "  Error: number 1381xxxxxxx is odd");
});

void t.test("log: the circuit of a refused IAM, for programs and for people", async (t) => {
  const circuit = { opc: 1001, dpc: 2001, cic: 14, natureOfAddress: undefined, screening: undefined };
  const refuse = (log: Log): void => {
    const { decision, ...rest } = decidedOf({}, { kind: "released", cause: 21 });
    const attempt = { ...decision.attempt, circuit };
    log.refused(describeRefusal({ ...rest, decision: { ...decision, attempt } }));
  };
  const [json] = await written("info", undefined, refuse);
  t.match(json, '"lessee":"acme",');
  t.match(json, '"isup":{"opc":1001,"dpc":2001,"cic":14},');
  const [text] = await written("info", "Asia/Shanghai", refuse);
  t.match(text, " lessee=acme ");
  t.match(text, " isup=1001-2001-14 ");
});

void t.test("log: a level keeps what is below it out", async (t) => {
  t.equal((await written("warn", undefined, writeSome)).length, 2);
  t.equal((await written("silent", undefined, writeSome)).length, 0);
});

void t.test("log: an entry is made for its level and above, and can be cloned", (t) => {
  const entries: LogEntry[] = [];
  const log = createLog(
    "warn",
    () => 7,
    (entry) => entries.push(entry),
  );
  log.info("not shown");
  writeSome(log);
  log.fault(Object.create(null));
  t.match(structuredClone(entries), [
    { at: 7, kind: "omitted", what: "refusals", count: 1234 },
    { kind: "fault", stack: /^Error: number 13812345678 is odd\n/ },
    { kind: "fault", stack: "an error that can't be described" },
  ]);
  t.equal(entries.length, 3);
  t.end();
});
