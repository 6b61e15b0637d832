// Makes the dial plan of a trunk, by which the numbers of its calls are read.
import type { DialPlan } from "../domain/number.ts";

/** The dial plan of a domestic trunk without an area code: no local numbers, no tolerances. */
const strictest: DialPlan = {
  international: false,
  homeArea: undefined,
  phoneContexts: new Set(),
  bareForm: "auto",
  tolerateTrunkZero: false,
  stripTrailingST: false,
};

/**
 * Makes a frozen dial plan. What `given` leaves out is as on a domestic trunk without area code and
 * without tolerances.
 */
export function createDialPlan(given: Partial<DialPlan> = {}): DialPlan {
  return Object.freeze({ ...strictest, ...given });
}
