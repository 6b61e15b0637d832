import { createHash } from "node:crypto";
import type { ReadFile } from "../config/list-loading.ts";

/** Files that were read, and what was in them. */
export interface TrackedFiles {
  /** Reads a file and remembers what it held, or that it could not be read. */
  readonly readFile: ReadFile;
  readonly paths: () => readonly string[];
  /** True when at least one file holds something else now. */
  readonly areStale: () => boolean;
  /** Begins anew, with no file. */
  readonly forget: () => void;
}

export function trackFiles(readFile: ReadFile): TrackedFiles {
  const contents = new Map<string, string>();
  return {
    readFile(path) {
      const content = readFile(path);
      contents.set(path, digest(content));
      return content;
    },
    paths: () => [...contents.keys()],
    areStale: () => [...contents].some(([path, known]) => digest(readFile(path)) !== known),
    forget: () => contents.clear(),
  };
}

function digest(content: ReturnType<ReadFile>): string {
  return "error" in content ? content.error : createHash("sha256").update(content.bytes).digest("hex");
}
