// Lists that need not be read again: those in force whose files did not change, and those of snapshots.
import type { ListMemory } from "../../config/policy/list-loading.ts";
import { type HeldList, type HeldLists, openHeld, packHeld } from "./held-lists.ts";
import { createSnapshotReader } from "./snapshot-folder.ts";
import type { SnapshotPlace } from "./list-snapshot.ts";

/** What is known before a reading. */
export interface ListMemoryParts {
  /** Lists of the last reading. Left out: there was none. */
  readonly held?: HeldLists | undefined;
  /** Where snapshots are. Left out: nowhere. */
  readonly place?: SnapshotPlace | undefined;
  /** Takes the present state of a file, and remembers it as the state that the file was read in. */
  readonly stamp: (file: string) => string;
}

/** The lists of one reading. */
export interface ReadingMemory extends ListMemory {
  /** The lists that this reading named. */
  readonly held: () => HeldLists;
}

/** Makes the memory of one reading. */
export function createListMemory({ held, place, stamp }: ListMemoryParts): ReadingMemory {
  const before = new Map(held === undefined ? [] : openHeld(held).map((list) => [list.file, list]));
  const recallSnapshot = place === undefined ? undefined : createSnapshotReader(place);
  const lists = new Map<string, HeldList>();
  const stamps = new Map<string, string>();
  return {
    recall(file, setting) {
      const present = stamp(file);
      stamps.set(file, present);
      const last = before.get(file);
      const known =
        last?.stamp === present && last.setting === setting ? last : recallSnapshot?.(file, setting, present);
      if (known === undefined) return undefined;
      lists.set(file, known);
      return { list: known.list, issues: known.issues };
    },
    keep(file, setting, { list, issues }) {
      const present = stamps.get(file);
      if (list !== undefined && present !== undefined)
        lists.set(file, { file, setting, stamp: present, state: "read", issues, list });
    },
    held: () => packHeld([...lists.values()]),
  };
}
