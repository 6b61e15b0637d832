// The quarantine: entries by subject, looked up on the path of calls by numbers alone. Bounded.
import type { FindingSubject, Participant } from "../../domain/finding.ts";
import { BLOCK_OF_CALLERS, readKey } from "../../domain/number.ts";
import type { Millis } from "../../domain/time.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import { endOf, type Held, type Holder, keyOfHeld } from "./held.ts";
import { createShield, type Shield } from "./shield.ts";
import { createSubjectIndex, NO_PLACE, type SubjectIndex } from "./subject-index.ts";

/** Entries at one time. */
const MOST_ENTRIES = 16_384;
/** Entries that are kept free for orders. */
const FOR_ORDERS = 1024;
/** A trunk has at most this part of the entries, but by orders: who floods it with callers leaves room for other trunks. */
const SHARE = 4;
/** Called parties have at most this part: who bombs many of them leaves room for callers, blocks and trunks. */
const CALLED_SHARE = 2;
/** Stands for the trunk of called parties, who stand on none. No trunk has this name. */
const NO_TRUNK = "";
/** Time until a full table is looked through again. Milliseconds. */
const LOOK_AGAIN: Millis = 1000;

const TRUNK = 0;
const CALLER = 1;
const BLOCK = 2;
const CALLED = 3;
const KINDS = 4;
/** Called parties stand on no trunk. */
const ANYWHERE = 0;
/** Stands for a trunk that no entry was ever on. */
export const NOWHERE = -1;

/** An entry in the table. */
export interface Entry {
  readonly held: Held;
  /** False: the policy does not enforce its detector now, or it was released. */
  readonly isOn: boolean;
  /** Calls that it has refused since the start. */
  readonly refused: number;
  /** Of a called party: whom she is shielded from. */
  readonly shield: Shield | undefined;
}

type Changing = { -readonly [Field in keyof Entry]: Entry[Field] };

/** A number of a call. The table takes objects of the call: a number beyond 31 bits as an argument makes garbage. */
export interface Keyed {
  readonly key: number;
}

/** A call, by its time on the wall clock. */
export interface Timed {
  readonly at: Millis;
}

export interface QuarantineTable {
  /** Entries that bind somebody. 0: no call need be looked at. */
  readonly size: number;
  /** Entries that shield called parties. */
  readonly shields: number;
  /** All entries, released ones included. */
  readonly count: number;
  /** Entries that were not made, because there was no room. */
  readonly full: number;
  /** @returns a small number for the trunk; {@link NOWHERE} where no entry names the trunk */
  placeOf(trunk: TrunkId): number;
  /** The entry that binds a whole trunk now: one that refuses before one that marks. */
  ofTrunk(place: number, call: Timed): Entry | undefined;
  ofCaller(place: number, caller: Keyed, call: Timed): Entry | undefined;
  /** @param caller any number of the block */
  ofBlock(place: number, caller: Keyed, call: Timed): Entry | undefined;
  ofCalled(called: Keyed, call: Timed): Entry | undefined;
  /**
   * Makes an entry, or replaces that of the same holder and subject.
   *
   * @returns undefined where there is no room
   */
  put(held: Held, at: Millis): Entry | undefined;
  get(holder: Holder, subject: FindingSubject): Entry | undefined;
  byId(id: string): Entry | undefined;
  /** Adds a caller to a shield. @returns false where nothing has changed */
  join(entry: Entry, participant: Participant): boolean;
  remove(entry: Entry): void;
  /** Takes away what has ended. @returns how many entries */
  forgetEnded(at: Millis): number;
  /** Counts a call that the entry has refused. */
  countRefusal(id: string): void;
  /** Says whose entries bind from now on. */
  follow(isEnforced: (holder: Holder) => boolean): void;
  /** The oldest first. */
  entries(): Iterable<Entry>;
}

/** Takes keys that nobody looks for. */
const scratch = new Float64Array(1);

function trunkOf(subject: FindingSubject): TrunkId {
  return "trunk" in subject ? subject.trunk : NO_TRUNK;
}

const isAnyEnforced = (_holder: Holder): boolean => true;

