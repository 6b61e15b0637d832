// The state folder: what survives a restart. Opened before the first call is named.
import { Buffer } from "node:buffer";
import { accessSync, constants, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Millis } from "../domain/time.ts";
import { writeDurably } from "./durable-file.ts";
import { type FolderLock, lockFile } from "../records/sealed/folder-lock.ts";
import { describeFailure } from "./read-file.ts";

const EPOCH_FILE = "epoch";
const LOCK_FILE = "lock";
/** The highest epoch that a call id holds. */
const LAST_EPOCH = 2 ** 32 - 1;

/** The state folder of the running filter. */
export interface StateFolder {
  readonly path: string;
  /** Why nothing can be kept there; undefined: the folder is ours. */
  readonly why: string | undefined;
  /**
   * The epoch in the call ids of this process. It is above the epoch of the last process of this folder, where that can
   * be read.
   */
  readonly epoch: number;
  /** Gives the folder to the next process. */
  readonly close: () => void;
}

/**
 * Makes the folder where it is missing, locks it, and writes the epoch there. Never throws: the filter runs without the
 * folder too.
 *
 * @param recorded the last epoch that the records folder knows; -1: it knows none
 */
export function openStateFolder(path: string, now: Millis, recorded = -1): StateFolder {
  const seconds = Math.max(Math.floor(now / 1000), recorded + 1);
  const without = (why: string): StateFolder => ({
    path,
    why,
    epoch: nextEpoch(tryEpoch(path), seconds),
    close: () => undefined,
  });
  let lock: FolderLock | undefined;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const taken = lockFile(join(path, LOCK_FILE));
    if (typeof taken === "string") return without(`${taken} uses it`);
    lock = taken;
    const epoch = nextEpoch(readEpoch(path), seconds);
    writeDurably(join(path, EPOCH_FILE), Buffer.from(`${epoch}\n`));
    return { path, why: undefined, epoch, close: lock.release };
  } catch (error) {
    lock?.release();
    return without(describeFolderFailure(path, error));
  }
}

/** An epoch above the last one, also when the clock was set back or two starts share a second. */
function nextEpoch(last: number, seconds: number): number {
  const next = Math.max(seconds, last + 1);
  return next > LAST_EPOCH ? seconds : next;
}

/** @returns -1 where the file doesn't say */
function readEpoch(path: string): number {
  try {
    const text = readFileSync(join(path, EPOCH_FILE), "latin1").trim();
    const epoch = Number(text);
    return text !== "" && Number.isSafeInteger(epoch) && epoch >= 0 ? epoch : -1;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return -1;
    throw error;
  }
}

/** @returns -1 also where the file can't be read */
function tryEpoch(path: string): number {
  try {
    return readEpoch(path);
  } catch {
    return -1;
  }
}

/**
 * Checks whether the folder could be made and written. It changes nothing, and does not ask whether a process uses the
 * folder.
 *
 * @returns why the folder could not be made or written; undefined: it could
 */
export function findStateFolderIssue(path: string): string | undefined {
  try {
    if (!statSync(path).isDirectory()) return "it is no folder";
    accessSync(path, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const parent = dirname(path);
    if (!isMissing || parent === path) return describeFolderFailure(path, error);
    const issue = findStateFolderIssue(parent);
    return issue === undefined ? undefined : `${parent}: ${issue}`;
  }
}

function describeFolderFailure(path: string, error: unknown): string {
  try {
    if (!statSync(path).isDirectory()) return "it is no folder";
  } catch {
    // The folder could not be made.
  }
  return describeFailure(error);
}

/** Describes a folder that can't be used, for the log and for `sigwall check`. */
export function describeForgotten(path: string, why: string): string {
  return `the state folder ${path} can't be used: ${why}; a restart forgets calls, line states and counters`;
}
