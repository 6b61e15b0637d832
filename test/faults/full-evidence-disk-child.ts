// Fills the disk of the evidence under a running filter, drains it, and says what came of it. Runs in a mount namespace.
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Filter, startFilter } from "../cli/filter-process.ts";
import {
  type Caller,
  evidenceLines,
  metricOf,
  NUMBERS,
  openCrowd,
  recordLines,
  verifyFolder,
} from "../support/crowd.ts";
import { until } from "../support/until.ts";

/** What the test reads. Delays in milliseconds. */
export interface EvidenceDiskReport {
  readonly before: number;
  readonly whileFull: readonly number[];
  readonly after: number;
  /** Outcomes of calls while the disk was full, each once: `unlisted 403`. */
  readonly outcomes: readonly string[];
  readonly outcomesAfter: readonly string[];
  readonly refused: number;
  readonly blocks: number;
  readonly gaps: readonly number[];
  /** Messages that were lost: the disk took none, or memory had no room since the machine was busy. */
  readonly lost: { readonly disk: number; readonly memory: number };
  /** Calls with a record line, and events that a gap of the records counts. */
  readonly recordLines: number;
  readonly recordsLost: number;
  readonly placed: number;
  readonly verify: number;
  readonly said: string;
  readonly exitCode: number | null;
  readonly log: string;
}

const [, , disk = "", onFull = "count", withRecords = "records"] = process.argv;

/** Writes until nothing more fits. */
function fill(path: string): void {
  const file = openSync(path, "a");
  for (let size = 1 << 20; size >= 1;)
    try {
      if (writeSync(file, Buffer.alloc(size)) < size) size >>= 1;
    } catch {
      size >>= 1;
    }
  closeSync(file);
}

const place = await openCrowd(
  `${withRecords === "records" ? `records: { folder: records }\n` : ""}evidence:
  folder: ${join(disk, "evidence")}
  onFull: ${onFull}
  durability: before-reject
  checkpointSeconds: 1
  perTrunk: { blocksPerSecond: 100000 }
`,
  ["lease"],
  mkdtempSync(join(tmpdir(), "sigwall-disk-")),
);
const filter = await startFilter(place.config);
const [caller] = place.callers;
if (caller === undefined) throw new Error("no caller");

const delayOf = async (
  from: Caller,
  by: Filter,
  number: string,
): Promise<readonly [string | undefined, number]> => {
  const { outcome, sentAt, endedAt } = await from.call(by.sipPort, number);
  return [outcome, endedAt - sentAt];
};
await caller.call(filter.sipPort);
const [, before] = await delayOf(caller, filter, NUMBERS.unlisted);
const ballast = join(disk, "ballast");
fill(ballast);
const whileFull: number[] = [];
const outcomes = new Set<string>();
const placeThree = async (count: number, into: Set<string>): Promise<void> => {
  for (let i = 0; i < count; i++) {
    const [outcome, delay] = await delayOf(caller, filter, NUMBERS.unlisted);
    into.add(`unlisted ${outcome}`);
    if (outcome === "403" && into === outcomes) whileFull.push(delay);
    const [listed] = await delayOf(caller, filter, NUMBERS.listed);
    into.add(`listed ${listed}`);
    const sos = await caller.call(filter.sipPort, NUMBERS.listed, NUMBERS.emergency);
    into.add(`emergency ${sos.outcome}`);
  }
};
// The last page of the segment has room for a block or two. The call that finds none is answered all the same.
while (!filter.output().includes("evidence can't be written to")) {
  const [outcome, delay] = await delayOf(caller, filter, NUMBERS.unlisted);
  if (outcome === "403" && delay > 200) whileFull.push(delay);
  if (whileFull.length > 0) await filter.logged(["evidence can't be written to"]);
}
await placeThree(5, outcomes);
if (onFull === "count") {
  // More than memory holds: 32 MiB of blocks.
  const pad = caller.padded(14_000);
  for (
    let count = 0;
    count < 100;
    count = await metricOf(filter.admin, 'sigwall_evidence_lost_total{cause="disk"}')
  )
    for (let burst = 0; burst < 100; burst++) {
      pad(filter.sipPort);
      // The ring holds a thousand of them.
      if (burst % 10 === 9) await until(() => caller.waiting() < 200);
    }
}
await until(() => [...caller.calls.values()].every(({ outcome }) => outcome !== undefined));
rmSync(ballast);
const line = filter.lineCount();
await filter.logged(["evidence is written again"]);
const outcomesAfter = new Set<string>();
await placeThree(2, outcomesAfter);
const [, after] = await delayOf(caller, filter, NUMBERS.unlisted);
const lostBy = {
  disk: await metricOf(filter.admin, 'sigwall_evidence_lost_total{cause="disk"}'),
  memory: await metricOf(filter.admin, 'sigwall_evidence_lost_total{cause="memory"}'),
};
const exitCode = await filter.stop();
const folder = join(disk, "evidence");
const lines = evidenceLines(folder);
const { code, said } = verifyFolder(folder);
const records = withRecords === "records" ? recordLines(join(place.folder, "records")) : [];
const report: EvidenceDiskReport = {
  before,
  whileFull,
  after,
  outcomes: [...outcomes].toSorted(),
  outcomesAfter: [...outcomesAfter].toSorted(),
  refused: [...caller.calls.values()].filter(({ outcome }) => outcome === "403").length,
  blocks: lines.filter(({ record }) => record === "decided").length,
  gaps: lines.filter(({ record }) => record === "gap").map(({ lost }) => Number(lost)),
  lost: lostBy,
  recordLines: records.filter(({ record }) => record === "decided").length,
  recordsLost: records
    .filter(({ record, why }) => record === "gap" && !String(why).startsWith("evidence"))
    .reduce((sum, gap) => sum + Number(gap["lost"]), 0),
  verify: code,
  said,
  exitCode,
  log: filter
    .output()
    .split("\n")
    .slice(0, line)
    .filter((text) => text.includes("evidence can't"))
    .join("\n"),
  placed: caller.calls.size,
};
place.close();
process.stdout.write(JSON.stringify(report));
