// Warns of keys that are accepted and have no effect yet.
import { ruleIds } from "../../domain/rule-id.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import type { PolicyFile } from "./policy-file.ts";
import { findRule, writtenSetting } from "./rule-options.ts";
import { isMapping } from "../yaml/schema-issues.ts";

/** Warns of every accepted key that has no effect yet, so that nobody relies on it. */
export function findUnenforced(file: PolicyFile): readonly ConfigIssue[] {
  const { source } = file;
  const issues: ConfigIssue[] = [];
  for (const { path, value } of file.trunks) {
    if (value.limits?.channels !== undefined && value.mode === "redirect")
      issues.push(
        source.issueAt(
          [...path, "limits", "channels"],
          "without effect: a trunk with mode redirect never sees the end of a call",
          "warning",
        ),
      );
    issues.push(...findMissingRules(file, [...path, "rules"], value.rules));
  }
  for (const { path, value } of file.lessees) {
    const trunks = file.trunks.filter((trunk) => trunk.value.lessee === value.id);
    const isRedirecting = trunks.length > 0 && trunks.every((trunk) => trunk.value.mode === "redirect");
    if (value.limits?.channels !== undefined && isRedirecting)
      issues.push(
        source.issueAt(
          [...path, "limits", "channels"],
          "without effect: every trunk of the lessee has mode redirect and never sees the end of a call",
          "warning",
        ),
      );
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
