// Writes that are on the disk when they return: appended files, new files, replaced files, and their folders.
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Writes all of `bytes` at `position`, or throws what the operating system says. */
export function writeWhole(file: number, bytes: Uint8Array, position: number | null): void {
  let done = 0;
  while (done < bytes.length) {
    const at = position === null ? null : position + done;
    done += writeSync(file, bytes, done, bytes.length - done, at);
  }
}

/** Writes the entries of a folder to the disk: until then a new name can be lost. */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Gives a file that is on the disk its name, beside calls: threads of the runtime write. The name is on the disk when the
 * promise resolves. Rejects with what the operating system says.
 */
export async function renameDurably(temporary: string, path: string): Promise<void> {
  await rename(temporary, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a folder and those above it, for their owner only. */
export function makeFolder(path: string): void {
  const made = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (made !== undefined) syncFolder(dirname(made));
}

/** Writes a file with the flag of open(2): "w" replaces the content, "wx" refuses a file that is there. */
export function writeFileThrough(path: string, bytes: Uint8Array, flag: "w" | "wx" | "a"): void {
  const file = openSync(path, flag, 0o600);
  try {
    writeWhole(file, bytes, null);
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Replaces a file: a crash or a full disk leaves the former content or the new one. */
export function replaceFile(path: string, bytes: Uint8Array): void {
  const part = `${path}.new`;
  try {
    writeFileThrough(part, bytes, "w");
  } catch (error) {
    // On a full disk the next try needs the room.
    rmSync(part, { force: true });
    throw error;
  }
  renameSync(part, path);
  syncFolder(dirname(path));
}

/** Reads a file. @returns undefined when there is none */
export function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** The code of an error of the operating system, such as ENOSPC; "" for other errors. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
