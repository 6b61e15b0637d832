// Writes lines into a file in the order of their times, as far as one buffer reaches.
import { Buffer } from "node:buffer";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import type { Millis } from "../../domain/time.ts";

/** Octets of lines that are put in order at a time. */
const BUFFER = 4 << 20;
const NEWLINE = 10;

/** A file of lines. */
export interface SortedWriting {
  /** Copies the line, which has no line end. */
  readonly add: (line: Uint8Array, at: Millis) => void;
  /** Copies octets as they are. */
  readonly append: (bytes: Uint8Array) => void;
  /** Puts the file on the disk and closes it. */
  readonly end: () => void;
}

/**
 * Opens a file; what it held is gone. The writer of records writes in the order of time, but for moments. So lines are
 * put in order within a buffer. A clock that is set back is left as it is: no reader relies on the order.
 */
export function openSorted(path: string): SortedWriting {
  const file = openSync(path, "w", 0o600);
  const buffer = Buffer.allocUnsafe(BUFFER);
  let filled = 0;
  let lines: { readonly at: Millis; readonly from: number; readonly to: number }[] = [];
  let last = 0;
  let isOrdered = true;

  function flush(): void {
    const filledPart = buffer.subarray(0, filled);
    if (isOrdered) writeAll(file, filledPart);
    else {
      const inOrder = lines.toSorted((a, b) => a.at - b.at);
      writeAll(file, Buffer.concat(inOrder.map(({ from, to }) => filledPart.subarray(from, to))));
    }
    filled = 0;
    lines = [];
    last = 0;
    isOrdered = true;
  }

  return {
    add(line, at) {
      const length = line.length + 1;
      if (filled + length > BUFFER) flush();
      if (length > BUFFER) {
        writeAll(file, line);
        writeAll(file, Buffer.from([NEWLINE]));
        return;
      }
      buffer.set(line, filled);
      buffer[filled + line.length] = NEWLINE;
      lines.push({ at, from: filled, to: filled + length });
      filled += length;
      if (at < last) isOrdered = false;
      last = at;
    },
    append(bytes) {
      flush();
      writeAll(file, bytes);
    },
    end() {
      flush();
      fsyncSync(file);
      closeSync(file);
    },
  };
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}
