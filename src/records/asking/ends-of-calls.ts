// Finds how calls ended, and keeps one end for each call.
import type { Millis } from "../../domain/time.ts";
import { HOUR } from "../sealed/hour-files.ts";
import { LONGEST_CALL } from "../sealed/parquet-writing.ts";
import { askRecords, type RecordPlace } from "./ask-records.ts";
import type { ReadLine } from "./record-filter.ts";

/** At most so many ends are read. */
const MOST_ENDS = 10_000;

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
  const forwarded = calls.filter(({ action }) => action === "forwarded");
  const ids = forwarded.flatMap(({ id }) => (typeof id === "string" ? [id] : []));
  if (ids.length === 0) return new Map();
  const times = forwarded.map(({ time }) => Date.parse(time));
  const from = Math.min(...times);
  const to = Math.max(...times) + LONGEST_CALL;
  return bestEnds(place, ids, from, to);
}

/**
 * Leaves out ends that another end of the same call makes superfluous, wherever that one is: a node that takes a call over
 * writes its end, and the node that began it may tell it as lost.
 *
 * @param lines of any kind
 */
export async function keepOneEnd(
  place: RecordPlace,
  lines: readonly ReadLine[],
): Promise<readonly ReadLine[]> {
  const ended = lines.filter(({ record }) => record === "ended");
  const ids = [...new Set(ended.flatMap(({ id }) => (typeof id === "string" ? [id] : [])))];
  if (ids.length === 0) return lines;
  // Two ends that were seen lie close together. An end before a `lost` may lie far from it.
  const isFar = ended.some(isLost);
  const times = ended.map(({ time }) => Date.parse(time));
  const from = Math.min(...times) - (isFar ? LONGEST_CALL : HOUR);
  const best = await bestEnds(place, ids, from, Math.max(...times) + HOUR);
  const told = new Set<string>();
  return lines.filter((line) => {
    const { record, id } = line;
    if (record !== "ended" || typeof id !== "string") return true;
    const end = best.get(id);
    if (told.has(id) || (end !== undefined && isBetter(end, line))) return false;
    told.add(id);
    return true;
  });
}

/** So many ids are asked for at once: each is a value of a statement. */
const IDS_AT_ONCE = 2000;

async function bestEnds(
  place: RecordPlace,
  ids: readonly string[],
  from: Millis,
  to: Millis,
): Promise<ReadonlyMap<string, ReadLine>> {
  const ends = new Map<string, ReadLine>();
  for (let first = 0; first < ids.length; first += IDS_AT_ONCE) {
    const some = ids.slice(first, first + IDS_AT_ONCE);
    const { items } = await askRecords(place, { kinds: ["ended"], ids: some, from, to }, MOST_ENDS);
    for (const end of items) {
      const id = String(end["id"]);
      const other = ends.get(id);
      if (other === undefined || isBetter(end, other)) ends.set(id, end);
    }
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