/** @param capacity entries at one time */
export function createQuarantineTable(capacity = MOST_ENTRIES): QuarantineTable {
  const byKey = new Map<string, Changing>();
  const byId = new Map<string, Changing>();
  const places = new Map<TrunkId, number>();
  const byTrunk = new Map<TrunkId, number>();
  /** The entries of each subject, by its place in the index. */
  const lists: Changing[][] = [];
  /** Entries that bind somebody, by kind and trunk: where there is none, nothing is looked up. */
  const bound: number[] = [];
  /** Made for the first entry: nearly no filter has one. */
  let index: SubjectIndex | undefined;
  let isEnforced = isAnyEnforced;
  let size = 0;
  let shields = 0;
  let full = 0;
  let lookedAt = -Infinity;

  function placeFor(trunk: TrunkId): number {
    const known = places.get(trunk);
    if (known !== undefined) return known;
    // Place 0 is nobody's trunk.
    places.set(trunk, places.size + 1);
    return places.size;
  }

  /** Kind and trunk of a subject as one number; its key is in the probe. */
  function limitOf(subject: FindingSubject, probe: Float64Array): number {
    if (subject.kind === "trunk") {
      probe[0] = 0;
      return placeFor(subject.trunk) * KINDS + TRUNK;
    }
    const key = readKey(subject.number) ?? 0;
    probe[0] = key;
    if (subject.kind === "called") return ANYWHERE * KINDS + CALLED;
    const place = placeFor(subject.trunk) * KINDS;
    if (subject.kind === "caller" || key < 0) return place + CALLER;
    probe[0] = Math.floor(key / BLOCK_OF_CALLERS);
    return place + BLOCK;
  }

  function count(entry: Entry, by: 1 | -1): void {
    if (!entry.isOn) return;
    size += by;
    const limit = limitOf(entry.held.subject, scratch);
    bound[limit] = (bound[limit] ?? 0) + by;
    if (entry.shield !== undefined) shields += by;
  }

  function setOn(entry: Changing): void {
    count(entry, -1);
    entry.isOn = entry.held.released === undefined && isEnforced(entry.held.holder);
    count(entry, 1);
  }

  /** The key is in the probe of the index. */
  function find(limit: number, { at }: Timed): Entry | undefined {
    const place = index === undefined ? NO_PLACE : index.find(limit);
    if (place === NO_PLACE) return undefined;
    const list = lists[place]!;
    let found: Entry | undefined;
    for (let i = 0; i < list.length; i++) {
      const entry = list[i]!;
      if (!entry.isOn) continue;
      const { until, mark, markUntil } = entry.held;
      if (at < until) return entry;
      if (at < markUntil && (found === undefined || mark === "withhold")) found = entry;
    }
    return found;
  }

  /** True where an entry binds somebody of this kind on this trunk. */
  function isBound(limit: number): boolean {
    return limit < bound.length && (bound[limit] ?? 0) > 0;
  }

  function remove(entry: Changing): void {
    const { held } = entry;
    byKey.delete(keyOfHeld(held.holder, held.subject));
    byId.delete(held.id);
    countOnTrunk(held.subject, -1);
    count(entry, -1);
    entry.isOn = false;
    if (index === undefined) return;
    const place = index.find(limitOf(held.subject, index.probe));
    if (place !== NO_PLACE) lists[place] = lists[place]!.filter((other) => other !== entry);
  }

  function forgetEnded(at: Millis): number {
    let ended = 0;
    for (const entry of byKey.values()) {
      if (endOf(entry.held) > at) continue;
      remove(entry);
      ended++;
    }
    return ended;
  }

  /** True where a finding about this trunk, or about a called party, may have one more entry. */
  function hasShare(subject: FindingSubject): boolean {
    const trunk = trunkOf(subject);
    return (byTrunk.get(trunk) ?? 0) < capacity / (trunk === NO_TRUNK ? CALLED_SHARE : SHARE);
  }

  function hasRoom({ holder, subject }: Held, at: Millis): boolean {
    const isOrder = holder === "command";
    const most = isOrder ? capacity : capacity - Math.min(FOR_ORDERS, capacity / SHARE);
    if (byKey.size < most && (isOrder || hasShare(subject))) return true;
    // A flood of findings looks for room once a second.
    if (at >= lookedAt && at - lookedAt < LOOK_AGAIN) return false;
    lookedAt = at;
    forgetEnded(at);
    return byKey.size < most && (isOrder || hasShare(subject));
  }

  function countOnTrunk(subject: FindingSubject, by: 1 | -1): void {
    const trunk = trunkOf(subject);
    byTrunk.set(trunk, (byTrunk.get(trunk) ?? 0) + by);
  }

  function fill(shield: Shield | undefined, participants: readonly Participant[]): void {
    for (const { trunk, number } of participants) {
      const key = readKey(number);
      if (key !== undefined) shield?.add(placeFor(trunk), key);
    }
  }

  /** Makes the index anew, without subjects that nothing stands against. */
  function rebuild(made: SubjectIndex): void {
    made.clear();
    lists.length = 0;
    for (const entry of byKey.values()) {
      const place = made.claim(limitOf(entry.held.subject, made.probe));
      (lists[place] ??= []).push(entry);
    }
  }

  function create(held: Held): Changing | undefined {
    if (held.subject.kind !== "trunk" && readKey(held.subject.number) === undefined) return undefined;
    index ??= createSubjectIndex(2 * capacity);
    let place = index.claim(limitOf(held.subject, index.probe));
    if (place === NO_PLACE) {
      rebuild(index);
      place = index.claim(limitOf(held.subject, index.probe));
    }
    const shield = held.subject.kind === "called" ? createShield() : undefined;
    const entry: Changing = { held, isOn: false, refused: 0, shield };
    (lists[place] ??= []).push(entry);
    return entry;
  }

  return {
    get size() {
      return size;
    },
    get shields() {
      return shields;
    },
    get count() {
      return byKey.size;
    },
    get full() {
      return full;
    },
    placeOf: (trunk) => places.get(trunk) ?? NOWHERE,
    ofTrunk(place, call) {
      const limit = place * KINDS + TRUNK;
      if (index === undefined || !isBound(limit)) return undefined;
      index.probe[0] = 0;
      return find(limit, call);
    },
    ofCaller(place, { key }, call) {
      const limit = place * KINDS + CALLER;
      if (index === undefined || !isBound(limit)) return undefined;
      index.probe[0] = key;
      return find(limit, call);
    },
    ofBlock(place, { key }, call) {
      const limit = place * KINDS + BLOCK;
      if (index === undefined || key < 0 || !isBound(limit)) return undefined;
      index.probe[0] = Math.floor(key / BLOCK_OF_CALLERS);
      return find(limit, call);
    },
    ofCalled({ key }, call) {
      const limit = ANYWHERE * KINDS + CALLED;
      if (index === undefined || !isBound(limit)) return undefined;
      index.probe[0] = key;
      return find(limit, call);
    },
    put(held, at) {
      const key = keyOfHeld(held.holder, held.subject);
      const known = byKey.get(key);
      if (known === undefined && !hasRoom(held, at)) {
        full++;
        return undefined;
      }
      const entry = known ?? create(held);
      if (entry === undefined) {
        full++;
        return undefined;
      }
      if (known === undefined) countOnTrunk(held.subject, 1);
      byId.delete(entry.held.id);
      entry.held = held;
      byKey.set(key, entry);
      byId.set(held.id, entry);
      // Whom the entry names no more is refused no more.
      entry.shield?.clear();
      fill(entry.shield, held.participants);
      setOn(entry);
      return entry;
    },
    get: (holder, subject) => byKey.get(keyOfHeld(holder, subject)),
    byId: (id) => byId.get(id),
    join(entry, participant) {
      const known = byId.get(entry.held.id);
      const key = readKey(participant.number);
      if (known === undefined || key === undefined) return false;
      if (known.shield?.add(placeFor(participant.trunk), key) !== true) return false;
      known.held = { ...known.held, participants: [...known.held.participants, participant] };
      return true;
    },
    remove(entry) {
      const known = byId.get(entry.held.id);
      if (known !== undefined) remove(known);
    },
    forgetEnded,
    countRefusal(id) {
      const entry = byId.get(id);
      if (entry !== undefined) entry.refused++;
    },
    follow(enforced) {
      isEnforced = enforced;
      for (const entry of byKey.values()) setOn(entry);
    },
    entries: () => byKey.values(),
  };
}
