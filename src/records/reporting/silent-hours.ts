// Finds the hours of which a node has no line at all: it did not run, had no call, or its files are gone.
import type { Millis } from "../../domain/time.ts";
import { HOUR, type HourFiles, isOfCommand } from "../sealed/hour-files.ts";

/** Hours in a row of which a node has no line. Unix milliseconds; `to` is exclusive. */
export interface SilentHours {
  /** Empty: no node has a line in all of that time. */
  readonly node: string;
  readonly from: Millis;
  readonly to: Millis;
}

/**
 * @param hours those of the span, and of the time before in which a node may have had its last line
 * @param from first moment, inclusive
 * @param to last moment, exclusive
 */
export function silentHours(
  hours: readonly Pick<HourFiles, "node" | "start">[],
  from: Millis,
  to: Millis,
): readonly SilentHours[] {
  const heard = new Map<string, Set<Millis>>();
  for (const { node, start } of hours) {
    if (isOfCommand(node) || start >= to) continue;
    const starts = heard.get(node) ?? new Set<Millis>();
    heard.set(node, starts.add(start));
  }
  if (heard.size === 0) return [{ node: "", from, to }];
  const spans: SilentHours[] = [];
  for (const [node, starts] of [...heard].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    let begin: Millis | undefined;
    for (let hour = Math.floor(from / HOUR) * HOUR; hour < to; hour += HOUR) {
      if (starts.has(hour)) {
        if (begin !== undefined) spans.push({ node, from: begin, to: hour });
        begin = undefined;
      } else begin ??= Math.max(hour, from);
    }
    if (begin !== undefined) spans.push({ node, from: begin, to });
  }
  return spans;
}
