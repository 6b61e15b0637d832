// Reads files from disk, and puts errors of the operating system into words.
import { Buffer } from "node:buffer";
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import type { ReadFile } from "../config/yaml/config-files.ts";

/** A larger file is not read: 500 MiB. A string of Node has room for a little more. */
const MOST_OCTETS = 500 * (1 << 20);

/** Octets that are read at a time of a file whose size the system does not tell. */
const CHUNK = 1 << 16;

/** Reads configuration from disk. */
export const readFromDisk: ReadFile = (path) => readAs(path, readRegularFile);

/** Reads what a command was given to read once: a pipe and standard input too. */
export const readGivenFile: ReadFile = (path) => readAs(path, readFileSync);

function readAs(path: string, read: (path: string) => Buffer): ReturnType<ReadFile> {
  try {
    return { bytes: read(path) };
  } catch (cause) {
    return { error: describeFailure(cause) };
  }
}

/**
 * Reads a file of at most 500 MiB. A pipe or a device may never end, so that nothing but a regular file is read. Throws
 * when the file can't be read, is larger, or is no regular file.
 */
export function readRegularFile(path: string): Buffer {
  checkKind(statSync(path));
  // O_NONBLOCK: should a pipe stand here by now, the opening returns at once.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    checkKind(stat);
    return readToEnd(fd, stat.size);
  } finally {
    closeSync(fd);
  }
}

function checkKind(stat: Stats): void {
  const kind = stat.isFile() ? undefined : kindOf(stat);
  if (kind !== undefined) throw new Error(`it is ${kind}; only regular files are read`);
  if (stat.size > MOST_OCTETS) throw new Error(tooLarge);
}

const tooLarge = "it is larger than 500 MiB, the most that is read";

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return "a folder";
  if (stat.isFIFO()) return "a pipe";
  if (stat.isSocket()) return "a socket";
  return "a device";
}

/** Reads to the end, whatever size the system tells: files of /proc have none, and a file may grow meanwhile. */
function readToEnd(fd: number, size: number): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  for (let room = size + 1; ; room = CHUNK) {
    const part = Buffer.allocUnsafe(room);
    let filled = 0;
    while (filled < room) {
      const octets = readSync(fd, part, filled, room - filled, null);
      if (octets === 0) {
        parts.push(part.subarray(0, filled));
        return parts.length === 1 ? part.subarray(0, filled) : Buffer.concat(parts);
      }
      filled += octets;
      length += octets;
      if (length > MOST_OCTETS) throw new Error(tooLarge);
    }
    parts.push(part);
  }
}

/** An error of the operating system in words: `permission denied`, `address already in use`. */
export function describeFailure(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return words[code] ?? cause.message;
}

const words: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder",
  ENOSPC: "no space left on the device",
  EROFS: "the file system is read-only",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL:
    "this machine has no such address; an address that comes later, as by VRRP, needs net.ipv4.ip_nonlocal_bind=1",
};
