// Reads record lines of a node since a moment, without reading the hour before it, nor lines of kinds that nobody asked for.
import { Buffer } from "node:buffer";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Millis } from "../../domain/time.ts";
import { lineFilesIn } from "../../records/lines/read-lines.ts";

/** Octets that are read at a time; the longest line has some 100 KiB. */
const CHUNK = 1 << 20;
/** The place is close enough when so many octets are left in front of it. */
const CLOSE = 1 << 20;

/** A record line. */
export type RecordLine = Readonly<Record<string, unknown>>;

/**
 * Yields the lines of the node whose time is after `since`, in their order. Lines that can't be read are passed over. Never
 * throws.
 *
 * @param kinds the values of `record` that are wanted
 */
export function* linesSince(
  folder: string,
  node: string,
  since: Millis,
  kinds: readonly string[],
): Generator<RecordLine, void, void> {
  const beginnings = kinds.map((kind) => Buffer.from(`{"record":"${kind}"`));
  for (const { path } of lineFilesIn([folder], { from: since, node })) {
    let fd: number | undefined;
    try {
      fd = openSync(path, "r");
      yield* linesIn(fd, since, beginnings);
    } catch {
      // What can't be read is not counted; the records tell of it themselves.
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}

function* linesIn(
  fd: number,
  since: Millis,
  beginnings: readonly Buffer[],
): Generator<RecordLine, void, void> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (let at = placeOf(fd, since); ;) {
    const count = readSync(fd, chunk, 0, CHUNK, at);
    let begin = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, begin);
      if (end < 0 || end >= count) break;
      if (isWanted(chunk, begin, beginnings)) {
        const line = parse(chunk.toString("latin1", begin, end), chunk, begin, end);
        if (line !== undefined && Date.parse(String(line["time"])) > since) yield line;
      }
      begin = end + 1;
    }
    // A line longer than the chunk is none of ours.
    if (begin === 0 && count < CHUNK) return;
    at += begin === 0 ? count : begin;
  }
}

function isWanted(chunk: Buffer, begin: number, beginnings: readonly Buffer[]): boolean {
  return beginnings.some(
    (wanted) => chunk.compare(wanted, 0, wanted.length, begin, begin + wanted.length) === 0,
  );
}

/** Parses a line. Text of one octet a character is quicker to read; a line that has others is read as UTF-8. */
function parse(latin1: string, chunk: Buffer, begin: number, end: number): RecordLine | undefined {
  try {
    const isAscii = !/[\u0080-\u00ff]/.test(latin1);
    const value: unknown = JSON.parse(isAscii ? latin1 : chunk.toString("utf8", begin, end));
    return isLine(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLine(value: unknown): value is RecordLine {
  return typeof value === "object" && value !== null && "record" in value;
}

/** Where a line at or before `since` begins, close to it: lines stand in the order of their time, but for late ones. */
function placeOf(fd: number, since: Millis): number {
  let low = 0;
  let high = fstatSync(fd).size;
  while (high - low > CLOSE) {
    const middle = Math.floor((low + high) / 2);
    const line = lineBehind(fd, middle);
    if (line === undefined || line.at >= since) high = middle;
    else low = line.begin;
  }
  return low;
}

/** The first whole line behind an octet; undefined: none that can be read. */
function lineBehind(fd: number, octet: number): { readonly begin: number; readonly at: Millis } | undefined {
  const window = Buffer.alloc(CHUNK / 4);
  const count = readSync(fd, window, 0, window.length, octet);
  const begin = window.indexOf(0x0a) + 1;
  const end = window.indexOf(0x0a, begin);
  if (begin === 0 || end < 0 || end >= count) return undefined;
  const line = parse(window.toString("latin1", begin, end), window, begin, end);
  const at = Date.parse(String(line?.["time"]));
  return Number.isNaN(at) ? undefined : { begin: octet + begin, at };
}
