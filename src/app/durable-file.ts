// Writes a file so that a crash or a full disk leaves the old one or the new one, never a part.
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes beside the file, then renames. The file is on the disk when this returns. Throws what the operating system
 * says; the file at `path` is then as it was. Invariant: one process at a time writes `path`.
 *
 * @param mode permissions of the file; left out: only its owner reads it
 */
export function writeDurably(path: string, bytes: Uint8Array, mode = 0o600): void {
  const temporary = `${path}.new`;
  try {
    writeThrough(temporary, bytes, mode);
    renameSync(temporary, path);
  } catch (error) {
    removePart(temporary);
    throw error;
  }
  syncFolder(dirname(path));
}

/** Removes a part of a file: on a full disk the next try needs its room. */
function removePart(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The part was never made, or can't be removed. The error of the writing says more.
  }
}

function writeThrough(path: string, bytes: Uint8Array, mode: number): void {
  const file = openSync(path, "w", mode);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Writes the folder to the disk: until then the new name can be lost. */
function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
