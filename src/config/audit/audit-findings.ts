// What an audit finds: kinds, and the findings of one kind and lessee with their first rows.

/** What can be found, in the order in which it is told. */
export const auditKinds = [
  "overdue-verification",
  "expired",
  "expiring-in-use",
  "unused",
  "over-quota",
  "other-area",
  "no-contract",
  "no-approver",
] as const;
export type AuditKind = (typeof auditKinds)[number];

/** A row of a list, or an entry of the policy file. */
export interface AuditedRow {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** What is to be said of it. */
  readonly what: string;
}

/** Everything of one kind that was found of one lessee. */
export interface AuditFinding {
  readonly kind: AuditKind;
  /** Empty: no lessee; a special user on a trunk that has none. */
  readonly lessee: string;
  readonly rows: number;
  /** How many numbers the rows stand for. */
  readonly numbers: number;
  /** Prefixes among the rows of which the plan does not say how many numbers they are. Left out: there is none. */
  readonly prefixes?: number;
  /** The first rows of the file. */
  readonly first: readonly AuditedRow[];
}

/** So many rows of a finding are named; the rest is counted. */
export const MOST_NAMED = 5;

/** Gathers the rows of one kind, in any order. */
export interface FindingRows {
  /** `numbers`: 0 for a prefix of which that is not known. */
  readonly add: (line: number, numbers: number, describe: () => string) => void;
  /** @returns undefined when there is none */
  readonly finding: () => AuditFinding | undefined;
}

/** Begins a finding in one file. */
export function createFindingRows(kind: AuditKind, lessee: string, file: string): FindingRows {
  /** The first rows by line. Only those are described in the end. */
  const first: { readonly line: number; readonly describe: () => string }[] = [];
  let rows = 0;
  let sum = 0;
  let prefixes = 0;
  return {
    add(line, numbers, describe) {
      rows += 1;
      sum += numbers;
      if (numbers === 0) prefixes++;
      if (first.length === MOST_NAMED) {
        if (line >= (first.at(-1)?.line ?? 0)) return;
        first.pop();
      }
      const at = first.findIndex((known) => known.line > line);
      first.splice(at === -1 ? first.length : at, 0, { line, describe });
    },
    finding: () =>
      rows === 0
        ? undefined
        : {
            kind,
            lessee,
            rows,
            numbers: sum,
            ...(prefixes === 0 ? {} : { prefixes }),
            first: first.map(({ line, describe }) => ({ file, line, what: describe() })),
          },
  };
}
