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
  readonly paths: () => readonly string[];
  /** True when at least one file has changed since it was read. */
  readonly areStale: () => boolean;
  /** The state of every file, for {@link TrackedFiles.replace} in another thread. */
  readonly stamps: () => FileStamps;
  /** Remembers the present state of every file, as if the files were read now. */
  readonly refresh: () => void;
  /** Replaces all remembered files by these. */
  readonly replace: (stamps: FileStamps) => void;
}

/** Paths and the states that their files were read in. */
export type FileStamps = ReadonlyMap<string, string>;

export function trackFiles(readFile: ReadFile, stampOf: Stamp): TrackedFiles {
  let known = new Map<string, string>();
  return {
    readFile(path) {
      // The state is taken before the reading: a change during the reading must count as a change.
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

/** Inode, size and the times of the last changes: whatever replaces or writes a file changes one of them. */
export const stampOnDisk: Stamp = (path) => {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (cause) {
    return describeFailure(cause);
  }
};
