// Lets one process at a time change the folder of kept policies, which several nodes and `sigwall seal` may share.
import { join } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { lockFile } from "../sealed/folder-lock.ts";

/** Longest wait for another process: ten million numbers that are kept for the first time take seconds. Milliseconds. */
const MOST_WAIT: Millis = 30_000;

/** Runs `change` while this process holds the lock of the folder, `policies.lock`. Throws when another one holds it. */
export function whilePoliciesAreLocked<Result>(folder: string, change: () => Result): Result {
  const path = join(folder, "policies.lock");
  const lock = lockFile(path, MOST_WAIT);
  if (typeof lock === "string") throw new Error(`${lock} holds ${path}`);
  try {
    return change();
  } finally {
    lock.release();
  }
}
