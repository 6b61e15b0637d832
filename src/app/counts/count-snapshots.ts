// Keeps the counts of limits by contract over a restart: a thread for each snapshot, and the record lines since.
import { Buffer } from "node:buffer";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { Millis } from "../../domain/time.ts";
import type { Log } from "../../observe/log.ts";
import type { Policy } from "../../policy/policy.ts";
import type { ScreeningState } from "../../screening/state.ts";
import type { FrequencyCounts, FrequencyView } from "../../state/frequency/frequency-counts.ts";
import { packFrequencies, restoreFrequencies } from "../../state/frequency/frequency-snapshot.ts";
import { keepAnswered, restoreAnswered } from "./answered-file.ts";
import { engineNow, followWall } from "../../wire/kernel/clock.ts";
import { writeDurably } from "../durable-file.ts";
import { describeFailure } from "../read-file.ts";
import { yieldToCalls } from "../threads/thread-priority.ts";
import { linesSince } from "./lines-since.ts";
import { kindsToCount, recountCalls } from "./recount.ts";

/** Time between two snapshots: record lines tell of the calls since; without records nothing does. */
const EVERY: Millis = 5 * 60_000;
const EVERY_WITHOUT_RECORDS: Millis = 60_000;
/** Time between two snapshots of who answered whom: the file is large, and a lost one costs little. */
const EVERY_ANSWERED: Millis = 5 * 60_000;
/** Longest time that the end of the filter waits for the last snapshot. */
const MOST_FAREWELL: Millis = 5000;

/** Where the lines of the calls since a snapshot are. */
export interface RecordPlace {
  readonly folder: string;
  readonly node: string;
}

/** The counts of the running filter, kept over a restart. */
export interface CountSnapshots {
  /** Until when, on the wall clock, the restored counts know the calls of other nodes; 0: nothing was restored. */
  readonly countedUntil: Millis;
  /** Takes a snapshot now. Resolves when it is on the disk or has failed. */
  take(): Promise<void>;
  /** Takes a last snapshot. */
  close(): Promise<void>;
}

interface ThreadData {
  readonly thread: "count-snapshot";
  readonly now: Millis;
  readonly at: Millis;
  readonly files: readonly { readonly path: string; readonly view: FrequencyView }[];
  /** Who answered whom. Left out: it is not written this time. */
  readonly answered: { readonly path: string; readonly shared: SharedArrayBuffer } | undefined;
}

/**
 * Restores the counts, and keeps snapshots of them from then on. Never throws: what can't be restored is logged, and
 * counted anew.
 */
export function keepCounts(
  folder: string,
  records: RecordPlace | undefined,
  { state, policy, log }: { readonly state: ScreeningState; readonly policy: Policy; readonly log: Log },
): CountSnapshots {
  const kept: readonly (readonly [path: string, counts: FrequencyCounts])[] = [
    [join(folder, "frequency.counts"), state.frequency],
    [join(folder, "emergency.counts"), state.emergencyParties.counts],
    [join(folder, "call-backs.counts"), state.callBacks.counts],
  ];
  const countedUntil = restore(kept, records, { state, policy, log });
  const answeredPath = join(folder, "answered.pairs");
  const damage = restoreAnswered(answeredPath, state.answered);
  if (damage !== undefined)
    log.error(`who answered whom before the restart is forgotten: ${answeredPath} can't be read`, {
      why: damage,
    });
  let answeredAt = -Infinity;
  let underWay: Promise<void> | undefined;
  let isOk = true;

  function take(isLast = false): Promise<void> {
    underWay ??= write(isLast).finally(() => (underWay = undefined));
    return underWay;
  }

  async function write(isLast: boolean): Promise<void> {
    const now = engineNow();
    const { shared } = state.answered;
    const isDue = shared !== undefined && (isLast || now - answeredAt >= EVERY_ANSWERED);
    if (isDue) answeredAt = now;
    const data: ThreadData = {
      thread: "count-snapshot",
      now,
      at: now + state.wall.ahead,
      files: kept.map(([path, counts]) => ({ path, view: counts.view() })),
      answered: isDue ? { path: answeredPath, shared } : undefined,
    };
    const why = await new Promise<string>((resolve) => {
      try {
        const worker = new Worker(new URL(import.meta.url), { workerData: data });
        worker.unref();
        worker.once("message", (told: unknown) => resolve(String(told)));
        worker.once("error", (error) => resolve(String(error)));
        worker.once("exit", () => resolve("the thread that writes them has ended"));
      } catch (error) {
        resolve(String(error));
      }
    });
    if (why !== "" && isOk)
      log.error(
        `the counts of limits can't be kept in ${folder}: a restart now would begin with older ones`,
        { why },
      );
    isOk = why === "";
  }

  // The first one says since when the record lines tell of this process.
  void take();
  const timer = setInterval(() => void take(), records === undefined ? EVERY_WITHOUT_RECORDS : EVERY).unref();
  return {
    countedUntil,
    take: () => take(),
    async close() {
      clearInterval(timer);
      let limit: NodeJS.Timeout | undefined;
      await Promise.race([
        (underWay ?? Promise.resolve()).then(() => take(true)),
        new Promise<void>((resolve) => (limit = setTimeout(resolve, MOST_FAREWELL))),
      ]);
      clearTimeout(limit);
    },
  };
}

/** @returns the time of the oldest snapshot, on the wall clock; 0: there is none */
function restore(
  kept: readonly (readonly [path: string, counts: FrequencyCounts])[],
  records: RecordPlace | undefined,
  { state, policy, log }: { readonly state: ScreeningState; readonly policy: Policy; readonly log: Log },
): Millis {
  followWall(state.wall);
  let since = Infinity;
  let subjects = 0;
  for (const [path, counts] of kept) {
    if (!existsSync(path)) continue;
    try {
      const now = engineNow();
      const restored = restoreFrequencies(
        counts,
        Buffer.from(readFileSync(path)),
        now,
        now + state.wall.ahead,
      );
      if (typeof restored === "string") {
        log.error(`the counts before the restart are forgotten: ${path} can't be read`, { why: restored });
        continue;
      }
      since = Math.min(since, restored.at);
      subjects += restored.subjects;
    } catch (error) {
      log.error(`the counts before the restart are forgotten: ${path} can't be read`, {
        why: describeFailure(error),
      });
    }
  }
  if (since === Infinity) return 0;
  const calls =
    records === undefined
      ? 0
      : recountCalls(linesSince(records.folder, records.node, since, kindsToCount(policy)), policy, state);
  log.info(`restored the counts of ${subjects} numbers, and counted ${calls} calls since the snapshot`);
  return since;
}

function isThreadData(value: unknown): value is ThreadData {
  return (
    typeof value === "object" && value !== null && "thread" in value && value.thread === "count-snapshot"
  );
}

if (!isMainThread && parentPort !== null && isThreadData(workerData)) {
  yieldToCalls();
  let why = "";
  try {
    const { files, now, at, answered } = workerData;
    for (const { path, view } of files) writeDurably(path, packFrequencies(view, now, at));
    if (answered !== undefined) keepAnswered(answered.path, answered.shared, at);
  } catch (error) {
    why = describeFailure(error);
  }
  parentPort.postMessage(why, []);
}
