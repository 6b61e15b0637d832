// Loads a policy: policy.yaml and its lists in, compiled policy and issues out.
import type { EngineName } from "../domain/capabilities.ts";
import type { PolicyRevision } from "../domain/decision.ts";
import {
  compilePolicy,
  planTrunks,
  type PolicyParts,
  summariseList,
  type TrunkPlan,
} from "./policy/build-policy.ts";
import { type ConfigIssue, hasErrors, sortIssues } from "./yaml/issue.ts";
import type { DayCalendar } from "./lists/day-calendar.ts";
import { type ListMemory, type LoadedList, loadLists } from "./policy/list-loading.ts";
import { type LoadedCalendar, loadDayCalendar } from "./policy/marketing.ts";
import { type PolicyFile, readPolicyFile } from "./policy/policy-file.ts";
import type { Policy, PolicyLine } from "../policy/policy.ts";
import { findBrokenReferences } from "./policy/references.ts";
import { readYaml, type Source } from "./yaml/yaml-source.ts";
import { findImpossible } from "./policy/engine-limits.ts";
import { type LoadedReleases, loadReleases } from "./policy/release-files.ts";
import { findStrangeTrunks } from "./policy/row-trunks.ts";
import { findUnenforced } from "./policy/unenforced.ts";
import { type ReadFile, unreadable } from "./yaml/config-files.ts";
import { canonicalText, digest } from "./yaml/canonical-text.ts";

/**
 * Result of loading a policy. `policy` is undefined when `issues` has an error; the last good
 * policy then stays in force.
 */
export interface LoadedPolicy {
  readonly policy: Policy | undefined;
  readonly issues: readonly ConfigIssue[];
  /** What the policy was compiled from, for its review. Undefined without a policy. */
  readonly material: PolicyMaterial | undefined;
}

/** The parts of a policy: it is compiled from them, and the review looks at them. */
export interface PolicyMaterial {
  readonly file: PolicyFile;
  readonly lists: readonly LoadedList[];
  /** The calendar of holidays. Undefined: the policy names none. */
  readonly calendar: DayCalendar | undefined;
  /** What may leave the lists of the police, and lists of numbers shut down. */
  readonly releases: readonly LoadedReleases[];
  readonly plans: readonly TrunkPlan[];
  readonly lines: readonly PolicyLine[];
  readonly revision: PolicyRevision;
}

/** Result of reading a policy that another thread compiles. */
export type ReadPolicy = Omit<LoadedPolicy, "policy">;

/**
 * Reads, validates and compiles a policy and the lists it names. Pure: the only input is what
 * `readFile` gives.
 *
 * @param path path of `policy.yaml`
 * @param listeners canonical listener ids of `sigwall.yaml`; undefined: `match.listener` is not
 * checked
 * @param engine engine whose limits the policy is checked against
 * @param memory lists that need not be read again. Left out: all are read
 */
export function loadPolicy(
  readFile: ReadFile,
  path: string,
  listeners?: readonly string[],
  engine?: EngineName,
  memory?: ListMemory,
): LoadedPolicy {
  const { material, issues } = readPolicy(readFile, path, listeners, engine, memory);
  const policy = material === undefined ? undefined : compilePolicy(partsOf(material));
  return { policy, issues, material };
}

/** Selects what a policy is compiled from. */
export function partsOf({ file, plans, lines, lists, revision }: PolicyMaterial): PolicyParts {
  return { file, plans, lines, lists: lists.map(summariseList), revision };
}

/** Reads and validates like {@link loadPolicy}, and compiles nothing. */
export function readPolicy(
  readFile: ReadFile,
  path: string,
  listeners?: readonly string[],
  engine: EngineName = "embedded",
  memory?: ListMemory,
): ReadPolicy {
  const content = readFile(path);
  if ("error" in content) return refused([unreadable(path, content.error)]);
  const source = readYaml(path, content.bytes);
  if (source.value === undefined) return refused(source.issues);
  const { file, issues: mistakes } = readPolicyFile(source);
  const { lists, issues: listIssues } = loadLists(file, readFile, memory);
  const days = loadDayCalendar(file, readFile);
  const { releases, issues: releaseIssues } = loadReleases(file, readFile);
  const { plans, lines, issues: planIssues } = planTrunks(file, lists, days.calendar);
  const issues = sortIssues([
    ...source.issues,
    ...mistakes,
    ...findBrokenReferences(file, listeners),
    ...findUnenforced(file),
    ...planIssues,
    ...findImpossible(file, plans, engine),
    ...findStrangeTrunks(file, lists, readFile),
    ...listIssues,
    ...days.issues,
    ...releaseIssues,
  ]);
  if (hasErrors(issues)) return refused(issues);
  return {
    issues,
    material: {
      file,
      lists,
      calendar: days.calendar,
      releases,
      plans,
      lines,
      revision: revisionOf(source, lists, days, releases),
    },
  };
}

function refused(issues: readonly ConfigIssue[]): ReadPolicy {
  return { issues: sortIssues(issues), material: undefined };
}

/**
 * Hashes the policy and its lists as written. Comments, key order and line ends make no difference.
 */
function revisionOf(
  source: Source,
  lists: readonly LoadedList[],
  { written, calendar }: LoadedCalendar,
  releases: readonly LoadedReleases[],
): string {
  const byPath = new Map(lists.map((list) => [list.written, list.read.hashes.text]));
  if (written !== undefined && calendar !== undefined) byPath.set(written, calendar.hashes.text);
  for (const file of releases) byPath.set(file.written, file.hashes.text);
  return digest(canonicalText({ policy: source.value, lists: Object.fromEntries(byPath) }));
}
