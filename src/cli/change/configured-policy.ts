// Reads the policy that a command is about, and puts into words why it can't be used.
import { loadStatic, type StaticConfig } from "../../config/load-static.ts";
import { type PolicyMaterial, readPolicy } from "../../config/load-policy.ts";

import type { ReadFile } from "../../config/yaml/config-files.ts";
import { type ConfigIssue, formatIssue } from "../../config/yaml/issue.ts";

/** A configuration with its policy. */
export interface ConfiguredPolicy {
  readonly config: StaticConfig;
  readonly material: PolicyMaterial;
}

/** How issues of a policy are told. */
export interface IssueWords {
  /** What the policy is called. Left out: its file. */
  readonly name?: string;
  /** True: warnings stand among the errors. */
  readonly withWarnings?: boolean;
}

/**
 * Reads `sigwall.yaml` and the policy that it names.
 *
 * @returns a string that says why they can't be used
 */
export function readConfigured(
  readFile: ReadFile,
  path: string,
  words: IssueWords = {},
): ConfiguredPolicy | string {
  const { config, issues } = loadStatic(readFile, path);
  if (config === undefined) return issues.map(formatIssue).join("\n");
  const listeners = config.listen.map(({ id }) => id);
  const material = readMaterial([readFile, config.policy, listeners, config.engine], words);
  return typeof material === "string" ? material : { config, material };
}

/**
 * Reads a policy.
 *
 * @param parts what `readPolicy` takes
 * @returns a string that says why it can't be used
 */
export function readMaterial(
  parts: Parameters<typeof readPolicy>,
  words: IssueWords = {},
): PolicyMaterial | string {
  const { material, issues } = readPolicy(...parts);
  return material ?? sayIssues(issues, parts[1], words);
}

function sayIssues(
  issues: readonly ConfigIssue[],
  path: string,
  { name = path, withWarnings = false }: IssueWords,
): string {
  const told = issues.filter(({ severity }) => withWarnings || severity === "error");
  return [`${name} has errors:`, ...told.map(formatIssue)].join("\n");
}
