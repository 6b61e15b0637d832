// Loads a policy that was in force, by the loader that loads the policy of today.
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type LoadedPolicy, loadPolicy } from "../../config/load-policy.ts";
import type { ReadFile } from "../../config/yaml/config-files.ts";
import type { Policy } from "../../policy/policy.ts";
import { type KeptPolicy, pathOfFile, readKept } from "./kept-policy.ts";

/** A policy that was in force. */
export interface RecalledPolicy {
  readonly kept: KeptPolicy;
  readonly policy: Policy;
  /** Reads the files that the policy was made of. */
  readonly readFile: ReadFile;
  /** Set where the program of today reads another policy out of the same files than the program of then. */
  readonly warning: string | undefined;
}

/** At most so many octets come out of one packed file: as many as the filter reads of a file. */
const MOST_OCTETS = 500 * (1 << 20);

/** Makes the file system that a kept policy was read from. */
export function readKeptFiles(folder: string, { files }: KeptPolicy): ReadFile {
  const byPath = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  return (path) => {
    const sha256 = byPath.get(path);
    if (sha256 === undefined) return { error: "it was not kept" };
    const place = pathOfFile(folder, sha256);
    try {
      const bytes = gunzipSync(readFileSync(place), { maxOutputLength: MOST_OCTETS });
      return hash("sha256", bytes, "hex") === sha256
        ? { bytes }
        : { error: `${place} was changed since it was kept` };
    } catch (error) {
      return { error: `${place}: ${error instanceof Error ? error.message : String(error)}` };
    }
  };
}

/**
 * Loads a policy by its revision.
 *
 * @returns a string that says why it can't be loaded
 */
export function recallPolicy(folder: string, revision: string): RecalledPolicy | string {
  const kept = readKept(folder, revision);
  if (kept === undefined) return `the policy of revision ${revision} is not kept in ${folder}`;
  if (typeof kept === "string") return kept;
  const readFile = readKeptFiles(folder, kept);
  const { policy, issues }: LoadedPolicy = loadPolicy(readFile, kept.policy, kept.listeners, kept.engine);
  if (policy === undefined) {
    const first = issues.find(({ severity }) => severity === "error");
    return `the policy of revision ${revision} can't be loaded any more: ${first?.file}:${first?.line}:${first?.column} ${first?.message}`;
  }
  const warning =
    policy.revision === revision
      ? undefined
      : `the files of revision ${revision} give revision ${policy.revision} now: this version of the program reads them in another way`;
  return { kept, policy, readFile, warning };
}
