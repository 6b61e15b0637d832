// Finds how calls ended, and keeps one end for each call.
import { HOUR } from "../sealed/hour-files.ts";
import { askRecords, type RecordPlace } from "./ask-records.ts";
import type { ReadLine } from "./record-filter.ts";

/** At most so many ends are read. */
const MOST_ENDS = 10_000;

/** Longest time from a decision to its end: the most that `maxCallHours` allows, and a day for a `lost`. */
const LONGEST = 768 * HOUR;

/**
 * Finds the ends of calls. Of several ends of one call, one that was seen comes before `lost`, then the earliest.
 *
 * @param calls `decided` lines
 * @returns resolves with the ends by call id
 */
export async function findEnds(
  place: RecordPlace,
  calls: readonly ReadLine[],
): Promise<ReadonlyMap<string, ReadLine>> {
  const ends = new Map<string, ReadLine>();
  const forwarded = calls.filter(({ action }) => action === "forwarded");
  const ids = forwarded.flatMap(({ id }) => (typeof id === "string" ? [id] : []));
  if (ids.length === 0) return ends;
  const times = forwarded.map(({ time }) => Date.parse(time));
  const from = Math.min(...times);
  const to = Math.max(...times) + LONGEST;
  const { items } = await askRecords(place, { kinds: ["ended"], ids, from, to }, MOST_ENDS);
  for (const end of items) {
    const id = String(end["id"]);
    const other = ends.get(id);
    if (other === undefined || isBetter(end, other)) ends.set(id, end);
  }
  return ends;
}

/** Tells whether an end says more of its call than another one. */
export function isBetter(end: ReadLine, other: ReadLine): boolean {
  if (isLost(end) !== isLost(other)) return isLost(other);
  return Date.parse(end.time) < Date.parse(other.time);
}

function isLost({ how }: ReadLine): boolean {
  return how === "lost";
}
