// Counts events by limit and number within sliding windows of seconds to a month: the memory of the limits by contract.
import type { Millis } from "../../domain/time.ts";
import { addExact, ageOfBlocking, countExact, type BlockPlace } from "./exact-times.ts";
import { createShares, TIMES_FREE } from "../shares.ts";
import { createOwners } from "./owners.ts";
import { createSubjectRows, NO_ROW } from "./subject-rows.ts";
import { addGroup, addSummed, countSummed, sinceBlocking } from "./summed-times.ts";
import { createTimeBlocks } from "./time-blocks.ts";

const SECOND: Millis = 1000;
/** Windows up to this are counted exactly; longer ones at most 2 % high. */
const EXACT: Millis = 3_600_000;
/**
 * Words for times that a subject may use on average. A day of 20 million calls from 100,000 callers, under limits of an
 * hour and of a day per caller, called party, trunk and lessee, takes some 50 (`bench/counts`).
 */
const WORDS_A_SUBJECT = 64;

/** A limit of which events are counted: a window, and how many of its events matter. */
export interface FrequencyForm {
  /** Events of a window beyond this are not told apart. */
  readonly calls: number;
  readonly within: Millis;
}

/** The number of a limit in the counts. It holds for the life of the process. */
export type FrequencyLimit = number;

/** The counts as another thread reads them: shared memory that goes on changing. */
export interface FrequencyView {
  readonly rows: SharedArrayBuffer;
  readonly used: number;
  readonly words: SharedArrayBuffer;
  readonly limits: readonly (FrequencyForm & { readonly name: string })[];
}

/** True where events of the window are kept each for itself. */
export function isExact({ within }: Pick<FrequencyForm, "within">): boolean {
  return within <= EXACT;
}

/**
 * Events by limit and number. An event counts for exactly `within` in windows up to an hour. In longer windows counts are
 * never low, and at most 2 % high; times are seconds there.
 */
export interface FrequencyCounts {
  readonly size: number;
  readonly capacity: number;
  /** Octets for the times of all subjects. */
  readonly octets: number;
  /** What another thread reads to keep the counts. */
  view(): FrequencyView;
  /** Takes the groups of a long window as they were kept, the oldest first. @returns false where there is no room */
  addGroup(limit: FrequencyLimit, subject: number, time: Millis, level: number, owner: string): boolean;
  /**
   * The limit of a name. The same name always has the same number, so that a reload resets nothing; its window must not
   * change.
   */
  limit(name: string, form: FrequencyForm): FrequencyLimit;
  count(limit: FrequencyLimit, subject: number, now: Millis): number;
  /**
   * Owners share the rows of the table: nobody fills it, and whoever comes later finds some (`shares.ts`).
   *
   * @param owner whose call it is: a trunk
   * @returns false where the table is full, or the share of the owner; nothing is added then
   */
  add(limit: FrequencyLimit, subject: number, now: Millis, owner: string): boolean;
  /**
   * Adds calls that have begun and may come to count, or takes them back.
   *
   * @param owner as that of {@link FrequencyCounts.add}
   * @returns false where the table is full, or the share of the owner
   */
  addPending(limit: FrequencyLimit, subject: number, by: number, now: Millis, owner: string): boolean;
  pending(limit: FrequencyLimit, subject: number): number;
  /** Milliseconds until fewer events than the limit allows count, if none is added; 0: so it is. */
  wait(limit: FrequencyLimit, subject: number, now: Millis): Millis;
}

/**
 * Creates counts without any. Their tables are made for the first limit: most filters have none.
 *
 * @param capacity pairs of limit and number that one owner alone can have counted at one time; a sixteenth more is kept
 *   for others
 */
export function createFrequencyCounts(capacity: number): FrequencyCounts {
  let made: FrequencyCounts | undefined;
  const counts = (): FrequencyCounts => (made ??= createTables(capacity));
  return {
    get size() {
      return made?.size ?? 0;
    },
    capacity,
    get octets() {
      return made?.octets ?? 0;
    },
    view: () => made?.view() ?? emptyView,
    limit: (name, form) => counts().limit(name, form),
    count: (limit, subject, now) => counts().count(limit, subject, now),
    add: (limit, subject, now, owner) => counts().add(limit, subject, now, owner),
    addGroup: (limit, subject, time, level, owner) => counts().addGroup(limit, subject, time, level, owner),
    addPending: (limit, subject, by, now, owner) => counts().addPending(limit, subject, by, now, owner),
    pending: (limit, subject) => counts().pending(limit, subject),
    wait: (limit, subject, now) => counts().wait(limit, subject, now),
  };
}

const emptyView: FrequencyView = {
  rows: new SharedArrayBuffer(0),
  used: 0,
  words: new SharedArrayBuffer(0),
  limits: [],
};

