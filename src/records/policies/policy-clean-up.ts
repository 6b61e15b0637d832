// Removes policies that nothing refers to any more.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { whilePoliciesAreLocked } from "./policies-lock.ts";
import { removeFile } from "../sealed/settled-files.ts";
import { type KeptPolicy, lastInForce, listKept, pathOfFile, pathOfRevision } from "./kept-policy.ts";

/** A policy that came into force within so long stays: calls that it judged may not be recorded yet. */
const RECENT: Millis = 48 * 3_600_000;

/**
 * Finds the policies that may go when nothing refers to them: those that are not recent, but the newest one of each
 * node, which may still be in force.
 */
export function findOldPolicies(folder: string, now: Millis): readonly KeptPolicy[] {
  const kept = listKept(folder);
  const newest = new Map<string, { readonly at: Millis; readonly revision: string }>();
  for (const { revision, inForce } of kept) {
    for (const { from, node } of inForce) {
      const at = Date.parse(from);
      if (at > (newest.get(node)?.at ?? -1)) newest.set(node, { at, revision });
    }
  }
  const current = new Set([...newest.values()].map(({ revision }) => revision));
  return kept.filter(
    (policy) => !current.has(policy.revision) && now - (lastInForce(policy) ?? now) > RECENT,
  );
}

/**
 * Removes the policies that may go and that nothing refers to, and files of no policy. Throws what the operating system
 * says.
 *
 * @param referred revisions that a kept record or a kept evidence block names
 * @returns the revisions that were removed
 */
export function cleanUpPolicies(
  folder: string,
  referred: ReadonlySet<string>,
  now: Millis,
): readonly string[] {
  return existsSync(folder)
    ? whilePoliciesAreLocked(folder, () => removeUnreferred(folder, referred, now))
    : [];
}

function removeUnreferred(folder: string, referred: ReadonlySet<string>, now: Millis): readonly string[] {
  const gone = findOldPolicies(folder, now).filter(({ revision }) => !referred.has(revision));
  for (const { revision } of gone) removeFile(pathOfRevision(folder, revision));
  if (gone.length === 0) return [];
  const needed = new Set(listKept(folder).flatMap(({ files }) => files.map(({ sha256 }) => sha256)));
  // A file that can't be read may name some of them: then none goes.
  const named = readdirSync(folder).filter((name) => name.endsWith(".json")).length;
  if (named !== listKept(folder).length) return gone.map(({ revision }) => revision);
  for (const name of readdirSync(join(folder, "files"))) {
    const path = pathOfFile(folder, name);
    // Files are written before the policy that names them.
    if (!needed.has(name) && now - statSync(path).mtimeMs > RECENT) removeFile(path);
  }
  return gone.map(({ revision }) => revision);
}
