// Fills a disk of 4 MB with records, makes room, and says what came of it. Runs in a mount namespace of its own.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openRecords } from "../../src/app/records/open-records.ts";
import { createLog } from "../../src/observe/log.ts";
import { readLines } from "../../src/records/lines/read-lines.ts";
import { until } from "../support/until.ts";
import { forwardedCall, NODE } from "./line-maker.ts";

/** What the test reads. */
export interface FullDiskReport {
  readonly pushed: number;
  readonly lost: number;
  readonly told: number;
  readonly gaps: readonly unknown[];
  readonly decided: number;
  readonly bad: number;
  readonly twice: number;
}

const [, , folder = ""] = process.argv;
const NOW = Date.UTC(2026, 10, 30, 12);
const ballast = join(folder, "ballast");
writeFileSync(ballast, Buffer.alloc(2_400_000));
const said: string[] = [];
const log = createLog(
  "info",
  () => NOW,
  (entry) => said.push(JSON.stringify(entry)),
);
const config = {
  folder: join(folder, "records"),
  keepDays: 400,
  onFull: "count",
  policies: undefined,
} as const;
const records = openRecords(
  { records: config, evidence: undefined },
  { node: NODE, log, ringOctets: 1 << 20 },
);
if (typeof records === "string") throw new Error(records);
let pushed = 0;
// More than the disk and the ring hold together.
while (records.figures().lost < 100) {
  pushed++;
  const event = forwardedCall(pushed, {}, NOW + pushed);
  // Many trunks: none of them uses up its share of a ring that is half full.
  records.happened({ ...event, call: { ...event.call, trunk: `trunk-${pushed % 64}` } });
  // Until the disk is full the thread keeps up, so that nothing is lost for another reason.
  const pause = records.figures().isOk ? 20 : 1;
  if (pushed % 50 === 0) await new Promise((resolve) => setTimeout(resolve, pause));
}
await until(() => !records.figures().isOk);
const lost = records.figures().lost;
// The lines of what waited in the ring fit beside what is there, once the ballast is gone.
rmSync(ballast);
await until(() => records.figures().isOk);
const ids = new Map<unknown, number>();
const read = (): FullDiskReport => {
  ids.clear();
  const gaps: unknown[] = [];
  let told = 0;
  let bad = 0;
  for (const { line } of readLines([config.folder])) {
    if (line === undefined) bad++;
    else if (line["record"] === "gap") {
      gaps.push(line);
      told += Number(line["lost"]);
    } else if (line["record"] === "decided") ids.set(line["id"], (ids.get(line["id"]) ?? 0) + 1);
  }
  const twice = [...ids.values()].filter((count) => count > 1).length;
  return { pushed, lost, told, gaps, decided: ids.size, bad, twice };
};
await until(() => read().told >= lost);
await records.close();
process.stdout.write(JSON.stringify(read()));