function createTables(capacity: number): FrequencyCounts {
  const blocks = createTimeBlocks(capacity * WORDS_A_SUBJECT);
  const forms: FrequencyForm[] = [];
  const named = new Map<string, FrequencyLimit>();
  // By its share, one owner alone has as many rows as the table is said to have.
  const room = capacity + Math.floor((capacity - 1) / TIMES_FREE);
  const shares = createShares(room);
  const owners = createOwners();
  const rows = createSubjectRows(
    room,
    (row, second) => second - rows.secondOf(row) > forms[rows.limitOf(row)]!.within / SECOND,
    (row) => {
      if (rows.blockOf(row) !== 0) blocks.give(rows.blockOf(row), rows.sizeClassOf(row));
      shares.give(owners.nameOf(rows.ownerOf(row)), 1);
    },
  );
  const place: BlockPlace = { block: 0, sizeClass: 0 };

  /** Finds the row, and its block for the functions that count. */
  function look(limit: FrequencyLimit, subject: number): number {
    const row = rows.find(limit, subject);
    place.block = row === NO_ROW ? 0 : rows.blockOf(row);
    place.sizeClass = row === NO_ROW ? 0 : rows.sizeClassOf(row);
    return row;
  }

  /** A row that was last used so long ago that its times could be taken for young ones has none. */
  function isPast(row: number, { within }: FrequencyForm, second: number): boolean {
    return second - rows.secondOf(row) > within / SECOND;
  }

  /** Gives a subject a row of the owner's share. */
  function claim(limit: FrequencyLimit, subject: number, second: number, owner: string): number {
    // What is past makes room first.
    if (!shares.hasRoom(owner, 1)) rows.sweep(second);
    if (!shares.hasRoom(owner, 1)) return NO_ROW;
    const row = rows.claim(limit, subject, second, owners.numberOf(owner));
    if (row !== NO_ROW) shares.take(owner, 1);
    return row;
  }

  function rowFor(limit: FrequencyLimit, subject: number, second: number, owner: string): number {
    const row = look(limit, subject);
    if (row === NO_ROW) return claim(limit, subject, second, owner);
    if (isPast(row, forms[limit]!, second) && place.block !== 0) {
      blocks.give(place.block, place.sizeClass);
      place.block = 0;
      place.sizeClass = 0;
      rows.setBlock(row, 0, 0);
    }
    return row;
  }

  return {
    get size() {
      return rows.size;
    },
    capacity,
    get octets() {
      return blocks.octets;
    },
    view() {
      const limits = [...named].map(([name, limit]) => ({ ...forms[limit]!, name, limit }));
      return {
        rows: rows.shared,
        used: rows.used,
        words: blocks.words.buffer,
        limits: limits.toSorted((a, b) => a.limit - b.limit),
      };
    },
    addGroup(limit, subject, time, level, owner) {
      const second = Math.floor(time / SECOND);
      const row = rowFor(limit, subject, second, owner);
      if (row === NO_ROW) return false;
      const isAdded = addGroup(blocks, place, second, level);
      rows.setBlock(row, place.block, place.sizeClass);
      rows.touch(row, second);
      return isAdded;
    },
    limit(name, form) {
      const known = named.get(name);
      const limit = known ?? forms.length;
      forms[limit] = form;
      named.set(name, limit);
      return limit;
    },
    count(limit, subject, now) {
      const row = look(limit, subject);
      const form = forms[limit]!;
      const second = Math.floor(now / SECOND);
      if (row === NO_ROW || isPast(row, form, second)) return 0;
      return isExact(form)
        ? countExact(blocks, place, form.within, Math.floor(now))
        : countSummed(blocks, place, form.within / SECOND, second);
    },
    add(limit, subject, now, owner) {
      const second = Math.floor(now / SECOND);
      const form = forms[limit]!;
      const row = rowFor(limit, subject, second, owner);
      if (row === NO_ROW) return false;
      const each = isExact(form);
      // What has left the window makes room first.
      if (each) countExact(blocks, place, form.within, Math.floor(now));
      else countSummed(blocks, place, form.within / SECOND, second);
      const isAdded = each
        ? addExact(blocks, place, form.calls, Math.floor(now))
        : addSummed(blocks, place, second);
      rows.setBlock(row, place.block, place.sizeClass);
      if (isAdded) rows.touch(row, second);
      return isAdded;
    },
    addPending(limit, subject, by, now, owner) {
      const row = rowFor(limit, subject, Math.floor(now / SECOND), owner);
      if (row === NO_ROW) return false;
      rows.addPending(row, by);
      return true;
    },
    pending(limit, subject) {
      const row = rows.find(limit, subject);
      return row === NO_ROW ? 0 : rows.pendingOf(row);
    },
    wait(limit, subject, now) {
      const row = look(limit, subject);
      const { calls, within } = forms[limit]!;
      const second = Math.floor(now / SECOND);
      if (row === NO_ROW || isPast(row, forms[limit]!, second)) return 0;
      if (isExact(forms[limit]!)) {
        const age = ageOfBlocking(blocks, place, calls, Math.floor(now));
        return age < 0 ? 0 : Math.max(0, within - age);
      }
      const since = sinceBlocking(blocks, place, calls, second);
      return since < 0 ? 0 : Math.max(0, within - since * SECOND);
    },
  };
}
