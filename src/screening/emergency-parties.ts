// Numbers that have called an emergency service within a day: calls to them are refused for no count of calls.
import type { CallAttempt } from "../domain/attempt.ts";
import type { Millis, WallClock } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import { createFrequencyCounts, type FrequencyCounts } from "../state/frequency/frequency-counts.ts";
import { isEmergencyCall } from "./emergency-call.ts";

/** The service may call back for a day. */
const CALL_BACK: Millis = 24 * 3_600_000;

/**
 * Numbers that have called an emergency service. Whoever bombs a called party, and whatever is found about her: the
 * service that calls her back reaches her.
 */
export interface EmergencyParties {
  /** What is kept over a restart. */
  readonly counts: FrequencyCounts;
  /**
   * @param key of the calling number, as in `PartyNumber`
   * @param trunk that the call came from: trunks share the room
   */
  note(key: number, now: Millis, trunk: TrunkId): void;
  has(key: number, now: Millis): boolean;
}

/** Numbers at one time. A table of its own: whoever floods it with emergency calls takes no room from limits. */
const MOST = 262_144;

/**
 * Notes every number that an emergency call has asserted, whether or not it counts on the trunk: the service is shown them
 * all, and may call each of them back.
 */
export function noteEmergencyCall(
  attempt: CallAttempt,
  { emergencyParties, wall }: { readonly emergencyParties: EmergencyParties; readonly wall: WallClock },
): void {
  for (const { number } of attempt.calling)
    if (number.kind !== "unusable")
      emergencyParties.note(number.key, attempt.at - wall.ahead, attempt.trunk.id);
}

/**
 * True for a call that makes its caller an emergency party: it goes to an emergency service, whatever the rule `emergency`
 * is set to, and from the core too. From abroad it justifies nothing.
 */
export function makesEmergencyParty(attempt: CallAttempt): boolean {
  return attempt.trunk.side !== "international" && isEmergencyCall(attempt);
}

/** True for a call to a number that has called an emergency service within a day. */
export function isToEmergencyParty(
  { called, at }: CallAttempt,
  { emergencyParties, wall }: { readonly emergencyParties: EmergencyParties; readonly wall: WallClock },
): boolean {
  return called.kind !== "unusable" && emergencyParties.has(called.key, at - wall.ahead);
}

export function createEmergencyParties(): EmergencyParties {
  const counts = createFrequencyCounts(MOST);
  // Named at the first use: the table is made then.
  const limit = (): number => counts.limit("emergency", { calls: 1, within: CALL_BACK });
  return {
    counts,
    note(key, now, trunk) {
      counts.add(limit(), key, now, trunk);
    },
    has: (key, now) => counts.size > 0 && counts.count(limit(), key, now) > 0,
  };
}
