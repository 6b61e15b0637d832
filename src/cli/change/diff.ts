// `sigwall diff`: what differs between two policies, in the words of the business.
import { comparePolicies } from "../../config/change/policy-changes.ts";
import type { ReadFile } from "../../config/yaml/config-files.ts";
import { readNamed } from "./configured-policy.ts";

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
  const before = readNamed(options.before, options, output.readFile);
  const after = typeof before === "string" ? undefined : readNamed(options.after, options, output.readFile);
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
