// The numbers of a list entry as spans of keys.
import type { ListEntry } from "../list-entry.ts";
import { eachPrefixSpan } from "../number-set-builder.ts";

/** Numbers without a gap between them. Both ends are inclusive. Keys are those of `PartyNumber`. */
export interface NumberSpan {
  readonly low: number;
  readonly high: number;
}

/** The spans of a number, a range or a prefix, as `NumberSet` has them: a prefix has one for each length. */
export function spansOfEntry(entry: ListEntry): readonly NumberSpan[] {
  if (entry.kind === "exact") return [{ low: entry.key, high: entry.key }];
  if (entry.kind === "range") return [{ low: entry.low, high: entry.high }];
  const spans: NumberSpan[] = [];
  eachPrefixSpan(entry.digits, entry.code, (low, high) => void spans.push({ low, high }));
  return spans;
}
