// The thread that notices changed files: only it and the reading thread wait for a disk. It runs this module too.
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { Millis } from "../domain/time.ts";
import { watchFolders } from "./folder-watch.ts";
import { yieldToCalls } from "./threads/thread-priority.ts";
import { areStale, type FileStamps, stampFiles, stampOnDisk } from "./tracked-files.ts";

/** Notices changes of files, in whatever way an editor or a deployment replaces them. */
export interface FileWatch {
  /**
   * Watches these files from now on, in place of those before. Without `stamps` the files stay, and their present state
   * counts as read.
   */
  readonly follow: (stamps: FileStamps | undefined) => void;
  readonly close: () => void;
}

/** Called when a file is no longer in the state in which it was read, and when a folder can't be watched. */
export interface FileWatchHandlers {
  readonly changed: () => void;
  readonly failed: (folder: string, why: string) => void;
}

interface FileWatchData {
  readonly thread: "file-watch";
  readonly stamps: FileStamps;
}

type ToWatch = { readonly stamps: FileStamps | undefined };
type FromWatch =
  | { readonly kind: "following" }
  | { readonly kind: "changed" }
  | { readonly kind: "failed"; readonly folder: string; readonly why: string };

/** A thread that needs longer to look at its files hangs, as on a mount that does not answer. Milliseconds. */
const MOST_LOOKING: Millis = 30_000;

/** At most this many threads hang at one time. Beyond, file changes are no longer noticed; SIGHUP still reloads. */
const MOST_HANGING = 3;

/** Watches the files of `stamps`. The thread never keeps the process alive. */
export function startFileWatch(stamps: FileStamps, { changed, failed }: FileWatchHandlers): FileWatch {
  let thread: Worker | undefined;
  let files = stamps;
  let limit: NodeJS.Timeout | undefined;
  let isClosed = false;
  let hanging = 0;

  function start(): void {
    const data: FileWatchData = { thread: "file-watch", stamps: files };
    const started = new Worker(new URL(import.meta.url), { workerData: data });
    started.unref();
    thread = started;
    // A thread that fails is replaced with the next reload.
    started.on("error", (error) => failed("the files of the policy", String(error)));
    started.once("exit", () => {
      if (thread === started) thread = undefined;
      else if (hanging > 0) hanging--;
    });
    started.on("message", (message: FromWatch) => {
      if (thread !== started || isClosed) return;
      if (message.kind === "following") clearTimeout(limit);
      else if (message.kind === "changed") changed();
      else failed(message.folder, message.why);
    });
    expectAnswer();
  }

  function expectAnswer(): void {
    clearTimeout(limit);
    limit = setTimeout(() => {
      failed("the files of the policy", `the disk has not answered for ${MOST_LOOKING / 1000} s`);
      hanging++;
      const late = thread;
      thread = undefined;
      void late?.terminate();
    }, MOST_LOOKING).unref();
  }

  start();
  return {
    follow(next) {
      files = next ?? files;
      if (isClosed) return;
      if (thread === undefined) {
        if (hanging < MOST_HANGING) start();
        return;
      }
      const message: ToWatch = { stamps: next };
      thread.postMessage(message, []);
      expectAnswer();
    },
    close() {
      isClosed = true;
      clearTimeout(limit);
      void thread?.terminate();
    },
  };
}

function serve(port: NonNullable<typeof parentPort>, { stamps }: FileWatchData): void {
  yieldToCalls();
  const tell = (message: FromWatch): void => port.postMessage(message, []);
  let files = stamps;
  // The folders are followed first and the files compared afterwards: a folder may have been replaced, and no later
  // change may be missed.
  const look = (): void => {
    watch.follow([...files.keys()]);
    if (areStale(files, stampOnDisk)) tell({ kind: "changed" });
  };
  const watch = watchFolders(look, (folder, error) => tell({ kind: "failed", folder, why: String(error) }));
  const follow = (next: FileStamps | undefined): void => {
    files = next ?? stampFiles(files.keys(), stampOnDisk);
    look();
    tell({ kind: "following" });
  };
  port.on("message", (message: ToWatch) => follow(message.stamps));
  follow(files);
}

function isWatchData(value: unknown): value is FileWatchData {
  return typeof value === "object" && value !== null && "thread" in value && value.thread === "file-watch";
}

if (!isMainThread && parentPort !== null && isWatchData(workerData)) serve(parentPort, workerData);
