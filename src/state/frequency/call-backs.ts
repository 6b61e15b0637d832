// Who has called which lessee of late: the proof that a call to such a number is a call back.
import type { Millis } from "../../domain/time.ts";
import { createFrequencyCounts, type FrequencyCounts } from "./frequency-counts.ts";

/** Pairs of a lessee and a number at one time. A table of its own: whoever floods it takes no room from limits. */
const MOST = 262_144;

/** Numbers that have called lessees. Times are those of the engine's clock. */
export interface CallBacks {
  /** What is kept over a restart. */
  readonly counts: FrequencyCounts;
  /**
   * Notes that `key` has called the lessee. Lessees share the table; where it is full, nothing is noted.
   *
   * @param key of the calling number, as in `PartyNumber`
   * @param within how long it counts, in milliseconds
   */
  note(lessee: string, within: Millis, key: number, now: Millis): void;
  has(lessee: string, within: Millis, key: number, now: Millis): boolean;
}

/** Creates the memory; its table is made at the first call. */
export function createCallBacks(): CallBacks {
  const counts = createFrequencyCounts(MOST);
  const limit = (lessee: string, within: Millis): number =>
    counts.limit(`${lessee} ${within}`, { calls: 1, within });
  return {
    counts,
    note(lessee, within, key, now) {
      counts.add(limit(lessee, within), key, now, lessee);
    },
    has: (lessee, within, key, now) => counts.size > 0 && counts.count(limit(lessee, within), key, now) > 0,
  };
}
