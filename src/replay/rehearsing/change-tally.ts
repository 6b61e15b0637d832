// Counts the verdicts that another policy changes, by trunk, verdict and rule, with the ids of the first ones.
import type { DetectorMode, Finding } from "../../domain/finding.ts";
import { describeFinding, type FindingLine } from "../../records/lines/record-line.ts";
import type { GapCount } from "./record-gaps.ts";

/** Attempts whose verdict would change in the same way. */
export interface VerdictChange {
  readonly trunk: string;
  readonly lessee: string;
  /** Verdict and reason: `accept listed`. */
  readonly before: string;
  readonly after: string;
  /** The rule that decides now. */
  readonly rule: string;
  readonly count: number;
  /** Ids of the first of them: of a record, or `capture:frame`. */
  readonly ids: readonly string[];
}

/** Attempts that were not judged anew, and why. */
export interface Unjudged {
  readonly why: string;
  readonly count: number;
}

type FoundLine = Omit<FindingLine, "node">;

/** What was counted. */
export interface Tallied {
  readonly attempts: number;
  /** Judged anew, with the verdict of before. */
  readonly same: number;
  readonly changed: number;
  /** The most frequent ones first. */
  readonly changes: readonly VerdictChange[];
  readonly unjudged: readonly Unjudged[];
  /** What the detectors of the new policy find; empty where they did not run. */
  readonly findings: readonly FoundLine[];
}

/** What a rehearsal found. */
export interface Rehearsed extends Tallied, GapCount {}

/** Counts attempts. Each is the same, changed, or left. */
export interface ChangeTally {
  same(): void;
  change(of: Omit<VerdictChange, "count" | "ids">, id: string): void;
  /** Takes an attempt that was not judged anew. */
  leave(why: string): void;
  found(finding: Finding, mode: DetectorMode): void;
  result(): Tallied;
}

const MOST_IDS = 5;
const MOST_FINDINGS = 10_000;
/** Ways in which verdicts change that are told; attempts of others are counted. */
const MOST_CHANGES = 10_000;

export function createChangeTally(): ChangeTally {
  const changes = new Map<
    string,
    { of: Omit<VerdictChange, "count" | "ids">; count: number; ids: string[] }
  >();
  const unjudged = new Map<string, number>();
  const findings: FoundLine[] = [];
  let attempts = 0;
  let same = 0;
  let changed = 0;
  return {
    same() {
      attempts++;
      same++;
    },
    change(of, id) {
      attempts++;
      changed++;
      const key = Object.values(of).join("\n");
      const known = changes.get(key) ?? { of, count: 0, ids: [] };
      known.count++;
      if (known.ids.length < MOST_IDS) known.ids.push(id);
      if (changes.size < MOST_CHANGES || changes.has(key)) changes.set(key, known);
    },
    leave(why) {
      attempts++;
      unjudged.set(why, (unjudged.get(why) ?? 0) + 1);
    },
    found(finding, mode) {
      if (findings.length < MOST_FINDINGS) findings.push(describeFinding(finding, mode));
    },
    result: () => ({
      attempts,
      same,
      changed,
      changes: [...changes.values()]
        .map(({ of, count, ids }) => ({ ...of, count, ids }))
        .toSorted((a, b) => b.count - a.count || (a.trunk < b.trunk ? -1 : 1)),
      unjudged: [...unjudged].map(([why, count]) => ({ why, count })),
      findings,
    }),
  };
}

/** Writes a verdict and its reason: `accept listed`. */
export function sayVerdict(kind: string, reason: string): string {
  return `${kind} ${reason}`;
}
