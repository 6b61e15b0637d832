// What follows a reading of lists: recalled ones are compared with their files, and new ones get a snapshot.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type HeldList, type HeldLists, openHeld, packHeld } from "./held-lists.ts";
import type { SnapshotPlace } from "./list-snapshot.ts";
import { removeOthers, removeSnapshot, writeSnapshot } from "./snapshot-folder.ts";

/** The lists in force, and where their snapshots go. */
export interface SettlingOrder {
  readonly held: HeldLists;
  readonly place: SnapshotPlace;
}

/** What became of the lists. */
export interface Settlement {
  /** The lists, without those that differ from their files. */
  readonly held: HeldLists;
  /** Lists in force that are not what their files say: the files were changed, and look as if they had not been. */
  readonly differing: readonly string[];
  /** Why a snapshot could not be written, the first one. Undefined: all were. */
  readonly failure: string | undefined;
}

/** Octets that are read at a time. */
const CHUNK = 1 << 18;

/**
 * Settles lists, one a step, so that a reload does not wait for all of them. Lists of snapshots come first.
 *
 * @param stampOf takes the present state of a file
 */
export function* settleLists(
  { held, place }: SettlingOrder,
  stampOf: (file: string) => string,
): Generator<undefined, Settlement> {
  const lists = openHeld(held);
  const settled = new Map<string, HeldList>();
  const differing: string[] = [];
  let failure: string | undefined;
  removeOthers(
    place,
    lists.map(({ file }) => file),
  );
  for (const list of lists.filter(({ state }) => state === "recalled")) {
    const hash = hashFile(list.file);
    // A file that has changed since is read by the reload that its change sets off.
    if (hash === undefined || stampOf(list.file) !== list.stamp) settled.set(list.file, list);
    else if (hash === list.list.hashes.octets) settled.set(list.file, { ...list, state: "settled" });
    else {
      removeSnapshot(place, list.file);
      differing.push(list.file);
    }
    yield;
  }
  for (const list of lists.filter(({ state }) => state !== "recalled")) {
    if (list.state === "settled") {
      settled.set(list.file, list);
      continue;
    }
    try {
      writeSnapshot(place, list);
      settled.set(list.file, { ...list, state: "settled" });
    } catch (error) {
      failure ??= error instanceof Error ? error.message : String(error);
      settled.set(list.file, list);
    }
    yield;
  }
  return { held: packHeld([...settled.values()]), differing, failure };
}

/** SHA-256 of a file in hexadecimal; undefined when it can't be read. */
function hashFile(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    if (!fstatSync(file).isFile()) return undefined;
    const hash = createHash("sha256");
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const octets = readSync(file, chunk, 0, CHUNK, null);
      if (octets === 0) return hash.digest("hex");
      hash.update(chunk.subarray(0, octets));
    }
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}
