// A disk that stands still while one trunk floods: the flood uses up its own share of memory, not that of the others.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { openRecords } from "../../src/app/records/open-records.ts";
import { createLog } from "../../src/observe/log.ts";
import { createSecondShare } from "../../src/records/lines/second-share.ts";
import { forwardedCall, NODE } from "../records/line-maker.ts";
import type { Fields } from "../support/crowd.ts";
import { until } from "../support/until.ts";

void t.test("share: a new second gives a new share only when room was given back", (t) => {
  const share = createSecondShare(2);
  const rows: readonly (readonly [trunk: string, at: number, released: number, isTaken: boolean])[] = [
    ["a", 1000, 0, true],
    ["a", 1999, 0, true],
    ["a", 1999, 64, false],
    ["b", 1999, 64, true],
    ["a", 2000, 0, false],
    ["a", 9000, 0, false],
    ["b", 9000, 0, true],
    ["b", 9000, 0, false],
    ["a", 9000, 64, true],
    // A clock that steps back begins a second too.
    ["a", 500, 128, true],
    ["a", 500, 128, true],
    ["a", 500, 192, false],
  ];
  for (const [trunk, at, released, isTaken] of rows)
    t.equal(share.take(trunk, at, released), isTaken, `${trunk} at ${at}, released ${released}`);
  t.ok(share.isSpent("a"));
  t.notOk(share.isSpent("b"));
  t.end();
});

const NOW = Date.UTC(2026, 10, 30, 12);

void t.test(
  "standstill: every line of the quiet trunk finds room, for as long as the disk stands still",
  async (t) => {
    const root = mkdtempSync(join(tmpdir(), "sigwall-still-"));
    const folder = join(root, "records");
    const log = createLog(
      "info",
      () => NOW,
      () => undefined,
    );
    const config = { folder, keepDays: 36_500, onFull: "refuse", policies: undefined } as const;
    const records = openRecords(
      { records: config, evidence: undefined },
      { node: NODE, log, ringOctets: 1 << 22 },
    );
    if (typeof records === "string") throw new Error(records);
    t.teardown(async () => {
      await records.close();
      rmSync(root, { recursive: true });
    });
    await until(() => existsSync(join(folder, `${NODE}.open`)));
    // To open a pipe that nobody reads takes for ever: so does a disk that hangs.
    const hour = join(folder, "2026-11-30", `12-${NODE}.ndjson`);
    mkdirSync(join(hour, ".."));
    if (spawnSync("mkfifo", [hour]).status !== 0) {
      t.pass("standstill", { skip: "mkfifo is not installed" });
      return;
    }
    const call = (trunk: string, count: number, at: number): boolean => {
      const event = forwardedCall(count, {}, at);
      const before = records.figures().lost;
      records.happened({ ...event, call: { ...event.call, trunk } });
      return records.figures().lost === before;
    };
    let count = 0;
    let flooded = 0;
    const quiet = new Set<string>();
    let refusedOf = 0;
    // 40 s of events: a flood of 500 a second beside 5 calls a second.
    for (let second = 0; second < 40; second++)
      for (let turn = 0; turn < 100; turn++) {
        const at = NOW + second * 1000 + turn * 10;
        for (let burst = 0; burst < 5; burst++) if (call("flood", ++count, at)) flooded++;
        if (records.isFull("flood")) refusedOf++;
        if (turn % 20 === 0) {
          quiet.add(`${NODE}-t3k9x1-${++count}`);
          if (!call("quiet", count, at)) t.fail(`a line of the quiet trunk was lost in second ${second}`);
          if (records.isFull("quiet")) t.fail(`the quiet trunk is refused in second ${second}`);
        }
      }
    t.ok(flooded < 20_000, `the flood did not fit: ${flooded} of 20000`);
    t.ok(refusedOf > 0, "new calls of the flood are refused meanwhile");
    const { lost } = records.figures();
    t.equal(flooded + lost, 20_000);
    // The disk goes on.
    const text = readFile(hour, "utf8");
    await until(() => !records.isFull("flood"));
    await records.close();
    const found = (await text)
      .trim()
      .split("\n")
      .map((line): Fields => JSON.parse(line));
    const ids = found.filter(({ record }) => record === "decided").map(({ id }) => String(id));
    t.equal(ids.filter((id) => quiet.has(id)).length, quiet.size);
    t.equal(ids.filter((id) => !quiet.has(id)).length, flooded);
    t.equal(
      found.filter(({ record }) => record === "gap").reduce((sum, gap) => sum + Number(gap["lost"]), 0),
      lost,
    );
  },
);
