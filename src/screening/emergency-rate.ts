// The limit of emergency calls: so many a second for a trunk, and for one caller.
import type { CallAttempt } from "../domain/attempt.ts";
import type { Deny } from "../domain/decision.ts";
import type { EmergencyLimits, TrunkId } from "../domain/trunk.ts";
import type { Limit } from "./rule.ts";
import { timeOf, type ScreeningState } from "./state.ts";

/** What a trunk gets whose `limits` don't name `emergency`. */
export const defaultEmergencyLimits: EmergencyLimits = {
  perSecond: 5,
  perCallerPerSecond: 1,
  above: "alarm",
};

const exceeded: Deny = { kind: "reject", reason: "call-rate-exceeded" };

/**
 * Counts the emergency calls of one trunk. A caller is any number that the call asserts, whether or not it may call.
 * What finds no room in the table of callers counts for the trunk only.
 */
export function emergencyRate(trunk: TrunkId, limits: EmergencyLimits): Limit {
  const { perSecond, perCallerPerSecond } = limits;
  return {
    check(attempt, state) {
      if (state.emergencyRate.wait(trunk, perSecond, timeOf(attempt, state)) > 0) return exceeded;
      for (const key of callersOf(attempt))
        if (state.emergencyCallers.count(key, timeOf(attempt, state)) >= perCallerPerSecond) return exceeded;
      return undefined;
    },
    spend(attempt: CallAttempt, state: ScreeningState): undefined {
      state.emergencyRate.take(trunk, perSecond, timeOf(attempt, state));
      for (const key of callersOf(attempt)) state.emergencyCallers.add(key, timeOf(attempt, state));
    },
  };
}

/** The numbers that the call asserts, each once, as keys of the table. */
function callersOf({ trunk, calling }: CallAttempt): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { number } of calling) if (number.kind !== "unusable") keys.add(`${trunk.id} ${number.key}`);
  return keys;
}
