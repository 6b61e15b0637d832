// Lists that were read, as one thread hands them to another: facts as text, numbers in shared memory.
import type { ListReading, ReadList } from "../../config/lists/number-list.ts";
import { openNumberSet } from "../../numbering/number-set.ts";

/** A list that was read without error. */
export interface HeldList {
  /** The path, as `loadLists` reads it. */
  readonly file: string;
  /** What its rows were read under: time zone and home country. */
  readonly setting: string;
  /** The state of the file before it was read. */
  readonly stamp: string;
  /**
   * `read`: from the file; no snapshot has it. `recalled`: from a snapshot; the file was not read yet. `settled`: the
   * file was read, and a snapshot has it.
   */
  readonly state: "read" | "recalled" | "settled";
  readonly issues: ListReading["issues"];
  readonly list: ReadList;
}

/**
 * Lists between threads. The call thread keeps them and looks into none: text is cloned as a block, and memory is shared.
 */
export interface HeldLists {
  /** JSON of the facts, in the order of `memories`. Only {@link openHeld} reads it. */
  readonly facts: string;
  readonly memories: readonly SharedArrayBuffer[];
}

/** What is held of a list besides its numbers. */
type HeldFacts = Omit<HeldList, "list"> & { readonly list: Omit<ReadList, "numbers"> };

/** Packs lists for another thread. */
export function packHeld(lists: readonly HeldList[]): HeldLists {
  const facts = lists.map(({ list: { counts, wide, hashes, names }, ...held }): HeldFacts => ({
    ...held,
    list: { counts, wide, hashes, names },
  }));
  return { facts: JSON.stringify(facts), memories: lists.map(({ list }) => list.numbers.memory) };
}

/** Opens lists that {@link packHeld} has packed in a thread of this process. */
export function openHeld({ facts, memories }: HeldLists): readonly HeldList[] {
  // A thread of ours wrote the text.
  const all: readonly HeldFacts[] = JSON.parse(facts);
  return all.flatMap(({ list, ...held }, index) => {
    const memory = memories[index];
    return memory === undefined ? [] : [{ ...held, list: { ...list, numbers: openNumberSet(memory) } }];
  });
}
