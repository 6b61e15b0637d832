// Tells whether a call goes to an emergency service.
import type { CallAttempt } from "../domain/attempt.ts";
import { isEmergencyCalled } from "../numbering/e164.ts";

/** The called party of a call. */
export type Callee = Pick<CallAttempt, "called" | "emergencyUrn">;

/**
 * Tells whether a call goes to an emergency service by its called party alone: `Priority` and the
 * calling party's category are the calling party's own words. It holds for calls of domestic
 * trunks. From abroad an emergency number does not justify a forged calling number.
 */
export function isEmergencyCall({ called, emergencyUrn }: Callee): boolean {
  return emergencyUrn || isEmergencyCalled(called);
}
