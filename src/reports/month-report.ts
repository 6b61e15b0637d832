// The monthly report as a value: five heads, what stands below them, and how it has changed.
import type { Millis } from "../domain/time.ts";
import { type ImportedHead, importedHeads, type MonthlyFigure } from "../intake/monthly-figures.ts";
import type { MonthCounts } from "../records/reporting/month-counts.ts";
import { type AttemptCount, MOST_IDS } from "../records/reporting/month-tally.ts";
import { type Completeness, completenessOf, gapsOf, type ReportGap } from "./completeness.ts";
import { linesStopped, trunksFound } from "./re-let-lines.ts";
import { kindOfRefusal, refusalKinds } from "./refusal-kinds.ts";

/** The heads of the notices, in their order. */
export const heads = ["leased-lines", "refused-callers", "unregistered", "shut-down", "persons"] as const;
export type Head = (typeof heads)[number];

/** True for heads that nothing but an import fills. */
export function isImported(head: Head): head is ImportedHead {
  return importedHeads.some((name) => name === head);
}

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

/** One line of a head. */
export interface ReportRow {
  readonly id: string;
  readonly zh: string;
  readonly en: string;
  readonly count: number;
  /** In the month before; undefined: its records are not there. */
  readonly before: number | undefined;
  /** Of the head's count, 0 to 1. */
  readonly share: number;
  /** Against the month before: 0.5 is half as many again. Undefined: there is nothing to compare with. */
  readonly change: number | undefined;
  /** First ids of records, to look them up. */
  readonly ids: readonly string[];
}

export interface ReportHead {
  readonly head: Head;
  /** Undefined: nothing was imported. */
  readonly count: number | undefined;
  readonly before: number | undefined;
  readonly change: number | undefined;
  readonly rows: readonly ReportRow[];
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
  /** Nodes whose records were counted. */
  readonly nodes: readonly string[];
  readonly heads: readonly ReportHead[];
  readonly networks: readonly (BreakdownRow & { readonly network: Network })[];
  readonly attempts: number;
  readonly refused: number;
  /** Refused for the load, and for other reasons that say nothing of a caller. */
  readonly notCounted: number;
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
  readonly counts: MonthCounts;
  /** Of the month before; undefined: its records are not there. */
  readonly before: MonthCounts | undefined;
  readonly trunks: ReadonlyMap<string, TrunkPlace>;
  readonly lessees: ReadonlyMap<string, LesseePlace>;
  readonly imported: readonly MonthlyFigure[];
  readonly importedBefore: readonly MonthlyFigure[];
  /** The day of a moment in the zone: `2026-11-30`. */
  readonly dayOf: (at: Millis) => string;
}

export function buildReport(parts: ReportParts): MonthReport {
  const { month, timeZone, from, to, counts, before } = parts;
  const refusals = counts.attempts.filter(isRefusal);
  const attempts = sum(
    counts.attempts.filter(({ reason }) => reason !== "protocol" && reason !== "overload"),
  );
  const refused = sum(refusals);
  return {
    month,
    timeZone,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    nodes: counts.nodes,
    heads: [
      leasedLines(parts),
      refusedCallers(refusals, before?.attempts.filter(isRefusal)),
      ...importedHeads.map((head) => importedHead(head, parts)),
    ],
    networks: networksOf(parts),
    attempts,
    refused,
    notCounted:
      sum(
        counts.attempts.filter(
          (count) => count.verdict !== "accept" && kindOfRefusal(count.reason) === undefined,
        ),
      ) + sum(counts.shed),
    breakdowns: dimensions.map((dimension) => ({
      dimension,
      rows: breakDown((count) => nameIn(dimension, count, parts), parts).map((row) =>
        dimension === "lessee" ? entitled(row, parts.lessees.get(row.name)?.name) : row,
      ),
    })),
    days: daysOf(parts),
    completeness: completenessOf(counts, before),
    gaps: gapsOf(counts),
  };
}

function entitled(row: BreakdownRow, title: string | undefined): BreakdownRow {
  return title === undefined ? row : { ...row, title };
}

/** @returns undefined where there is nothing to compare with: no records, or none of a kind */
function changeOf(count: number | undefined, before: number | undefined): number | undefined {
  return count === undefined || before === undefined || before === 0 ? undefined : (count - before) / before;
}

/** Refused or dropped for what the caller is. */
function isRefusal({ verdict, reason }: Pick<AttemptCount, "verdict" | "reason">): boolean {
  return (verdict === "reject" || verdict === "drop") && kindOfRefusal(reason) !== undefined;
}

function sum(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((total, { count }) => total + count, 0);
}

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
  ): ReportRow => ({
    id,
    zh,
    en,
    count: lines.size,
    before: of?.size,
    share: count === 0 ? 0 : lines.size / count,
    change: changeOf(lines.size, of?.size),
    ids: [...lines].flatMap(([line, ids]) => [line, ...ids]).slice(0, 20),
  });
  return {
    head: "leased-lines",
    count,
    before: countBefore,
    change: changeOf(count, countBefore),
    rows: [
      row("sub-lease", "疑似转租线索", "signs of sub-letting", found, foundBefore),
      row("stopped", "暂停或关停线路", "lines suspended or closed", stopped, stoppedBefore),
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
        ids: own
          .flatMap(({ ids }) => ids)
          .toSorted()
          .slice(0, MOST_IDS),
      };
    }),
  };
}

function importedHead(head: ImportedHead, { imported, importedBefore }: ReportParts): ReportHead {
  const own = imported.filter((figure) => figure.head === head);
  const old = importedBefore.filter((figure) => figure.head === head);
  const count = own.length === 0 ? undefined : sum(own);
  const before = old.length === 0 ? undefined : sum(old);
  return {
    head,
    count,
    before,
    change: changeOf(count, before),
    // A figure without an item is all of the head.
    rows: own
      .filter(({ item }) => item !== "")
      .map(({ item, count: ofItem }) => {
        const beforeOfItem = old.find((figure) => figure.item === item)?.count;
        return {
          id: item,
          zh: item,
          en: item,
          count: ofItem,
          before: beforeOfItem,
          share: count === undefined || count === 0 ? 0 : ofItem / count,
          change: changeOf(ofItem, beforeOfItem),
          ids: [],
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
  const rows = new Map<string, { attempts: number; refused: number; before: number; ids: string[] }>();
  const rowOf = (count: AttemptCount) => {
    const name = nameOf(count);
    const row = rows.get(name) ?? { attempts: 0, refused: 0, before: 0, ids: [] };
    rows.set(name, row);
    return row;
  };
  let refused = 0;
  for (const count of counts.attempts) {
    if (count.reason === "protocol" || count.reason === "overload") continue;
    const row = rowOf(count);
    row.attempts += count.count;
    if (!isRefusal(count)) continue;
    row.refused += count.count;
    refused += count.count;
    row.ids = [...row.ids, ...count.ids].toSorted().slice(0, MOST_IDS);
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

function daysOf({ counts, from, to, dayOf }: ReportParts): MonthReport["days"] {
  const days = new Map<string, { attempts: number; refused: number }>();
  for (let at = from; at < to; at += 21_600_000) days.set(dayOf(at), { attempts: 0, refused: 0 });
  for (const quarter of counts.quarters) {
    const day = days.get(dayOf(quarter.start));
    if (day === undefined || quarter.reason === "protocol" || quarter.reason === "overload") continue;
    day.attempts += quarter.count;
    if (isRefusal(quarter)) day.refused += quarter.count;
  }
  return [...days].map(([day, of]) => ({ day, ...of }));
}
