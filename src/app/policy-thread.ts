// The thread that reads configurations for reloads: started on demand, ended when idle.
import { Buffer } from "node:buffer";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import type { PackedPlan } from "../config/policy/policy-transfer.ts";
import type { TlsMaterial } from "../config/sigwall/tls-files.ts";
import type { Millis } from "../domain/time.ts";
import type { Settlement, SettlingOrder } from "./lists/list-settling.ts";
import { readFromDisk } from "./read-file.ts";
import { issueOf, ReadingFailure, type ReadReply, type ReadRequest } from "./policy-reading.ts";
import { yieldToCalls } from "./threads/thread-priority.ts";

/** A thread that reads configurations, so that the call thread does not wait for them. */
export interface PolicyThread {
  /**
   * Reads one configuration. Call it again only after the last reading has ended. Rejects when the thread fails, and
   * with a {@link ReadingFailure} when a file is not read in time.
   */
  readonly read: (request: ReadRequest) => Promise<ReadReply>;
  /**
   * Settles the lists of the last reading, between readings. A later order takes the place of this one.
   * @returns resolves with undefined when the order was not carried out to its end
   */
  readonly settle: (order: SettlingOrder) => Promise<Settlement | undefined>;
  /** Ends the thread. One that hangs stays as it is. */
  readonly close: () => void;
}

/** The times of a reading. */
export interface ReadingTimes {
  /** An idle thread ends after this time and gives its memory back. Milliseconds. */
  readonly idle: Millis;
  /** Longest time for one file. Milliseconds. */
  readonly file: Millis;
  /** Longest time from one file to the next, in which what was read is judged. Milliseconds. */
  readonly judging: Millis;
}

const TIMES: ReadingTimes = { idle: 1000, file: 30_000, judging: 600_000 };

/** So many plans of trunks are posted at a time: the call thread takes them between two messages. */
const PLANS = 20;

/** At most this many threads hang in a file at one time. Beyond, nothing is read until one of them ends. */
const MOST_HANGING = 3;

/** To the reading thread. */
type ToReader =
  | { readonly kind: "read"; readonly request: ReadRequest }
  /** The next plans are wanted. */
  | { readonly kind: "more" }
  | { readonly kind: "settle"; readonly number: number; readonly order: SettlingOrder };

/**
 * From the reading thread: the file that it begins to read, the end of that file, the result, or the end of an order to
 * settle lists.
 */
type FromReader =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "read" }
  | { readonly kind: "reply"; readonly reply: ReadReply; readonly plans: number }
  | { readonly kind: "plans"; readonly plans: readonly PackedPlan[] }
  | { readonly kind: "settled"; readonly number: number; readonly settlement: Settlement };

/**
 * At most this many configurations are read by one thread. The end of a thread gives its memory back long before the
 * garbage collector would.
 */
const MOST_READS = 16;

/**
 * Makes the reader. Its thread starts when there is something to read. It ends after a while without work, or after
 * {@link MOST_READS} readings. The thread never keeps the process alive. A thread that hangs in a file (a mount that
 * does not answer) can't be ended: it is left behind, and the next reading gets another thread.
 */
