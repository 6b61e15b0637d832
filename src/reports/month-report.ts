// The monthly report as a value: five heads, what stands below them, and how it has changed.
import { createCalendar } from "../config/lists/calendar.ts";
import type { Millis } from "../domain/time.ts";
import { importedHeads, type MonthlyFigure } from "../intake/monthly-figures.ts";
import type { MonthCounts } from "../records/reporting/month-counts.ts";
import { type AttemptCount, firstIds } from "../records/reporting/month-tally.ts";
import { changeOf } from "./changes.ts";
import { type Completeness, completenessOf, gapsOf, type ReportGap } from "./completeness.ts";
import { importedHead } from "./imported-head.ts";
import type { ReportHead, ReportRow } from "./report-head.ts";
import { linesStopped, trunksFound } from "./re-let-lines.ts";
import { kindOfRefusal, refusalKinds } from "./refusal-kinds.ts";

/** What a part of the attempts is gathered by. */
export const dimensions = ["trunk", "lessee", "province", "city", "county", "branch", "owner"] as const;
export type Dimension = (typeof dimensions)[number];

/** Where a trunk stands, and whose it is, as the policy of that month says. */
export interface TrunkPlace {
  readonly side: string;
  readonly lessee?: string | undefined;
  readonly province?: string | undefined;
  readonly city?: string | undefined;
  readonly county?: string | undefined;
  readonly branch?: string | undefined;
}

export interface LesseePlace {
  readonly name?: string | undefined;
  readonly owner?: string | undefined;
}

/** Where calls come in: from own lessees and lines, from other networks of the country, from abroad. */
export const networks = ["own", "other", "international"] as const;
export type Network = (typeof networks)[number];

/** Attempts and refusals of one network, trunk, lessee, place or owner. */
export interface BreakdownRow {
  /** Empty: the policy says nothing. */
  readonly name: string;
  /** What people call it, where the policy says so. */
  readonly title?: string;
  readonly attempts: number;
  readonly refused: number;
  /** Of all that were refused, 0 to 1. */
  readonly share: number;
  readonly before: number | undefined;
  readonly change: number | undefined;
  /** First ids of refused attempts. */
  readonly ids: readonly string[];
}

export interface MonthReport {
  /** `2026-11`. */
  readonly month: string;
  readonly timeZone: string;
  readonly from: string;
  readonly to: string;
  /** The month is not over: until when there may be records. Left out: it is over. */
  readonly until?: string;
  /** Who reports, and when the report was made, where that was said. */
  readonly unit?: string;
  readonly madeAt?: string;
  /** Nodes whose records were counted. */
  readonly nodes: readonly string[];
  readonly heads: readonly ReportHead[];
  readonly networks: readonly (BreakdownRow & { readonly network: Network })[];
  /** Undefined: there are no records. */
  readonly attempts: number | undefined;
  readonly refused: number | undefined;
  /** Refused for the load, and for other reasons that say nothing of a caller. */
  readonly notCounted: number | undefined;
  readonly breakdowns: readonly {
    readonly dimension: Dimension;
    readonly rows: readonly BreakdownRow[];
  }[];
  readonly days: readonly { readonly day: string; readonly attempts: number; readonly refused: number }[];
  /** Whether the figures may be too low, and why. */
  readonly completeness: Completeness;
  /** Spans of which lines, evidence or policies are missing. */
  readonly gaps: readonly ReportGap[];
}

/** What a report is made of. The same parts give the same report. */
export interface ReportParts {
  readonly month: string;
  readonly timeZone: string;
  readonly from: Millis;
  readonly to: Millis;
  /** The present moment of a month that is not over. Undefined: it is over. */
  readonly until?: Millis | undefined;
  readonly unit?: string | undefined;
  readonly madeAt?: Millis | undefined;
  readonly counts: MonthCounts;
  /** Of the month before; undefined: its records are not there. */
  readonly before: MonthCounts | undefined;
  readonly trunks: ReadonlyMap<string, TrunkPlace>;
  readonly lessees: ReadonlyMap<string, LesseePlace>;
  readonly imported: readonly MonthlyFigure[];
  readonly importedBefore: readonly MonthlyFigure[];
}

