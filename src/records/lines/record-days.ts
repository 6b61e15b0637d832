// The days of a records folder: what files they hold, how many octets, and which of them are too old.
import { readdirSync, rmdirSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { clampTime } from "./line-time.ts";

const DAY: Millis = 86_400_000;

/** Endings of the files that belong to records. Nothing else is ever deleted. */
const ENDINGS = [".ndjson", ".parquet", ".bad"] as const;

/** A day that was deleted, of one node. */
export interface DeletedDay {
  readonly day: string;
  readonly files: number;
  readonly bytes: number;
}

/** Lists the folders `YYYY-MM-DD` of a records folder, the oldest first. A folder that can't be read has none. */
export function listDays(folder: string): readonly string[] {
  return listNames(folder).filter(isDay).toSorted();
}

function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isDay(name: string): boolean {
  return name.length === 10 && new Date(Date.parse(`${name}T00:00:00Z`)).getTime() === Date.parse(name);
}

/** Sums the octets of the record files of all nodes. */
export function sumOctets(folder: string): number {
  let sum = 0;
  for (const day of listDays(folder))
    for (const name of listNames(join(folder, day)))
      if (isRecordFile(name)) sum += sizeOf(join(folder, day, name));
  return sum;
}

function isRecordFile(name: string): boolean {
  return ENDINGS.some((ending) => name.endsWith(ending));
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

/**
 * Deletes the record files of `node` in days that ended more than `keepDays` days ago, in whatever form they are, and
 * folders that are empty then. Files of other nodes of the folder stay: their own nodes delete them. Throws when a file
 * can't be deleted.
 */
export function deleteOldDays(
  folder: string,
  node: string,
  keepDays: number,
  now: Millis,
): readonly DeletedDay[] {
  const first = new Date(clampTime(now - keepDays * DAY)).toISOString().slice(0, 10);
  const nodes = nodesOf(folder, node);
  const deleted: DeletedDay[] = [];
  for (const day of listDays(folder)) {
    if (day >= first) break;
    const path = join(folder, day);
    const all = listNames(path);
    const own = all.filter((name) => isRecordFile(name) && (ownerOf(name, nodes) ?? node) === node);
    let bytes = 0;
    for (const name of own) {
      bytes += sizeOf(join(path, name));
      unlinkSync(join(path, name));
    }
    if (own.length === all.length) rmdirSync(path);
    if (own.length > 0) deleted.push({ day, files: own.length, bytes });
  }
  return deleted;
}

/** The nodes that write or have written into the folder: each has a lock file there. */
function nodesOf(folder: string, node: string): readonly string[] {
  const locks = listNames(folder).filter((name) => name.endsWith(".lock") && name !== "seal.lock");
  return [...new Set([node, ...locks.map((name) => name.slice(0, -".lock".length))])];
}

/** Returns the node whose name a file bears: the longest one, as `gw-a` ends like `a`. Undefined: none of them. */
function ownerOf(file: string, nodes: readonly string[]): string | undefined {
  const bearers = nodes.filter((node) => file.startsWith(`${node}.`) || file.includes(`-${node}.`));
  return bearers.toSorted((a, b) => b.length - a.length)[0];
}
