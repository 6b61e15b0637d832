import type { RuleId } from "../../domain/rule-id.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { ChainConfig } from "../../screening/chain/chain.ts";
import { valueAt } from "../yaml/schema-issues.ts";

/** An option of a rule on a trunk; undefined where the rule isn't enforced there. */
export function settingOf({ chain }: { readonly chain: ChainConfig }, rule: RuleId, option: string): unknown {
  const { mode, options } = chain[rule];
  return mode === "enforce" ? valueAt(options, [option]) : undefined;
}

/** True for a trunk that may let a call pass without its caller's number. */
export function mayWithhold(plan: {
  readonly trunk: Pick<Trunk, "side">;
  readonly chain: ChainConfig;
}): boolean {
  return (
    plan.trunk.side === "international" && settingOf(plan, "home-cli-from-abroad", "roamers") === "withhold"
  );
}
