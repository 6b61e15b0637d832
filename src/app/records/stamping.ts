// Asks a time stamping authority from a thread of its own, so that neither calls nor records wait for it.
import { setTimeout as pause } from "node:timers/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { EvidenceConfig } from "../../config/sigwall/evidence-schema.ts";
import type { Millis } from "../../domain/time.ts";
import type { Log } from "../../observe/log.ts";
import { lastStamped, type StampOutcome, stampNewest } from "../../records/evidence/newest-stamp.ts";
import { wallNow } from "../../wire/kernel/clock.ts";
import { yieldToCalls } from "../threads/thread-priority.ts";
import { createStampingTimes } from "./stamping-times.ts";

/** The stamping of a running filter. */
export interface Stamping {
  /** Ends the thread. Resolves when it has ended. A question that is under way is given up. */
  readonly close: () => Promise<void>;
}

interface StampingData {
  readonly thread: "stamping";
  readonly folder: string;
  readonly node: string;
  readonly url: string;
  readonly every: Millis;
}

/** How long after its end the thread is started again. Milliseconds. */
const RESTART_AFTER: Millis = 60_000;
const MINUTE: Millis = 60_000;

/**
 * Stamps the newest checkpoint of the node every `everyMinutes`. A failure is a warning and is tried again: after a
 * second, then after twice as long each time.
 *
 * @returns undefined where the configuration asks for no stamps
 */
export function startStamping(
  config: Pick<EvidenceConfig, "folder" | "timeStamp">,
  node: string,
  log: Log,
): Stamping | undefined {
  const { folder, timeStamp } = config;
  if (timeStamp === undefined) return undefined;
  const { url, everyMinutes } = timeStamp;
  const data: StampingData = { thread: "stamping", folder, node, url, every: everyMinutes * MINUTE };
  let thread: Worker | undefined;
  let restart: NodeJS.Timeout | undefined;
  let failure: string | undefined;
  let isClosed = false;

  function hear(outcome: StampOutcome): void {
    if (outcome.kind === "failed") {
      // A reason that goes on is told once.
      if (outcome.why !== failure)
        log.warn("no time stamp of the evidence; it is tried again", { why: outcome.why });
      failure = outcome.why;
    } else if (outcome.kind === "stamped") {
      failure = undefined;
      log.info("evidence time stamp", { size: outcome.size, authority: url });
    }
  }

  function start(): void {
    const started = new Worker(new URL(import.meta.url), { workerData: data });
    thread = started;
    started.unref();
    let why = "it ended";
    started.on("message", hear);
    started.on("error", (error) => (why = String(error)));
    started.once("exit", () => {
      thread = undefined;
      if (isClosed) return;
      log.warn("the thread for time stamps ended; it is started again", { why });
      restart = setTimeout(start, RESTART_AFTER).unref();
    });
  }

  start();
  return {
    async close() {
      isClosed = true;
      clearTimeout(restart);
      await thread?.terminate();
    },
  };
}

async function stampForEver({ folder, node, url, every }: StampingData): Promise<never> {
  const times = createStampingTimes(every);
  await pause(times.first(wallNow(), lastStamped(folder, node)));
  for (;;) {
    const outcome = await stampNewest(folder, node, url);
    parentPort?.postMessage(outcome, []);
    await pause(times.after(outcome));
  }
}

function isStampingData(value: unknown): value is StampingData {
  return typeof value === "object" && value !== null && "thread" in value && value.thread === "stamping";
}

if (!isMainThread && isStampingData(workerData)) {
  yieldToCalls();
  await stampForEver(workerData);
}
