// The thread that ends the process when the call thread no longer turns. It runs this module too.
import { peopleClock } from "./admin/people-clock.ts";
import { performance } from "node:perf_hooks";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import type { Millis } from "../domain/time.ts";
import { createLogWriter } from "../observe/log-writer.ts";
import { redactText } from "../observe/redact.ts";
import { loadEndAtOnce } from "../wire/kernel/end-at-once.ts";
import type { LogTarget } from "./admin/admin-messages.ts";
import { createLogSink } from "./admin/log-sink.ts";
import { stopCallThread } from "./threads/call-thread-stack.ts";
import {
  followWatchedAge,
  LOOK_INTERVAL,
  type TurnAge,
  type TurnCells,
} from "./threads/call-thread-turns.ts";

/** Exit code of a process that the watchdog ended: EX_SOFTWARE of <sysexits.h>. */
export const WATCHDOG_EXIT = 70;

/** The thread that watches. */
export interface Watchdog {
  readonly close: () => Promise<void>;
}

/** What the thread is started with. */
export interface WatchdogData {
  readonly thread: "watchdog";
  readonly turns: TurnCells;
  /** Longest time without a turn. Milliseconds. */
  readonly most: Millis;
  readonly log: LogTarget;
}

/** How long after its end the thread is started again, and how long a process may take to end. Milliseconds. */
const RESTART_AFTER: Millis = 1000;

/**
 * Starts the thread. `fault` takes an error that ended the thread; it is started again.
 *
 * @param seconds longest time without a turn; 0: nobody watches
 */
export function startWatchdog(
  seconds: number,
  { turns, log }: Pick<WatchdogData, "turns" | "log">,
  fault: (error: unknown) => void,
): Watchdog | undefined {
  if (seconds === 0) return undefined;
  const data: WatchdogData = { thread: "watchdog", turns, most: seconds * 1000, log };
  let thread: Worker;
  let restart: NodeJS.Timeout | undefined;
  let isClosed = false;
  const start = (): void => {
    thread = new Worker(new URL(import.meta.url), { workerData: data, trackUnmanagedFds: false });
    thread.unref();
    thread.on("error", fault);
    thread.once("exit", () => {
      if (!isClosed) restart = setTimeout(start, RESTART_AFTER).unref();
    });
  };
  start();
  return {
    async close() {
      isClosed = true;
      clearTimeout(restart);
      await thread.terminate();
    },
  };
}

/** Looks until the call thread has not turned for too long. Then it tells where the thread stands, and ends the process. */
async function keepWatch({ turns, most, log }: WatchdogData): Promise<void> {
  // Loaded now: the disk may be what the call thread waits for.
  const endAtOnce = await loadEndAtOnce();
  const turn = followWatchedAge(turns, performance.now());
  const look = (): void => {
    turn.look(performance.now());
    if (turn.age() <= most) return;
    clearInterval(timer);
    void bite();
  };
  const bite = async (): Promise<void> => {
    if (await endProcess(turn, log, endAtOnce)) timer = setInterval(look, LOOK_INTERVAL);
  };
  let timer = setInterval(look, LOOK_INTERVAL);
}

/** @returns true when the call thread has turned after all: the process goes on */
async function endProcess(
  turn: TurnAge,
  { level, fd, timeZone }: LogTarget,
  endAtOnce: ((code: number) => void) | undefined,
): Promise<boolean> {
  const seconds = (turn.age() / 1000).toFixed(1);
  const { stack, exit, release } = await stopCallThread();
  turn.look(performance.now());
  if (turn.age() <= LOOK_INTERVAL) {
    release();
    return true;
  }
  const writer = createLogWriter(level, peopleClock(timeZone), (lossLine) => createLogSink(fd, lossLine));
  const message = `the call thread has not turned for ${seconds} s: the process ends with exit code ${WATCHDOG_EXIT}`;
  const fields = { stack: redactText(stack) };
  writer.write({ at: Date.now(), level: "error", kind: "message", message, fields });
  writer.close(() => {
    endAtOnce?.(WATCHDOG_EXIT);
    exit(WATCHDOG_EXIT);
    setTimeout(() => process.kill(process.pid, "SIGKILL"), RESTART_AFTER);
  });
  return false;
}

function isWatchdogData(value: unknown): value is WatchdogData {
  return typeof value === "object" && value !== null && "thread" in value && value.thread === "watchdog";
}

if (!isMainThread && isWatchdogData(workerData)) await keepWatch(workerData);
