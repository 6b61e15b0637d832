import type { NumberSet } from "../../numbering/number-set.ts";
import { openNumberSet } from "../../numbering/number-set.ts";
import type { DenyList, NumberList, PolicyTables } from "../../screening/rule.ts";
import type { PolicyParts, TrunkPlan } from "./build-policy.ts";

/** Lists of a trunk whose numbers are a block of shared memory. */
type PackedTables = Omit<PolicyTables, "lesseeNumbers" | "denyLists"> & {
  readonly lesseeNumbers: PackedList<NumberList> | undefined;
  readonly denyLists: readonly PackedList<DenyList>[];
};
type PackedList<List extends NumberList> = Omit<List, "numbers"> & { readonly memory: SharedArrayBuffer };

/**
 * What a policy is compiled from, as plain values: a thread that has read it hands it to another (structured clone). Big lists are
 * shared, not copied.
 */
export type PolicyParcel = Omit<PolicyParts, "plans"> & {
  readonly plans: readonly (Omit<TrunkPlan, "tables"> & { readonly tables: PackedTables })[];
};

/** Packs the parts of a policy for another thread. */
export function packPolicy({
  file: { tables, overload, nextHopHealth },
  plans,
  lists,
  revision,
}: PolicyParts): PolicyParcel {
  // What trunks share stays one object, so that it is written into the message once.
  const packed = new Map<readonly DenyList[], readonly PackedList<DenyList>[]>();
  const packDenyLists = (denyLists: readonly DenyList[]): readonly PackedList<DenyList>[] => {
    const known = packed.get(denyLists) ?? denyLists.map(packList);
    packed.set(denyLists, known);
    return known;
  };
  return {
    file: { tables, overload, nextHopHealth },
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

/** The parts again. Sets over the same memory are one set. */
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
