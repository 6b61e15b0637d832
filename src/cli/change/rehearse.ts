// `sigwall rehearse`: which recorded verdicts would be others under a new policy.
import type { ReadFile } from "../../config/yaml/config-files.ts";
import { partsOf } from "../../config/load-policy.ts";
import { compilePolicy } from "../../config/policy/build-policy.ts";
import type { Millis } from "../../domain/time.ts";
import type { Policy } from "../../policy/policy.ts";
import { eachAttempt } from "../../records/asking/lines-in-order.ts";
import { createRehearsal } from "../../replay/rehearsing/rehearsal.ts";
import { sayFailure } from "../asking/failure-words.ts";
import { recallFrom } from "../asking/policy-at.ts";
import { findRecords, openForAsking, type RecordsPlace } from "../asking/record-places.ts";
import { readSpan, timeForms } from "../asking/spoken-times.ts";
import { readConfigured } from "./configured-policy.ts";
import { tellRehearsal, type TellingOptions, type TellingOutput } from "./rehearsal-words.ts";

/** What the command was called with. */
export interface RehearseOptions extends TellingOptions {
  /** The configuration that is to come. */
  readonly config: string;
  /** Left out: those of the configuration. */
  readonly records: readonly string[];
  readonly since: string;
  readonly until: string | undefined;
  /** Limits, detectors and quarantine run too. */
  readonly counts: boolean;
}

export interface RehearseOutput extends TellingOutput {
  readonly readFile: ReadFile;
  readonly now: Millis;
}

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
  if (from === undefined) return fail(`--since "${options.since}" is no time; expected ${timeForms}`);
  if (to === undefined) return fail(`--until "${options.until ?? ""}" is no time; expected ${timeForms}`);
  if (from >= to) return fail(`--since "${options.since}" is not before --until "${options.until ?? "now"}"`);
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
    return tellRehearsal({ result: rehearsal.result(), revision: policy.revision }, options, output);
  } catch (error) {
    return fail(sayFailure(error));
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
    const recalled = recallFrom(policies, revision);
    const found = typeof recalled === "string" ? undefined : recalled.policy;
    known.set(revision, found);
    return found;
  };
}
