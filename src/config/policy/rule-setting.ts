// Looks up options of the rules that a trunk enforces.
import type { RuleId } from "../../domain/rule-id.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { ChainConfig } from "../../screening/chain/chain.ts";
import type { DetectorSettings } from "../../screening/detectors/detector.ts";
import { valueAt } from "../yaml/schema-issues.ts";

/**
 * Returns an option of a rule on a trunk.
 * @returns undefined when the rule is not enforced there
 */
export function settingOf({ chain }: { readonly chain: ChainConfig }, rule: RuleId, option: string): unknown {
  const { mode, options } = chain[rule];
  return mode === "enforce" ? valueAt(options, [option]) : undefined;
}

/** What is asked about a trunk whose calls may be sent on without their number. */
interface Withholding {
  readonly trunk: Pick<Trunk, "side">;
  readonly chain: ChainConfig;
}

/** Tells whether the trunk may pass calls of roamers with their calling number withheld. */
export function withholdsRoamers(plan: Withholding): boolean {
  return (
    plan.trunk.side === "international" && settingOf(plan, "home-cli-from-abroad", "roamers") === "withhold"
  );
}

/** Tells whether a finding may have calls of the trunk sent on without their number. */
export function withholdsFound({ trunk, chain }: Withholding, detectors: DetectorSettings): boolean {
  if (trunk.side === "core" || chain.quarantine.mode !== "enforce") return false;
  for (const { mode, action } of detectors.values())
    if (mode === "enforce" && action?.do === "withhold") return true;
  return false;
}

/** Tells whether a trunk may pass calls with their calling number withheld. */
export function mayWithhold(plan: Withholding, detectors: DetectorSettings): boolean {
  return withholdsRoamers(plan) || withholdsFound(plan, detectors);
}
