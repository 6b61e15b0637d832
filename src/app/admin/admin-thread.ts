// Starts the admin thread and starts it again when it ends. The admin thread runs this module too.
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { Millis } from "../../domain/time.ts";
import { createLog, type Log } from "../../observe/log.ts";
import {
  countTurns,
  createTurnCells,
  type TurnCells,
  type TurnCounter,
} from "../threads/call-thread-turns.ts";
import { yieldToCalls } from "../threads/thread-priority.ts";
import {
  type AdminThreadData,
  CLOSED,
  type FromAdmin,
  type LogTarget,
  PROGRESS_CELLS,
  TAKEN,
  type ToAdmin,
} from "./admin-messages.ts";
import { type Admin, type AdminAnswers, type AdminParts, answerAdminThread } from "./admin-answers.ts";
import { createLogHandover } from "./log-handover.ts";

/** The thread that serves the admin address, renders metrics and writes the log. */
export interface AdminThread {
  readonly log: Log;
  /** Counts the turns of the call thread, once the address is open. */
  readonly turns: TurnCells;
  /** Opens the admin address. At most once. Rejects when the address can't be bound. */
  readonly open: (parts: AdminParts) => Promise<Admin>;
  /**
   * Writes out the log, closes it and ends the thread.
   *
   * @returns resolves within a second; with false when the thread has not ended: a disk stands still under it
   */
  readonly close: () => Promise<boolean>;
}

/** How long after its end the thread is started again. Milliseconds. */
const RESTART_AFTER: Millis = 1000;

/** How long the process waits for its last lines when it ends. Milliseconds. */
const MOST_FAREWELL: Millis = 1000;

/** Starts the thread. A thread that ends by itself is started again, and calls go on meanwhile. */
export function startAdminThread(target: LogTarget): AdminThread {
  const turns = createTurnCells();
  const progress = new Int32Array(new SharedArrayBuffer(PROGRESS_CELLS * Int32Array.BYTES_PER_ELEMENT));
  const data: AdminThreadData = { thread: "admin", log: target, turns, progress };
  let thread: Worker | undefined;
  let restart: NodeJS.Timeout | undefined;
  let serving: AdminAnswers | undefined;
  let counter: TurnCounter | undefined;
  /** Set while the thread is asked to end. */
  let closed: (() => void) | undefined;
  const handover = createLogHandover({
    send(entries, lost) {
      // The cells show the readiness before the log tells of it.
      counter?.note();
      return send({ kind: "log", entries, lost });
    },
    taken: () => Atomics.load(progress, TAKEN),
  });
  const log = createLog(target.level, Date.now, handover.push);
  const fault = (error: unknown): void => (serving?.fault ?? log.fault)(error);

  function send(message: ToAdmin): boolean {
    thread?.postMessage(message, []);
    return thread !== undefined;
  }

  function start(): void {
    const started = new Worker(new URL(import.meta.url), {
      workerData: data,
      // The log's descriptor was opened by another thread.
      trackUnmanagedFds: false,
    });
    thread = started;
    let failure: unknown;
    started.on("message", take);
    started.on("error", (error) => (failure = error));
    started.once("exit", (code) => {
      thread = undefined;
      ended(failure ?? new Error(`the admin thread ended with code ${code}; it is started again`));
    });
    if (serving !== undefined) send({ kind: "listen", endpoint: serving.endpoint(), access: serving.access });
  }

  function take(message: FromAdmin): void {
    if (message.kind === "fault") fault(faultOf(message.stack));
    else if (message.kind === "closed") void thread?.terminate();
    else serving?.take(message);
  }

  function ended(error: unknown): void {
    if (closed !== undefined) {
      closed();
      return;
    }
    handover.forgetSent();
    fault(error);
    serving?.ended(error);
    restart = setTimeout(start, RESTART_AFTER);
  }

  /** Runs when the process ends by an error that no code caught: the last lines of the log may say why. */
  function sayFarewell(): void {
    handover.flush();
    if (send({ kind: "close" })) Atomics.wait(progress, CLOSED, 0, MOST_FAREWELL);
  }

  start();
  process.once("exit", sayFarewell);
  return {
    log,
    turns,
    open(parts) {
      const begun = countTurns(turns, parts.isReady);
      counter = begun;
      return new Promise<Admin>((resolve, reject) => {
        const refused = (error: unknown): void => {
          serving = undefined;
          reject(error);
        };
        serving = answerAdminThread(parts, { send, counter: begun, log, opened: resolve, refused });
      });
    },
    close: () =>
      new Promise((resolve) => {
        process.off("exit", sayFarewell);
        clearTimeout(restart);
        handover.flush();
        const late = setTimeout(resolve, MOST_FAREWELL, false);
        closed = () => {
          clearTimeout(late);
          resolve(true);
        };
        if (!send({ kind: "close" })) closed();
      }),
  };
}

function faultOf(stack: string): Error {
  const error = new Error("in the admin thread");
  error.stack = stack;
  return error;
}

function isAdminData(value: unknown): value is AdminThreadData {
  return typeof value === "object" && value !== null && "thread" in value && value.thread === "admin";
}

if (!isMainThread && parentPort !== null && isAdminData(workerData)) {
  yieldToCalls();
  // Imported here: the call thread needs neither pino nor prom-client.
  const { serveAdmin } = await import("./serve-admin.ts");
  serveAdmin(parentPort, workerData);
}
