// Cuts the torn last lines that a killed process has left, and finds where its lines end.
import { Buffer } from "node:buffer";
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import type { Millis } from "../../domain/time.ts";
import { parseCallId } from "../../calls/call-id.ts";
import { lineFilesIn } from "./read-lines.ts";

/** At most this many files are looked at: those of the last hours that have any. */
const MOST_FILES = 6;
/** At most this many octets at the end of a file are read. A line is shorter. */
const MOST_TAIL = 1 << 18;

/** What was found at the ends of a node's files. */
export interface FoundEnds {
  /** Torn lines that were cut. */
  readonly torn: number;
  /** The time of the last whole line; undefined: there is none. */
  readonly last: Millis | undefined;
}

/** Cuts torn last lines of the newest files of `node`. Throws when a file can't be changed. */
export function cutTornLines(folder: string, node: string): FoundEnds {
  let torn = 0;
  let last: Millis | undefined;
  for (const { path } of lineFilesIn([folder], { node }).slice(-MOST_FILES)) {
    const fd = openSync(path, "r+");
    try {
      const { size } = fstatSync(fd);
      const tail = readTail(fd, size);
      const end = tail.lastIndexOf(0x0a) + 1;
      if (end < tail.length) {
        ftruncateSync(fd, size - (tail.length - end));
        torn++;
      }
      const at = timeOfLast(tail.subarray(0, end));
      if (at !== undefined && (last === undefined || at > last)) last = at;
    } finally {
      closeSync(fd);
    }
  }
  return { torn, last };
}

/**
 * Finds the highest epoch in the call ids of the newest lines of `node`. Never throws.
 *
 * @returns -1 where no line has one
 */
export function lastEpochIn(folder: string, node: string): number {
  let last = -1;
  for (const { path } of lineFilesIn([folder], { node }).slice(-MOST_FILES)) {
    const text = tailText(path);
    const mark = `"id":"${node}-`;
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
      const start = at + '"id":"'.length;
      const id = parseCallId(text.slice(start, text.indexOf('"', start)));
      if (id !== undefined && id.node === node && id.name.epoch > last) last = id.name.epoch;
    }
  }
  return last;
}

function tailText(path: string): string {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    return readTail(fd, fstatSync(fd).size).toString("latin1");
  } catch {
    return "";
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function readTail(fd: number, size: number): Buffer {
  const length = Math.min(size, MOST_TAIL);
  const tail = Buffer.alloc(length);
  const count = length === 0 ? 0 : readSync(fd, tail, 0, length, size - length);
  return tail.subarray(0, count);
}

/** Reads the time of the last line that has one. */
function timeOfLast(lines: Buffer): Millis | undefined {
  const text = lines.toString("latin1");
  const mark = '"time":"';
  const at = text.lastIndexOf(mark);
  const time = at < 0 ? NaN : Date.parse(text.slice(at + mark.length, text.indexOf('"', at + mark.length)));
  return Number.isNaN(time) ? undefined : time;
}
