// Reads the NDJSON files of hours that are not sealed.
import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import { type HourFiles, openPath } from "../sealed/hour-files.ts";
import { createLineReader } from "../sealed/line-sorting.ts";
import { isMeant, needleOf, type ReadLine, type RecordFilter } from "./record-filter.ts";

const CHUNK = 1 << 20;

/**
 * Calls `take` with every line of a file that is meant, in the order of the file. A last line without line end may be
 * still written: it counts only when it can be read. Throws when the file can't be read.
 *
 * @returns how many lines could not be read, among those that had to be
 */
export function readOpenLines(path: string, filter: RecordFilter, take: (line: ReadLine) => void): number {
  const needle = needleOf(filter);
  const bytesOfNeedle = needle === undefined ? undefined : Buffer.from(needle);
  let unread = 0;
  let isLast = false;
  const reader = createLineReader({
    line(bytes) {
      if (bytes.length === 0 || (bytesOfNeedle !== undefined && !bytes.includes(bytesOfNeedle))) return;
      const line = parseLine(bytes.toString("utf8"));
      if (line === undefined) unread += isLast ? 0 : 1;
      else if (isMeant(line, filter)) take(line);
    },
    tooLong(_, isFirst) {
      if (isFirst) unread++;
    },
  });
  const file = openSync(path, "r");
  try {
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const length = readSync(file, chunk, 0, CHUNK, null);
      if (length === 0) break;
      reader.push(chunk.subarray(0, length));
    }
    isLast = true;
    reader.end();
  } finally {
    closeSync(file);
  }
  return unread;
}

/** Adds to what is damaged, in words for operators, that lines of an hour could not be read. */
export function addUnread(damages: string[], hour: HourFiles, count: number): void {
  if (count > 0) damages.push(`${openPath(hour)}: ${count} lines can't be read`);
}

/** @returns undefined for what is no record line */
function parseLine(text: string): ReadLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isLine(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Tells whether a value is a record line. */
export function isLine(value: unknown): value is ReadLine {
  return (
    typeof value === "object" &&
    value !== null &&
    "record" in value &&
    typeof value.record === "string" &&
    "time" in value &&
    typeof value.time === "string"
  );
}
