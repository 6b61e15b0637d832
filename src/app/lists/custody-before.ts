// Compares the lists of a start with those of the policy that was in force last, where that one is kept.
import { type CustodyChange, custodyOf, findTakenOut } from "../../config/change/custody.ts";
import { type PolicyMaterial, readPolicy } from "../../config/load-policy.ts";
import type { ListMemory } from "../../config/policy/list-loading.ts";
import type { Millis } from "../../domain/time.ts";
import { keptAt, type KeptPolicy, listKept } from "../../records/policies/kept-policy.ts";
import { readKeptFiles } from "../../records/policies/policy-recall.ts";

/** What leaves the lists that were in force; `unknown` says why that can't be known. Nothing is refused then. */
export interface CustodyAtStart extends CustodyChange {
  readonly unknown?: string;
}

/**
 * @param folder where policies are kept; undefined: nowhere
 * @param now Unix milliseconds
 */
export function compareWithKept(
  folder: string | undefined,
  node: string,
  material: PolicyMaterial,
  now: Millis,
): CustodyAtStart {
  const nothing = { issues: [], notes: [] };
  if (folder === undefined) return { ...nothing, unknown: "policies are kept with records or evidence only" };
  const last = newestOf(listKept(folder), node, now);
  if (last === undefined) return { ...nothing, unknown: `no policy is kept in ${folder} yet` };
  if (last.revision === material.revision) return nothing;
  const readFile = readKeptFiles(folder, last);
  const { material: before, issues } = readPolicy(
    readFile,
    last.policy,
    last.listeners,
    last.engine,
    unchangedLists(last, material),
  );
  if (before === undefined) {
    const first = issues.find(({ severity }) => severity === "error");
    const why = `${first?.file}:${first?.line}:${first?.column} ${first?.message}`;
    return { ...nothing, unknown: `the policy of revision ${last.revision} can't be read: ${why}` };
  }
  return findTakenOut(custodyOf(before), material, now);
}

/** The policy that was in force last at this node; without one, at any. */
function newestOf(kept: readonly KeptPolicy[], node: string, now: Millis): KeptPolicy | undefined {
  const own = kept.map((policy) => ({
    ...policy,
    inForce: policy.inForce.filter((time) => time.node === node),
  }));
  return keptAt(own, now) ?? keptAt(kept, now);
}

/** Lists whose files did not change need not be read a second time. */
function unchangedLists({ files, timeZone }: KeptPolicy, { file, lists }: PolicyMaterial): ListMemory {
  const hashes = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  return {
    recall(path) {
      const [list, another] = lists.filter((each) => each.file === path);
      if (list === undefined || another !== undefined || timeZone !== file.timeZone) return undefined;
      return hashes.get(path) === list.read.hashes.octets ? { list: list.read, issues: [] } : undefined;
    },
    keep: () => undefined,
  };
}
