// Parts the lines of one hour by table, and puts aside what can't be read.
import { Buffer, isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { fitLine } from "./fitted-line.ts";
import type { TableName } from "./record-columns.ts";
import { openSorted } from "./sorted-writing.ts";

/** What an hour holds. */
export interface SortedLines {
  /** Lines of each table. */
  readonly counts: Readonly<Record<TableName, number>>;
  /** Lines that can't be read. */
  readonly bad: number;
  /** Octets that were read, and their SHA-256 in hex. */
  readonly octets: number;
  readonly digest: string;
}

const CHUNK = 1 << 20;
/** A longer line is no record line: text of peers is cut at 256 characters. */
const LONGEST_LINE = 2 << 20;
const NEWLINE = 10;
const RETURN = 13;

/**
 * Reads an NDJSON file and writes `others.ndjson`, `endings.ndjson`, `attempts.ndjson` and `bad` into `folder`, each in
 * the order of time. Blank lines are left out. Throws what the operating system says.
 *
 * @param always true: every line is written anew, so that nothing but what was read can stand there
 */
export function sortLines(path: string, folder: string, always: boolean): SortedLines {
  const counts: Record<TableName, number> = { others: 0, endings: 0, attempts: 0 };
  const outputs = {
    others: openSorted(join(folder, "others.ndjson")),
    endings: openSorted(join(folder, "endings.ndjson")),
    attempts: openSorted(join(folder, "attempts.ndjson")),
  };
  const badOutput = openSorted(join(folder, "bad"));
  let bad = 0;

  const sink: LineSink = {
    line(bytes) {
      if (bytes.length === 0 || (bytes.length === 1 && bytes[0] === RETURN)) return;
      const fitted = isUtf8(bytes) ? fitLine(bytes.toString("utf8"), always) : undefined;
      if (fitted === undefined) {
        bad++;
        badOutput.add(bytes, 0);
        return;
      }
      const { table, at, rewritten } = fitted;
      counts[table]++;
      outputs[table].add(rewritten === undefined ? bytes : Buffer.from(rewritten), at);
    },
    tooLong(bytes, isFirst) {
      if (isFirst) bad++;
      badOutput.append(bytes);
    },
  };
  const hash = createHash("sha256");
  let octets = 0;
  const file = openSync(path, "r");
  try {
    const reader = createLineReader(sink);
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const length = readSync(file, chunk, 0, CHUNK, null);
      if (length === 0) break;
      const part = chunk.subarray(0, length);
      hash.update(part);
      octets += length;
      reader.push(part);
    }
    reader.end();
  } finally {
    closeSync(file);
    for (const output of [...Object.values(outputs), badOutput]) output.end();
  }
  return { counts, bad, octets, digest: hash.digest("hex") };
}

/** Takes lines. The octets are valid during the call. */
export interface LineSink {
  /** A line without its line end. */
  readonly line: (bytes: Buffer) => void;
  /** A part of a line that is longer than any record line; the last part ends with a line end. */
  readonly tooLong: (bytes: Buffer, isFirst: boolean) => void;
}

/** Cuts octets into lines. Keeps at most one line of at most 2 MiB. */
export function createLineReader({ line, tooLong }: LineSink): {
  readonly push: (part: Buffer) => void;
  /** The last line may lack its line end. */
  readonly end: () => void;
} {
  let rest = Buffer.alloc(0);
  /** True inside a line that is too long. */
  let isLong = false;
  return {
    push(part) {
      let from = 0;
      for (let end = part.indexOf(NEWLINE); end >= 0; end = part.indexOf(NEWLINE, from)) {
        if (isLong) tooLong(part.subarray(from, end + 1), false);
        else
          line(
            rest.length === 0 ? part.subarray(from, end) : Buffer.concat([rest, part.subarray(from, end)]),
          );
        isLong = false;
        rest = Buffer.alloc(0);
        from = end + 1;
      }
      const tail = part.subarray(from);
      if (isLong) tooLong(tail, false);
      else if (tail.length > 0) rest = Buffer.concat([rest, tail]);
      if (rest.length > LONGEST_LINE) {
        tooLong(rest, true);
        rest = Buffer.alloc(0);
        isLong = true;
      }
    },
    end() {
      if (isLong) tooLong(Buffer.from("\n"), false);
      else line(rest);
    },
  };
}
