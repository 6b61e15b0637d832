// Hands a policy that one thread has read to the thread that carries calls.
import type { NumberSet } from "../../numbering/number-set.ts";
import { openNumberSet } from "../../numbering/number-set.ts";
import type { DenyList, NumberList, PolicyTables } from "../../screening/rule.ts";
import type { PolicyParts, TrunkPlan } from "./build-policy.ts";

/** Tables of a trunk whose number lists are blocks of shared memory. */
type PackedTables = Omit<PolicyTables, "lesseeNumbers" | "denyLists"> & {
  readonly lesseeNumbers: PackedList<NumberList> | undefined;
  readonly denyLists: readonly PackedList<DenyList>[];
};
type PackedList<List extends NumberList> = Omit<List, "numbers"> & { readonly memory: SharedArrayBuffer };

/**
 * What a policy is compiled from, as plain values: one thread reads it and posts it to another
 * (structured clone). Number lists are shared, not copied.
 */
export type PolicyParcel = Omit<PolicyParts, "plans"> & {
  readonly plans: readonly (Omit<TrunkPlan, "tables"> & { readonly tables: PackedTables })[];
};

/** Packs the parts of a policy for another thread. */
export function packPolicy({
  file: { tables, overload, nextHopHealth, timeZone },
  plans,
  lines,
  lists,
  revision,
}: PolicyParts): PolicyParcel {
  // Lists that trunks share stay one object, so the message holds them once.
  const packed = new Map<readonly DenyList[], readonly PackedList<DenyList>[]>();
  const packDenyLists = (denyLists: readonly DenyList[]): readonly PackedList<DenyList>[] => {
    const known = packed.get(denyLists) ?? denyLists.map(packList);
    packed.set(denyLists, known);
    return known;
  };
  return {
    file: { tables, overload, nextHopHealth, timeZone },
    lines,
    plans: plans.map((plan) => ({
      ...plan,
      tables: {
        ...plan.tables,
        lesseeNumbers:
          plan.tables.lesseeNumbers === undefined ? undefined : packList(plan.tables.lesseeNumbers),
        denyLists: packDenyLists(plan.tables.denyLists),
      },
    })),
    lists,
    revision,
  };
}

/** Restores the parts. Invariant: lists over the same memory share one set. */
export function unpackPolicy({ plans, ...parts }: PolicyParcel): PolicyParts {
  const sets = new Map<SharedArrayBuffer, NumberSet>();
  const openList = <List extends { readonly memory: SharedArrayBuffer }>({
    memory,
    ...list
  }: List): Omit<List, "memory"> & { readonly numbers: NumberSet } => {
    const numbers = sets.get(memory) ?? openNumberSet(memory);
    sets.set(memory, numbers);
    return { ...list, numbers };
  };
  const opened = new Map<readonly PackedList<DenyList>[], readonly DenyList[]>();
  const openDenyLists = (packed: readonly PackedList<DenyList>[]): readonly DenyList[] => {
    const known = opened.get(packed) ?? packed.map(openList);
    opened.set(packed, known);
    return known;
  };
  return {
    ...parts,
    plans: plans.map((plan) => ({
      ...plan,
      tables: {
        ...plan.tables,
        lesseeNumbers:
          plan.tables.lesseeNumbers === undefined ? undefined : openList(plan.tables.lesseeNumbers),
        denyLists: openDenyLists(plan.tables.denyLists),
      },
    })),
  };
}

function packList<List extends NumberList>({
  numbers,
  ...list
}: List): Omit<List, "numbers"> & {
  readonly memory: SharedArrayBuffer;
} {
  return { ...list, memory: numbers.memory };
}
