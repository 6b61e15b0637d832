// Locks the folders of records and evidence for the one process of a node that writes there.
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { EvidenceConfig } from "../../config/sigwall/evidence-schema.ts";
import type { RecordsConfig } from "../../config/sigwall/records-schema.ts";
import { type FolderLock, lockFile } from "../folder-lock.ts";

/** What is kept, and where. At least one of the two is there. */
export interface KeptThings {
  readonly records: RecordsConfig | undefined;
  readonly evidence: EvidenceConfig | undefined;
}

/** The folders, as far as they can be written now. */
export interface LockedFolders {
  readonly locks: readonly FolderLock[];
  readonly isLocked: { readonly lines: boolean; readonly evidence: boolean };
  /** True when a lock file holds a pid: the process before this one has left no sign of an orderly end. */
  readonly isAfterKill: boolean;
}

/**
 * Takes the lock file NODE.lock of each folder; one lock where both are one folder. A folder that can't be written is no
 * error: its lock is taken later.
 *
 * @returns in words, why the filter must not start: another process writes for this node
 */
export function lockFolders({ records, evidence }: KeptThings, node: string): LockedFolders | string {
  const locks: FolderLock[] = [];
  const places = new Set<string>();
  let isAfterKill = false;
  /** @returns true when the lock is ours; a string says who has it */
  function take(folder: string, what: string): boolean | string {
    const path = join(folder, `${node}.lock`);
    const hasPid = holdsPid(path);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const place = placeOf(folder);
      // The same folder under two names has one lock.
      if (places.has(place)) return true;
      const lock = lockFile(path);
      if (typeof lock === "string")
        return `${lock} writes the ${what} of node ${node} in ${folder}: give each process a \`node\` of its own, or end that process`;
      isAfterKill ||= hasPid;
      places.add(place);
      locks.push(lock);
      return true;
    } catch {
      isAfterKill ||= hasPid;
      return false;
    }
  }
  const lines = records !== undefined && take(records.folder, "records");
  if (typeof lines === "string") return lines;
  const proof = evidence !== undefined && take(evidence.folder, "evidence");
  if (typeof proof === "string") {
    // An empty lock file would say that the process before this one has lost nothing.
    if (!isAfterKill) for (const lock of locks) lock.release();
    return proof;
  }
  return { locks, isLocked: { lines, evidence: proof }, isAfterKill };
}

/** Tells whether two names mean one folder. Throws when the folder is not there. */
export function placeOf(folder: string): string {
  const { dev, ino } = statSync(folder);
  return `${dev} ${ino}`;
}

function holdsPid(path: string): boolean {
  try {
    return readFileSync(path, "latin1").trim() !== "";
  } catch {
    return false;
  }
}
