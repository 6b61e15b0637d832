// Writes log lines to a descriptor that may be full, gone or unread: lines are lost and counted, nothing else stops.
import { Buffer } from "node:buffer";
import { close, write } from "node:fs";
import type { LogSink } from "../../observe/log-writer.ts";
import type { Millis } from "../../domain/time.ts";
import { openUnblocked } from "../threads/unblocked-descriptor.ts";

/** At most this many characters wait. More is lost, so that a reader that stands still can't fill the memory. */
const MOST_WAITING = 1 << 20;

/** At most this many characters are written by one call, unless one line alone is longer. */
const MOST_AT_ONCE = 1 << 16;

/** Time until a reader that stood still is tried again. Milliseconds. */
const UNREAD_RETRY: Millis = 100;

/** Time until a descriptor that gave an error is tried again. Milliseconds. */
const ERROR_RETRY: Millis = 1000;

/** Longest time that closing takes. Milliseconds. */
const MOST_CLOSING: Millis = 500;

interface Line {
  readonly text: string;
  /** How many lost lines this line tells of; 0 for every other line. */
  readonly tells: number;
}

/** Lines on their way to the descriptor. */
interface Batch {
  readonly lines: readonly Line[];
  /** Where each line ends in `bytes`. */
  readonly ends: readonly number[];
  readonly bytes: Buffer;
  /** Octets written. */
  at: number;
}

/**
 * Writes to `fd`. A line that can't be written is lost: the disk is full, the terminal is gone, nobody reads the pipe.
 * Later lines are tried all the same, and the text of `lossLine` stands before the first one that is written.
 */
export function createLogSink(fd: number, lossLine: (lines: number, why: string) => string): LogSink {
  const descriptor = openUnblocked(fd);
  let waiting: string[] = [];
  let waitingLength = 0;
  let batch: Batch | undefined;
  let isWriting = false;
  let retry: NodeJS.Timeout | undefined;
  let lost = 0;
  let untold = 0;
  let why = "";
  /** True: the last octet that was written is not the end of a line. */
  let isCut = false;
  let closed: (() => void) | undefined;
  let isOver = false;

  function lose(lines: number, because: string): void {
    if (lines === 0) return;
    lost += lines;
    untold += lines;
    why = because;
  }

  function nextBatch(): Batch | undefined {
    if (waiting.length === 0) return undefined;
    const lines: Line[] = [];
    const notice = untold === 0 ? "" : lossLine(untold, why);
    if (notice !== "") lines.push({ text: notice, tells: untold });
    untold = 0;
    let count = 0;
    for (let length = 0; count < waiting.length && length < MOST_AT_ONCE; count++) {
      const text = waiting[count] ?? "";
      length += text.length;
      waitingLength -= text.length;
      lines.push({ text, tells: 0 });
    }
    waiting = waiting.slice(count);
    const start = isCut ? "\n" : "";
    let end = start.length;
    const ends = lines.map(({ text }) => (end += Buffer.byteLength(text)));
    return { lines, ends, bytes: Buffer.from(start + lines.map(({ text }) => text).join("")), at: 0 };
  }

  /** Gives up what of the batch is not written. */
  function drop({ lines, ends, at }: Batch, because: string): void {
    batch = undefined;
    if (at > 0) isCut = !ends.includes(at);
    lines.forEach(({ tells }, index) => {
      if ((ends[index] ?? 0) <= at) return;
      if (tells === 0) lose(1, because);
      else untold += tells;
    });
  }

  function written(error: NodeJS.ErrnoException | null, octets: number): void {
    isWriting = false;
    if (isOver || batch === undefined) return;
    if (error === null) {
      batch.at += octets;
      if (batch.at >= batch.bytes.length) {
        isCut = false;
        batch = undefined;
      }
      flush();
    } else if (error.code === "EAGAIN") wait(UNREAD_RETRY);
    else {
      drop(batch, error.code ?? error.message);
      if (closed === undefined) wait(ERROR_RETRY);
      else flush();
    }
  }

  function wait(time: Millis): void {
    retry = setTimeout(() => {
      retry = undefined;
      flush();
    }, time);
  }

  function flush(): void {
    if (isWriting || isOver || retry !== undefined) return;
    batch ??= nextBatch();
    if (batch === undefined) {
      if (closed !== undefined) finish();
      return;
    }
    isWriting = true;
    const { bytes, at } = batch;
    write(descriptor.fd, bytes, at, bytes.length - at, null, written);
  }

  function finish(): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(retry);
    if (batch !== undefined) drop(batch, "closed");
    lose(waiting.length, "closed");
    waiting = [];
    // A descriptor in use must not be closed: its number may belong to a socket at once.
    if (descriptor.isOwn && !isWriting) close(descriptor.fd, () => closed?.());
    else closed?.();
  }

  return {
    write(text) {
      if (isOver || waitingLength + text.length > MOST_WAITING) lose(1, "the reader of the log stands still");
      else {
        waiting.push(text);
        waitingLength += text.length;
      }
      flush();
    },
    lose,
    lost: () => lost,
    close(done) {
      closed = done;
      clearTimeout(retry);
      retry = undefined;
      setTimeout(finish, MOST_CLOSING).unref();
      flush();
    },
  };
}
