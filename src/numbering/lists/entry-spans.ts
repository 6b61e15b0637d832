// The numbers of a list entry as spans of keys.
import type { ListEntry } from "../list-entry.ts";
import type { NumberSpan } from "./prefix-numbers.ts";

/** The longest number (ITU-T E.164 section 6). */
const MAX_DIGITS = 15;

/** The spans of a number, a range or a prefix, as `NumberSet` has them: a prefix has one for each length. */
export function spansOfEntry(entry: ListEntry): readonly NumberSpan[] {
  if (entry.kind === "exact") return [{ low: entry.key, high: entry.key }];
  if (entry.kind === "range") return [{ low: entry.low, high: entry.high }];
  const spans: NumberSpan[] = [];
  for (let length = entry.digits.length, power = 1; length <= MAX_DIGITS; length++, power *= 10) {
    const low = Number(entry.digits) * power;
    spans.push(entry.code ? { low: -(low + power - 1), high: -low } : { low, high: low + power - 1 });
  }
  return spans;
}
