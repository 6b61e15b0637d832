// Remembers the state of every file that was read, and tells whether one has changed since.
import { statSync } from "node:fs";
import { describeFailure } from "./read-file.ts";
import type { ReadFile } from "../config/yaml/config-files.ts";

/** What tells one state of a file from the next, without reading it. */
export type Stamp = (path: string) => string;

/** Files that were read, and the state they were in. */
export interface TrackedFiles {
  /** Reads a file and remembers its state, or that it could not be read. */
  readonly readFile: ReadFile;
  readonly paths: () => readonly string[];
  /** True when at least one file has changed since. */
  readonly areStale: () => boolean;
  /** The state of every file, for {@link TrackedFiles.replace} in another thread. */
  readonly stamps: () => FileStamps;
  /** Takes the state of every file as it is now for the one that was read. */
  readonly refresh: () => void;
  /** Begins anew with these files. */
  readonly replace: (stamps: FileStamps) => void;
}

/** Paths and the states that their files were read in. */
export type FileStamps = ReadonlyMap<string, string>;

export function trackFiles(readFile: ReadFile, stampOf: Stamp): TrackedFiles {
  let known = new Map<string, string>();
  return {
    readFile(path) {
      // Before it is read: what changes meanwhile must be seen as a change.
      known.set(path, stampOf(path));
      return readFile(path);
    },
    paths: () => [...known.keys()],
    areStale: () => [...known].some(([path, stamp]) => stampOf(path) !== stamp),
    stamps: () => known,
    refresh() {
      for (const path of known.keys()) known.set(path, stampOf(path));
    },
    replace(stamps) {
      known = new Map(stamps);
    },
  };
}

/** Inode, size and the times of the last changes: a file can't be replaced or written without another of these. */
export const stampOnDisk: Stamp = (path) => {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (cause) {
    return describeFailure(cause);
  }
};
