// Remembers the state of every file that was read, and tells whether one has changed since.
import { statSync } from "node:fs";
import { describeFailure } from "./read-file.ts";
import type { ReadFile } from "../config/yaml/config-files.ts";

/** Returns a text that differs between two states of a file, without reading the file. */
export type Stamp = (path: string) => string;

/** Files that were read, and the state they were in. */
export interface TrackedFiles {
  /** Reads a file and remembers its state, or that it could not be read. */
  readonly readFile: ReadFile;
  /** Reads a file once more. Its state stays the one that it was read in first. */
  readonly readAgain: ReadFile;
  /** Takes the state of a file as if it was read now. */
  readonly stamp: (path: string) => string;
  /** Every file, and the state that it was read in. */
  readonly stamps: () => FileStamps;
}

/** Paths and the states that their files were read in. */
export type FileStamps = ReadonlyMap<string, string>;

export function trackFiles(readFile: ReadFile, stampOf: Stamp): TrackedFiles {
  const known = new Map<string, string>();
  const stamp = (path: string): string => {
    const state = stampOf(path);
    known.set(path, state);
    return state;
  };
  return {
    stamp,
    readAgain: readFile,
    readFile(path) {
      // The state is taken before the reading: a change during the reading must count as a change.
      stamp(path);
      return readFile(path);
    },
    stamps: () => known,
  };
}

/** Takes the present state of files, as if they were read now. */
export function stampFiles(paths: Iterable<string>, stampOf: Stamp): FileStamps {
  return new Map([...paths].map((path) => [path, stampOf(path)]));
}

/** True when at least one file has changed since it was read. */
export function areStale(stamps: FileStamps, stampOf: Stamp): boolean {
  return [...stamps].some(([path, stamp]) => stampOf(path) !== stamp);
}

/** Inode, size and the times of the last changes: whatever replaces or writes a file changes one of them. */
export const stampOnDisk: Stamp = (path) => {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (cause) {
    return describeFailure(cause);
  }
};
