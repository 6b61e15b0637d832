// Numbers the trunks of calls, and keeps the count of calls in progress on each.
import type { TrunkId } from "../domain/trunk.ts";
import type { TrunkCalls, TrunkNames } from "./calls.ts";

/** Names of trunks without a row are kept up to this number; above it a new name takes the place of one of them. */
const NAMES_KEPT = 4096;

/** At most one number a row, or {@link NAMES_KEPT} numbers where that is more. */
export interface CallTrunks {
  /** The number of a trunk, for one more row of it. */
  enter(trunk: TrunkId): number;
  /** A row of the trunk is free again. */
  leave(trunk: number): void;
  nameOf(trunk: number): TrunkId;
  /** Adds to the calls of the trunk in set-up and to those answered. `isElsewhere`: another node carries them. */
  count(trunk: number, setup: number, answered: number, isElsewhere: boolean): void;
  /** Calls that this node and others carry. */
  channels(trunk: TrunkId): number;
  /** Calls that this node carries. */
  standing(): ReadonlyMap<TrunkId, TrunkCalls>;
  names(): Omit<TrunkNames, "nodes">;
  /** Gives the names another version: those of nodes have changed. */
  renew(): void;
}

interface TrunkRow {
  name: TrunkId;
  rows: number;
  setup: number;
  answered: number;
  elsewhere: number;
}

/** `renamed` is told each new version of the names. */
export function createCallTrunks(renamed: (version: number) => void): CallTrunks {
  const trunks: TrunkRow[] = [];
  const numbers = new Map<TrunkId, number>();
  let version = 0;
  let searched = 0;

  /** A trunk without rows, whose number may serve another name. @returns undefined: each has one */
  const findIdle = (): number | undefined => {
    for (let i = 0; i < trunks.length; i++) {
      searched = (searched + 1) % trunks.length;
      if (trunks[searched]?.rows === 0) return searched;
    }
    return undefined;
  };

  const add = (name: TrunkId): number => {
    const idle = trunks.length < NAMES_KEPT ? undefined : findIdle();
    const number = idle ?? trunks.length;
    const old = trunks[number];
    if (old !== undefined) numbers.delete(old.name);
    trunks[number] = { name, rows: 0, setup: 0, answered: 0, elsewhere: 0 };
    numbers.set(name, number);
    renew();
    return number;
  };

  function renew(): void {
    version = (version + 1) | 0;
    renamed(version);
  }

  return {
    enter(trunk) {
      const number = numbers.get(trunk) ?? add(trunk);
      trunks[number]!.rows++;
      return number;
    },
    leave(trunk) {
      trunks[trunk]!.rows--;
    },
    nameOf: (trunk) => trunks[trunk]?.name ?? "",
    count(trunk, setup, answered, isElsewhere) {
      const row = trunks[trunk]!;
      if (isElsewhere) {
        row.elsewhere += setup + answered;
        return;
      }
      row.setup += setup;
      row.answered += answered;
    },
    channels(trunk) {
      const row = trunks[numbers.get(trunk) ?? -1];
      return row === undefined ? 0 : row.setup + row.answered + row.elsewhere;
    },
    standing: () => new Map(trunks.map(({ name, setup, answered }) => [name, { setup, answered }])),
    renew,
    names: () => ({ version, names: trunks.map(({ name }) => name) }),
  };
}
