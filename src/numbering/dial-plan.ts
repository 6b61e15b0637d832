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
 * without tolerances. The fields are named one by one: a spread would give each plan a hidden class of its own, and
 * every number is read by a plan.
 */
export function createDialPlan(given: Partial<DialPlan> = {}): DialPlan {
  return Object.freeze({
    international: given.international ?? strictest.international,
    homeArea: given.homeArea,
    phoneContexts: given.phoneContexts ?? strictest.phoneContexts,
    bareForm: given.bareForm ?? strictest.bareForm,
    tolerateTrunkZero: given.tolerateTrunkZero ?? strictest.tolerateTrunkZero,
    stripTrailingST: given.stripTrailingST ?? strictest.stripTrailingST,
  });
}
