// Keeps calls over a restart: restores the last snapshot, and runs the thread that writes new ones.
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { CallsView, RestoreResult } from "../calls/calls.ts";
import type { Millis } from "../domain/time.ts";
import type { Log } from "../observe/log.ts";
import { engineNow } from "../wire/kernel/clock.ts";
import { describeFailure } from "./read-file.ts";
import type { FromSnapshots, SnapshotThreadData, ToSnapshots } from "./snapshot-messages.ts";
import { yieldToCalls } from "./threads/thread-priority.ts";

const FILE = "calls.snapshot";
/** A snapshot that could not be read keeps its content under this name. */
const UNREADABLE = "calls.snapshot.bad";

/** Time between two snapshots. Milliseconds. With packing and writing, a snapshot is at most 5 s old. */
const EVERY: Millis = 4000;
/** How long after its end the thread is started again. Milliseconds. */
const RESTART_AFTER: Millis = 1000;
/** Longest time that the end of the filter waits for the last snapshot. Milliseconds. */
const MOST_FAREWELL: Millis = 5000;

/** Whether snapshots succeed. */
export interface SnapshotFigures {
  /** True when the newest try wrote a snapshot, or no try was made yet. */
  readonly isOk: boolean;
  readonly written: number;
  readonly failed: number;
}

/** Snapshots of the calls of one engine. */
export interface CallSnapshots {
  /**
   * For `EngineParts.remembers`: restores the last snapshot into `calls`, and keeps new ones from then on. At most
   * once. Never throws.
   */
  readonly remember: (calls: CallsView) => void;
  readonly figures: () => SnapshotFigures;
  /** Writes a last snapshot. Resolves when it is written or has failed. */
  readonly close: () => Promise<void>;
}

/**
 * Keeps snapshots in `folder`, which is this process's own. A failure never reaches a call: it is counted, logged once
 * until a snapshot succeeds, and the snapshot is tried again.
 *
 * @param every time between two snapshots. Milliseconds.
 */
export function createCallSnapshots(folder: string, log: Log, every: Millis = EVERY): CallSnapshots {
  const path = join(folder, FILE);
  const figures = { isOk: true, written: 0, failed: 0 };
  let kept: CallsView | undefined;
  let thread: Worker | undefined;
  let restart: NodeJS.Timeout | undefined;
  let closed: (() => void) | undefined;

  const send = (message: ToSnapshots): void => thread?.postMessage(message, []);

  function failed(why: string): void {
    figures.failed++;
    if (figures.isOk)
      log.error(
        `the calls in progress can't be kept in ${path}: a restart now would forget them; the filter tries again, look at the disk`,
        { why },
      );
    figures.isOk = false;
  }

  function succeeded(isNew: boolean): void {
    if (isNew) figures.written++;
    if (!figures.isOk) log.info(`the calls in progress are kept in ${path} again`);
    figures.isOk = true;
  }

  function start(calls: CallsView): void {
    const data: SnapshotThreadData = {
      thread: "call-snapshots",
      rows: calls.shared,
      names: calls.trunkNames(),
      path,
      every,
    };
    let started: Worker;
    try {
      started = new Worker(new URL(import.meta.url), { workerData: data });
    } catch (error) {
      ended(calls, String(error));
      return;
    }
    thread = started;
    started.unref();
    let failure = "";
    started.on("message", (message: FromSnapshots) => {
      if (message.kind === "names") send({ kind: "names", names: calls.trunkNames() });
      else if (message.kind === "kept") succeeded(message.isNew);
      else if (message.kind === "failed") failed(message.why);
      else closed?.();
    });
    started.on("error", (error) => (failure = String(error)));
    started.once("exit", (code) => {
      thread = undefined;
      if (closed !== undefined) {
        closed();
        return;
      }
      ended(calls, failure === "" ? `the thread that writes it ended with code ${code}` : failure);
    });
  }

  function ended(calls: CallsView, why: string): void {
    failed(why);
    restart = setTimeout(start, RESTART_AFTER, calls).unref();
  }

  return {
    remember(calls) {
      if (kept !== undefined) return;
      kept = calls;
      restoreLast(folder, path, calls, log);
      start(calls);
    },
    figures: () => figures,
    async close() {
      clearTimeout(restart);
      const last = thread;
      if (last === undefined || kept === undefined) return;
      const names = kept.trunkNames();
      last.ref();
      const isClosed = await new Promise<boolean>((resolve) => {
        const limit = setTimeout(resolve, MOST_FAREWELL, false);
        closed = () => {
          clearTimeout(limit);
          resolve(true);
        };
        send({ kind: "close", names });
      });
      if (!isClosed) failed("the last snapshot took too long");
      // A thread that waits for a disk ends when the disk answers. The end of the filter does not wait for the thread.
      const terminated = last.terminate();
      if (isClosed) await terminated;
    },
  };
}

const issueWords: Readonly<Record<NonNullable<RestoreResult["issue"]>, string>> = {
  "no-snapshot": "it is no snapshot of calls",
  version: "another release of the filter wrote it",
  damaged: "it was cut or changed after it was written",
};

/** Restores the calls of the last snapshot. A file that can't be read is not deleted. */
function restoreLast(folder: string, path: string, calls: CallsView, log: Log): void {
  if (!existsSync(path)) return;
  try {
    const { rows, leftOut, issue } = calls.restore(readFileSync(path), engineNow());
    if (issue === undefined) {
      log.info(`restored ${rows} ${rows === 1 ? "call" : "calls"}`);
      if (leftOut > 0)
        log.warn(
          `${leftOut} calls of the last snapshot were left out: the table is full, or their rows make no sense; raise tables.calls if it was made smaller`,
        );
      return;
    }
    log.error(`the calls before the restart are forgotten: ${path} can't be read`, {
      why: issueWords[issue],
      ...setAside(path, join(folder, UNREADABLE)),
    });
  } catch (error) {
    log.error(`the calls before the restart are forgotten: ${path} can't be read`, {
      why: describeFailure(error),
    });
  }
}

/** Renames a snapshot that can't be read. When such a file is kept already, the next snapshot overwrites this one. */
function setAside(path: string, aside: string): { readonly kept?: string } {
  if (existsSync(aside)) return {};
  renameSync(path, aside);
  return { kept: aside };
}

function isSnapshotData(value: unknown): value is SnapshotThreadData {
  return (
    typeof value === "object" && value !== null && "thread" in value && value.thread === "call-snapshots"
  );
}

if (!isMainThread && parentPort !== null && isSnapshotData(workerData)) {
  yieldToCalls();
  const { serveSnapshots } = await import("./snapshot-writing.ts");
  serveSnapshots(parentPort, workerData);
}
