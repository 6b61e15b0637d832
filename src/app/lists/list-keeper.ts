// Holds the lists in force for the next reload, and has them settled after every reading.
import type { Log } from "../../observe/log.ts";
import type { HeldLists } from "./held-lists.ts";
import type { SnapshotPlace } from "./list-snapshot.ts";
import type { Settlement, SettlingOrder } from "./list-settling.ts";

export interface ListKeeperParts {
  /** The lists of the first policy. */
  readonly held: HeldLists;
  /** Where snapshots go. Left out: none are made. */
  readonly place: SnapshotPlace | undefined;
  /** Settles lists in the reading thread. Resolves with undefined when another order or the end of the thread came first. */
  readonly settle: (order: SettlingOrder) => Promise<Settlement | undefined>;
  readonly reload: (cause: string) => void;
  readonly log: Pick<Log, "error" | "warn">;
}

/** The lists in force. */
export interface ListKeeper {
  readonly held: () => HeldLists;
  /** Has the first lists settled. Called when the filter is up: a start does not wait for it. */
  readonly begin: () => void;
  /** Takes the lists of a policy that has come into force. */
  readonly take: (held: HeldLists) => void;
  /** How many lists were in force though their files said something else, since the start. */
  readonly differing: () => number;
}

/** Makes the keeper. */
export function createListKeeper({ held: first, place, settle, reload, log }: ListKeeperParts): ListKeeper {
  let held = first;
  let differing = 0;
  let hasFailed = false;

  function take(lists: HeldLists): void {
    held = lists;
    if (place === undefined || lists.memories.length === 0) return;
    void haveSettled(lists, place);
  }

  async function haveSettled(lists: HeldLists, to: SnapshotPlace): Promise<void> {
    const settlement = await settle({ held: lists, place: to });
    // A reload came first: its lists are settled then.
    if (settlement === undefined || held !== lists) return;
    held = settlement.held;
    tell(settlement, to.folder);
  }

  function tell({ differing: files, failure }: Settlement, folder: string): void {
    if (failure !== undefined && !hasFailed)
      log.warn(
        `snapshots of lists can't be written to ${folder}: the next start reads the lists themselves`,
        {
          why: failure,
        },
      );
    hasFailed = failure !== undefined;
    if (files.length === 0) return;
    differing += files.length;
    for (const file of files)
      log.error(
        `${file} was changed, and its size, time and inode say that it was not: the start took an old snapshot; the file is read now. Find out who sets its time back`,
      );
    reload("list snapshot");
  }

  return { held: () => held, begin: () => take(first), take, differing: () => differing };
}
