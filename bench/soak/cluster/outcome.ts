/** What became of the calls of the soak of two nodes, and what happened to the nodes meanwhile. */
import type { TrunkName } from "./plan.ts";

/** A call that did not end as it should. */
export interface Lost {
  readonly id: string;
  readonly why: string;
  /** Milliseconds of `performance.now()`. */
  readonly begun: number;
  readonly at: number;
}

/** A node or Redis that was away. `until`: undefined while it is. */
export interface Absence {
  readonly who: string;
  readonly from: number;
  until: number | undefined;
}

/** A time, and by how much the calls in progress rose then. */
export interface Step {
  readonly at: number;
  readonly by: 1 | -1;
}

export interface Outcome {
  /** By Call-ID: one side's word is enough. */
  readonly lost: ReadonlyMap<string, Lost>;
  readonly completed: number;
  lose(lost: Lost): void;
  complete(id: string): void;
  readonly absences: Absence[];
  /** Calls that reached the called side, by trunk: when. */
  readonly accepted: Readonly<Record<TrunkName, number[]>>;
  /** Beginnings and ends at the called side of the calls of the trunk `channels`. */
  readonly channels: Step[];
  placed: number;
  /** Refusals that a limit wants. */
  limited: number;
  /** INVITEs that came to the called side twice with different branches. */
  merged: number;
}

export function createOutcome(): Outcome {
  const lost = new Map<string, Lost>();
  const completed = new Set<string>();
  return {
    lost,
    get completed() {
      return completed.size;
    },
    lose(each) {
      completed.delete(each.id);
      if (!lost.has(each.id)) lost.set(each.id, each);
    },
    complete(id) {
      if (!lost.has(id)) completed.add(id);
    },
    absences: [],
    accepted: { load: [], rate: [], channels: [] },
    channels: [],
    placed: 0,
    limited: 0,
    merged: 0,
  };
}

/** What was away during the life of a lost call, in words. */
export function explain({ id, why, begun, at }: Lost, absences: readonly Absence[]): string {
  const seconds = (time: number): string => `${((time - begun) / 1000).toFixed(1)} s`;
  const meanwhile = absences
    .filter(({ from, until }) => from < at && (until ?? Infinity) > begun)
    .map(
      ({ who, from, until }) =>
        `${who} away from ${seconds(from)} to ${until === undefined ? "now" : seconds(until)}`,
    );
  return `${id}: ${why} after ${seconds(at)}; ${meanwhile.length === 0 ? "nothing was away" : meanwhile.join(", ")}`;
}
