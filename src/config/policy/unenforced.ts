// Warns of keys that are accepted and have no effect yet.
import { ruleIds } from "../../domain/rule-id.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import type { PolicyFile } from "./policy-file.ts";
import type { TrunkEntry } from "./policy-schema.ts";
import { findRule, writtenSetting } from "./rule-options.ts";
import { isMapping } from "../yaml/schema-issues.ts";

/**
 * Keys of a trunk without effect yet: where they stand, when they are set, and what happens
 * instead.
 */
const later: readonly {
  readonly at: readonly string[];
  readonly isSet: (trunk: TrunkEntry) => boolean;
  readonly meanwhile: string;
}[] = [
  {
    at: ["limits", "channels"],
    isSet: (trunk) => trunk.limits?.channels !== undefined,
    meanwhile: "concurrent calls are not limited",
  },
];

/** Warns of every accepted key that has no effect yet, so that nobody relies on it. */
export function findUnenforced(file: PolicyFile): readonly ConfigIssue[] {
  const { source } = file;
  const issues: ConfigIssue[] = [];
  for (const { path, value } of file.trunks) {
    for (const { at, isSet, meanwhile } of later) {
      if (!isSet(value)) continue;
      issues.push(source.issueAt([...path, ...at], `not enforced yet: ${meanwhile}`, "warning"));
    }
    issues.push(...findMissingRules(file, [...path, "rules"], value.rules));
  }
  issues.push(...findMissingRules(file, ["rules"], file.rules));
  return issues;
}

function findMissingRules(
  { source }: PolicyFile,
  path: readonly (string | number)[],
  written: unknown,
): readonly ConfigIssue[] {
  if (!isMapping(written)) return [];
  return ruleIds
    .filter((id) => Object.hasOwn(written, id) && findRule(id) === undefined)
    .filter((id) => writtenSetting(written, id)["mode"] !== "off")
    .map((id) => source.issueAt([...path, id], "not enforced yet: the rule does not run", "warning"));
}
