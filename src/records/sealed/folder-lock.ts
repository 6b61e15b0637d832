// Locks a folder for one process. The lock ends with its process, however the process ends.
import { spawnSync } from "node:child_process";
import { Buffer } from "node:buffer";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { giveToOwner } from "./folder-owner.ts";

/** A lock that this process holds. */
export interface FolderLock {
  readonly release: () => void;
}

/** Longest time for `flock` beside what it waits. Milliseconds. */
const MOST_TIME = 5000;
/** What `flock` ends with when another process holds the lock. */
const TAKEN = 1;

/**
 * Takes the lock in the file at `path`. A missing file is made, and stays; it belongs to the owner of the folder. Throws when the file can't be written.
 *
 * The kernel holds the lock (flock(2)): a process that was killed leaves no lock behind. A pid alone proves nothing:
 * another program or a process of another container may have it. Node can't call flock(2), so flock(1) takes the lock
 * on our descriptor. Without flock(1), or on a file system without locks, the pid in the file decides.
 *
 * @param wait how long to wait for another process to release it, in milliseconds; without flock(1) nothing waits
 * @returns the lock, or the pid of the process that holds it ("another process" when the file doesn't say)
 */
export function lockFile(path: string, wait: Millis = 0): FolderLock | string {
  const file = openSync(path, "a+", 0o600);
  try {
    giveToOwner(dirname(path), path);
    const holder = readHolder(path);
    const outcome = askKernel(file, wait);
    if (outcome === "taken" || (outcome === "unknown" && isAlive(holder))) {
      closeSync(file);
      return holder === undefined ? "another process" : `process ${holder}`;
    }
    ftruncateSync(file);
    writeSync(file, Buffer.from(`${process.pid}\n`));
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return {
    release() {
      ftruncateSync(file);
      closeSync(file);
    },
  };
}

function askKernel(file: number, wait: Millis): "ours" | "taken" | "unknown" {
  const waiting = wait === 0 ? ["-n"] : ["-w", String(wait / 1000)];
  const { status } = spawnSync("flock", ["-x", ...waiting, "3"], {
    stdio: ["ignore", "ignore", "ignore", file],
    timeout: wait + MOST_TIME,
  });
  if (status === 0) return "ours";
  return status === TAKEN ? "taken" : "unknown";
}

function readHolder(path: string): number | undefined {
  const pid = Number(readFileSync(path, "latin1").trim());
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

/** True when a process has this pid, and it is not this one: a container starts with the same pid each time. */
function isAlive(pid: number | undefined): boolean {
  if (pid === undefined || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
