import type { CallAttempt } from "../domain/attempt.ts";
import { isEmergencyCalled } from "../numbering/e164.ts";

/** Whom a call goes to. */
export type Callee = Pick<CallAttempt, "called" | "emergencyUrn">;

/**
 * True for a call to an emergency service, by the called party alone: `Priority` and the calling party's category are the caller's
 * own words. Holds for calls of domestic trunks; from abroad an emergency number is no reason to let a forged caller in.
 */
export function isEmergencyCall({ called, emergencyUrn }: Callee): boolean {
  return emergencyUrn || isEmergencyCalled(called);
}
