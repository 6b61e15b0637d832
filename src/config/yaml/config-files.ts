import { dirname, isAbsolute, join } from "node:path";
import type { ConfigIssue } from "./issue.ts";

/** Gives the bytes of a file, or says why it can't: the only way configuration is read, so that tests need no disk. */
export type ReadFile = (path: string) => { readonly bytes: Uint8Array } | { readonly error: string };

/** A path that a file names, as seen from where the program runs. */
export function resolvePath(namedBy: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(namedBy), path);
}

export function unreadable(file: string, error: string): ConfigIssue {
  return { severity: "error", file, line: 1, column: 1, path: "", message: `can't be read: ${error}` };
}
