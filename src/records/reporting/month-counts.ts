// Counts what the records of a span of time hold, sealed and open hours together, for a report.
import type { Millis } from "../../domain/time.ts";
import { readOpenLines } from "../asking/open-lines.ts";
import type { ReadLine, RecordFilter } from "../asking/record-filter.ts";
import { textIn, textsIn } from "../lines/line-fields.ts";
import { askTables, moment, readSealedLines } from "../asking/sealed-lines.ts";
import type { Database } from "../sealed/duckdb.ts";
import { type HourFiles, listHours, openPath } from "../sealed/hour-files.ts";

/** Call attempts that are alike. */
export interface AttemptCount {
  readonly trunk: string;
  readonly lessee: string;
  readonly verdict: string;
  readonly reason: string;
  readonly count: number;
  /** The ids of the first of them. */
  readonly ids: readonly string[];
}

/** Calls of a trunk that were refused for the load alone, and that no line tells of one by one. */
export interface ShedCount {
  readonly trunk: string;
  readonly reason: string;
  readonly count: number;
}

/** Attempts in a quarter of an hour. Every time zone begins its days at one. */
export interface QuarterCount {
  /** First moment. Unix milliseconds. */
  readonly start: Millis;
  readonly verdict: string;
  readonly reason: string;
  readonly count: number;
}

/** What was counted, in an order that depends on the records alone. */
export interface MonthCounts {
  readonly attempts: readonly AttemptCount[];
  readonly quarters: readonly QuarterCount[];
  readonly shed: readonly ShedCount[];
  /** Lines of the kinds `finding`, `order` and `gap`, in order of time. */
  readonly notes: readonly ReadLine[];
  /** What could not be read, in words. */
  readonly damages: readonly string[];
  /** Sealed hours that were left out because there is no database. */
  readonly leftOut: number;
}

const QUARTER: Millis = 900_000;
/** So many ids are named of attempts that are alike. */
const MOST_IDS = 5;
/** More lines of other kinds than a month has, unless somebody fills the folder. */
const MOST_NOTES = 100_000;
/** What is counted beside attempts, and what is kept line by line. */
const otherKinds = ["shed", "finding", "order", "gap"];

/**
 * @param from first moment, inclusive
 * @param to last moment, exclusive
 * @param database undefined: open hours alone are read
 */
export async function countMonth(
  folders: readonly string[],
  database: Database | undefined,
  from: Millis,
  to: Millis,
): Promise<MonthCounts> {
  const hours = folders.flatMap((folder) => listHours(folder, from, to));
  const sealed = hours.filter(({ isSealed }) => isSealed);
  const tally = createTally();
  const damages = hours.flatMap(({ damage }) => (damage === undefined ? [] : [damage]));
  const filter: RecordFilter = { kinds: ["decided", ...otherKinds], from, to };
  for (const hour of hours) {
    if (hour.isSealed || !hour.isOpen) continue;
    const unread = readOpenLines(openPath(hour), filter, tally.line);
    if (unread > 0) damages.push(`${openPath(hour)}: ${unread} lines can't be read`);
  }
  if (database !== undefined && sealed.length > 0) await countSealed(database, sealed, filter, tally);
  return { ...tally.counts(), damages, leftOut: database === undefined ? sealed.length : 0 };
}

async function countSealed(
  database: Database,
  hours: readonly HourFiles[],
  { from = 0, to = 0 }: RecordFilter,
  tally: Tally,
): Promise<void> {
  const attempts = await askTables(
    database,
    hours,
    "attempts",
    (tables) =>
      `SELECT trunk, lessee, verdict, reason, epoch_ms(time) // ${QUARTER} AS quarter, count(*) AS calls, min(id, ${MOST_IDS}) AS ids
       FROM ${tables} WHERE record = 'decided' AND time >= ${moment(from)} AND time < ${moment(to)} GROUP BY ALL`,
    [],
  );
  for (const { trunk, lessee, verdict, reason, quarter, calls, ids } of attempts)
    tally.attempts(
      { trunk: textIn(trunk), lessee: textIn(lessee), verdict: textIn(verdict), reason: textIn(reason) },
      Number(quarter) * QUARTER,
      Number(calls),
      textsIn(ids),
    );
  const others = await readSealedLines(database, hours, { kinds: otherKinds, from, to }, MOST_NOTES);
  for (const line of others) tally.line(line);
}

interface Tally {
  readonly line: (line: ReadLine) => void;
  readonly attempts: (
    alike: Pick<AttemptCount, "trunk" | "lessee" | "verdict" | "reason">,
    quarter: Millis,
    count: number,
    ids: readonly string[],
  ) => void;
  readonly counts: () => Omit<MonthCounts, "damages" | "leftOut">;
}

function createTally(): Tally {
  const attempts = new Map<
    string,
    { alike: Omit<AttemptCount, "count" | "ids">; count: number; ids: string[] }
  >();
  const quarters = new Map<string, { alike: Omit<QuarterCount, "count">; count: number }>();
  const shed = new Map<string, { alike: Omit<ShedCount, "count">; count: number }>();
  const notes: ReadLine[] = [];

  const tally: Tally = {
    attempts(alike, quarter, count, ids) {
      const key = Object.values(alike).join("\n");
      const known = attempts.get(key) ?? { alike, count: 0, ids: [] };
      known.count += count;
      known.ids = [...known.ids, ...ids].toSorted().slice(0, MOST_IDS);
      attempts.set(key, known);
      const { verdict, reason } = alike;
      const ofQuarter = `${quarter} ${verdict} ${reason}`;
      const counted = quarters.get(ofQuarter) ?? { alike: { start: quarter, verdict, reason }, count: 0 };
      counted.count += count;
      quarters.set(ofQuarter, counted);
    },
    line(line) {
      const { record, time, trunk, lessee, verdict, reason, id } = line;
      if (record === "decided")
        tally.attempts(
          { trunk: textIn(trunk), lessee: textIn(lessee), verdict: textIn(verdict), reason: textIn(reason) },
          Math.floor(Date.parse(time) / QUARTER) * QUARTER,
          1,
          [textIn(id)],
        );
      else if (record === "shed") {
        const alike = { trunk: textIn(trunk), reason: textIn(reason) };
        const known = shed.get(`${alike.trunk}\n${alike.reason}`) ?? { alike, count: 0 };
        known.count += Number(line["count"] ?? 0);
        shed.set(`${alike.trunk}\n${alike.reason}`, known);
      } else if (notes.length < MOST_NOTES) notes.push(line);
    },
    counts: () => ({
      attempts: inOrder(attempts).map(({ alike, count, ids }) => ({ ...alike, count, ids })),
      quarters: inOrder(quarters).map(({ alike, count }) => ({ ...alike, count })),
      shed: inOrder(shed).map(({ alike, count }) => ({ ...alike, count })),
      notes: notes.toSorted((a, b) => compare(a.time, b.time) || compare(textIn(a["id"]), textIn(b["id"]))),
    }),
  };
  return tally;
}

function inOrder<Value>(map: ReadonlyMap<string, Value>): readonly Value[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
