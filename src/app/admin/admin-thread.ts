/** The call thread's side of the admin thread, and the module that the thread starts on. */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { Millis } from "../../domain/time.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import type { Endpoint } from "../../net/address.ts";
import type { FigureSources } from "../../observe/figures.ts";
import { createLog, type Log } from "../../observe/log.ts";
import { countTurns, createTurnCells, type TurnCounter } from "../threads/call-thread-turns.ts";
import { yieldToCalls } from "../threads/thread-priority.ts";
import {
  type AdminThreadData,
  CLOSED,
  type FromAdmin,
  type LogTarget,
  PROGRESS_CELLS,
  type ReloadAnswer,
  TAKEN,
  type ToAdmin,
} from "./admin-messages.ts";
import { sliceFigures } from "./figures-slices.ts";
import { createLogHandover } from "./log-handover.ts";
import { createRuntimeProbe } from "./runtime-figures.ts";

/** The thread that serves the admin address, renders metrics and writes the log. */
export interface AdminThread {
  readonly log: Log;
  /** Opens the admin address; rejects when it can't be bound. At most once. */
  readonly open: (parts: AdminParts) => Promise<Admin>;
  /** Writes out the log, closes it and ends the thread. */
  readonly close: () => Promise<void>;
}

/** What the admin address shows and moves; read in the call thread. */
export interface AdminParts {
  readonly endpoint: Endpoint;
  readonly figures: FigureSources;
  /** A policy is loaded and the engine takes calls. */
  readonly isReady: () => boolean;
  readonly reload: () => Promise<ReloadAnswer>;
  readonly fault: (error: unknown) => void;
}

/** The admin address, bound. */
export interface Admin {
  /** `127.0.0.1:9464`, with the port that was really taken. */
  readonly address: string;
  /** Tells the thread at once whether the engine is ready; else it learns it within 100 ms. */
  readonly noteReadiness: () => void;
  readonly close: () => Promise<void>;
}

/** How long after its end the thread is started again, and an address that is taken is tried again. Milliseconds. */
const RESTART_AFTER: Millis = 1000;

/** How long the process waits for its last lines when it ends without {@link AdminThread.close}. Milliseconds. */
const MOST_FAREWELL: Millis = 2000;

/** Sockets above which handles and resources of the event loop are not counted: that would take longer than 0.5 ms. */
const MOST_COUNTED_SOCKETS = 2048;

/** The admin address from the side of the call thread. */
interface Serving {
  /** With the port that was taken, so that the thread gets the same one after a restart. */
  readonly endpoint: () => Endpoint;
  readonly take: (message: FromAdmin) => void;
  /** The thread has ended by itself. */
  readonly ended: (error: unknown) => void;
  readonly fault: (error: unknown) => void;
}

/** Starts the thread. One that ends by itself is started anew; calls go on meanwhile. */
export function startAdminThread(target: LogTarget): AdminThread {
  const turns = createTurnCells();
  const progress = new Int32Array(new SharedArrayBuffer(PROGRESS_CELLS * Int32Array.BYTES_PER_ELEMENT));
  const data: AdminThreadData = { thread: "admin", log: target, turns, progress };
  let thread: Worker | undefined;
  let restart: NodeJS.Timeout | undefined;
  let serving: Serving | undefined;
  let counter: TurnCounter | undefined;
  /** Set while the thread is asked to end. */
  let closed: (() => void) | undefined;
  const handover = createLogHandover({
    send(entries, lost) {
      // Readiness is never older than what the log says of it.
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
    if (serving !== undefined) send({ kind: "listen", endpoint: serving.endpoint() });
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

  /** Runs when the process ends by an error that nobody caught: the last lines of the log may say why. */
  function sayFarewell(): void {
    handover.flush();
    if (send({ kind: "close" })) Atomics.wait(progress, CLOSED, 0, MOST_FAREWELL);
  }

  start();
  process.once("exit", sayFarewell);
  return {
    log,
    open(parts) {
      const begun = countTurns(turns, parts.isReady);
      counter = begun;
      return new Promise<Admin>((resolve, reject) => {
        serving = serve(parts, send, begun, log, resolve, (error) => {
          serving = undefined;
          reject(error);
        });
      });
    },
    close: () =>
      new Promise((resolve) => {
        process.off("exit", sayFarewell);
        clearTimeout(restart);
        handover.flush();
        closed = resolve;
        if (!send({ kind: "close" })) resolve();
      }),
  };
}

/** Answers what the admin thread asks of the call thread, and says when its address is bound. */
function serve(
  parts: AdminParts,
  send: (message: ToAdmin) => boolean,
  counter: TurnCounter,
  log: Log,
  opened: (admin: Admin) => void,
  refused: (error: unknown) => void,
): Serving {
  const { figures: sources, fault } = parts;
  const runtime = createRuntimeProbe();
  const isCrowded = (): boolean => sources.counters.streams.open > MOST_COUNTED_SOCKETS;
  const figures = sliceFigures(
    { ...sources, runtime: () => runtime.read(isCrowded()) },
    (scrape, part, isLast) => send({ kind: "figures", scrape, part, isLast }),
    fault,
  );
  let { endpoint } = parts;
  let isOpen = false;
  let unlistened: (() => void) | undefined;

  function stop(): void {
    counter.stop();
    runtime.stop();
    figures.stop();
  }

  function listening(bound: Endpoint): void {
    endpoint = bound;
    if (isOpen) log.info("the admin address is open again", { admin: formatEndpoint(bound) });
    else opened({ address: formatEndpoint(bound), noteReadiness: counter.note, close });
    isOpen = true;
  }

  function unbound(error: unknown): void {
    if (isOpen) {
      log.error("the admin address can't be opened again; it is tried every second", { why: String(error) });
      setTimeout(listen, RESTART_AFTER);
    } else {
      stop();
      refused(error);
    }
  }

  const listen = (): void => {
    if (unlistened === undefined) send({ kind: "listen", endpoint });
  };

  const close = (): Promise<void> =>
    new Promise((resolve) => {
      unlistened = () => {
        stop();
        resolve();
      };
      if (!send({ kind: "unlisten" })) unlistened();
    });

  function reload(request: number): void {
    const answer = (outcome: ReloadAnswer | undefined): unknown =>
      send({ kind: "reloaded", request, answer: outcome });
    parts.reload().then(answer, (error: unknown) => {
      fault(error);
      answer(undefined);
    });
  }

  listen();
  return {
    endpoint: () => endpoint,
    fault,
    ended(error) {
      if (!isOpen) unbound(error);
      unlistened?.();
    },
    take(message) {
      if (message.kind === "listening") listening(message.endpoint);
      else if (message.kind === "unbound") unbound(unboundOf(message.message, message.code));
      else if (message.kind === "unlistened") unlistened?.();
      else if (message.kind === "scrape") figures.answer(message.scrape);
      else if (message.kind === "reload") reload(message.request);
    },
  };
}

function faultOf(stack: string): Error {
  const error = new Error("in the admin thread");
  error.stack = stack;
  return error;
}

function unboundOf(message: string, code: string | undefined): Error {
  return code === undefined ? new Error(message) : Object.assign(new Error(message), { code });
}

function isAdminData(value: unknown): value is AdminThreadData {
  return typeof value === "object" && value !== null && "thread" in value && value.thread === "admin";
}

if (!isMainThread && parentPort !== null && isAdminData(workerData)) {
  yieldToCalls();
  // Loaded from here: the call thread needs neither pino nor prom-client.
  const { serveAdmin } = await import("./serve-admin.ts");
  serveAdmin(parentPort, workerData);
}
