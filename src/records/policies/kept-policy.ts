// What `policies/REVISION.json` says: the files of a policy, and when it came into force.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isFields, objectsIn, textIn, textsIn } from "../lines/line-fields.ts";
import type { EngineName } from "../../domain/capabilities.ts";
import type { Millis } from "../../domain/time.ts";

/** One file of a policy. */
export interface KeptFile {
  /** The path that the filter read it at. */
  readonly path: string;
  /** SHA-256 of its content in hex: the name below `files/`. */
  readonly sha256: string;
}

/** A policy that was in force. */
export interface KeptPolicy {
  readonly revision: string;
  /** Path of the main file; `files` has it. */
  readonly policy: string;
  readonly timeZone: string;
  /** What the policy was checked against. */
  readonly engine: EngineName;
  readonly listeners: readonly string[];
  readonly files: readonly KeptFile[];
  /** When the policy came into force, as ISO 8601 in UTC, and at which node. The last ones. */
  readonly inForce: readonly { readonly from: string; readonly node: string }[];
}

/** The folder of the policies that belong to a records folder, unless `records.policies` says another. */
export function policiesBeside(records: string): string {
  return join(records, "..", "policies");
}

/** A revision is a hash in hex: it can be no path. */
const revisionPattern = /^[0-9a-f]{8,128}$/;

/** Path of the file that names a policy. */
export function pathOfRevision(folder: string, revision: string): string {
  return join(folder, `${revision}.json`);
}

/** Path of a file of a policy, packed with gzip. */
export function pathOfFile(folder: string, sha256: string): string {
  return join(folder, "files", sha256);
}

/**
 * Reads what names a policy.
 *
 * @returns undefined when the revision is not kept; a string that says why it can't be read
 */
export function readKept(folder: string, revision: string): KeptPolicy | string | undefined {
  const path = pathOfRevision(folder, revision);
  if (!revisionPattern.test(revision) || !existsSync(path)) return undefined;
  try {
    const kept = asKept(JSON.parse(readFileSync(path, "utf8")));
    return kept?.revision === revision ? kept : `${path} names no policy`;
  } catch (error) {
    return `${path} can't be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Reads everything that is kept. What can't be read is left out. A missing folder keeps nothing. */
export function listKept(folder: string): readonly KeptPolicy[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => {
      const kept = readKept(folder, name.slice(0, -".json".length));
      return kept === undefined || typeof kept === "string" ? [] : [kept];
    });
}

/** When a policy came into force the last time, at or before `until`. Unix milliseconds; undefined: never. */
export function lastInForce({ inForce }: KeptPolicy, until: Millis = Infinity): Millis | undefined {
  const times = inForce.map(({ from }) => Date.parse(from)).filter((at) => at <= until);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Finds the policy that came into force last, at or before a moment. */
export function keptAt(kept: readonly KeptPolicy[], at: Millis): KeptPolicy | undefined {
  let found: { readonly policy: KeptPolicy; readonly from: Millis } | undefined;
  for (const policy of kept) {
    const from = lastInForce(policy, at);
    if (from !== undefined && (found === undefined || from > found.from)) found = { policy, from };
  }
  return found?.policy;
}

/** Reads the fields one by one: the file may have been changed by hand. */
function asKept(value: unknown): KeptPolicy | undefined {
  if (!isFields(value)) return undefined;
  const { revision, policy, timeZone, listeners } = value;
  const engine = engines.find((name) => name === value["engine"]);
  if (typeof revision !== "string" || typeof policy !== "string" || typeof timeZone !== "string")
    return undefined;
  if (engine === undefined) return undefined;
  return {
    revision,
    policy,
    timeZone,
    engine,
    listeners: textsIn(listeners),
    files: objectsIn(value["files"]).map(({ path, sha256 }) => ({
      path: textIn(path),
      sha256: textIn(sha256),
    })),
    inForce: objectsIn(value["inForce"]).map(({ from, node }) => ({
      from: textIn(from),
      node: textIn(node),
    })),
  };
}

const engines: readonly EngineName[] = ["embedded", "drachtio", "m3ua"];
