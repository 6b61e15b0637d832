// Finds the ends of calls of this node that other nodes have written into the same records folder.
import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import type { Millis } from "../../domain/time.ts";
import { type LineFile, lineFilesIn } from "../../records/lines/read-lines.ts";

/** Reads the open files of other nodes as they grow. Nothing here throws: what can't be read has no end. */
export interface EndsElsewhere {
  /** Begins to read, with the lines of this time and later. Undefined: with those of the last hour. */
  readonly begin: (since: Millis | undefined) => void;
  /** Reads on, at most {@link MOST_OCTETS}. @returns the ids of calls whose ends were found */
  readonly read: (now: Millis) => readonly string[];
  /** True when every file was read to its end, as it was not long ago. */
  readonly isDone: () => boolean;
}

/** Octets that are read in one turn. */
const MOST_OCTETS: number = 4 * 2 ** 20;
/** Octets that are read at a time: a longer line is passed over. */
const CHUNK = 1 << 20;
/** Time between two looks at what files there are. Milliseconds. */
const LOOK_EVERY: Millis = 60_000;
const HOUR: Millis = 3_600_000;
const NEWLINE = 0x0a;
const beginning = Buffer.from('{"record":"ended"');

/** @param node ids of its calls are looked for */
export function createEndsElsewhere(folder: string, node: string): EndsElsewhere {
  const needle = Buffer.from(`"id":"${node}-`);
  const chunk = Buffer.allocUnsafe(CHUNK);
  /** Octets of a file that were read. At most the files of the hours that are looked at. */
  const places = new Map<string, number>();
  let since: Millis | "last hour" | undefined;
  let files: readonly LineFile[] = [];
  /** The next file of this look. */
  let next = 0;
  let looked = -Infinity;

  function look(from: Millis, now: Millis): void {
    looked = now;
    next = 0;
    files = lineFilesIn([folder], { from }).filter((file) => file.node !== node);
    const paths = new Set(files.map(({ path }) => path));
    for (const path of places.keys()) if (!paths.has(path)) places.delete(path);
  }

  /** @returns octets that were read; 0 at the end of what is written */
  function readOn(path: string, take: (id: string) => void): number {
    let fd: number | undefined;
    try {
      fd = openSync(path, "r");
      const at = places.get(path) ?? 0;
      const count = readSync(fd, chunk, 0, CHUNK, at);
      const end = chunk.lastIndexOf(NEWLINE, Math.max(count - 1, 0)) + 1;
      const isLong = end === 0 || end > count;
      const whole = isLong ? 0 : end;
      takeIds(chunk.subarray(0, whole), take);
      // A last line without its end is being written; no line is as long as the chunk.
      const done = isLong && count === CHUNK ? count : whole;
      places.set(path, at + done);
      return done;
    } catch {
      return 0;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  function takeIds(bytes: Buffer, take: (id: string) => void): void {
    for (let at = bytes.indexOf(needle); at >= 0;) {
      const begin = bytes.lastIndexOf(NEWLINE, at) + 1;
      const found = bytes.indexOf(NEWLINE, at);
      const end = found < 0 ? bytes.length : found;
      if (bytes.compare(beginning, 0, beginning.length, begin, begin + beginning.length) === 0) {
        const id = idOf(bytes.toString("utf8", begin, end));
        if (id !== undefined) take(id);
      }
      at = bytes.indexOf(needle, end);
    }
  }

  return {
    begin(from) {
      since = from ?? "last hour";
      looked = -Infinity;
      places.clear();
    },
    read(now) {
      if (since === undefined) return [];
      if (since === "last hour") since = now - HOUR;
      const ids: string[] = [];
      if (next >= files.length && (now - looked >= LOOK_EVERY || now < looked)) look(since, now);
      for (let left = MOST_OCTETS; left > 0 && next < files.length;) {
        const count = readOn(files[next]!.path, (id) => ids.push(id));
        left -= count;
        if (count === 0) next++;
      }
      // Hours that were read to their end, and that nobody writes any more, are not looked at again.
      if (next >= files.length && looked > -Infinity) since = Math.max(since, Math.min(looked, now) - HOUR);
      return ids;
    },
    isDone: () => since === undefined || (looked > -Infinity && next >= files.length),
  };
}

/** The id of a line; undefined: it has none. */
function idOf(text: string): string | undefined {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line !== "object" || line === null || !("id" in line)) return undefined;
    return typeof line.id === "string" ? line.id : undefined;
  } catch {
    return undefined;
  }
}
