// The five heads of the monthly report, and the lines below them.
import { type ImportedHead, importedHeads } from "../intake/monthly-figures.ts";

/** The heads of the notices, in their order. */
export const heads = ["leased-lines", "refused-callers", "unregistered", "shut-down", "persons"] as const;
export type Head = (typeof heads)[number];

/** True for heads that nothing but an import fills. */
export function isImported(head: Head): head is ImportedHead {
  return importedHeads.some((name) => name === head);
}

/** One line of a head. */
export interface ReportRow {
  readonly id: string;
  readonly zh: string;
  readonly en: string;
  /** Undefined: there are no records, or nothing was imported. */
  readonly count: number | undefined;
  /** In the month before; undefined: its records are not there. */
  readonly before: number | undefined;
  /** Of the head's count, 0 to 1. */
  readonly share: number;
  /** Against the month before: 0.5 is half as many again. Undefined: there is nothing to compare with. */
  readonly change: number | undefined;
  /** First ids of records, to look them up. */
  readonly ids: readonly string[];
  /** Lines that the row is about, `trunk:NAME`, and references of the orders that stopped them. */
  readonly lines?: readonly string[];
  readonly orders?: readonly string[];
}

export interface ReportHead {
  readonly head: Head;
  /** Undefined: there are no records, or nothing was imported. */
  readonly count: number | undefined;
  readonly before: number | undefined;
  readonly change: number | undefined;
  readonly rows: readonly ReportRow[];
}