export function createPolicyThread(times: Partial<ReadingTimes> = {}): PolicyThread {
  const { idle: mostIdle, file: mostFile, judging: mostJudging } = { ...TIMES, ...times };
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let reads = 0;
  let isReading = false;
  let orders = 0;
  /** Ends the order to settle lists that is under way. */
  let settled: ((number: number, settlement: Settlement | undefined) => void) | undefined;
  /** Threads that were given up and have not ended, with the file that each hangs in. */
  const hanging = new Map<Worker, string>();

  function start(): Worker {
    const started = new Worker(new URL(import.meta.url));
    reads = 0;
    started.unref();
    // A pending reading is rejected below. A thread that fails while none is pending is started again.
    started.on("error", () => undefined);
    started.once("exit", () => {
      hanging.delete(started);
      if (thread !== started) return;
      thread = undefined;
      settled?.(orders, undefined);
    });
    started.on("message", (message: FromReader) => {
      if (message.kind !== "settled" || started !== thread) return;
      settled?.(message.number, message.settlement);
      if (!isReading) rest(started);
    });
    return started;
  }

  /** Ends the thread when nothing is asked of it for a while. An order under way is not cut off. */
  function rest(reader: Worker): void {
    clearTimeout(idle);
    if (settled !== undefined) return;
    idle = setTimeout(() => end(reader), mostIdle).unref();
  }

  function end(reader: Worker): void {
    // The thread ends soon. Until then a new reading needs another thread.
    if (thread === reader) {
      thread = undefined;
      settled?.(orders, undefined);
    }
    void reader.terminate();
  }

  function giveUp(reader: Worker, path: string): void {
    hanging.set(reader, path);
    end(reader);
  }

  function readWith(reader: Worker, request: ReadRequest): Promise<ReadReply> {
    return new Promise<ReadReply>((resolve, reject) => {
      let at = request.configPath;
      let reply: ReadReply;
      let missing = 0;
      const plans: PackedPlan[] = [];
      let limit: NodeJS.Timeout;
      isReading = true;
      const settle = (): void => {
        isReading = false;
        clearTimeout(limit);
        reader.off("error", failed);
        reader.off("exit", ended);
        reader.off("message", take);
      };
      const failed = (error: unknown): void => {
        settle();
        reject(error);
      };
      const ended = (code: number): void => failed(new Error(`the reading thread ended with code ${code}`));
      const within = (most: Millis, message: string): void => {
        clearTimeout(limit);
        limit = setTimeout(() => {
          giveUp(reader, at);
          failed(
            new ReadingFailure(issueOf(at, `${message} within ${most / 1000} s; the reload was given up`)),
          );
        }, most);
      };
      const take = (message: FromReader): void => {
        if (message.kind === "file") {
          at = message.path;
          within(mostFile, "could not be read");
        } else if (message.kind === "read") within(mostJudging, "what was read could not be judged");
        else if (message.kind === "reply") {
          reply = message.reply;
          missing = message.plans;
          askOrEnd();
        } else if (message.kind === "plans") {
          plans.push(...message.plans);
          askOrEnd();
        }
      };
      const more: ToReader = { kind: "more" };
      const askOrEnd = (): void => {
        // Asked in a turn of its own: what is there already would be taken in this turn too.
        if (plans.length < missing) setImmediate(() => reader.postMessage(more, []));
        else {
          settle();
          if (++reads >= MOST_READS) end(reader);
          else rest(reader);
          const { parcel, tls } = reply;
          resolve({ ...reply, parcel: parcel && { ...parcel, plans }, tls: asBuffers(tls) });
        }
      };
      reader.on("error", failed);
      reader.on("exit", ended);
      reader.on("message", take);
      within(mostFile, "could not be read");
      const message: ToReader = { kind: "read", request };
      reader.postMessage(message, []);
    });
  }

  return {
    read(request) {
      clearTimeout(idle);
      if (thread === undefined && hanging.size >= MOST_HANGING) {
        const [path = request.configPath] = hanging.values();
        const message = `${hanging.size} readings hang here; nothing is read until one of them ends`;
        return Promise.reject(new ReadingFailure(issueOf(path, message)));
      }
      thread ??= start();
      return readWith(thread, request);
    },
    settle(order) {
      settled?.(orders, undefined);
      const number = ++orders;
      return new Promise((resolve) => {
        settled = (of, settlement) => {
          if (of !== number) return;
          settled = undefined;
          resolve(settlement);
        };
        if (thread === undefined && hanging.size >= MOST_HANGING) {
          settled(number, undefined);
          return;
        }
        thread ??= start();
        const message: ToReader = { kind: "settle", number, order };
        thread.postMessage(message, []);
        clearTimeout(idle);
      });
    },
    close() {
      clearTimeout(idle);
      if (thread !== undefined) end(thread);
    },
  };
}

/** Makes buffers again: they come out of another thread as plain arrays of octets. */
function asBuffers(tls: TlsMaterial | undefined): TlsMaterial | undefined {
  if (tls === undefined) return undefined;
  const { certificate, key, ca } = tls;
  return { ...tls, certificate: Buffer.from(certificate), key: Buffer.from(key), ca: Buffer.from(ca) };
}

async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  yieldToCalls();
  // Imported here: the import takes longer than reading a small policy.
  const { readForReload } = await import("./policy-reading.ts");
  const { stampOnDisk, trackFiles } = await import("./tracked-files.ts");
  const { settleLists } = await import("./lists/list-settling.ts");
  const tell = (message: FromReader): void => port.postMessage(message, []);
  /** Plans of the last policy that the call thread has not asked for yet. */
  let unsent: PackedPlan[] = [];
  let settling: { readonly number: number; readonly steps: ReturnType<typeof settleLists> } | undefined;
  // One list a turn: a request to read waits for one list at most.
  const settleNext = (of: typeof settling): void => {
    if (of === undefined || of !== settling) return;
    const { done, value } = of.steps.next();
    if (done === true) {
      settling = undefined;
      tell({ kind: "settled", number: of.number, settlement: value });
    } else setImmediate(settleNext, of);
  };
  port.on("message", (message: ToReader) => {
    if (message.kind === "settle") {
      settling = { number: message.number, steps: settleLists(message.order, stampOnDisk) };
      setImmediate(settleNext, settling);
      return;
    }
    if (message.kind === "more") {
      tell({ kind: "plans", plans: unsent.splice(0, PLANS) });
      return;
    }
    const { request } = message;
    const files = trackFiles(readFromDisk, stampOnDisk);
    const readFile = (path: string): ReturnType<typeof readFromDisk> => {
      tell({ kind: "file", path });
      const content = files.readFile(path);
      tell({ kind: "read" });
      return content;
    };
    const reply = readForReload({ ...files, readFile }, request);
    const { parcel } = reply;
    unsent = [...(parcel?.plans ?? [])];
    tell({
      kind: "reply",
      reply: { ...reply, parcel: parcel && { ...parcel, plans: [] } },
      plans: unsent.length,
    });
  });
}

if (!isMainThread && parentPort !== null) await serve(parentPort);
