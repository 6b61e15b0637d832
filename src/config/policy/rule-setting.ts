// Looks up options of the rules that a trunk enforces.
import type { RuleId } from "../../domain/rule-id.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { ChainConfig } from "../../screening/chain/chain.ts";
import { valueAt } from "../yaml/schema-issues.ts";

/**
 * Returns an option of a rule on a trunk.
 * @returns undefined when the rule is not enforced there
 */
export function settingOf({ chain }: { readonly chain: ChainConfig }, rule: RuleId, option: string): unknown {
  const { mode, options } = chain[rule];
  return mode === "enforce" ? valueAt(options, [option]) : undefined;
}

/** Tells whether a trunk may pass calls with their calling number withheld. */
export function mayWithhold(plan: {
  readonly trunk: Pick<Trunk, "side">;
  readonly chain: ChainConfig;
}): boolean {
  return (
    plan.trunk.side === "international" && settingOf(plan, "home-cli-from-abroad", "roamers") === "withhold"
  );
}
