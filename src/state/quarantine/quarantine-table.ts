// The quarantine: entries by subject, looked up on the path of calls by numbers alone. Bounded.
import type { FindingSubject, Participant } from "../../domain/finding.ts";
import { BLOCK_OF_CALLERS, readKey } from "../../domain/number.ts";
import type { Millis } from "../../domain/time.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import { createSubjectRows, NO_ROW, type SubjectRows } from "../frequency/subject-rows.ts";
import { endOf, type Held, type Holder, keyOfHeld } from "./held.ts";
import { createShield, type Shield } from "./shield.ts";

/** Entries at one time. */
const MOST_ENTRIES = 16_384;
/** Entries that are kept free for orders. */
const FOR_ORDERS = 1024;

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
  ofTrunk(place: number, at: Millis): Entry | undefined;
  ofCaller(place: number, caller: number, at: Millis): Entry | undefined;
  /** @param caller any number of the block */
  ofBlock(place: number, caller: number, at: Millis): Entry | undefined;
  ofCalled(called: number, at: Millis): Entry | undefined;
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

const isAnyEnforced = (_holder: Holder): boolean => true;

/** @param capacity entries at one time */
export function createQuarantineTable(capacity = MOST_ENTRIES): QuarantineTable {
  const byKey = new Map<string, Changing>();
  const byId = new Map<string, Changing>();
  const places = new Map<TrunkId, number>();
  /** The entries of each row. */
  const lists: Changing[][] = [];
  /** Made for the first entry: nearly no trunk has one. */
  let rows: SubjectRows | undefined;
  let isEnforced = isAnyEnforced;
  let size = 0;
  let shields = 0;
  let full = 0;

  function placeFor(trunk: TrunkId): number {
    const known = places.get(trunk);
    if (known !== undefined) return known;
    // Place 0 is nobody's trunk.
    places.set(trunk, places.size + 1);
    return places.size;
  }

  /** Limit and number of the row of a subject. @returns undefined for a number that can't be read */
  function rowOf(subject: FindingSubject): readonly [limit: number, number: number] | undefined {
    if (subject.kind === "trunk") return [placeFor(subject.trunk) * KINDS + TRUNK, 0];
    const key = readKey(subject.number);
    if (key === undefined) return undefined;
    if (subject.kind === "called") return [ANYWHERE * KINDS + CALLED, key];
    const place = placeFor(subject.trunk) * KINDS;
    if (subject.kind === "caller" || key < 0) return [place + CALLER, key];
    return [place + BLOCK, Math.floor(key / BLOCK_OF_CALLERS)];
  }

  function count(entry: Entry, by: 1 | -1): void {
    if (!entry.isOn) return;
    size += by;
    if (entry.shield !== undefined) shields += by;
  }

  function setOn(entry: Changing): void {
    count(entry, -1);
    entry.isOn = entry.held.released === undefined && isEnforced(entry.held.holder);
    count(entry, 1);
  }

  function find(limit: number, number: number, at: Millis): Entry | undefined {
    if (rows === undefined) return undefined;
    const row = rows.find(limit, number);
    if (row === NO_ROW) return undefined;
    const list = lists[row]!;
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

  function remove(entry: Changing): void {
    const { held } = entry;
    byKey.delete(keyOfHeld(held.holder, held.subject));
    byId.delete(held.id);
    count(entry, -1);
    entry.isOn = false;
    const at = rowOf(held.subject);
    const row = at === undefined || rows === undefined ? NO_ROW : rows.find(at[0], at[1]);
    if (row !== NO_ROW) lists[row] = lists[row]!.filter((other) => other !== entry);
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

  function hasRoom({ holder }: Held, at: Millis): boolean {
    const most = holder === "command" ? capacity : capacity - Math.min(FOR_ORDERS, capacity >> 2);
    if (byKey.size < most) return true;
    forgetEnded(at);
    return byKey.size < most;
  }

  function fill(shield: Shield | undefined, participants: readonly Participant[]): void {
    for (const { trunk, number } of participants) {
      const key = readKey(number);
      if (key !== undefined) shield?.add(placeFor(trunk), key);
    }
  }

  function create(held: Held): Changing | undefined {
    const at = rowOf(held.subject);
    if (at === undefined) return undefined;
    rows ??= createSubjectRows(
      2 * capacity,
      (row) => lists[row]!.length === 0,
      () => undefined,
    );
    let row = rows.find(at[0], at[1]);
    if (row === NO_ROW) {
      row = rows.claim(at[0], at[1], 0);
      if (row === NO_ROW) return undefined;
      lists[row] = [];
    }
    const shield = held.subject.kind === "called" ? createShield() : undefined;
    const entry: Changing = { held, isOn: false, refused: 0, shield };
    lists[row]!.push(entry);
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
    ofTrunk: (place, at) => find(place * KINDS + TRUNK, 0, at),
    ofCaller: (place, caller, at) => find(place * KINDS + CALLER, caller, at),
    ofBlock: (place, caller, at) =>
      caller < 0 ? undefined : find(place * KINDS + BLOCK, Math.floor(caller / BLOCK_OF_CALLERS), at),
    ofCalled: (called, at) => find(ANYWHERE * KINDS + CALLED, called, at),
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
      byId.delete(entry.held.id);
      entry.held = held;
      byKey.set(key, entry);
      byId.set(held.id, entry);
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
