/** Whether what two nodes let pass together stays within what one node lets pass, and what the other passes in 300 ms. */
import type { Absence, Step } from "./outcome.ts";

/** By what was away: nothing, a node, or Redis. */
export type Situation = "all there" | "a node away" | "Redis away";

/** How many calls above what one node lets pass there were at most, and how many there may be. */
export interface Excess {
  readonly most: number;
  readonly bound: number;
  /** Where the most were: the window, and its begin. ms */
  readonly at: { readonly from: number; readonly window: number } | undefined;
}

export type Excesses = Readonly<Record<Situation, Excess>>;

/** From its death to the time at which its counts are shared again, ms: a start, or the next attempt to connect, and a heartbeat. */
const SETTLING = 3_000;
/** What nodes know of each other is older than this for no longer than a moment, ms. */
const SHARED_WITHIN = 300;
/** Windows in which calls are counted, ms. */
const WINDOWS = [300, 1_000, 5_000, 10_000, 60_000];

function situationOf(absences: readonly Absence[], from: number, to: number): Situation {
  const during = absences.filter(
    (absence) => absence.from < to && (absence.until ?? Infinity) + SETTLING > from,
  );
  if (during.length === 0) return "all there";
  return during.some(({ who }) => who === "Redis") ? "Redis away" : "a node away";
}

/**
 * Counts calls that were let pass by `callsPerSecond`. One node: as many as the limit at once, and the limit each second.
 *
 * @param times when calls were let pass, ascending, ms
 */
export function excessOfRate(
  times: readonly number[],
  limit: number,
  offeredPerSecond: number,
  nodes: number,
  absences: readonly Absence[],
): Excesses {
  const late = Math.ceil(offeredPerSecond * ((nodes - 1) / nodes) * (SHARED_WITHIN / 1000));
  const found = createFound();
  for (const window of WINDOWS) {
    let end = 0;
    for (const [start, from] of times.entries()) {
      const to = from + window;
      while (end < times.length && times[end]! < to) end++;
      const excess = end - start - limit - (limit * window) / 1000;
      const situation = situationOf(absences, from, to);
      // Each node alone: as many at once, and each second without the others.
      const alone =
        situation === "Redis away" ? limit + (limit * withoutRedis(absences, from, to)) / 1000 : 0;
      found.take(situation, { most: excess, bound: late + (nodes - 1) * alone, at: { from, window } });
    }
  }
  return found.worst;
}

/** Milliseconds of a window without Redis, and in which counts are not shared again yet. */
function withoutRedis(absences: readonly Absence[], from: number, to: number): number {
  let sum = 0;
  for (const absence of absences)
    if (absence.who === "Redis")
      sum += Math.max(0, Math.min(to, (absence.until ?? Infinity) + SETTLING) - Math.max(from, absence.from));
  return sum;
}

/** Keeps what comes nearest to its bound, or passes it most. */
function createFound(): {
  readonly worst: Excesses;
  readonly take: (situation: Situation, excess: Excess) => void;
} {
  const none: Excess = { most: -Infinity, bound: 0, at: undefined };
  const worst = { "all there": none, "a node away": none, "Redis away": none };
  return {
    worst,
    take(situation, excess) {
      const former = worst[situation];
      if (excess.most - excess.bound > former.most - former.bound) worst[situation] = excess;
    },
  };
}

/**
 * Counts calls that stood at one time against `channels`.
 *
 * @param hold how long a call stands, ms: those of a time without Redis stand afterwards
 */
export function excessOfChannels(
  steps: readonly Step[],
  limit: number,
  offeredPerSecond: number,
  nodes: number,
  hold: number,
  absences: readonly Absence[],
): Excesses {
  const late = Math.ceil(offeredPerSecond * ((nodes - 1) / nodes) * (SHARED_WITHIN / 1000));
  const found = createFound();
  let standing = 0;
  for (const { at, by } of steps) {
    standing += by;
    const situation = situationOf(absences, at - hold, at);
    const alone = situation === "Redis away" ? (nodes - 1) * limit : 0;
    found.take(situation, { most: standing - limit, bound: alone + late, at: { from: at, window: 0 } });
  }
  return found.worst;
}

/** "at most 3 above one node (bound 9)", for each situation. */
export function describe(
  excesses: Excesses,
  begun: number,
): { readonly text: readonly string[]; readonly isGood: boolean } {
  const rows = Object.entries(excesses).filter(([, { most }]) => most > -Infinity);
  return {
    text: rows.map(
      ([situation, { most, bound, at }]) =>
        `${situation}: ${Math.max(0, Math.round(most))} above one node, bound ${Math.round(bound)}${most <= bound ? "" : ": TOO MANY"}${placeOf(at, begun)}`,
    ),
    isGood: rows.every(([, { most, bound }]) => most <= bound),
  };
}

function placeOf(at: Excess["at"], begun: number): string {
  if (at === undefined) return "";
  const window = at.window === 0 ? "" : ` of ${at.window / 1000} s`;
  return ` (at ${((at.from - begun) / 1000).toFixed(1)} s${window})`;
}
