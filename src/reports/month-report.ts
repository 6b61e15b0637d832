// The monthly report as a value: five heads, what stands below them, and how it has changed.
import type { Millis } from "../domain/time.ts";
import { type ImportedHead, importedHeads, type MonthlyFigure } from "../intake/monthly-figures.ts";
import { isFields, textIn } from "../records/lines/line-fields.ts";
import type { AttemptCount, MonthCounts } from "../records/reporting/month-counts.ts";
import type { ReadLine } from "../records/asking/record-filter.ts";
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
  /** First ids of records, to look them up. */
  readonly ids: readonly string[];
}

export interface ReportHead {
  readonly head: Head;
  /** Undefined: nothing was imported. */
  readonly count: number | undefined;
  readonly before: number | undefined;
  readonly rows: readonly ReportRow[];
}

/** Attempts and refusals of one trunk, lessee, place or owner. */
export interface BreakdownRow {
  /** Empty: the policy says nothing. */
  readonly name: string;
  readonly attempts: number;
  readonly refused: number;
  readonly before: number | undefined;
}

export interface MonthReport {
  /** `2026-11`. */
  readonly month: string;
  readonly timeZone: string;
  readonly from: string;
  readonly to: string;
  readonly heads: readonly ReportHead[];
  /** `own`: own lessees and lines; `other`: other networks. */
  readonly networks: readonly {
    readonly network: "own" | "other";
    readonly attempts: number;
    readonly refused: number;
  }[];
  readonly attempts: number;
  readonly refused: number;
  /** Refused for the load, and for other reasons that say nothing of a caller. */
  readonly notCounted: number;
  readonly breakdowns: readonly {
    readonly dimension: Dimension;
    readonly rows: readonly BreakdownRow[];
  }[];
  readonly days: readonly { readonly day: string; readonly attempts: number; readonly refused: number }[];
  /** Spans of which lines are missing. */
  readonly gaps: readonly {
    readonly from: string;
    readonly to: string;
    readonly lost: number;
    readonly why: string;
  }[];
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
    heads: [
      leasedLines(counts.notes, before?.notes),
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
    breakdowns: dimensions.map((dimension) => ({ dimension, rows: breakDown(dimension, parts) })),
    days: daysOf(parts),
    gaps: counts.notes
      .filter(({ record }) => record === "gap")
      .map((line) => ({
        from: textIn(line["from"]),
        to: textIn(line["to"]),
        lost: Number(line["lost"] ?? 0),
        why: textIn(line["why"]),
      })),
  };
}

/** Refused or dropped for what the caller is. */
function isRefusal({ verdict, reason }: Pick<AttemptCount, "verdict" | "reason">): boolean {
  return (verdict === "reject" || verdict === "drop") && kindOfRefusal(reason) !== undefined;
}

function sum(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((total, { count }) => total + count, 0);
}

/** Findings of re-let lines, and lines that were stopped. A line is counted once a month. */
function leasedLines(notes: readonly ReadLine[], before: readonly ReadLine[] | undefined): ReportHead {
  const found = trunksFound(notes);
  const foundBefore = before && trunksFound(before);
  const stopped = linesStopped(notes, new Set([...found.keys(), ...(foundBefore?.keys() ?? [])]));
  const stoppedBefore = before && foundBefore && linesStopped(before, new Set(foundBefore.keys()));
  const count = new Set([...found.keys(), ...stopped.keys()]).size;
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
    ids: [...lines].flatMap(([line, ids]) => [line, ...ids]).slice(0, 20),
  });
  return {
    head: "leased-lines",
    count,
    before:
      foundBefore === undefined || stoppedBefore === undefined
        ? undefined
        : new Set([...foundBefore.keys(), ...stoppedBefore.keys()]).size,
    rows: [
      row("sub-lease", "疑似转租线索", "signs of sub-letting", found, foundBefore),
      row("stopped", "暂停或关停线路", "lines suspended or closed", stopped, stoppedBefore),
    ],
  };
}

/** How orders say that a line was re-let. */
const reLetWords = ["转租", "出租", "层层转租", "sub-lease", "sublease", "sub-let", "sublet"];

