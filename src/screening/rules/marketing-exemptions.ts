// Called numbers that marketing may call in spite of hours and do-not-call lists: emergency services, and who has called one or the lessee.
import type { CallAttempt } from "../../domain/attempt.ts";
import { isEmergencyCall } from "../emergency-call.ts";
import type { LesseeMarketing } from "../rule.ts";
import { timeOf, type ScreeningState } from "../state.ts";

/** Why rest hours and do-not-call lists don't hold for a call. */
export type MarketingExemption = "call-back" | "emergency-call" | "emergency-party";

/** @returns undefined for a call that no exemption is for */
export function exemptionOf(
  attempt: CallAttempt,
  state: ScreeningState,
  { lessee, policy: { callBack } }: LesseeMarketing,
): MarketingExemption | undefined {
  const { called } = attempt;
  // Also where the rule emergency is off.
  if (isEmergencyCall(attempt)) return "emergency-call";
  if (called.kind === "unusable") return undefined;
  const now = timeOf(attempt, state);
  if (state.emergencyParties.has(called.key, now)) return "emergency-party";
  return callBack > 0 && state.callBacks.has(lessee, callBack, called.key, now) ? "call-back" : undefined;
}

/** Says the exemption of a call, to be written behind what was seen; empty when there is none. */
export function sayExemption(
  attempt: CallAttempt,
  state: ScreeningState,
  marketing: LesseeMarketing,
): string {
  switch (exemptionOf(attempt, state, marketing)) {
    case "emergency-call":
      return "; it is an emergency service, and is reached";
    case "emergency-party":
      return "; it has called an emergency service within 24 h, and is reached";
    case "call-back":
      return `; it has called ${marketing.lessee} within ${marketing.policy.callBack / 3_600_000} h, and may be called back`;
    case undefined:
      return "";
  }
}
