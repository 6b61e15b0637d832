// Replays several captures at once, a thread for each, and prints them as if one came after the other.
import { statSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { compilePolicy, type PolicyParts } from "../../config/policy/build-policy.ts";
import { packPolicy, type PolicyParcel, unpackPolicy } from "../../config/policy/policy-transfer.ts";
import type { HostPort } from "../../net/host.ts";
import type { TrunkPolicy } from "../../policy/policy.ts";
import type { CommandOutput, CommandStream, LineStyle } from "./capture-files.ts";
import { createProgress } from "./progress.ts";
import { replayCapture } from "./replayed-capture.ts";

/** What the captures are judged by, and how they are printed. */
interface ThreadedReplay extends CommandOutput {
  readonly parts: PolicyParts;
  readonly trunk: TrunkPolicy | undefined;
  readonly ownNames: readonly HostPort[];
  readonly style: LineStyle;
  readonly all: boolean;
}

/** What a thread is started with. */
interface ThreadData {
  readonly parcel: PolicyParcel;
  /** The trunk that judges every call. Undefined: the trunk of the source. */
  readonly trunk: string | undefined;
  readonly ownNames: readonly HostPort[];
  readonly style: LineStyle;
  readonly all: boolean;
  /** Whether a person reads the lines. */
  readonly isTTY: boolean;
  /** Characters of this thread that have not been printed. */
  readonly waiting: Int32Array;
  /** Beyond so many, the thread waits. */
  readonly mostWaiting: number;
}

/** From a thread: text to print, bytes read of its capture, or the end of its capture. */
type FromThread =
  | { readonly kind: "text"; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly kind: "read"; readonly bytes: number }
  | { readonly kind: "end"; readonly isRead: boolean };

/**
 * At most this many characters of one thread wait for captures before its own; then the thread waits. The thread whose
 * turn it is never waits long: its text is printed as it comes.
 */
const MOST_WAITING = 16 << 20;

/** A capture that is replayed. */
interface Running {
  readonly texts: { readonly stream: "stdout" | "stderr"; readonly text: string }[];
  readonly waiting: Int32Array;
  /** Undefined until it ends; false when nothing of it could be read. */
  isRead: boolean | undefined;
}

/**
 * Replays captures in `jobs` threads, at most as many as there are captures.
 *
 * @param mostWaiting characters of one thread that wait to be printed, at most one text more
 * @returns 1 when nothing of a capture could be read, else 0. Rejects when a thread fails
 */
export async function replayInThreads(
  files: readonly string[],
  jobs: number,
  replay: ThreadedReplay,
  mostWaiting = MOST_WAITING,
): Promise<number> {
  const { stdout, stderr, parts, trunk, ownNames, style, all } = replay;
  const sizes = files.map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const progress = createProgress(stderr, `${files.length} captures`, total);
  const bytesRead = files.map(() => 0);
  const running: Running[] = [];
  let turn = 0;

  function write({ stream, text }: Running["texts"][number], waiting: Int32Array): void {
    progress.clear();
    (stream === "stdout" ? stdout : stderr).write(text);
    Atomics.sub(waiting, 0, text.length);
    Atomics.notify(waiting, 0);
  }

  /** Prints what has come of the captures whose turn it is. */
  function printTurn(): void {
    for (;;) {
      const current = running[turn];
      if (current === undefined) return;
      for (const text of current.texts.splice(0)) write(text, current.waiting);
      if (current.isRead === undefined) return;
      turn += 1;
    }
  }

  function take(message: FromThread, index: number, capture: Running): void {
    if (message.kind === "text") capture.texts.push(message);
    else if (message.kind === "end") capture.isRead = message.isRead;
    else {
      bytesRead[index] = message.bytes;
      progress.at(bytesRead.reduce((sum, bytes) => sum + bytes, 0));
    }
    printTurn();
  }

  const parcel = packPolicy(parts);
  const threads: Worker[] = [];
  /** Replays captures in one thread until none is left. */
  function work(): Promise<void> {
    const waiting = new Int32Array(new SharedArrayBuffer(4));
    const data: ThreadData = {
      parcel,
      trunk: trunk?.trunk.id,
      ownNames,
      style,
      all,
      isTTY: stdout.isTTY === true,
      waiting,
      mostWaiting,
    };
    const thread = new Worker(new URL(import.meta.url), { workerData: data });
    threads.push(thread);
    return new Promise<void>((resolve, reject) => {
      let index = 0;
      const next = (): void => {
        const file = files[running.length];
        index = running.length;
        if (file === undefined) resolve();
        else {
          running.push({ texts: [], waiting, isRead: undefined });
          thread.postMessage(file, []);
        }
      };
      thread.on("message", (message: FromThread) => {
        const capture = running[index];
        if (capture !== undefined) take(message, index, capture);
        if (message.kind === "end") next();
      });
      thread.once("error", reject);
      thread.once("exit", (code) => reject(new Error(`a thread of the replay ended with code ${code}`)));
      next();
    });
  }

  try {
    await Promise.all(Array.from({ length: Math.min(jobs, files.length) }, work));
  } finally {
    progress.clear();
    for (const thread of threads) void thread.terminate();
  }
  return running.every(({ isRead }) => isRead) ? 0 : 1;
}

/** Replays the captures that this thread is given, one after the other. */
function serve(port: NonNullable<typeof parentPort>, data: ThreadData): void {
  const { parcel, trunk, ownNames, style, all, isTTY, waiting, mostWaiting } = data;
  const policy = compilePolicy(unpackPolicy(parcel));
  const judgement = {
    policy,
    ownNames,
    trunk: trunk === undefined ? undefined : policy.trunkById(trunk),
  };
  const tell = (message: FromThread): void => port.postMessage(message, []);
  const streamTo = (stream: "stdout" | "stderr"): CommandStream => ({
    isTTY: stream === "stdout" && isTTY,
    write(text) {
      const before = Atomics.add(waiting, 0, text.length);
      tell({ kind: "text", stream, text });
      for (let held = before + text.length; held > mostWaiting; held = Atomics.load(waiting, 0))
        Atomics.wait(waiting, 0, held);
    },
  });
  const output: CommandOutput = {
    stdout: streamTo("stdout"),
    stderr: streamTo("stderr"),
    read: (bytes) => tell({ kind: "read", bytes }),
  };
  port.on("message", (file: string) => {
    void replayCapture(file, { judgement, style, all, output, see: undefined }).then((isRead) =>
      tell({ kind: "end", isRead }),
    );
  });
}

if (!isMainThread && parentPort !== null) serve(parentPort, workerData);
