// How configuration files are read: the function that gives bytes, and relative paths.
import { dirname, isAbsolute, join } from "node:path";
import type { ConfigIssue } from "./issue.ts";

/**
 * Gives the bytes of a file, or says why it can't. Configuration is read only through it, so tests
 * need no disk.
 */
export type ReadFile = (path: string) => { readonly bytes: Uint8Array } | { readonly error: string };

/** Resolves a path that the file `namedBy` writes, so that it starts at the working directory. */
export function resolvePath(namedBy: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(namedBy), path);
}

/** Makes the issue about a file that can't be read. */
export function unreadable(file: string, error: string): ConfigIssue {
  return { severity: "error", file, line: 1, column: 1, path: "", message: `can't be read: ${error}` };
}
