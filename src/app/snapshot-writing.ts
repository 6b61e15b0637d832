// The body of the thread that writes snapshots of calls: packs the live rows every few seconds, and writes changes.
import { Buffer } from "node:buffer";
import type { MessagePort } from "node:worker_threads";
import { packCalls } from "../calls/call-snapshot.ts";
import type { TrunkNames } from "../calls/calls.ts";
import type { Millis } from "../domain/time.ts";
import { writeDurably } from "./durable-file.ts";
import { describeFailure } from "./read-file.ts";
import type { FromSnapshots, SnapshotThreadData, ToSnapshots } from "./snapshot-messages.ts";

/** The head of a snapshot holds a checksum of everything behind it: two snapshots with one head are the same. */
const HEAD = 32;

/** Time until everything is packed again, when a row was being changed at each reading. Milliseconds. */
const TORN_PAUSE: Millis = 10;
/** At most this many tries. A row that is torn even then is left out: one row must not stop all snapshots. */
const MOST_TORN = 20;

/** Serves until the call thread says `close`. */
export function serveSnapshots(port: MessagePort, data: SnapshotThreadData): void {
  const { rows, path, every } = data;
  const send = (message: FromSnapshots): void => port.postMessage(message, []);
  let { names } = data;
  let written: Uint8Array | undefined;
  let timer: NodeJS.Timeout | undefined;

  function keep(bytes: Uint8Array): void {
    const head = bytes.subarray(0, HEAD);
    const isNew = written === undefined || Buffer.compare(written, head) !== 0;
    try {
      if (isNew) writeDurably(path, bytes);
      // A copy: a view of the head would keep the whole snapshot in memory.
      written = Uint8Array.from(head);
      send({ kind: "kept", isNew });
    } catch (error) {
      send({ kind: "failed", why: describeFailure(error) });
    }
  }

  /** Packs and writes, now or in some milliseconds. `done` is not called when names have to be asked for. */
  function take(done: () => void, tries = 0): void {
    clearTimeout(timer);
    const packed = packCalls(rows, names);
    if (packed === undefined) {
      send({ kind: "names" });
      timer = setTimeout(take, every, done);
    } else if (packed.torn > 0 && tries < MOST_TORN) {
      timer = setTimeout(take, TORN_PAUSE, done, tries + 1);
    } else {
      keep(packed.bytes);
      done();
    }
  }

  const goOn = (): void => {
    timer = setTimeout(take, every, goOn);
  };
  const end = (): void => send({ kind: "closed" });
  let done = goOn;

  port.on("message", (message: ToSnapshots) => {
    const { kind, names: current }: { kind: string; names: TrunkNames } = message;
    names = current;
    if (kind === "close") done = end;
    take(done);
  });
  goOn();
}
