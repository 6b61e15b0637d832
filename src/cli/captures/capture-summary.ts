// The summary after the lines of a capture: messages, attempts, verdicts, unknown sources.
import { sayAmount } from "../../domain/amount.ts";
import type { VerdictKind } from "../../domain/decision.ts";
import type { HowEnded } from "../../domain/call.ts";
import type { FindingSubject } from "../../domain/finding.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import { createCalendar } from "../../config/lists/calendar.ts";
import type { EndedLine, FindingLine } from "../../records/lines/record-line.ts";
import type { DecisionLine } from "../../records/lines/attempt-line.ts";
import type { CaptureResult } from "./capture-files.ts";
import { describeUnread } from "./unread-packets.ts";

/** Describes what a capture holds, and why when it holds no signalling. */
export function describeCapture({ frames, unread, counts }: CaptureResult): string {
  const parts = [`${sayAmount(frames, "packet")}, ${sayAmount(counts.messages, "SIP message")}`];
  if (counts.isup > 0) parts.push(sayAmount(counts.isup, "ISUP message"));
  if (counts.inDialog > 0) parts.push(`${sayAmount(counts.inDialog, "INVITE")} inside a dialog`);
  parts.push(...describeUnread(unread, counts.messages + counts.isup === 0));
  return parts.join(", ");
}

/** Counts of a replay. */
export interface ReplayCounts {
  repeats: number;
  malformed: number;
  /** Attempts by verdict, and then by reason. */
  readonly verdicts: Map<VerdictKind, Map<ReasonCode, number>>;
  /** Attempts by source, for sources that no trunk claims. */
  readonly strangers: Map<string, number>;
  /** The first findings, and how many there are. */
  readonly findings: FoundLine[];
  found: number;
  /** Ends of calls by how they ended. Empty: nobody asked. */
  readonly ends: Map<HowEnded, number>;
  /** Calls, subjects and findings that were not followed because a table was full. */
  full: number;
}

type FoundLine = Omit<FindingLine, "node">;

/** At most this many unknown sources are kept for the summary; peers choose how many there are. */
const MAX_STRANGERS = 1000;
const SHOWN_STRANGERS = 5;
/** At most this many findings are named; JSON has all of them. */
const SHOWN_FINDINGS = 50;

/** Makes counts of zero. */
export function createReplayCounts(): ReplayCounts {
  return {
    repeats: 0,
    malformed: 0,
    verdicts: new Map(),
    strangers: new Map(),
    findings: [],
    found: 0,
    ends: new Map(),
    full: 0,
  };
}

function increment<Key>(map: Map<Key, number>, key: Key): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

/** Counts one judged attempt. */
export function countDecision(counts: ReplayCounts, { verdict, reason }: DecisionLine): void {
  let reasons = counts.verdicts.get(verdict);
  if (reasons === undefined) counts.verdicts.set(verdict, (reasons = new Map()));
  increment(reasons, reason);
}

/** Counts one attempt whose source no trunk claims. */
export function countStranger(counts: ReplayCounts, source: string): void {
  if (counts.strangers.has(source) || counts.strangers.size < MAX_STRANGERS)
    increment(counts.strangers, source);
}

/** Counts a finding. */
export function countFinding(counts: ReplayCounts, line: FoundLine): void {
  counts.found += 1;
  if (counts.findings.length < SHOWN_FINDINGS) counts.findings.push(line);
}

/** Counts the end of a call. */
export function countEnd(counts: ReplayCounts, { how }: Pick<EndedLine, "how">): void {
  increment(counts.ends, how);
}

/** Says whom a finding is about: `caller +861087654321 on bj-lease-01`. */
function nameSubject(subject: FindingSubject): string {
  if (subject.kind === "trunk") return `trunk ${subject.trunk}`;
  if (subject.kind === "called") return `called ${subject.number}`;
  return `${subject.kind} ${subject.number} on ${subject.trunk}`;
}

/** A line a finding: when, which detector, whom, and what was counted. */
function describeFindings(
  { findings, found }: ReplayCounts,
  timeZone: string | undefined,
): readonly string[] {
  if (found === 0) return [];
  const clock = createCalendar(timeZone ?? "UTC");
  const shown = findings.map(({ time, detector, subject, facts }) => {
    const counted = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
    return `  ${clock.formatTime(Date.parse(time))} ${detector}: ${nameSubject(subject)} (${counted.join(", ")})`;
  });
  const rest = found - findings.length;
  return [
    `${sayAmount(found, "finding")}:`,
    ...shown,
    ...(rest > 0 ? [`  and ${rest} more; --json prints each`] : []),
  ];
}

function largestFirst(map: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...map].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

/** Attempts by verdict and reason: `reject cli-not-listed`. */
function byVerdictAndReason({ verdicts }: ReplayCounts): ReadonlyMap<string, number> {
  return new Map(
    [...verdicts].flatMap(([verdict, reasons]) =>
      [...reasons].map(([reason, amount]) => [`${verdict} ${reason}`, amount] as const),
    ),
  );
}

/** Summarises a replay: what was judged, and which sources no trunk claims. */
export function summariseReplay(
  result: CaptureResult,
  counts: ReplayCounts,
  timeZone: string | undefined,
): string {
  const verdicts = largestFirst(byVerdictAndReason(counts));
  const attempts = verdicts.reduce((sum, [, amount]) => sum + amount, 0);
  const lines = [
    `${describeCapture(result)}: ${sayAmount(attempts, "call attempt")}, ${sayAmount(counts.repeats, "repeat")}, ${counts.malformed} malformed`,
    ...verdicts.map(([verdict, amount]) => `  ${String(amount).padStart(7)} ${verdict}`),
  ];
  if (counts.ends.size > 0) {
    const ends = largestFirst(counts.ends).map(([how, amount]) => `${amount} ${how}`);
    lines.push(`ends that the capture shows: ${ends.join(", ")}`);
  }
  lines.push(...describeFindings(counts, timeZone));
  if (counts.full > 0)
    lines.push(
      `${sayAmount(counts.full, "time")} a table was full, and a call was not followed: see tables in the policy`,
    );
  if (counts.strangers.size > 0) {
    const shown = largestFirst(counts.strangers).slice(0, SHOWN_STRANGERS);
    const rest = counts.strangers.size - shown.length;
    const named = shown.map(([source, amount]) => `${source} (${amount})`).join(", ");
    lines.push(
      `no trunk matches ${named}${rest > 0 ? ` and ${rest} more sources` : ""}; --trunk ID judges every attempt as a call of that trunk`,
    );
  }
  return `${lines.join("\n")}\n`;
}