export function buildReport(parts: ReportParts): MonthReport {
  const { month, timeZone, from, to, counts, before } = parts;
  const refusals = counts.attempts.filter(isRefusal);
  const completeness = completenessOf(counts, before);
  const has = completeness.hasRecords;
  const { until, unit, madeAt } = parts;
  return {
    month,
    timeZone,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    ...(unit === undefined ? {} : { unit }),
    ...(madeAt === undefined ? {} : { madeAt: new Date(madeAt).toISOString() }),
    nodes: counts.nodes,
    heads: [
      ...[leasedLines(parts), refusedCallers(refusals, before?.attempts.filter(isRefusal))].map((head) =>
        has ? head : withoutFigures(head),
      ),
      ...importedHeads.map((head) => importedHead(head, parts.imported, parts.importedBefore)),
    ],
    networks: has ? networksOf(parts) : [],
    attempts: has ? sum(counts.attempts.filter(isAttempt)) : undefined,
    refused: has ? sum(refusals) : undefined,
    notCounted: has ? notCountedIn(counts) : undefined,
    breakdowns: dimensions.map((dimension) => ({
      dimension,
      rows: breakDown((count) => nameIn(dimension, count, parts), parts).map((row) =>
        dimension === "lessee" ? entitled(row, parts.lessees.get(row.name)?.name) : row,
      ),
    })),
    days: has ? daysOf(parts) : [],
    completeness,
    gaps: gapsOf(counts),
  };
}

/** A month without a record: what was counted of it is nothing, and not 0. */
function withoutFigures(head: ReportHead): ReportHead {
  const none = { count: undefined, change: undefined };
  return { ...head, ...none, rows: head.rows.map((row) => ({ ...row, ...none, share: 0 })) };
}

function notCountedIn({ attempts, shed }: MonthCounts): number {
  const others = attempts.filter(
    ({ verdict, reason }) => verdict !== "accept" && kindOfRefusal(reason) === undefined,
  );
  return sum(others) + sum(shed);
}

function entitled(row: BreakdownRow, title: string | undefined): BreakdownRow {
  return title === undefined ? row : { ...row, title };
}

/** What is refused for the load, or by the protocol itself, says nothing of a caller: it is counted apart. */
function isAttempt({ reason }: Pick<AttemptCount, "reason">): boolean {
  return reason !== "protocol" && reason !== "overload";
}

/** Refused or dropped for what the caller is. */
function isRefusal({ verdict, reason }: Pick<AttemptCount, "verdict" | "reason">): boolean {
  return (verdict === "reject" || verdict === "drop") && kindOfRefusal(reason) !== undefined;
}

function sum(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((total, { count }) => total + count, 0);
}

/** So many lines, and ids or orders of them, are named. */
const MOST_LINES = 20;

/** Findings of re-let lines, and lines that were stopped. A line is counted once a month. */
function leasedLines({ counts, before, trunks }: ReportParts): ReportHead {
  const found = trunksFound(counts.notes);
  const foundBefore = before && trunksFound(before.notes);
  const earlier = new Set([...found.keys(), ...(foundBefore?.keys() ?? [])]);
  const stopped = linesStopped(counts.notes, earlier, trunks);
  const stoppedBefore =
    before && foundBefore && linesStopped(before.notes, new Set(foundBefore.keys()), trunks);
  const count = new Set([...found.keys(), ...stopped.keys()]).size;
  const countBefore =
    foundBefore && stoppedBefore && new Set([...foundBefore.keys(), ...stoppedBefore.keys()]).size;
  const row = (
    id: string,
    zh: string,
    en: string,
    lines: ReadonlyMap<string, readonly string[]>,
    of: ReadonlyMap<string, unknown> | undefined,
    names: "ids" | "orders",
  ): ReportRow => ({
    id,
    zh,
    en,
    count: lines.size,
    before: of?.size,
    share: count === 0 ? 0 : lines.size / count,
    change: changeOf(lines.size, of?.size),
    ids: [],
    lines: [...lines.keys()].slice(0, MOST_LINES),
    [names]: [...lines.values()].flat().slice(0, MOST_LINES),
  });
  return {
    head: "leased-lines",
    count,
    before: countBefore,
    change: changeOf(count, countBefore),
    rows: [
      row("sub-lease", "疑似转租线索", "signs of sub-letting", found, foundBefore, "ids"),
      row("stopped", "暂停或关停线路", "lines suspended or closed", stopped, stoppedBefore, "orders"),
    ],
  };
}

