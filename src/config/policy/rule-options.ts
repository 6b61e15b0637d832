// The key `rules`: its schema from the rules' own options, and how trunk and global merge.
import { z } from "zod";
import type { RuleId, RuleMode } from "../../domain/rule-id.ts";
import type { Side } from "../../domain/trunk.ts";
import { ruleIds } from "../../domain/rule-id.ts";
import { rules } from "../../screening/chain/rule-order.ts";
import type { Rule } from "../../screening/rule.ts";
import { isMapping, valueAt } from "../yaml/schema-issues.ts";

/** What `policy.yaml` says about a rule: its mode and its own options. */
export interface RuleSetting {
  readonly mode: RuleMode;
  readonly options: unknown;
}

const ruleById: ReadonlyMap<RuleId, Rule> = new Map(rules.map((rule) => [rule.id, rule]));

/**
 * Returns the rule of an id.
 * @returns undefined for a rule that the contract names and that has no code yet
 */
export function findRule(id: RuleId): Rule | undefined {
  return ruleById.get(id);
}

const modeSchema = z
  .enum(["enforce", "monitor", "off"])
  .exactOptional()
  .describe("enforce: the finding decides; monitor: it is only counted; off: the rule does not run.");

function settingSchema(id: RuleId): z.ZodType {
  const rule = ruleById.get(id);
  if (rule === undefined)
    return z.strictObject({ mode: modeSchema }).describe("Not enforced yet.").exactOptional();
  if (!(rule.options instanceof z.ZodObject))
    throw new TypeError(`options of rule ${id} are no object schema`);
  return rule.options.safeExtend({ mode: modeSchema }).strict().describe(rule.summary).exactOptional();
}

/**
 * Schema of the map `rules` of a policy or a trunk: every rule by its id, `mode` beside the options
 * of the rule.
 */
export const rulesSchema = z.strictObject(Object.fromEntries(ruleIds.map((id) => [id, settingSchema(id)])));

/** Returns what a `rules` map says about a rule, as written. Empty when it says nothing. */
export function writtenSetting(rulesMap: unknown, id: RuleId): Readonly<Record<string, unknown>> {
  const written = valueAt(rulesMap, [id]);
  return isMapping(written) ? written : {};
}

/**
 * Merges the setting of a rule on a trunk: the trunk's keys over the global keys over the defaults
 * of the rule. Keys are merged as written, because a default must not hide a global option.
 * @param side of the trunk, on which the default mode may depend; undefined: no trunk is meant
 * @returns messages when the options don't go together; the schema of the file reports options that
 * are wrong by themselves
 */
export function mergeSetting(
  id: RuleId,
  globalRules: unknown,
  trunkRules: unknown,
  side?: Side,
): RuleSetting | readonly string[] {
  const layers = [writtenSetting(globalRules, id), writtenSetting(trunkRules, id)].map(
    ({ mode, ...options }) => ({
      mode,
      options,
    }),
  );
  const rule = ruleById.get(id);
  const written = layers.map((layer) => layer.mode).findLast((mode) => mode !== undefined);
  const mode = written ?? (side === undefined ? undefined : rule?.modes?.[side]);
  if (rule === undefined) return { mode: readMode(mode), options: {} };
  const merged = rule.options.safeParse(Object.assign({}, ...layers.map((layer) => layer.options)));
  if (merged.success) return { mode: readMode(mode), options: merged.data };
  const areSoundAlone = layers.every((layer) => rule.options.safeParse(layer.options).success);
  return areSoundAlone ? merged.error.issues.map((issue) => issue.message) : [];
}

function readMode(mode: unknown): RuleMode {
  return mode === "monitor" || mode === "off" ? mode : "enforce";
}
