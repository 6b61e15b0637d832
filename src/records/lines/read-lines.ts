// Reads record lines between two times out of records folders, in bounded memory. What can't be read is told.
import { Buffer } from "node:buffer";
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { hourOf, placeOfHour } from "./line-time.ts";
import { listDays } from "./record-days.ts";

/** A line as it was found. */
export interface FoundLine {
  readonly file: string;
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** The object in the line; undefined: it is no record line. */
  readonly line: Readonly<Record<string, unknown>> | undefined;
  /** Why it is none, or why the file can't be read, in words; undefined otherwise. */
  readonly why: string | undefined;
}

/** What is read. */
export interface LineRange {
  /** Lines from this time on. Left out: from the first one. */
  readonly from?: Millis;
  /** Lines before this time. Left out: to the last one. */
  readonly to?: Millis;
  /** Only the lines of this node. Left out: those of all nodes of the folders. */
  readonly node?: string;
}

const DAY: Millis = 86_400_000;

/** Octets that are read at a time. */
const CHUNK = 1 << 16;
/** A longer line is none of ours: the longest one has some 100 KiB. */
const LONGEST_LINE = 1 << 20;

/**
 * Yields the NDJSON lines of `folders` whose time lies in the range, file by file in the order of hours. Bad lines are
 * yielded wherever they stand in these files. Never throws. Lines of sealed hours are not here: they are in Parquet.
 */
export function* readLines(
  folders: readonly string[],
  range: LineRange = {},
): Generator<FoundLine, void, void> {
  const { from = -Infinity, to = Infinity } = range;
  for (const { path } of lineFilesIn(folders, range))
    for (const found of readLineFile(path)) {
      const { line } = found;
      if (line === undefined) {
        yield found;
        continue;
      }
      const at = Date.parse(String(line["time"]));
      if (at >= from && at < to) yield found;
      else if (Number.isNaN(at)) yield { ...found, line: undefined, why: "it has no time" };
    }
}

/** A file of lines. */
export interface LineFile {
  readonly path: string;
  readonly node: string;
  /** `2026-11-30T12`. */
  readonly hour: string;
}

/** Lists the files that may hold lines of the range, by hour. */
export function lineFilesIn(
  folders: readonly string[],
  { from, to, node }: LineRange = {},
): readonly LineFile[] {
  const first = from === undefined ? "" : nameOfHour(from);
  // Late lines of a sealed hour stand in a later file.
  const last = to === undefined ? "9999" : nameOfHour(to + DAY);
  const found: LineFile[] = [];
  for (const folder of folders)
    for (const day of listDays(folder)) {
      if (day < first.slice(0, 10) || day > last.slice(0, 10)) continue;
      for (const name of namesIn(join(folder, day))) {
        const owner = nodeOfFile(name);
        const hour = `${day}T${name.slice(0, 2)}`;
        if (owner === undefined || (node !== undefined && owner !== node) || hour < first) continue;
        found.push({ path: join(folder, day, name), node: owner, hour });
      }
    }
  return found.toSorted((a, b) => (a.hour < b.hour ? -1 : a.hour > b.hour ? 1 : 0));
}

function nameOfHour(at: Millis): string {
  const { day, hour } = placeOfHour(hourOf(at));
  return `${day}T${hour}`;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

/** Reads NODE of `HH-NODE.ndjson`. */
function nodeOfFile(name: string): string | undefined {
  const isHour = name[2] === "-" && name.slice(0, 2) >= "00" && name.slice(0, 2) <= "23";
  return isHour && name.endsWith(".ndjson") ? name.slice(3, -".ndjson".length) : undefined;
}

/**
 * Yields every line of one file. Never throws.
 *
 * @param start the octet to begin with: the first one of a line
 */
export function* readLineFile(path: string, start = 0): Generator<FoundLine, void, void> {
  let fd: number | undefined;
  let number = 0;
  try {
    fd = openSync(path, "r");
    const chunk = Buffer.alloc(CHUNK);
    let rest: Buffer = Buffer.alloc(0);
    let at = start;
    for (;;) {
      const count = readSync(fd, chunk, 0, CHUNK, at);
      if (count === 0) break;
      at += count;
      let begin = 0;
      for (;;) {
        const end = chunk.indexOf(0x0a, begin);
        if (end < 0 || end >= count) break;
        const bytes = Buffer.concat([rest, chunk.subarray(begin, end)]);
        rest = Buffer.alloc(0);
        begin = end + 1;
        yield parseLine(path, ++number, bytes.toString("utf8"));
      }
      // What is longer than any line is only counted as one bad line.
      if (rest.length <= LONGEST_LINE) rest = Buffer.concat([rest, chunk.subarray(begin, count)]);
    }
    if (rest.length > 0)
      yield bad(path, number + 1, rest.toString("utf8"), "it has no line end: it is torn, or being written");
  } catch (error) {
    yield bad(path, number, "", String(error));
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function parseLine(file: string, number: number, text: string): FoundLine {
  if (text.length > LONGEST_LINE) return bad(file, number, text.slice(0, 256), "it is too long");
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return { file, number, text, line: value, why: undefined };
    return bad(file, number, text, "it is no object with `record`");
  } catch (error) {
    return bad(file, number, text, error instanceof Error ? error.message : String(error));
  }
}

function bad(file: string, number: number, text: string, why: string): FoundLine {
  return { file, number, text, line: undefined, why };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && "record" in value;
}
