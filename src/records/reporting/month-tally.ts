// Adds up attempts, shed calls and gaps of a month, whichever of lines and tables they come from.
import type { Millis } from "../../domain/time.ts";
import { keyOfLine } from "../asking/copied-lines.ts";
import type { ReadLine } from "../asking/record-filter.ts";
import { textIn } from "../lines/line-fields.ts";

/** What makes call attempts alike. */
export interface Alike {
  readonly trunk: string;
  readonly lessee: string;
  readonly verdict: string;
  readonly reason: string;
}

/** Call attempts that are alike. */
export interface AttemptCount extends Alike {
  readonly count: number;
  /** The ids of the first of them; none of those that were accepted. */
  readonly ids: readonly string[];
}

/** Calls of a trunk that were refused for the load alone, and that no line tells of one by one. */
export interface ShedCount {
  readonly trunk: string;
  readonly reason: string;
  readonly count: number;
}

/** Attempts in a quarter of an hour. Every time zone begins its days at one. */
export interface QuarterCount {
  /** First moment. Unix milliseconds. */
  readonly start: Millis;
  readonly verdict: string;
  readonly reason: string;
  readonly count: number;
}

/** Gaps of one node that began on one day (UTC) and have one cause. */
export interface GapCount {
  readonly node: string;
  readonly why: string;
  /** Of the first of them, and of the last one, as ISO 8601 in UTC. */
  readonly from: string;
  readonly to: string;
  readonly times: number;
  /** What is known to be lost. */
  readonly lost: number;
}

/** What was added up, in an order that depends on the records alone. */
export interface Tallied {
  readonly attempts: readonly AttemptCount[];
  readonly quarters: readonly QuarterCount[];
  readonly shed: readonly ShedCount[];
  readonly gaps: readonly GapCount[];
  /** Lines of the kinds `finding` and `order`, in order of time. */
  readonly notes: readonly ReadLine[];
  /** True when there were more notes than are kept. */
  readonly isCut: boolean;
}

export interface Tally {
  readonly line: (line: ReadLine) => void;
  /** `ids` in any order; the first few are kept. */
  readonly attempts: (alike: Alike, count: number, ids: readonly string[]) => void;
  readonly quarter: (counted: QuarterCount) => void;
  readonly shed: (counted: ShedCount) => void;
  readonly gap: (counted: GapCount) => void;
  readonly counts: () => Tallied;
}

export const QUARTER: Millis = 900_000;
/** So many ids are named of attempts that are alike. */
export const MOST_IDS = 5;
/** More findings and orders than a month has, unless somebody fills the folder. */
export const MOST_NOTES = 100_000;

/** The first ids of some, by the start of the process (base 36, seconds) and the count of the call in it. */
export function firstIds(ids: readonly string[]): readonly string[] {
  return ids.toSorted(compareIds).slice(0, MOST_IDS);
}

/** Orders `NODE-EPOCH-COUNT` by time: calls of a process in their order, processes by their start. */
function compareIds(a: string, b: string): number {
  const [one, other] = [orderOf(a), orderOf(b)];
  return one < other ? -1 : one > other ? 1 : a < b ? -1 : a > b ? 1 : 0;
}

function orderOf(id: string): string {
  const count = id.lastIndexOf("-");
  const epoch = id.lastIndexOf("-", count - 1);
  const isId = epoch >= 0 && /^[0-9a-z]+-[0-9]+$/u.test(id.slice(epoch + 1));
  const start = isId ? id.slice(epoch + 1, count) : "";
  // As the database pads and cuts them.
  return padded(start, 13) + padded(/-([0-9]+)$/u.exec(id)?.[1] ?? "", 16);
}

function padded(text: string, width: number): string {
  return text.padStart(width, "0").slice(0, width);
}

export function createTally(): Tally {
  const attempts = new Map<string, Alike & { count: number; ids: readonly string[] }>();
  const quarters = new Map<string, QuarterCount>();
  const shed = new Map<string, ShedCount>();
  const gaps = new Map<string, GapCount>();
  const notes: ReadLine[] = [];

  const tally: Tally = {
    attempts(alike, count, ids) {
      const { trunk, lessee, verdict, reason } = alike;
      const key = [trunk, lessee, verdict, reason].join("\n");
      const known = attempts.get(key) ?? { trunk, lessee, verdict, reason, count: 0, ids: [] };
      known.count += count;
      if (verdict !== "accept") known.ids = firstIds([...known.ids, ...ids]);
      attempts.set(key, known);
    },
    quarter: (counted) => add(quarters, [counted.start, counted.verdict, counted.reason], counted),
    shed: (counted) => add(shed, [counted.trunk, counted.reason], counted),
    gap(counted) {
      const { node, why, from, to, times, lost } = counted;
      const key = [from.slice(0, 10), node, why].join("\n");
      const known = gaps.get(key) ?? { ...counted, times: 0, lost: 0 };
      gaps.set(key, {
        node,
        why,
        from: from < known.from ? from : known.from,
        to: to > known.to ? to : known.to,
        times: known.times + times,
        lost: known.lost + lost,
      });
    },
    line(line) {
      const { record, time, trunk, lessee, verdict, reason, id } = line;
      if (record === "decided") {
        const alike = {
          trunk: textIn(trunk),
          lessee: textIn(lessee),
          verdict: textIn(verdict),
          reason: textIn(reason),
        };
        const start = Math.floor(Date.parse(time) / QUARTER) * QUARTER;
        tally.attempts(alike, 1, [textIn(id)]);
        tally.quarter({ start, verdict: alike.verdict, reason: alike.reason, count: 1 });
      } else if (record === "shed") {
        // Requests that are no calls are shed too: `of` says so.
        if (line["of"] === undefined)
          tally.shed({ trunk: textIn(trunk), reason: textIn(reason), count: Number(line["count"] ?? 0) });
      } else if (record === "gap") {
        tally.gap({
          node: textIn(line["node"]),
          why: textIn(line["why"]),
          from: textIn(line["from"]),
          to: textIn(line["to"]),
          times: 1,
          lost: Number(line["lost"] ?? 0),
        });
      } else notes.push(line);
    },
    counts: () => ({
      attempts: inOrder(attempts),
      quarters: inOrder(quarters),
      shed: inOrder(shed),
      gaps: inOrder(gaps),
      notes: notes
        .map((line) => ({ line, key: keyOfLine(line) }))
        .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
        .slice(0, MOST_NOTES)
        .map(({ line }) => line),
      isCut: notes.length >= MOST_NOTES,
    }),
  };
  return tally;
}

function add<Counted extends { readonly count: number }>(
  map: Map<string, Counted>,
  key: readonly (string | number)[],
  counted: Counted,
): void {
  const text = key.join("\n");
  const known = map.get(text);
  map.set(text, known === undefined ? counted : { ...known, count: known.count + counted.count });
}

function inOrder<Value>(map: ReadonlyMap<string, Value>): readonly Value[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
