// Finds the policy that was in force at a moment.
import type { Millis } from "../../domain/time.ts";
import type { ReadFile } from "../../config/yaml/config-files.ts";
import { askRecords, type RecordPlace } from "../../records/asking/ask-records.ts";
import { keptAt, lastInForce, listKept } from "../../records/policies/kept-policy.ts";
import { type RecalledPolicy, recallPolicy } from "../../records/policies/policy-recall.ts";
import {
  createClock,
  findRecords,
  openForAsking,
  type PlaceOptions,
  type RecordsPlace,
} from "./record-places.ts";
import { readSpan, timeForms } from "./spoken-times.ts";

/** A policy that was in force, and when. Texts are for people. */
export interface PolicyThen {
  readonly recalled: RecalledPolicy;
  readonly at: { readonly moment: Millis; readonly text: string };
  readonly since: string;
}

/** Why there is none, and the exit code. */
export interface NoPolicy {
  readonly fault: string;
  readonly code: 1 | 2;
}

/** Finds the policy that was in force at `text`, a time as on the command line. */
export async function findPolicyAt(
  options: PlaceOptions,
  text: string,
  readFile: ReadFile,
  now: Millis,
): Promise<PolicyThen | NoPolicy> {
  const place = findRecords(options, readFile);
  if (typeof place === "string") return { fault: place, code: 1 };
  const span = readSpan(text, place.timeZone, now);
  if (span === undefined) return { fault: `--at "${text}" is no time; expected ${timeForms}`, code: 2 };
  const clock = createClock(place.timeZone);
  const moment = clock(new Date(span.from).toISOString());
  const found = await findRevision(place, span.from);
  if (found === undefined)
    return {
      fault: `no policy is known that was in force at ${moment}: neither records nor ${place.policies.join(", ") || "kept policies"} go back so far`,
      code: 1,
    };
  const recalled = recallFrom(place.policies, found.revision);
  if (typeof recalled === "string") return { fault: recalled, code: 1 };
  const since = clock(new Date(found.since).toISOString());
  return { recalled, at: { moment: span.from, text: moment }, since };
}

/** Loads a policy from the first folder that keeps it. */
export function recallFrom(policies: readonly string[], revision: string): RecalledPolicy | string {
  let why = `the policy of revision ${revision} is not kept: there is no folder \`policies\` beside the records`;
  for (const folder of policies) {
    const recalled = recallPolicy(folder, revision);
    if (typeof recalled !== "string") return recalled;
    why = recalled;
  }
  return why;
}

/** By the `policy` lines of records; where they say nothing, by the times that are kept with the policies. */
async function findRevision(
  { folders, policies }: RecordsPlace,
  at: Millis,
): Promise<{ readonly revision: string; readonly since: Millis } | undefined> {
  const opened = await openForAsking();
  const database = typeof opened === "string" ? undefined : opened;
  try {
    const place: RecordPlace = { folders, database };
    const { items } = await askRecords(place, { kinds: ["policy"], to: at + 1 }, 1);
    const [line] = items;
    const kept = policies
      .map((folder) => keptAt(listKept(folder), at))
      .find((policy) => policy !== undefined);
    const since = kept === undefined ? undefined : lastInForce(kept, at);
    const revision = line?.["revision"];
    if (
      line !== undefined &&
      typeof revision === "string" &&
      !(since !== undefined && since > Date.parse(line.time))
    )
      return { revision, since: Date.parse(line.time) };
    return kept === undefined || since === undefined ? undefined : { revision: kept.revision, since };
  } finally {
    database?.close();
  }
}
