// Hands a policy that one thread has read to the thread that carries calls.
import { openNumberSet } from "../../numbering/number-set.ts";
import type {
  LesseeList,
  LesseeMarketing,
  MarketingPolicy,
  NumberList,
  PolicyTables,
} from "../../screening/rule.ts";
import type { SharedLists } from "./list-loading.ts";
import type { PolicyParts, TrunkPlan } from "./build-policy.ts";

/** A list whose numbers are a block of shared memory: its place in `memories` of the parcel. */
type PackedList<List extends NumberList> = Omit<List, "numbers"> & { readonly memory: number };

/** The lists of all trunks, without their numbers. */
type PackedLists = { readonly [Name in keyof SharedLists]: readonly PackedList<SharedLists[Name][number]>[] };

/** Tables of a trunk. Lists are named by their places in the parcel, so that a parcel can travel in pieces. */
type PackedTables = Omit<PolicyTables, "lesseeNumbers" | "marketing" | keyof SharedLists> & {
  readonly lesseeNumbers: PackedList<LesseeList> | undefined;
  /** Without its policy, which all trunks share. */
  readonly marketing: Omit<LesseeMarketing, "policy"> | undefined;
};

/** A trunk before its rules are compiled, for another thread. */
export type PackedPlan = Omit<TrunkPlan, "tables"> & { readonly tables: PackedTables };

/**
 * What a policy is compiled from, as plain values: one thread reads it and posts it to another
 * (structured clone). Number lists are shared, not copied.
 */
export type PolicyParcel = Omit<PolicyParts, "plans"> & {
  readonly memories: readonly SharedArrayBuffer[];
  /** Invariant: every trunk of a policy has the same. */
  readonly sharedLists: PackedLists;
  readonly marketing: PackedMarketing | undefined;
  readonly plans: readonly PackedPlan[];
};

/** What `marketing` says, its sets of numbers by their places. */
type PackedMarketing = Omit<MarketingPolicy, "platformNumbers" | "ownNumbers"> & {
  readonly platformNumbers: number;
  readonly ownNumbers: number;
};

const noLists: SharedLists = { denyLists: [], trustedLists: [], scoreLists: [], doNotCallLists: [] };

/** Packs the parts of a policy for another thread. */
export function packPolicy({
  file: { tables, overload, nextHopHealth, timeZone, detectors },
  plans,
  lines,
  lists,
  revision,
}: PolicyParts): PolicyParcel {
  const memories = createPlaces<SharedArrayBuffer>();
  const packList = <List extends NumberList>({ numbers, ...list }: List): PackedList<List> => ({
    ...list,
    memory: memories.placeOf(numbers.memory),
  });
  let shared = noLists;
  let marketing: MarketingPolicy | undefined;
  const packed = [...plans].map((plan): PackedPlan => {
    const { denyLists, trustedLists, scoreLists, doNotCallLists, ...rest } = plan.tables;
    const { lesseeNumbers, marketing: ofLessee, ...own } = rest;
    shared = { denyLists, trustedLists, scoreLists, doNotCallLists };
    marketing ??= ofLessee?.policy;
    return {
      ...plan,
      tables: {
        ...own,
        lesseeNumbers: lesseeNumbers === undefined ? undefined : packList(withoutSets(lesseeNumbers)),
        marketing: ofLessee && { lessee: ofLessee.lessee, industry: ofLessee.industry },
      },
    };
  });
  const sharedLists = {
    denyLists: shared.denyLists.map(packList),
    trustedLists: shared.trustedLists.map(packList),
    scoreLists: shared.scoreLists.map(packList),
    doNotCallLists: shared.doNotCallLists.map(packList),
  };
  return {
    file: { tables, overload, nextHopHealth, timeZone, detectors },
    lines,
    sharedLists,
    marketing: marketing && {
      ...marketing,
      platformNumbers: memories.placeOf(marketing.platformNumbers.memory),
      ownNumbers: memories.placeOf(marketing.ownNumbers.memory),
    },
    memories: memories.all(),
    plans: packed,
    lists,
    revision,
  };
}

/**
 * Restores the parts. Each plan is restored when it is asked for: a policy has many. Invariant: lists over the same
 * memory share one set.
 */
export function unpackPolicy({
  plans,
  memories,
  sharedLists,
  marketing,
  ...parts
}: PolicyParcel): PolicyParts {
  const sets = createStore((place) => {
    const memory = memories[place];
    if (memory === undefined) throw new RangeError(`a parcel without list ${place}`);
    return openNumberSet(memory);
  });
  const openList = <List extends { readonly memory: number }>({ memory, ...list }: List) => ({
    ...list,
    numbers: sets(memory),
  });
  const opened: SharedLists = {
    denyLists: sharedLists.denyLists.map(openList),
    trustedLists: sharedLists.trustedLists.map(openList),
    scoreLists: sharedLists.scoreLists.map(openList),
    doNotCallLists: sharedLists.doNotCallLists.map(openList),
  };
  const policy = marketing && {
    ...marketing,
    platformNumbers: sets(marketing.platformNumbers),
    ownNumbers: sets(marketing.ownNumbers),
  };
  function* openPlans(): Generator<TrunkPlan> {
    for (const plan of plans) {
      const { lesseeNumbers, marketing: ofLessee, ...own } = plan.tables;
      yield {
        ...plan,
        tables: {
          ...own,
          ...opened,
          lesseeNumbers: lesseeNumbers === undefined ? undefined : openList(lesseeNumbers),
          marketing: ofLessee && policy && { ...ofLessee, policy },
        },
      };
    }
  }
  return { ...parts, plans: { [Symbol.iterator]: openPlans } };
}

/** The texts are for explanations: many trunks with many texts would keep the call thread busy. */
function withoutSets({ trunkSets: _texts, ...list }: LesseeList): LesseeList {
  return list;
}

/** Gives each value a place, in order of its first mention. */
function createPlaces<Value>() {
  const places = new Map<Value, number>();
  return {
    placeOf(value: Value): number {
      const place = places.get(value) ?? places.size;
      places.set(value, place);
      return place;
    },
    all: (): readonly Value[] => [...places.keys()],
  };
}

/** Makes what is at a place once. */
function createStore<Value>(make: (place: number) => Value): (place: number) => Value {
  const made = new Map<number, Value>();
  return (place) => {
    const value = made.get(place) ?? make(place);
    made.set(place, value);
    return value;
  };
}
