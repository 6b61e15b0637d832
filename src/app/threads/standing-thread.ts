// A thread that is started again when it ends by itself, with a port for messages, and a last word before it is ended.
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Millis } from "../../domain/time.ts";

/** How long after its end the thread is started again. Milliseconds. */
const RESTART_AFTER: Millis = 1000;

export interface StandingThreadParts<From, To> {
  /** The module that the thread runs. */
  readonly script: URL;
  /** For people: "records". */
  readonly name: string;
  /** What the thread begins with, its end of the port among it. Asked for at each start. */
  readonly dataFor: (port: MessagePort) => object;
  readonly hear: (message: From) => void;
  /** The thread has been started, the first time before {@link startStandingThread} returns. */
  readonly started: (post: StandingThread<To>["post"]) => void;
  /** It has ended by itself, or could not be started. Its last messages were heard. */
  readonly ended: (why: string) => void;
}

/** The thread never keeps the process alive, but while {@link StandingThread.close} waits for it. */
export interface StandingThread<To> {
  /** @returns false when no thread runs: the message is not posted */
  readonly post: (message: To, moved?: readonly ArrayBuffer[]) => boolean;
  /** The thread has answered the last message. */
  readonly lastWord: () => void;
  /**
   * Posts a last message, and ends the thread when it has answered, or after `most` milliseconds. It is not started again.
   *
   * @returns resolves with false where it has not answered in time
   */
  readonly close: (farewell: To, most: Millis) => Promise<boolean>;
}

export function startStandingThread<From, To>(parts: StandingThreadParts<From, To>): StandingThread<To> {
  let port: MessagePort | undefined;
  let thread: Worker | undefined;
  let restart: NodeJS.Timeout | undefined;
  let closed: (() => void) | undefined;

  const post: StandingThread<To>["post"] = (message, moved = []) => {
    port?.postMessage(message, moved);
    return port !== undefined;
  };

  function hearLast(from: MessagePort): void {
    const receive = (): { readonly message: From } | undefined => receiveMessageOnPort(from);
    for (let got = receive(); got !== undefined; got = receive()) parts.hear(got.message);
  }

  function start(): void {
    const channel = new MessageChannel();
    port = channel.port1;
    port.on("message", parts.hear);
    port.unref();
    try {
      thread = new Worker(parts.script, {
        workerData: parts.dataFor(channel.port2),
        transferList: [channel.port2],
      });
    } catch (error) {
      ended(String(error));
      return;
    }
    thread.unref();
    let failure = `the ${parts.name} thread ended`;
    thread.on("error", (error) => (failure = String(error)));
    thread.once("exit", () => {
      thread = undefined;
      hearLast(channel.port1);
      if (closed === undefined) ended(failure);
      else closed();
    });
    parts.started(post);
  }

  function ended(why: string): void {
    port?.close();
    port = undefined;
    parts.ended(why);
    restart = setTimeout(start, RESTART_AFTER).unref();
  }

  start();
  return {
    post,
    lastWord: () => closed?.(),
    async close(farewell, most) {
      clearTimeout(restart);
      const last = thread;
      if (last === undefined) {
        closed = () => undefined;
        port?.close();
        return false;
      }
      last.ref();
      const hasAnswered = await new Promise<boolean>((resolve) => {
        const limit = setTimeout(resolve, most, false);
        closed = () => {
          clearTimeout(limit);
          resolve(true);
        };
        post(farewell);
      });
      const terminated = last.terminate();
      // A thread that waits for a disk ends when the disk answers. Nobody waits for that.
      if (hasAnswered) await terminated;
      port?.close();
      port = undefined;
      return hasAnswered;
    },
  };
}
