// Gives the attempts of a span of time one after another, in order of time, sealed and open hours together.
import type { Millis } from "../../domain/time.ts";
import type { Database } from "../sealed/duckdb.ts";
import { HOUR, type HourFiles, isReadOpen, listHours, openPath } from "../sealed/hour-files.ts";
import { takeOnce } from "./copied-lines.ts";
import { addUnread, readOpenLines } from "./open-lines.ts";
import type { Fields } from "../lines/line-fields.ts";
import { countSealedAttempts, eachSealedLine } from "./sealed-attempts.ts";

/**
 * About so many sealed attempts are put in order at once: DuckDB holds some hundred octets of each. Every slice of an hour
 * reads the whole hour.
 */
const MOST_SORTED = 250_000;

/** A record line and its time on the wall clock. Unix milliseconds. */
interface TimedLine {
  readonly line: Fields;
  readonly at: Millis;
}

/** Which lines are meant: of which kinds, from a moment until another one. */
export interface LineSpan {
  /** `decided`, and `ended` too where it is asked for. */
  readonly kinds: readonly ("decided" | "ended")[];
  readonly from: Millis;
  readonly to: Millis;
}

/** What could not be looked at. */
export interface Unseen {
  /** Sealed hours that were left out because there is no database. */
  readonly leftOut: number;
  readonly damages: readonly string[];
}

/**
 * Calls `take` with every `decided` line that is meant, and every `ended` line where `kinds` has them, and with its time
 * in Unix milliseconds. Of sealed hours a line has what a judgement reads. What a record has not is null, undefined or
 * empty there. Throws when a folder can't be read.
 */
export async function eachAttempt(
  folders: readonly string[],
  database: Database | undefined,
  span: LineSpan,
  take: (line: Fields, at: Millis) => void,
): Promise<Unseen> {
  const hours = folders.flatMap((folder) => listHours(folder, span.from, span.to));
  const damages = hours.flatMap(({ damage }) => (damage === undefined ? [] : [damage]));
  let leftOut = 0;
  // A copy of a folder holds the same calls.
  take = takeOnce(hours, take);
  for (const start of [...new Set(hours.map((hour) => hour.start))].toSorted((a, b) => a - b)) {
    const own = hours.filter((hour) => hour.start === start);
    const sealed = own.filter(({ isSealed }) => isSealed);
    const open = own.filter(isReadOpen);
    if (sealed.length > 0 && database === undefined) leftOut += sealed.length;
    const lines: TimedLine[] = [];
    // One node writes in order of time. Several nodes are put in order.
    const isMixed = own.length > 1;
    for (const hour of open) {
      const unread = readOpenLines(openPath(hour), span, (line) => {
        const at = Date.parse(line.time);
        if (isMixed) lines.push({ line, at });
        else take(line, at);
      });
      addUnread(damages, hour, unread);
    }
    const inOrder = lines.toSorted(byTime);
    if (sealed.length > 0 && database !== undefined)
      await eachSealed(database, sealed, { ...span, start }, inOrder, take);
    else for (const { line, at } of inOrder) take(line, at);
  }
  return { leftOut, damages };
}

/** Reads sealed lines as they come, and puts the lines of open hours between them. */
async function eachSealed(
  database: Database,
  hours: readonly HourFiles[],
  { start, kinds, ...span }: LineSpan & { readonly start: Millis },
  open: readonly TimedLine[],
  take: (line: Fields, at: Millis) => void,
): Promise<void> {
  const attempts = await countSealedAttempts(database, hours);
  const slice = Math.ceil(HOUR / Math.max(1, Math.ceil(attempts / MOST_SORTED)));
  const withEnds = kinds.includes("ended");
  let next = 0;
  const takeOpen = (until: Millis): void => {
    for (; next < open.length && open[next]!.at < until; next++) take(open[next]!.line, open[next]!.at);
  };
  for (let at = start; at < start + HOUR; at += slice) {
    const from = Math.max(at, span.from);
    const to = Math.min(at + slice, start + HOUR, span.to);
    if (from >= to) continue;
    await eachSealedLine(database, hours, { from, to, withEnds }, (line, lineAt) => {
      takeOpen(lineAt);
      take(line, lineAt);
    });
  }
  takeOpen(Infinity);
}

function byTime(a: TimedLine, b: TimedLine): number {
  return a.at - b.at;
}
