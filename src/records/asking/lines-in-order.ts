// Gives the attempts of a span of time one after another, in order of time, sealed and open hours together.
import type { Millis } from "../../domain/time.ts";
import type { Database } from "../sealed/duckdb.ts";
import { HOUR, type HourFiles, listHours, openPath } from "../sealed/hour-files.ts";
import { takeOnce } from "./copied-lines.ts";
import { readOpenLines } from "./open-lines.ts";
import type { ReadLine, RecordFilter } from "./record-filter.ts";
import { readSealedAttempts, readSealedLines } from "./sealed-lines.ts";

/** So much time of sealed hours is asked for at once: memory holds the lines of it. */
const SLICE: Millis = 600_000;

/** What could not be looked at. */
export interface Unseen {
  /** Sealed hours that were left out because there is no database. */
  readonly leftOut: number;
  readonly damages: readonly string[];
}

/**
 * Calls `take` with every `decided` line that is meant, and every `ended` line where `kinds` has them. Of sealed hours it has what a judgement reads; what a record has
 * not is null there. Throws when a folder can't be read.
 *
 * @param filter `from` and `to` are needed
 */
export async function eachAttempt(
  folders: readonly string[],
  database: Database | undefined,
  filter: RecordFilter & { readonly from: Millis; readonly to: Millis },
  take: (line: ReadLine) => void,
): Promise<Unseen> {
  const hours = folders.flatMap((folder) => listHours(folder, filter.from, filter.to));
  const damages = hours.flatMap(({ damage }) => (damage === undefined ? [] : [damage]));
  let leftOut = 0;
  // A copy of a folder holds the same calls.
  take = takeOnce(hours, take);
  for (const start of [...new Set(hours.map((hour) => hour.start))].toSorted((a, b) => a - b)) {
    const own = hours.filter((hour) => hour.start === start);
    const sealed = own.filter(({ isSealed }) => isSealed);
    const open = own.filter(({ isOpen, isSealed }) => isOpen && !isSealed);
    if (sealed.length > 0 && database === undefined) leftOut += sealed.length;
    const lines: ReadLine[] = [];
    // One node writes in order of time. Several nodes are put in order.
    const isMixed = own.length > 1;
    for (const hour of open) {
      const unread = readOpenLines(openPath(hour), filter, isMixed ? (line) => lines.push(line) : take);
      if (unread > 0) damages.push(`${openPath(hour)}: ${unread} lines can't be read`);
    }
    if (sealed.length > 0 && database !== undefined)
      await eachSealed(database, sealed, { ...filter, start }, lines, take);
    else for (const line of inOrder(lines)) take(line);
  }
  return { leftOut, damages };
}

async function eachSealed(
  database: Database,
  hours: readonly HourFiles[],
  { start, ...filter }: RecordFilter & { readonly from: Millis; readonly to: Millis; readonly start: Millis },
  open: readonly ReadLine[],
  take: (line: ReadLine) => void,
): Promise<void> {
  const rest = inOrder(open);
  let at = 0;
  for (let from = start; from < start + HOUR; from += SLICE) {
    const span = { from: Math.max(from, filter.from), to: Math.min(from + SLICE, filter.to) };
    if (span.from >= span.to) continue;
    const lines: ReadLine[] = [...(await readSealedAttempts(database, hours, { ...filter, ...span }))];
    if (filter.kinds.includes("ended"))
      lines.push(
        ...(await readSealedLines(database, hours, { kinds: ["ended"], ...span }, Number.MAX_SAFE_INTEGER)),
      );
    for (; at < rest.length && Date.parse(rest[at]?.time ?? "") < span.to; at++) lines.push(rest[at]!);
    for (const line of inOrder(lines)) take(line);
  }
}

function inOrder(lines: readonly ReadLine[]): readonly ReadLine[] {
  return lines.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}
