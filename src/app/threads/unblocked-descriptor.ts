// Opens a descriptor anew so that writing to it never waits for the reader of a pipe or terminal.
import { Buffer } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";

/** A descriptor to write to. */
export interface UnblockedDescriptor {
  readonly fd: number;
  /** True: it belongs to the caller, who closes it. */
  readonly isOwn: boolean;
}

/** The descriptors that the process shares with its parent are never closed. */
const LAST_STANDARD = 2;

/**
 * Opens the pipe or terminal behind `fd` once more with O_NONBLOCK. The flag belongs to the open file, which the
 * parent process may share, so that it is not set on `fd` itself. Files keep `fd`: another opening would have a place
 * of its own in the file. Sockets can't be opened anew: Node makes those of standard output and error non-blocking.
 */
export function openUnblocked(fd: number): UnblockedDescriptor {
  const given = { fd, isOwn: fd > LAST_STANDARD };
  try {
    const stat = fstatSync(fd);
    if (!stat.isFIFO() && !stat.isCharacterDevice()) return given;
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return { fd: openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY), isOwn: true };
  } catch {
    // No /proc, or the terminal belongs to another user, or nobody reads the pipe any more.
    return given;
  }
}

/** How long {@link say} waits for a reader that stands still, in parts. Milliseconds. */
const PART_OF_WAIT = 10;
const MOST_PARTS = 50;

/**
 * Writes text to `fd` at once, as a program does that starts. What can't be written within half a second is lost: nothing
 * that a program says may keep the program from its work.
 */
export function say(fd: number, text: string): void {
  const descriptor = openUnblocked(fd);
  const bytes = Buffer.from(text);
  let waits = 0;
  for (let at = 0; at < bytes.length && waits < MOST_PARTS;) {
    try {
      at += writeSync(descriptor.fd, bytes, at);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) break;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PART_OF_WAIT);
      waits++;
    }
  }
  if (descriptor.isOwn) closeSync(descriptor.fd);
}
