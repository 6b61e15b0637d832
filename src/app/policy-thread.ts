// The thread that reads configurations for reloads: started on demand, ended when idle.
import { Buffer } from "node:buffer";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import type { TlsMaterial } from "../config/sigwall/tls-files.ts";
import type { Millis } from "../domain/time.ts";
import { readFromDisk } from "./read-file.ts";
import type { ReadReply, ReadRequest } from "./policy-reading.ts";
import { yieldToCalls } from "./threads/thread-priority.ts";

/** A thread that reads configurations, so that the call thread does not wait for them. */
export interface PolicyThread {
  /** Reads one configuration. Call it again only after the last reading has ended. Rejects when the thread fails. */
  readonly read: (request: ReadRequest) => Promise<ReadReply>;
}

/** An idle thread ends after this time and gives its memory back. Milliseconds. */
const MOST_IDLE: Millis = 30_000;

/**
 * At most this many configurations are read by one thread. The end of a thread gives its memory back long before the
 * garbage collector would.
 */
const MOST_READS = 16;

/**
 * Makes the reader. Its thread starts when there is something to read. It ends after `mostIdle` without work, or after
 * {@link MOST_READS} readings. The thread never keeps the process alive.
 */
export function createPolicyThread(mostIdle: Millis = MOST_IDLE): PolicyThread {
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let reads = 0;

  function start(): Worker {
    const started = new Worker(new URL(import.meta.url));
    reads = 0;
    started.unref();
    // A pending reading is rejected below. A thread that fails while none is pending is started again.
    started.on("error", () => undefined);
    started.once("exit", () => {
      if (thread === started) thread = undefined;
    });
    return started;
  }

  function end(reader: Worker): void {
    // The thread ends soon. Until then a new reading needs another thread.
    thread = undefined;
    void reader.terminate();
  }

  return {
    read(request) {
      clearTimeout(idle);
      thread ??= start();
      const reader = thread;
      return new Promise<ReadReply>((resolve, reject) => {
        const ended = (code: number): void => reject(new Error(`the reading thread ended with code ${code}`));
        reader.once("error", reject);
        reader.once("exit", ended);
        reader.once("message", (reply: ReadReply) => {
          reader.off("error", reject);
          reader.off("exit", ended);
          if (++reads >= MOST_READS) end(reader);
          else idle = setTimeout(() => end(reader), mostIdle).unref();
          resolve({ ...reply, tls: asBuffers(reply.tls) });
        });
        reader.postMessage(request, []);
      });
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
  port.on("message", (request: ReadRequest) => {
    port.postMessage(readForReload(trackFiles(readFromDisk, stampOnDisk), request), []);
  });
}

if (!isMainThread && parentPort !== null) await serve(parentPort);