function trunksFound(notes: readonly ReadLine[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { record, detector, subject, calls } of notes) {
    const about = typeof subject === "string" ? parse(subject) : subject;
    if (record !== "finding" || detector !== "sub-lease" || !isFields(about)) continue;
    found.set(`trunk:${textIn(about["trunk"])}`, Array.isArray(calls) ? calls.map(String) : []);
  }
  return found;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Lines that were stopped because they were re-let: there is a finding, or the order says so. */
function linesStopped(
  notes: readonly ReadLine[],
  found: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const stopped = new Map<string, readonly string[]>();
  for (const { record, line, state, order, reason } of notes) {
    if (record !== "order" || (state !== "suspended" && state !== "closed")) continue;
    const why = textIn(reason).toLowerCase();
    if (found.has(textIn(line)) || reLetWords.some((word) => why.includes(word)))
      stopped.set(
        textIn(line),
        [textIn(order)].filter((reference) => reference !== ""),
      );
  }
  return stopped;
}

function refusedCallers(
  refusals: readonly AttemptCount[],
  before: readonly AttemptCount[] | undefined,
): ReportHead {
  const count = sum(refusals);
  return {
    head: "refused-callers",
    count,
    before: before === undefined ? undefined : sum(before),
    rows: refusalKinds.map(({ id, zh, en, reasons }) => {
      const own = refusals.filter(({ reason }) => reasons.includes(reason));
      const ofKind = sum(own);
      return {
        id,
        zh,
        en,
        count: ofKind,
        before: before && sum(before.filter(({ reason }) => reasons.includes(reason))),
        share: count === 0 ? 0 : ofKind / count,
        ids: own
          .flatMap(({ ids }) => ids)
          .toSorted()
          .slice(0, 5),
      };
    }),
  };
}

function importedHead(head: ImportedHead, { imported, importedBefore }: ReportParts): ReportHead {
  const own = imported.filter((figure) => figure.head === head);
  const old = importedBefore.filter((figure) => figure.head === head);
  const count = own.length === 0 ? undefined : sum(own);
  return {
    head,
    count,
    before: old.length === 0 ? undefined : sum(old),
    // A figure without an item is all of the head.
    rows: own
      .filter(({ item }) => item !== "")
      .map(({ item, count: ofItem }) => ({
        id: item,
        zh: item,
        en: item,
        count: ofItem,
        before: old.find((figure) => figure.item === item)?.count,
        share: count === undefined || count === 0 ? 0 : ofItem / count,
        ids: [],
      })),
  };
}

function networksOf({ counts, trunks }: ReportParts): MonthReport["networks"] {
  const isOther = ({ trunk }: AttemptCount): boolean => {
    const side = trunks.get(trunk)?.side;
    return side === "national" || side === "international";
  };
  const judged = counts.attempts.filter(({ reason }) => reason !== "protocol" && reason !== "overload");
  const part = (network: "own" | "other"): MonthReport["networks"][number] => {
    const of = judged.filter((count) => isOther(count) === (network === "other"));
    return { network, attempts: sum(of), refused: sum(of.filter(isRefusal)) };
  };
  return [part("own"), part("other")];
}

function breakDown(dimension: Dimension, parts: ReportParts): readonly BreakdownRow[] {
  const rows = new Map<string, { attempts: number; refused: number; before: number }>();
  const rowOf = (count: AttemptCount): { attempts: number; refused: number; before: number } => {
    const name = nameIn(dimension, count, parts);
    const row = rows.get(name) ?? { attempts: 0, refused: 0, before: 0 };
    rows.set(name, row);
    return row;
  };
  for (const count of parts.counts.attempts) {
    if (count.reason === "protocol" || count.reason === "overload") continue;
    const row = rowOf(count);
    row.attempts += count.count;
    if (isRefusal(count)) row.refused += count.count;
  }
  for (const count of parts.before?.attempts ?? []) if (isRefusal(count)) rowOf(count).before += count.count;
  return [...rows]
    .map(([name, row]) => ({ name, ...row, before: parts.before === undefined ? undefined : row.before }))
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
