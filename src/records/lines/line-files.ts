// Appends lines to the files of their hours: records/YYYY-MM-DD/HH-NODE.ndjson.
import { Buffer } from "node:buffer";
import { closeSync, fdatasyncSync, fstatSync, mkdirSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { hourOf, placeOfHour } from "./line-time.ts";

/** The files of one node's lines. */
export interface LineFiles {
  /** Takes a line without its line end. It is written by the next {@link LineFiles.flush}. */
  readonly add: (at: Millis, line: string) => void;
  /** Octets that wait. */
  readonly waiting: () => number;
  /**
   * Writes what waits. Throws when it can't: what was not written stays and is written by the next call, from the
   * very octet on.
   */
  readonly flush: () => void;
  /** Octets written so far. */
  readonly written: () => number;
  readonly close: () => void;
}

interface HourFile {
  readonly fd: number;
  isDirty: boolean;
}

/** What waits for one hour. */
interface Waiting {
  text: string;
  /** The octets that are being written, and how many of them are. */
  bytes: Buffer | undefined;
  done: number;
}

/** At most so many octets of UTF-8 are one UTF-16 unit. */
const MOST_OCTETS = 3;

/** At most this many hours have an open file. Only a clock that steps, or calls that end late, need more than two. */
const MOST_OPEN = 4;

/** Late lines stand at most this many hours behind their own. */
const MOST_LATER = 24;

/** Returns the name of the file with the lines of a node in an hour, `12-gw-a.ndjson`. */
export function lineFileName(hour: string, node: string): string {
  return `${hour}-${node}.ndjson`;
}

export function createLineFiles(folder: string, node: string): LineFiles {
  const open = new Map<number, HourFile>();
  const queue = new Map<number, Waiting>();
  /** The latest hour that has a file. */
  let latest = -1;
  let written = 0;
  /** Octets that are being written. Invariant: only the first hour of the queue has any. */
  let scratch = Buffer.alloc(0);

  function takeText(waiting: Waiting): Buffer {
    const most = waiting.text.length * MOST_OCTETS;
    if (scratch.length < most) scratch = Buffer.alloc(most);
    const length = scratch.write(waiting.text);
    waiting.text = "";
    waiting.done = 0;
    return scratch.subarray(0, length);
  }

  function close(hour: number, { fd, isDirty }: HourFile): void {
    open.delete(hour);
    try {
      if (isDirty) fdatasyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  /**
   * The file of an hour that was sealed is gone for good: its late lines go to the latest hour. Readers look for late
   * lines in the files of one more day: after a clock that jumped ahead they go to the next hour that is not sealed.
   */
  function hourFor(at: Millis): number {
    const hour = hourOf(at);
    if (hour >= latest || queue.has(hour)) return hour;
    const known = open.get(hour);
    if (known !== undefined && isThere(known)) return hour;
    if (!isSealed(folder, node, hour)) return hour;
    if (latest - hour <= MOST_LATER) return latest;
    let next = hour + 1;
    while (next < hour + MOST_LATER && isSealed(folder, node, next)) next++;
    return next;
  }

  function fileOf(hour: number): HourFile {
    const known = open.get(hour);
    if (known !== undefined) {
      // Somebody has deleted the file: lines must not go where nobody finds them.
      if (isThere(known)) return known;
      close(hour, known);
    }
    const place = placeOfHour(hour);
    const day = join(folder, place.day);
    mkdirSync(day, { recursive: true, mode: 0o700 });
    const file = { fd: openSync(join(day, lineFileName(place.hour, node)), "a", 0o600), isDirty: false };
    if (open.size >= MOST_OPEN) {
      const [oldest] = [...open].toSorted(([a], [b]) => a - b);
      if (oldest !== undefined) close(...oldest);
    }
    open.set(hour, file);
    return file;
  }

  function write(hour: number, waiting: Waiting): void {
    const file = fileOf(hour);
    waiting.bytes ??= takeText(waiting);
    while (waiting.done < waiting.bytes.length) {
      file.isDirty = true;
      const count = writeSync(file.fd, waiting.bytes, waiting.done);
      waiting.done += count;
      written += count;
    }
    waiting.bytes = undefined;
  }

  return {
    add(at, line) {
      const hour = hourFor(at);
      if (hour > latest) latest = hour;
      const waiting = queue.get(hour);
      if (waiting === undefined) queue.set(hour, { text: `${line}\n`, bytes: undefined, done: 0 });
      else waiting.text += `${line}\n`;
    },
    waiting() {
      let sum = 0;
      for (const { text, bytes, done } of queue.values()) sum += text.length + (bytes?.length ?? 0) - done;
      return sum;
    },
    flush() {
      for (const [hour, waiting] of queue) {
        while (waiting.bytes !== undefined || waiting.text !== "") write(hour, waiting);
        queue.delete(hour);
      }
    },
    written: () => written,
    close() {
      for (const [hour, file] of open) close(hour, file);
    },
  };
}

/** False when somebody has deleted the file. */
function isThere({ fd }: HourFile): boolean {
  return fstatSync(fd).nlink > 0;
}

/** @returns true when a Parquet file of the node's hour exists: readers then leave NDJSON of that hour out */
function isSealed(folder: string, node: string, hour: number): boolean {
  const place = placeOfHour(hour);
  const stem = `${place.hour}-${node}.`;
  try {
    return readdirSync(join(folder, place.day)).some(
      // A node name may have dots: what follows the stem is `parquet` or `TABLE.parquet`, and nothing else.
      (name) =>
        name.startsWith(stem) && name.endsWith(".parquet") && name.slice(stem.length).split(".").length <= 2,
    );
  } catch {
    return false;
  }
}
