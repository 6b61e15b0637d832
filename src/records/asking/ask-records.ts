// Asks records of one or several folders: sealed and open hours together, the newest first.
import type { Millis } from "../../domain/time.ts";
import type { Database } from "../sealed/duckdb.ts";
import { objectsIn, textIn } from "../lines/line-fields.ts";
import { HOUR, type HourFiles, isReadOpen, listHours, openPath } from "../sealed/hour-files.ts";
import { copiesOf, keyOfLine, partHours } from "./copied-lines.ts";
import { addUnread, readOpenLines } from "./open-lines.ts";
import type { ReadLine, RecordFilter } from "./record-filter.ts";
import { countSealedNumbers, listSealedIds, type NumberUse, readSealedLines } from "./sealed-lines.ts";

/** What can be asked. */
export interface RecordPlace {
  /** Records folders. */
  readonly folders: readonly string[];
  /** Undefined: sealed hours can't be read. */
  readonly database: Database | undefined;
}

/** What was found, and what could not be looked at. */
export interface Found<Item> {
  readonly items: readonly Item[];
  /** True when more lines are meant than were asked for. */
  readonly isCut: boolean;
  /** Sealed hours that were left out because there is no database. */
  readonly leftOut: number;
  /** What is damaged, in words for operators. */
  readonly damages: readonly string[];
}

const DAY: Millis = 24 * HOUR;

/**
 * Collects lines and keeps the newest of them.
 *
 * @param areCopied copies of a line count once
 */
function createNewest(
  limit: number,
  areCopied: boolean,
): {
  readonly add: (line: ReadLine) => void;
  readonly lines: () => readonly ReadLine[];
} {
  let kept: { readonly at: Millis; readonly line: ReadLine }[] = [];
  const trim = (): void => {
    kept.sort((a, b) => b.at - a.at);
    if (areCopied) kept = [...new Map(kept.map((one) => [keyOfLine(one.line), one])).values()];
    if (kept.length > limit) kept = kept.slice(0, limit);
  };
  return {
    add(line) {
      kept.push({ at: Date.parse(line.time), line });
      if (kept.length > 2 * limit + 1000) trim();
    },
    lines() {
      trim();
      return kept.map(({ line }) => line);
    },
  };
}

interface Hours {
  readonly sealed: readonly HourFiles[];
  readonly open: readonly HourFiles[];
  readonly damages: readonly string[];
}

/** Throws when a folder can't be read. */
function findHours({ folders }: RecordPlace, { from, to }: RecordFilter): Hours {
  const hours = folders.flatMap((folder) => listHours(folder, from, to));
  return {
    sealed: hours.filter(({ isSealed }) => isSealed),
    open: hours.filter(isReadOpen),
    damages: hours.flatMap(({ damage, isOpen }) =>
      damage === undefined ? [] : [`${damage}${isOpen ? ": the lines beside it are read" : ""}`],
    ),
  };
}

/**
 * Finds the newest lines that are meant. A line that several folders hold, as copies do, is found once. Throws when a folder can't be read.
 *
 * @param limit most lines
 */
export async function askRecords(
  place: RecordPlace,
  filter: RecordFilter,
  limit: number,
): Promise<Found<ReadLine>> {
  const { sealed, open, damages } = findHours(place, filter);
  const copies = copiesOf([...sealed, ...open]);
  const newest = createNewest(limit + 1, copies > 1);
  const unread: string[] = [];
  for (const hour of open) addUnread(unread, hour, readOpenLines(openPath(hour), filter, newest.add));
  const { database } = place;
  if (database !== undefined) {
    for (const batch of batchesOf(sealed)) {
      const [oldest] = newest.lines().slice(limit);
      const latest = Math.max(...batch.map(({ start }) => start + HOUR));
      // What is older than everything that is wanted need not be asked.
      if (oldest !== undefined && Date.parse(oldest.time) >= latest) break;
      for (const line of await readSealedLines(database, batch, filter, copies * (limit + 1)))
        newest.add(line);
    }
  }
  const lines = newest.lines();
  return {
    items: lines.slice(0, limit),
    isCut: lines.length > limit,
    leftOut: database === undefined ? sealed.length : 0,
    damages: [...damages, ...unread],
  };
}

/** Counts the calls of every calling number among the `decided` lines that are meant, each once; most calls first. */
export async function askNumbers(place: RecordPlace, filter: RecordFilter): Promise<Found<NumberUse>> {
  const { sealed, open, damages } = findHours(place, filter);
  const uses = new Map<string, NumberUse>();
  const add = ({ number, calls, first, last }: NumberUse): void => {
    const known = uses.get(number) ?? { number, calls: 0, first, last };
    uses.set(number, {
      number,
      calls: known.calls + calls,
      first: Math.min(known.first, first),
      last: Math.max(known.last, last),
    });
  };
  const unread: string[] = [];
  const { database } = place;
  const { single, doubled } = partHours([...sealed, ...open]);
  for (const group of [single, ...doubled]) {
    const isDoubled = group !== single;
    const tables = group.filter(({ isSealed }) => isSealed);
    const lines = group.filter(({ isSealed }) => !isSealed);
    const known = new Set<string>();
    if (database !== undefined && tables.length > 0) {
      for (const use of await countSealedNumbers(database, tables, filter, isDoubled)) add(use);
      if (isDoubled && lines.length > 0)
        for (const id of await listSealedIds(database, tables, filter)) known.add(id);
    }
    for (const hour of lines) {
      const count = readOpenLines(openPath(hour), filter, (line) => {
        if (isDoubled) {
          const key = keyOfLine(line);
          if (known.has(key)) return;
          known.add(key);
        }
        const at = Date.parse(line.time);
        for (const number of numbersOf(line)) add({ number, calls: 1, first: at, last: at });
      });
      addUnread(unread, hour, count);
    }
  }
  return {
    items: [...uses.values()].toSorted((a, b) => b.calls - a.calls || (a.number < b.number ? -1 : 1)),
    isCut: false,
    leftOut: database === undefined ? sealed.length : 0,
    damages: [...damages, ...unread],
  };
}

/** The different calling numbers of an attempt. */
export function numbersOf({ calling }: ReadLine): ReadonlySet<string> {
  return new Set(
    objectsIn(calling)
      .map(({ number }) => textIn(number))
      .filter((number) => number !== ""),
  );
}

/** The hours from the newest day on; each batch has twice as many days as the one before. */
function batchesOf(hours: readonly HourFiles[]): readonly (readonly HourFiles[])[] {
  const batches: HourFiles[][] = [];
  const newest = Math.max(...hours.map(({ start }) => start), 0);
  for (const hour of hours) {
    const days = Math.floor((newest - hour.start) / DAY) + 1;
    const index = Math.floor(Math.log2(days));
    (batches[index] ??= []).push(hour);
  }
  return batches.filter((batch) => batch !== undefined);
}
