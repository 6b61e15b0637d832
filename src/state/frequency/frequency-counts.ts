// Counts events by limit and number within sliding windows of seconds to a month: the memory of the limits by contract.
import type { Millis } from "../../domain/time.ts";
import { addExact, ageOfBlocking, countExact, type BlockPlace } from "./exact-times.ts";
import { createSubjectRows, NO_ROW } from "./subject-rows.ts";
import { addGroup, addSummed, countSummed, sinceBlocking } from "./summed-times.ts";
import { createTimeBlocks } from "./time-blocks.ts";

const SECOND: Millis = 1000;
/** Windows up to this are counted exactly; longer ones at most 2 % high. */
const EXACT: Millis = 3_600_000;
/** Words for times that a subject may use on average. */
const WORDS_A_SUBJECT = 24;

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
  addGroup(limit: FrequencyLimit, subject: number, time: Millis, level: number): boolean;
  /**
   * The limit of a name. The same name always has the same number, so that a reload resets nothing; its window must not
   * change.
   */
  limit(name: string, form: FrequencyForm): FrequencyLimit;
  count(limit: FrequencyLimit, subject: number, now: Millis): number;
  /** @returns false where the table is full; nothing is added then */
  add(limit: FrequencyLimit, subject: number, now: Millis): boolean;
  /** Adds calls that have begun and may come to count, or takes them back. @returns false where the table is full */
  addPending(limit: FrequencyLimit, subject: number, by: number, now: Millis): boolean;
  pending(limit: FrequencyLimit, subject: number): number;
  /** Milliseconds until fewer events than the limit allows count, if none is added; 0: so it is. */
  wait(limit: FrequencyLimit, subject: number, now: Millis): Millis;
}

/**
 * Creates counts without any. Their tables are made for the first limit: most filters have none.
 *
 * @param capacity pairs of limit and number that are counted at one time
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
    add: (limit, subject, now) => counts().add(limit, subject, now),
    addGroup: (limit, subject, time, level) => counts().addGroup(limit, subject, time, level),
    addPending: (limit, subject, by, now) => counts().addPending(limit, subject, by, now),
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
  const rows = createSubjectRows(
    capacity,
    (row, second) => second - rows.secondOf(row) > forms[rows.limitOf(row)]!.within / SECOND,
    (row) => {
      if (rows.blockOf(row) !== 0) blocks.give(rows.blockOf(row), rows.sizeClassOf(row));
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

  function rowFor(limit: FrequencyLimit, subject: number, second: number): number {
    const row = look(limit, subject);
    if (row === NO_ROW) return rows.claim(limit, subject, second);
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
    addGroup(limit, subject, time, level) {
      const second = Math.floor(time / SECOND);
      const row = rowFor(limit, subject, second);
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
    add(limit, subject, now) {
      const second = Math.floor(now / SECOND);
      const form = forms[limit]!;
      const row = rowFor(limit, subject, second);
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
    addPending(limit, subject, by, now) {
      const row = rowFor(limit, subject, Math.floor(now / SECOND));
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
