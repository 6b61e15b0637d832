// The summary after the lines of a capture: messages, attempts, verdicts, unknown sources.
import type { VerdictKind } from "../../domain/decision.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import type { DecisionLine } from "../../records/lines/attempt-line.ts";
import type { CaptureResult } from "./capture-files.ts";
import { describeUnread } from "./unread-packets.ts";

/** Writes an amount with its noun: `1 packet`, `2 packets`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}

/** Describes what a capture holds, and why when it holds no signalling. */
export function describeCapture({ frames, unread, counts }: CaptureResult): string {
  const parts = [`${count(frames, "packet")}, ${count(counts.messages, "SIP message")}`];
  if (counts.isup > 0) parts.push(count(counts.isup, "ISUP message"));
  if (counts.inDialog > 0) parts.push(`${count(counts.inDialog, "INVITE")} inside a dialog`);
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
}

/** At most this many unknown sources are kept for the summary; peers choose how many there are. */
const MAX_STRANGERS = 1000;
const SHOWN_STRANGERS = 5;

/** Makes counts of zero. */
export function createReplayCounts(): ReplayCounts {
  return { repeats: 0, malformed: 0, verdicts: new Map(), strangers: new Map() };
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
export function summariseReplay(result: CaptureResult, counts: ReplayCounts): string {
  const verdicts = largestFirst(byVerdictAndReason(counts));
  const attempts = verdicts.reduce((sum, [, amount]) => sum + amount, 0);
  const lines = [
    `${describeCapture(result)}: ${count(attempts, "call attempt")}, ${count(counts.repeats, "repeat")}, ${counts.malformed} malformed`,
    ...verdicts.map(([verdict, amount]) => `  ${String(amount).padStart(7)} ${verdict}`),
  ];
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
