// Says whether the figures of a month may be too low: hours without a line, gaps, lines that can't be read.
import { hasRecords, type MonthCounts } from "../records/reporting/month-counts.ts";
import { HOUR } from "../records/sealed/hour-files.ts";

/** Lines, evidence or policies that are missing. */
export interface ReportGap {
  readonly node: string;
  readonly from: string;
  readonly to: string;
  readonly times: number;
  /** What is known to be lost; more may be. */
  readonly lost: number;
  readonly why: string;
  /** `records`: the figures may be too low. The others change no figure. */
  readonly affects: "records" | "evidence" | "policies";
}

export interface Completeness {
  /** False: there is no line and no gap of the month. Its figures are unknown, and no 0. */
  readonly hasRecords: boolean;
  /** False: lines are known to be missing or unreadable. `silent` are hours of which nobody can tell. */
  readonly isWhole: boolean;
  /** The same of the month before, which has no silent hours either; undefined: it has no records. */
  readonly isBeforeWhole: boolean | undefined;
  /** Hours of which a node has no line: it did not run, had no call, or its files are gone. Empty node: no node has. */
  readonly silent: readonly {
    readonly node: string;
    readonly from: string;
    readonly to: string;
    readonly hours: number;
  }[];
  /** Hours of which some lines can't be read; without `lines`: none can be. */
  readonly unread: readonly { readonly hour: string; readonly lines?: number }[];
}

export function completenessOf(counts: MonthCounts, before: MonthCounts | undefined): Completeness {
  return {
    hasRecords: hasRecords(counts),
    isWhole: isWhole(counts),
    isBeforeWhole: before && isWhole(before) && before.silent.length === 0,
    silent: counts.silent.map(({ node, from, to }) => ({
      node,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      hours: Math.ceil((to - from) / HOUR),
    })),
    unread: counts.unread,
  };
}

function isWhole(counts: MonthCounts): boolean {
  return (
    counts.unread.length === 0 &&
    !counts.isCut &&
    gapsOf(counts).every(({ affects }) => affects !== "records")
  );
}

/** Gaps that touch the month, the earliest first. */
export function gapsOf({ gaps }: MonthCounts): readonly ReportGap[] {
  return (
    gaps
      // Segments of evidence that are older than they must be kept.
      .filter(({ why }) => why !== "retention")
      .map((gap) => ({ ...gap, affects: affectedBy(gap.why) }))
      .toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : a.node < b.node ? -1 : 1))
  );
}

function affectedBy(why: string): ReportGap["affects"] {
  if (why.startsWith("evidence")) return "evidence";
  return why.startsWith("policy ") ? "policies" : "records";
}
