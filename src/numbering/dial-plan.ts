import type { DialPlan } from "../domain/number.ts";

/** The dial plan of a domestic trunk without an area code of its own: nothing local, nothing tolerated. */
const strictest: DialPlan = {
  international: false,
  homeArea: undefined,
  phoneContexts: new Set(),
  bareForm: "auto",
  tolerateTrunkZero: false,
  stripTrailingST: false,
};

/** A frozen dial plan: what is given, over a domestic trunk without area code and without tolerances. */
export function createDialPlan(given: Partial<DialPlan> = {}): DialPlan {
  return Object.freeze({ ...strictest, ...given });
}
