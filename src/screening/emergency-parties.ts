// Numbers that have called an emergency service within a day: calls to them are refused for no count of calls.
import type { Millis } from "../domain/time.ts";
import { createFrequencyCounts, type FrequencyCounts } from "../state/frequency/frequency-counts.ts";

/** The service may call back for a day. */
const CALL_BACK: Millis = 24 * 3_600_000;

/**
 * Numbers that have called an emergency service. Whoever bombs a called party, and whatever is found about her: the
 * service that calls her back reaches her.
 */
export interface EmergencyParties {
  /** What is kept over a restart. */
  readonly counts: FrequencyCounts;
  /** @param key of the calling number, as in `PartyNumber` */
  note(key: number, now: Millis): void;
  has(key: number, now: Millis): boolean;
}

/** Numbers at one time. A table of its own: whoever floods it with emergency calls takes no room from limits. */
const MOST = 262_144;

export function createEmergencyParties(): EmergencyParties {
  const counts = createFrequencyCounts(MOST);
  // Named at the first use: the table is made then.
  const limit = (): number => counts.limit("emergency", { calls: 1, within: CALL_BACK });
  return {
    counts,
    note(key, now) {
      counts.add(limit(), key, now);
    },
    has: (key, now) => counts.size > 0 && counts.count(limit(), key, now) > 0,
  };
}
