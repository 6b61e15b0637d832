// `sigwall diff`: what differs between two policies, in the words of the business.
import { comparePolicies } from "../../config/change/policy-changes.ts";
import type { PolicyMaterial } from "../../config/load-policy.ts";
import type { ReadFile } from "../../config/yaml/config-files.ts";
import { valueAt } from "../../config/yaml/schema-issues.ts";
import { readYaml } from "../../config/yaml/yaml-source.ts";
import { readKept } from "../../records/policies/kept-policy.ts";
import { readKeptFiles } from "../../records/policies/policy-recall.ts";
import { findRecords } from "../asking/record-places.ts";
import { readConfigured, readMaterial } from "./configured-policy.ts";

/** What the command was called with. */
export interface DiffOptions {
  /** Each a `sigwall.yaml`, a `policy.yaml`, or the revision of a policy that was in force. */
  readonly before: string;
  readonly after: string;
  /** Where revisions are kept. */
  readonly config: string | undefined;
  readonly records: readonly string[];
  readonly json: boolean;
}

export interface DiffOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly readFile: ReadFile;
}

const SAME = 0;
const DIFFERENT = 1;
const UNUSABLE = 2;

/**
 * Runs `sigwall diff`.
 *
 * @returns exit code: 0 the same; 1 different; 2 one of them can't be read
 */
export function diffPolicies(options: DiffOptions, output: DiffOutput): number {
  const before = readSide(options.before, options, output);
  const after = typeof before === "string" ? undefined : readSide(options.after, options, output);
  for (const failed of [before, after])
    if (typeof failed === "string") {
      output.stderr.write(`sigwall diff: ${failed}\n`);
      return UNUSABLE;
    }
  if (typeof before === "string" || after === undefined || typeof after === "string") return UNUSABLE;
  const changes = comparePolicies(before, after);
  if (options.json) output.stdout.write(changes.map((change) => `${JSON.stringify(change)}\n`).join(""));
  else if (changes.length === 0) output.stdout.write("both policies say the same\n");
  else for (const { about, text } of changes) output.stdout.write(`${about}: ${text}\n`);
  return changes.length === 0 ? SAME : DIFFERENT;
}

/** @returns a string that says why it can't be read */
function readSide(named: string, options: DiffOptions, output: DiffOutput): PolicyMaterial | string {
  if (/^[0-9a-f]{12}$/u.test(named)) return readRevision(named, options, output.readFile);
  const content = output.readFile(named);
  if ("error" in content) return `can't read ${named}: ${content.error}`;
  const isPolicy = valueAt(readYaml(named, content.bytes).value, ["policy"]) === undefined;
  if (isPolicy) return readMaterial([output.readFile, named]);
  const read = readConfigured(output.readFile, named);
  return typeof read === "string" ? read : read.material;
}

function readRevision(revision: string, options: DiffOptions, readFile: ReadFile): PolicyMaterial | string {
  const place = findRecords(options, readFile);
  if (typeof place === "string") return place;
  for (const folder of place.policies) {
    const kept = readKept(folder, revision);
    if (typeof kept === "string") return kept;
    if (kept !== undefined)
      return readMaterial([readKeptFiles(folder, kept), kept.policy, kept.listeners, kept.engine]);
  }
  return `the policy of revision ${revision} is not kept in ${place.policies.join(", ")}`;
}
