// Looks up options of the rules that a trunk enforces.
import type { RuleId } from "../../domain/rule-id.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { ChainConfig } from "../../screening/chain/chain.ts";
import type { DetectorSettings } from "../../screening/detectors/detector.ts";
import type { PolicyTables } from "../../screening/rule.ts";
import { valueAt } from "../yaml/schema-issues.ts";

/**
 * Returns an option of a rule on a trunk.
 * @returns undefined when the rule is not enforced there
 */
export function settingOf({ chain }: { readonly chain: ChainConfig }, rule: RuleId, option: string): unknown {
  const { mode, options } = chain[rule];
  return mode === "enforce" ? valueAt(options, [option]) : undefined;
}

/** What of a trunk says whether it withholds numbers. */
interface WithholdingPlan {
  readonly trunk: Pick<Trunk, "side">;
  readonly chain: ChainConfig;
  readonly tables: Pick<PolicyTables, "scoreLists">;
}

/** Tells whether a trunk may pass calls with their calling number withheld. */
export function mayWithhold(plan: WithholdingPlan, detectors: DetectorSettings): boolean {
  return withholdsRoamers(plan) || withholdsByScore(plan) || withholdsFound(plan, detectors);
}

/** Tells whether a trunk withholds the numbers of roamers. */
export function withholdsRoamers(plan: Omit<WithholdingPlan, "tables">): boolean {
  return (
    plan.trunk.side === "international" && settingOf(plan, "home-cli-from-abroad", "roamers") === "withhold"
  );
}

/** Tells whether a trunk withholds numbers with a score. */
export function withholdsByScore({ trunk, chain, tables }: WithholdingPlan): boolean {
  return (
    trunk.side !== "core" &&
    chain["deny-lists"].mode === "enforce" &&
    tables.scoreLists.some(({ bands }) => bands.some((band) => band.do === "withhold"))
  );
}

/** Tells whether a finding may have calls of the trunk sent on without their number. */
export function withholdsFound(
  { trunk, chain }: Omit<WithholdingPlan, "tables">,
  detectors: DetectorSettings,
): boolean {
  if (trunk.side === "core" || chain.quarantine.mode !== "enforce") return false;
  for (const { mode, action } of detectors.values())
    if (mode === "enforce" && action?.do === "withhold") return true;
  return false;
}