function refusedCallers(
  refusals: readonly AttemptCount[],
  before: readonly AttemptCount[] | undefined,
): ReportHead {
  const count = sum(refusals);
  return {
    head: "refused-callers",
    count,
    before: before && sum(before),
    change: changeOf(count, before && sum(before)),
    rows: refusalKinds.map(({ id, zh, en, reasons }) => {
      const own = refusals.filter(({ reason }) => reasons.includes(reason));
      const ofKind = sum(own);
      const beforeOfKind = before && sum(before.filter(({ reason }) => reasons.includes(reason)));
      return {
        id,
        zh,
        en,
        count: ofKind,
        before: beforeOfKind,
        share: count === 0 ? 0 : ofKind / count,
        change: changeOf(ofKind, beforeOfKind),
        ids: firstIds(own.flatMap(({ ids }) => ids)),
      };
    }),
  };
}

function networksOf(parts: ReportParts): MonthReport["networks"] {
  const networkOf = ({ trunk }: AttemptCount): Network => {
    const side = parts.trunks.get(trunk)?.side;
    return side === "national" ? "other" : side === "international" ? "international" : "own";
  };
  const rows = breakDown(networkOf, parts);
  return networks.map((network) => ({
    network,
    ...(rows.find(({ name }) => name === network) ?? emptyRow(network, parts.before !== undefined)),
  }));
}

function emptyRow(name: string, hasBefore: boolean): BreakdownRow {
  const before = hasBefore ? 0 : undefined;
  return { name, attempts: 0, refused: 0, share: 0, before, change: undefined, ids: [] };
}

/** Gathers attempts by a name; most refusals come first. */
function breakDown(
  nameOf: (count: AttemptCount) => string,
  { counts, before }: ReportParts,
): readonly BreakdownRow[] {
  const rows = new Map<
    string,
    { attempts: number; refused: number; before: number; ids: readonly string[] }
  >();
  const rowOf = (count: AttemptCount) => {
    const name = nameOf(count);
    const row = rows.get(name) ?? { attempts: 0, refused: 0, before: 0, ids: [] };
    rows.set(name, row);
    return row;
  };
  let refused = 0;
  for (const count of counts.attempts) {
    if (!isAttempt(count)) continue;
    const row = rowOf(count);
    row.attempts += count.count;
    if (!isRefusal(count)) continue;
    row.refused += count.count;
    refused += count.count;
    row.ids = firstIds([...row.ids, ...count.ids]);
  }
  for (const count of before?.attempts ?? []) if (isRefusal(count)) rowOf(count).before += count.count;
  return [...rows]
    .map(([name, row]) => {
      const ofBefore = before === undefined ? undefined : row.before;
      return {
        name,
        attempts: row.attempts,
        refused: row.refused,
        share: refused === 0 ? 0 : row.refused / refused,
        before: ofBefore,
        change: changeOf(row.refused, ofBefore),
        ids: row.ids,
      };
    })
    .toSorted((a, b) => b.refused - a.refused || b.attempts - a.attempts || (a.name < b.name ? -1 : 1));
}

function nameIn(
  dimension: Dimension,
  { trunk, lessee }: AttemptCount,
  { trunks, lessees }: ReportParts,
): string {
  if (dimension === "trunk") return trunk;
  if (dimension === "lessee") return lessee;
  if (dimension === "owner") return lessees.get(lessee)?.owner ?? "";
  return trunks.get(trunk)?.[dimension] ?? "";
}

/** A day has more than six hours in every zone. */
const QUARTER_OF_DAY: Millis = 21_600_000;

function daysOf({ counts, timeZone, from, to, until = to }: ReportParts): MonthReport["days"] {
  const calendar = createCalendar(timeZone);
  const days = new Map<string, { attempts: number; refused: number }>();
  for (let at = from; at < Math.min(to, until); at += QUARTER_OF_DAY)
    days.set(calendar.formatDay(at), { attempts: 0, refused: 0 });
  for (const quarter of counts.quarters) {
    const day = days.get(calendar.formatDay(quarter.start));
    if (day === undefined || !isAttempt(quarter)) continue;
    day.attempts += quarter.count;
    if (isRefusal(quarter)) day.refused += quarter.count;
  }
  return [...days].map(([day, of]) => ({ day, ...of }));
}
