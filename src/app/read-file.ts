// Reads files from disk, and puts errors of the operating system into words.
import { readFileSync } from "node:fs";
import type { ReadFile } from "../config/yaml/config-files.ts";

/** Reads configuration from disk. */
export const readFromDisk: ReadFile = (path) => {
  try {
    return { bytes: readFileSync(path) };
  } catch (cause) {
    return { error: describeFailure(cause) };
  }
};

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
  EADDRNOTAVAIL: "this machine has no such address",
};
