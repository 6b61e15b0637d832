// Reads the policy that a command is about, and puts into words why it can't be used.
import { loadStatic, type StaticConfig } from "../../config/load-static.ts";
import { type PolicyMaterial, readPolicy } from "../../config/load-policy.ts";
import { readKept } from "../../records/policies/kept-policy.ts";
import { readKeptFiles } from "../../records/policies/policy-recall.ts";
import { valueAt } from "../../config/yaml/schema-issues.ts";
import { readYaml } from "../../config/yaml/yaml-source.ts";
import { findRecords, type PlaceOptions } from "../asking/record-places.ts";
import type { ReadFile } from "../../config/yaml/config-files.ts";
import { formatIssue } from "../../config/yaml/issue.ts";

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
  if (config === undefined) return adviseFile(path, readFile) ?? issues.map(formatIssue).join("\n");
  const listeners = config.listen.map(({ id }) => id);
  const material = readMaterial([readFile, config.policy, listeners, config.engine], words);
  return typeof material === "string" ? material : { config, material };
}

/** Says what is probably wrong with a file that is no configuration. */
function adviseFile(path: string, readFile: ReadFile): string | undefined {
  const content = readFile(path);
  if ("error" in content)
    return `can't read ${path}: ${content.error}; name the configuration with --config FILE, a sigwall.yaml`;
  const { value } = readYaml(path, content.bytes);
  const isPolicy = valueAt(value, ["policy"]) === undefined && valueAt(value, ["trunks"]) !== undefined;
  return isPolicy ? `${path} is a policy; give the sigwall.yaml that names it (policy: …)` : undefined;
}

/**
 * Reads a policy.
 *
 * @param parts what `readPolicy` takes
 * @returns a string that says why it can't be used
 */
function readMaterial(parts: Parameters<typeof readPolicy>, words: IssueWords = {}): PolicyMaterial | string {
  const { material, issues } = readPolicy(...parts);
  if (material !== undefined) return material;
  const { name = parts[1], withWarnings = false } = words;
  const told = issues.filter(({ severity }) => withWarnings || severity === "error");
  return [`${name} has errors:`, ...told.map(formatIssue)].join("\n");
}

/**
 * Reads a policy that is named by a `sigwall.yaml`, a `policy.yaml`, or the revision of a policy that was in force.
 *
 * @param places where revisions are kept
 * @returns a string that says why it can't be read
 */
export function readNamed(named: string, places: PlaceOptions, readFile: ReadFile): PolicyMaterial | string {
  if (/^[0-9a-f]{12}$/u.test(named)) return readRevision(named, places, readFile);
  if (/\.(?:csv|xlsx|xls|txt)$/iu.test(named))
    return `${named} is a table; diff compares policies. \`sigwall import ${named} --lessee ID --config FILE\` compares a list with the one in force`;
  const content = readFile(named);
  if ("error" in content) return `can't read ${named}: ${content.error}`;
  const isPolicy = valueAt(readYaml(named, content.bytes).value, ["policy"]) === undefined;
  if (isPolicy) return readMaterial([readFile, named]);
  const read = readConfigured(readFile, named);
  return typeof read === "string" ? read : read.material;
}

function readRevision(revision: string, places: PlaceOptions, readFile: ReadFile): PolicyMaterial | string {
  const place = findRecords(places, readFile);
  if (typeof place === "string") return place;
  for (const folder of place.policies) {
    const kept = readKept(folder, revision);
    if (typeof kept === "string") return kept;
    if (kept !== undefined)
      return readMaterial([readKeptFiles(folder, kept), kept.policy, kept.listeners, kept.engine]);
  }
  return `the policy of revision ${revision} is not kept in ${place.policies.join(", ")}`;
}
