// Counts what the records of a span of time hold, sealed and open hours of all nodes together, for a report.
import { existsSync, readFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { keyOfLine, partHours } from "../asking/copied-lines.ts";
import { readOpenLines } from "../asking/open-lines.ts";
import type { ReadLine, RecordFilter } from "../asking/record-filter.ts";
import { askTables, moment, readSealedLines } from "../asking/sealed-lines.ts";
import { textIn, textsIn } from "../lines/line-fields.ts";
import type { Database } from "../sealed/duckdb.ts";
import {
  badPath,
  HOUR,
  type HourFiles,
  isOfCommand,
  isReadOpen,
  listHours,
  openPath,
} from "../sealed/hour-files.ts";
import { createTally, MOST_IDS, MOST_NOTES, QUARTER, type Tallied, type Tally } from "./month-tally.ts";
import { type SilentHours, silentHours } from "./silent-hours.ts";

/** What was counted, and what could not be. */
export interface MonthCounts extends Tallied {
  /** Nodes with lines in that time. */
  readonly nodes: readonly string[];
  readonly silent: readonly SilentHours[];
  /** Hours of which some lines can't be read; without `lines`: no line. */
  readonly unread: readonly { readonly hour: string; readonly lines?: number }[];
  /** The same in words, with paths. */
  readonly damages: readonly string[];
  /** Sealed hours that were left out because there is no database. */
  readonly leftOut: number;
}

/** A span of time. Unix milliseconds; `to` is exclusive. */
export interface CountedSpan {
  readonly from: Millis;
  readonly to: Millis;
  /** A node that has a line from then on is missed where it has none. Default: `from`. */
  readonly since?: Millis;
  /** Hours from then on have not been yet, and are not missed. Default: `to`. */
  readonly until?: Millis | undefined;
}

/** @returns false where the folders have no line of that time, and no gap that touches it */
export function hasRecords({ nodes, attempts, notes, shed, gaps, unread }: MonthCounts): boolean {
  return [nodes, attempts, notes, shed, gaps, unread].some((found) => found.length > 0);
}

/** A gap is told when it is over: after a restart, which may be in the next month. */
const TOLD_LATER: Millis = 24 * HOUR;
/** What is read beside attempts. */
const otherKinds = ["shed", "finding", "order"];
/** More lines than one node writes of other kinds in a day. */
const MOST_OTHERS = 1_000_000;

/**
 * Counts a span. A call that several folders hold, as copies do, counts once: by its id.
 *
 * @param database undefined: open hours alone are read
 */
export async function countMonth(
  folders: readonly string[],
  database: Database | undefined,
  { from, to, since = from, until = to }: CountedSpan,
): Promise<MonthCounts> {
  const known = folders.flatMap((folder) => listHours(folder, since, to + TOLD_LATER));
  const hours = known.filter(({ start }) => start + HOUR > from);
  const own = hours.filter(({ start }) => start < to);
  const span = { from, to };
  const tally = createTally();
  const unread = new Map<string, number>();
  const open = (hour: HourFiles, take: (line: ReadLine) => void): void => {
    const lines = readOpen(hour, span, take);
    if (lines > 0 && hour.start < to)
      unread.set(placeOf(hour), Math.max(lines, unread.get(placeOf(hour)) ?? 0));
  };
  const { single, doubled } = partHours(hours);
  for (const hour of single) if (isReadOpen(hour)) open(hour, tally.line);
  const sealed = single.filter(({ isSealed }) => isSealed);
  if (database !== undefined && sealed.length > 0) await countSealed(database, sealed, span, tally);
  for (const group of doubled) {
    const once = createOnce(tally);
    const tables = group.filter(({ isSealed }) => isSealed);
    const lines = group.filter(isReadOpen);
    if (database !== undefined && tables.length > 0) {
      await countSealed(database, tables, span, tally);
      if (lines.length > 0) await once.know(database, tables, span);
    }
    for (const hour of lines) open(hour, once.line);
  }
  for (const hour of own) {
    const bad = hour.isSealed ? linesOf(badPath(hour)) : 0;
    if (bad > 0) unread.set(placeOf(hour), bad);
  }
  const lost = own.filter((hour) => hour.damage !== undefined && !isReadOpen(hour));
  const tallied = tally.counts();
  return {
    ...tallied,
    nodes: [...new Set(own.map(({ node }) => node))].filter((node) => !isOfCommand(node)).toSorted(),
    // The hour that runs may get its first line yet.
    silent: silentHours(known, from, until < to ? Math.floor(until / HOUR) * HOUR : to),
    unread: [
      ...[...unread].map(([hour, lines]) => ({ hour, lines })),
      ...lost.map((hour) => ({ hour: placeOf(hour) })),
    ].toSorted((a, b) => (a.hour < b.hour ? -1 : 1)),
    damages: [
      ...hours.flatMap(({ damage }) => damage ?? []),
      ...[...unread].map(([hour, lines]) => `${hour}: ${lines} lines can't be read`),
      ...(tallied.isCut
        ? [`there are more than ${MOST_NOTES} findings and orders: some are not counted`]
        : []),
    ],
    leftOut: database === undefined ? own.filter(({ isSealed }) => isSealed).length : 0,
  };
}

/** `2026-10-03/08-gw-a`: the same wherever the folder is. */
function placeOf({ folder, stem }: HourFiles): string {
  return `${relative(dirname(folder), folder)}/${stem}`;
}

interface Bounds {
  readonly from: Millis;
  readonly to: Millis;
}

/** A gap belongs to the months that it touches; anything else to that of its time. */
function readOpen(hour: HourFiles, { from, to }: Bounds, take: (line: ReadLine) => void): number {
  const kinds = hour.start < to ? ["decided", ...otherKinds, "gap"] : ["gap"];
  const filter: RecordFilter = { kinds, from, to: to + TOLD_LATER };
  const [first, last] = [isoOf(from), isoOf(to)];
  return readOpenLines(openPath(hour), filter, (line) => {
    const isMeant =
      line.record === "gap"
        ? textIn(line["from"]) < last && textIn(line["to"]) >= first
        : Date.parse(line.time) < to;
    if (isMeant) take(line);
  });
}

/** Counts sealed hours. Rows that several of them hold count once. */
async function countSealed(
  database: Database,
  all: readonly HourFiles[],
  { from, to }: Bounds,
  tally: Tally,
): Promise<void> {
  const hours = all.filter(({ start }) => start < to);
  const areDoubled = partHours(all).doubled.length > 0;
  const ofSpan = `time >= ${moment(from)} AND time < ${moment(to)}`;
  const rows = (columns: string, tables: string, where: string): string =>
    `(SELECT ${areDoubled ? "DISTINCT " : ""}${columns} FROM ${tables} WHERE ${where})`;
  const ask = (table: "attempts" | "others", of: readonly HourFiles[], sqlOf: (tables: string) => string) =>
    of.length === 0 ? Promise.resolve([]) : askTables(database, of, table, sqlOf, []);
  const decided = (columns: string, tables: string): string =>
    rows(columns, tables, `record = 'decided' AND ${ofSpan}`);

  const attempts = await ask(
    "attempts",
    hours,
    (tables) =>
      `SELECT trunk, lessee, verdict, reason, count(*) AS calls, min(CASE WHEN verdict <> 'accept' THEN ${orderOfId} END, ${MOST_IDS}) AS ids
       FROM ${decided("id, trunk, lessee, verdict, reason", tables)} GROUP BY ALL`,
  );
  for (const { trunk, lessee, verdict, reason, calls, ids } of attempts)
    tally.attempts(
      { trunk: textIn(trunk), lessee: textIn(lessee), verdict: textIn(verdict), reason: textIn(reason) },
      Number(calls),
      textsIn(ids).map((ordered) => ordered.slice(ordered.indexOf(" ") + 1)),
    );
  const quarters = await ask(
    "attempts",
    hours,
    (tables) =>
      `SELECT quarter, verdict, reason, count(*) AS calls
       FROM ${decided(`${areDoubled ? "id, " : ""}epoch_ms(time) // ${QUARTER} AS quarter, verdict, reason`, tables)} GROUP BY ALL`,
  );
  for (const { quarter, verdict, reason, calls } of quarters)
    tally.quarter({
      start: Number(quarter) * QUARTER,
      verdict: textIn(verdict),
      reason: textIn(reason),
      count: Number(calls),
    });
  const shed = await ask(
    "others",
    hours,
    (tables) =>
      `SELECT trunk, reason, sum(count) AS calls
       FROM ${rows(`time, node, trunk, reason, status, "from", count`, tables, `record = 'shed' AND "of" IS NULL AND ${ofSpan}`)} GROUP BY ALL`,
  );
  for (const { trunk, reason, calls } of shed)
    tally.shed({ trunk: textIn(trunk), reason: textIn(reason), count: Number(calls) });
  const gaps = await ask(
    "others",
    all,
    (tables) =>
      `SELECT node, why, min("from") AS first, max("to") AS last, count(*) AS times, sum(lost) AS lost
       FROM ${rows(`time, node, why, "from", "to", lost`, tables, `record = 'gap' AND time < ${moment(to + TOLD_LATER)} AND "from" < '${isoOf(to)}' AND "to" >= '${isoOf(from)}'`)}
       GROUP BY node, why, "from"[1:10]`,
  );
  for (const { node, why, first, last, times, lost } of gaps)
    tally.gap({
      node: textIn(node),
      why: textIn(why),
      from: textIn(first),
      to: textIn(last),
      times: Number(times),
      lost: Number(lost),
    });
  if (hours.length === 0) return;
  const notes = await readSealedLines(database, hours, { kinds: ["finding", "order"], from, to }, MOST_NOTES);
  for (const line of notes) tally.line(line);
}

/** Takes every line once, and none that the tables hold. */
function createOnce(tally: Tally): {
  readonly know: (database: Database, tables: readonly HourFiles[], span: Bounds) => Promise<void>;
  readonly line: (line: ReadLine) => void;
} {
  const seen = new Set<string>();
  return {
    async know(database, tables, { from, to }) {
      const ids = await askTables(
        database,
        tables,
        "attempts",
        (all) => `SELECT id FROM ${all} WHERE time >= ${moment(from)} AND time < ${moment(to)}`,
        [],
      );
      for (const { id } of ids) seen.add(textIn(id));
      const kinds = [...otherKinds, "gap"];
      const others = await readSealedLines(
        database,
        tables,
        { kinds, from, to: to + TOLD_LATER },
        MOST_OTHERS,
      );
      for (const line of others) seen.add(keyOfLine(line));
    },
    line(line) {
      const key = keyOfLine(line);
      if (seen.has(key)) return;
      seen.add(key);
      tally.line(line);
    },
  };
}

/** What {@link compareIds} compares, as text in front of the id. */
const idPart = (pattern: string, width: number): string =>
  `lpad(regexp_extract(id, '${pattern}', 1), ${width}, '0')`;
const orderOfId = `${idPart("-([0-9a-z]+)-[0-9]+$", 13)} || ${idPart("-([0-9]+)$", 16)} || ' ' || id`;

/** How many lines a file has; 0 where there is none. */
function linesOf(path: string): number {
  if (!existsSync(path)) return 0;
  return readFileSync(path, "latin1")
    .split("\n")
    .filter((line) => line.trim() !== "").length;
}

function isoOf(at: Millis): string {
  return new Date(at).toISOString();
}
