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
  /** The same happens to them, for another reason. They are no changes. */
  readonly otherReason: number;
  readonly changed: number;
  /** The most frequent ones first. */
  readonly changes: readonly VerdictChange[];
  /** As `changes`, of those with another reason. */
  readonly otherReasons: readonly VerdictChange[];
  readonly unjudged: readonly Unjudged[];
  /** What the detectors of the new policy find; empty where they did not run. */
  readonly findings: readonly FoundLine[];
}

/** What a rehearsal found. */
export interface Rehearsed extends Tallied, GapCount {}

/** Counts attempts. Each is the same, the same for another reason, changed, or left. */
export interface ChangeTally {
  same(): void;
  change(difference: Exclude<Difference, "none">, of: Omit<VerdictChange, "count" | "ids">, id: string): void;
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
  const known = { outcome: createWays(), reason: createWays() };
  const unjudged = new Map<string, number>();
  const findings: FoundLine[] = [];
  let attempts = 0;
  let same = 0;
  return {
    same() {
      attempts++;
      same++;
    },
    change(difference, of, id) {
      attempts++;
      known[difference].add(of, id);
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
      otherReason: known.reason.count(),
      changed: known.outcome.count(),
      changes: known.outcome.ways(),
      otherReasons: known.reason.ways(),
      unjudged: [...unjudged].map(([why, count]) => ({ why, count })),
      findings,
    }),
  };
}

/** Counts the ways in which verdicts change. */
function createWays(): {
  readonly add: (of: Omit<VerdictChange, "count" | "ids">, id: string) => void;
  readonly count: () => number;
  readonly ways: () => readonly VerdictChange[];
} {
  const ways = new Map<string, { of: Omit<VerdictChange, "count" | "ids">; count: number; ids: string[] }>();
  let count = 0;
  return {
    add(of, id) {
      count++;
      const key = Object.values(of).join("\n");
      const way = ways.get(key) ?? { of, count: 0, ids: [] };
      way.count++;
      if (way.ids.length < MOST_IDS) way.ids.push(id);
      if (ways.size < MOST_CHANGES || ways.has(key)) ways.set(key, way);
    },
    count: () => count,
    ways: () =>
      [...ways.values()]
        .map((way) => ({ ...way.of, count: way.count, ids: way.ids }))
        .toSorted((a, b) => b.count - a.count || (a.trunk < b.trunk ? -1 : 1)),
  };
}

/** Marks that change the message: `observe` only asks for evidence. */
const changing: readonly string[] = ["label", "strip", "withhold"];
const refusing: ReadonlySet<string> = new Set(["reject", "drop"]);

/** What is judged of a call. */
export interface Judgement {
  readonly kind: string;
  readonly reason: string;
  /** Kinds of its marks. */
  readonly marks: readonly string[];
}

/** How two judgements of a call differ. */
export type Difference = "none" | "reason" | "outcome";

/** What happens to a call: it is refused or dropped, or its message goes on with certain changes. */
function outcomeOf({ kind, marks }: Judgement): string {
  return refusing.has(kind)
    ? kind
    : changing.filter((mark) => mark === kind || marks.includes(mark)).join(" ");
}

/** Compares what becomes of a call. The same outcome for another reason changes nothing for anybody. */
export function compareJudgements(before: Judgement, after: Judgement): Difference {
  if (outcomeOf(before) !== outcomeOf(after)) return "outcome";
  return before.kind === after.kind && before.reason === after.reason ? "none" : "reason";
}

/** Writes a verdict and its reason: `accept listed`; with marks beside it: `accept listed + strip`. */
export function sayJudgement({ kind, reason, marks }: Judgement): string {
  const beside = refusing.has(kind) ? [] : changing.filter((mark) => mark !== kind && marks.includes(mark));
  return [`${kind} ${reason}`, ...beside].join(" + ");
}
