// Reads the record lines of a node since a moment, without reading the hour before it.
import { Buffer } from "node:buffer";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Millis } from "../../domain/time.ts";
import { type FoundLine, lineFilesIn, readLineFile } from "../../records/lines/read-lines.ts";

/** Octets that are read to find a whole line: the longest one has some 100 KiB. */
const WINDOW = 1 << 18;
/** The place is close enough when so many octets are left in front of it. */
const CLOSE = 1 << 20;

/** Yields the lines of the node whose time is after `since`, in their order. Never throws. */
export function* linesSince(folder: string, node: string, since: Millis): Generator<FoundLine, void, void> {
  for (const { path } of lineFilesIn([folder], { from: since, node }))
    for (const found of readLineFile(path, placeOf(path, since)))
      if (found.line !== undefined && Date.parse(String(found.line["time"])) > since) yield found;
}

/** Where a line at or before `since` begins, close to it: lines stand in the order of their time, but for late ones. */
function placeOf(path: string, since: Millis): number {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    let low = 0;
    let high = fstatSync(fd).size;
    while (high - low > CLOSE) {
      const middle = Math.floor((low + high) / 2);
      const line = lineBehind(fd, middle);
      if (line === undefined || line.at >= since) high = middle;
      else low = line.begin;
    }
    return low;
  } catch {
    return 0;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The first whole line behind an octet; undefined: none that can be read. */
function lineBehind(fd: number, octet: number): { readonly begin: number; readonly at: Millis } | undefined {
  const window = Buffer.alloc(WINDOW);
  const count = readSync(fd, window, 0, WINDOW, octet);
  const begin = window.indexOf(0x0a) + 1;
  const end = window.indexOf(0x0a, begin);
  if (begin === 0 || end < 0 || end >= count) return undefined;
  try {
    const line: unknown = JSON.parse(window.toString("utf8", begin, end));
    const time = typeof line === "object" && line !== null && "time" in line ? line.time : undefined;
    const at = Date.parse(String(time));
    return Number.isNaN(at) ? undefined : { begin: octet + begin, at };
  } catch {
    return undefined;
  }
}
