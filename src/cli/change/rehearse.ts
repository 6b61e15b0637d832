// `sigwall rehearse`: which recorded verdicts would be others under a new policy.
import type { ReadFile } from "../../config/yaml/config-files.ts";
import { partsOf } from "../../config/load-policy.ts";
import { compilePolicy } from "../../config/policy/build-policy.ts";
import type { Millis } from "../../domain/time.ts";
import type { Policy } from "../../policy/policy.ts";
import { eachAttempt } from "../../records/asking/lines-in-order.ts";
import { recallPolicy } from "../../records/policies/policy-recall.ts";
import type { Rehearsed } from "../../replay/rehearsing/change-tally.ts";
import { createRehearsal } from "../../replay/rehearsing/rehearsal.ts";
import { findRecords, openForAsking, type RecordsPlace } from "../asking/record-places.ts";
import { readSpan, timeForms } from "../asking/spoken-times.ts";
import { readConfigured } from "./configured-policy.ts";

/** What the command was called with. */
export interface RehearseOptions {
  /** The configuration that is to come. */
  readonly config: string;
  /** Left out: those of the configuration. */
  readonly records: readonly string[];
  readonly since: string;
  readonly until: string | undefined;
  /** More changes than these: exit code 1. */
  readonly maxChanges: number | undefined;
  /** So many ways in which verdicts change are told, the most frequent ones. Undefined: as many as there is room for. */
  readonly most?: number | undefined;
  /** Limits, detectors and quarantine run too. */
  readonly counts: boolean;
  readonly json: boolean;
}

export interface RehearseOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly readFile: ReadFile;
  readonly now: Millis;
}

const DONE = 0;
const TOO_MANY = 1;
const UNUSABLE = 2;

/**
 * Judges the recorded attempts of a span of time by the new policy.
 *
 * @returns resolves with the exit code: 0; 1 above `maxChanges`; 2 when the policy or the records can't be read
 */
export async function rehearse(options: RehearseOptions, output: RehearseOutput): Promise<number> {
  const fail = (message: string): number => {
    output.stderr.write(`sigwall rehearse: ${message}\n`);
    return UNUSABLE;
  };
  const read = readConfigured(output.readFile, options.config, {
    name: "the new policy",
    withWarnings: true,
  });
  if (typeof read === "string") return fail(read);
  const policy = compilePolicy(partsOf(read.material));
  const place = findRecords({ config: options.config, records: options.records }, output.readFile);
  if (typeof place === "string") return fail(place);
  const from = readSpan(options.since, place.timeZone, output.now)?.from;
  const to =
    options.until === undefined ? output.now : readSpan(options.until, place.timeZone, output.now)?.to;
  if (from === undefined || to === undefined) return fail(`expected a time like ${timeForms}`);
  const opened = await openForAsking();
  const database = typeof opened === "string" ? undefined : opened;
  try {
    const rehearsal = createRehearsal(policy, createRecall(place), options.counts);
    const kinds = options.counts ? (["decided", "ended"] as const) : (["decided"] as const);
    const unseen = await eachAttempt(place.folders, database, { kinds, from, to }, (line, at) =>
      rehearsal.take(line, at),
    );
    if (unseen.leftOut > 0 && typeof opened === "string")
      return fail(`${unseen.leftOut} sealed hours can't be read: ${opened}`);
    for (const damage of unseen.damages) output.stderr.write(`sigwall rehearse: ${damage}\n`);
    const result = rehearsal.result();
    const { most } = options;
    const told = { revision: policy.revision, ...result, changes: result.changes.slice(0, most) };
    output.stdout.write(options.json ? `${JSON.stringify(told)}\n` : describe(result, most ?? MOST_SHOWN));
    const isAbove = options.maxChanges !== undefined && result.changed > options.maxChanges;
    if (isAbove)
      output.stderr.write(
        `sigwall rehearse: ${result.changed} verdicts would change, more than ${options.maxChanges}\n`,
      );
    return isAbove ? TOO_MANY : DONE;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  } finally {
    database?.close();
  }
}

/** So many policies of then are held at once: a month has some dozens. */
const MOST_RECALLED = 16;

function createRecall({ policies }: RecordsPlace): (revision: string) => Policy | undefined {
  const known = new Map<string, Policy | undefined>();
  return (revision) => {
    if (known.has(revision)) return known.get(revision);
    if (known.size >= MOST_RECALLED) known.clear();
    let found: Policy | undefined;
    for (const folder of policies) {
      const recalled = recallPolicy(folder, revision);
      if (typeof recalled !== "string") found ??= recalled.policy;
    }
    known.set(revision, found);
    return found;
  };
}

const MOST_SHOWN = 50;

function describe(
  { attempts, same, changed, changes, unjudged, unheld, held, findings }: Rehearsed,
  most: number,
): string {
  const lines = [`${attempts} attempts: ${same} with the same verdict, ${changed} with another one`];
  for (const { trunk, lessee, before, after, rule, count, ids } of changes.slice(0, most)) {
    const whom = lessee === "" ? trunk : `${trunk} (${lessee})`;
    lines.push(
      `  ${count} × ${whom}: ${before} → ${after}, by ${rule}: ${ids.join(", ")}${count > ids.length ? ", …" : ""}`,
    );
  }
  if (changes.length > most) lines.push(`  and ${changes.length - most} more kinds; --json has all`);
  const left = unjudged.reduce((sum, { count }) => sum + count, 0);
  if (left > 0) lines.push(`${left} could not be judged anew, which does not mean "no change":`);
  for (const { why, count } of unjudged) lines.push(`  ${count} × ${why}`);
  for (const { rule, what, count } of unheld)
    lines.push(`${count} were judged without what the rule ${rule} reads: ${what}`);
  if (held.length > 0) lines.push(`the records held all that these rules read: ${held.join(", ")}`);
  const found = new Map<string, number>();
  for (const { detector } of findings) found.set(detector, (found.get(detector) ?? 0) + 1);
  for (const [detector, count] of found) lines.push(`${count} findings of ${detector}; --json names them`);
  return `${lines.join("\n")}\n`;
}
