// Takes the folders of records and of evidence for this process, so that no other process of the node writes there.
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type FolderLock, lockFile } from "../../records/sealed/folder-lock.ts";
import type { FolderState } from "./records-messages.ts";

/** The folders of a node, each with its lock. */
export interface TakenFolders {
  readonly records: TakenFolder | undefined;
  readonly evidence: TakenFolder | undefined;
}

/**
 * Takes both folders. Where they are one, the one lock is the records' own.
 *
 * @returns in words, why the filter must not start: another process writes there
 */
export function takeFolders(
  records: string | undefined,
  evidence: string | undefined,
  node: string,
): TakenFolders | string {
  const lines = records === undefined ? undefined : takeFolder(records, node, "records");
  if (typeof lines === "string") return lines;
  if (evidence === undefined) return { records: lines, evidence: undefined };
  if (records !== undefined && isSame(records, evidence)) {
    const isAfterKill = lines?.isAfterKill === true;
    return { records: lines, evidence: { lock: undefined, isAfterKill, isShared: true } };
  }
  const log = takeFolder(evidence, node, "evidence");
  if (typeof log !== "string") return { records: lines, evidence: log };
  // An empty lock file would say that the process before this one has lost nothing.
  if (lines?.isAfterKill === false) lines.lock?.release();
  return log;
}

/** True for one folder, also under two names. The evidence's own folder may not be there yet. */
function isSame(records: string, evidence: string): boolean {
  if (resolve(records) === resolve(evidence)) return true;
  try {
    const [one, other] = [statSync(records), statSync(evidence)];
    return one.dev === other.dev && one.ino === other.ino;
  } catch {
    return false;
  }
}

/** @param starts of the thread: only the first one comes after a kill */
export function stateOf(taken: TakenFolder | undefined, starts: number): FolderState {
  return {
    isLocked: taken === undefined || taken.isShared === true || taken.lock !== undefined,
    isAfterKill: taken?.isAfterKill === true && starts === 0,
  };
}

/** A folder, as the start has found it. */
export interface TakenFolder {
  /** Undefined: the folder can't be written now. */
  readonly lock: FolderLock | undefined;
  readonly isAfterKill: boolean;
  /** True when another folder's lock is that of this one. */
  readonly isShared?: boolean;
}

function takeFolder(folder: string, node: string, what: "records" | "evidence"): TakenFolder | string {
  const path = join(folder, `${node}.lock`);
  const isAfterKill = holdsPid(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = lockFile(path);
    if (typeof lock === "string")
      return `${lock} writes the ${what} of node ${node} in ${folder}: give each process a \`node\` of its own, or end that process`;
    return { lock, isAfterKill };
  } catch {
    return { lock: undefined, isAfterKill };
  }
}

function holdsPid(path: string): boolean {
  try {
    return readFileSync(path, "latin1").trim() !== "";
  } catch {
    return false;
  }
}
