// The thread that reads configurations for reloads: started on demand, ended when idle.
import { Buffer } from "node:buffer";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import type { TlsMaterial } from "../config/sigwall/tls-files.ts";
import type { Millis } from "../domain/time.ts";
import { readFromDisk } from "./read-file.ts";
import type { ReadReply, ReadRequest } from "./policy-reading.ts";
import { yieldToCalls } from "./threads/thread-priority.ts";

/** A thread that reads configurations, so that the one that carries calls does not wait for it. */
export interface PolicyThread {
  /** Reads one configuration; not before the one before it is read. Rejects when the thread fails. */
  readonly read: (request: ReadRequest) => Promise<ReadReply>;
}

/** A thread with nothing to read gives its memory back after this. */
const MOST_IDLE: Millis = 30_000;

/** What one thread reads: a new one has given its memory back long before the collector of an old one would. */
const MOST_READS = 16;

/** The thread is started when there is something to read, and ends after `mostIdle` without, or {@link MOST_READS}. It never keeps the process alive. */
export function createPolicyThread(mostIdle: Millis = MOST_IDLE): PolicyThread {
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let reads = 0;

  function start(): Worker {
    const started = new Worker(new URL(import.meta.url));
    reads = 0;
    started.unref();
    // Who waits for a reply is told below; a thread that fails while nobody waits is started anew.
    started.on("error", () => undefined);
    started.once("exit", () => {
      if (thread === started) thread = undefined;
    });
    return started;
  }

  function end(reader: Worker): void {
    // It ends in a while: what is to be read until then needs another one.
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

/** Buffers come out of another thread as plain arrays of octets. */
function asBuffers(tls: TlsMaterial | undefined): TlsMaterial | undefined {
  if (tls === undefined) return undefined;
  const { certificate, key, ca } = tls;
  return { ...tls, certificate: Buffer.from(certificate), key: Buffer.from(key), ca: Buffer.from(ca) };
}

async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  yieldToCalls();
  // Loaded from here: it takes longer than to read a small policy.
  const { readForReload } = await import("./policy-reading.ts");
  const { stampOnDisk, trackFiles } = await import("./tracked-files.ts");
  port.on("message", (request: ReadRequest) => {
    port.postMessage(readForReload(trackFiles(readFromDisk, stampOnDisk), request), []);
  });
}

if (!isMainThread && parentPort !== null) await serve(parentPort);
