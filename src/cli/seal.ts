// `sigwall seal`: turns closed hours of records into Parquet.
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "../domain/time.ts";
import { lockFile } from "../records/sealed/folder-lock.ts";
import type { ReadFile } from "../config/yaml/config-files.ts";
import { describeFailure } from "../app/read-file.ts";
import { cleanUpPolicies, findOldPolicies } from "../records/policies/policy-clean-up.ts";
import { findReferred } from "../records/policies/referred-revisions.ts";
import { spansOf } from "../records/policies/revisions-in-force.ts";
import { findNamedRevisions } from "../records/evidence/block-revisions.ts";
import { listKept } from "../records/policies/kept-policy.ts";
import { type Database, openDatabase } from "../records/sealed/duckdb.ts";
import { type SealOutcome, sealFolder } from "../records/sealed/seal-folder.ts";
import type { SealStep } from "../records/sealed/seal-hour.ts";
import { exitOf, findRecords, type PlaceOptions, type RecordsPlace } from "./asking/record-places.ts";

/** What the command may use. `now`: Unix milliseconds. */
export interface SealOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly readFile: ReadFile;
  readonly now: Millis;
  /** Told after each step, for tests. */
  readonly after?: (step: SealStep) => void;
}

/** Memory of the database, in units of 1000² octets. The process has some 300 more. */
const MEGABYTES = 500;

/**
 * Seals every closed hour of the records folders.
 *
 * @returns resolves with the exit code: 0; 1 when an hour could not be sealed, another process seals, or DuckDB is missing
 */
export async function sealRecords(options: PlaceOptions, output: SealOutput): Promise<number> {
  const { stdout, stderr } = output;
  const fail = (message: string): number => {
    stderr.write(`sigwall seal: ${message}\n`);
    return 1;
  };
  const place = findRecords(options, output.readFile);
  if (typeof place === "string") {
    fail(place);
    return exitOf(place);
  }
  let code = 0;
  let told = 0;
  for (const folder of place.folders) {
    const why = await sealOne(folder, place, output, (outcome) => {
      told++;
      if (outcome.kind === "failed") code = fail(describe(outcome));
      else stdout.write(`${describe(outcome)}\n`);
    });
    if (why !== undefined) code = fail(why);
  }
  if (told === 0 && code === 0)
    stdout.write(
      "nothing to seal: no hour is closed that was not sealed before (an hour closes five minutes after its end)\n",
    );
  return code;
}

/** @returns resolves with what keeps the folder from being sealed; undefined: nothing */
async function sealOne(
  folder: string,
  place: RecordsPlace,
  output: SealOutput,
  told: (outcome: SealOutcome) => void,
): Promise<string | undefined> {
  let lock: ReturnType<typeof lockFile>;
  try {
    lock = lockFile(join(folder, "seal.lock"));
  } catch (error) {
    return `${folder} can't be sealed: ${describeFailure(error)}`;
  }
  if (typeof lock === "string") return `${folder} is being sealed by ${lock}; nothing was done here`;
  const spillFolder = join(folder, "seal.spill");
  let database: Database | undefined;
  try {
    const opened = await openDatabase({ megabytes: MEGABYTES, threads: 1, spillFolder });
    if (typeof opened === "string") return opened;
    database = opened;
    let isDayOver = false;
    const parts = {
      database,
      records: folder,
      ...(output.after === undefined ? {} : { after: output.after }),
    };
    await sealFolder(parts, output.now, (outcome) => {
      // Once a day is enough.
      isDayOver ||= outcome.kind === "sealed" && outcome.hour.stem.startsWith("00-");
      told(outcome);
    });
    // Blocks of evidence refer to policies too: without the configuration nobody knows where they are.
    if (isDayOver && place.config !== undefined) await removeOldPolicies(database, place, output);
    return undefined;
  } catch (error) {
    return `${folder} can't be sealed: ${describeFailure(error)}`;
  } finally {
    database?.close();
    rmSync(spillFolder, { recursive: true, force: true });
    lock.release();
  }
}

async function removeOldPolicies(
  database: Database,
  { folders, policies, evidence }: RecordsPlace,
  { stdout, stderr, now }: SealOutput,
): Promise<void> {
  for (const folder of policies) {
    const old = findOldPolicies(folder, now);
    const referred = new Set<string>();
    const names = old.map(({ revision }) => revision);
    if (names.length === 0) continue;
    for (const records of folders)
      for (const revision of await findReferred(database, records, names)) referred.add(revision);
    const left = old.filter(({ revision }) => !referred.has(revision));
    if (evidence !== undefined && left.length > 0) {
      const { found, unread } =
        evidence.folder === undefined
          ? { found: new Set<string>(), unread: ["`evidence` names no folder"] }
          : findNamedRevisions(evidence.folder, spansOf(left, listKept(folder), now));
      for (const revision of found) referred.add(revision);
      if (unread.length > 0) {
        stderr.write(
          `sigwall seal: ${left.length - found.size} old policies stay, as evidence may refer to them: ${unread.join("; ")}\n`,
        );
        continue;
      }
    }
    const gone = cleanUpPolicies(folder, referred, now);
    if (gone.length > 0)
      stdout.write(
        `removed ${gone.length} policies that no record and no evidence refers to: ${gone.join(", ")}\n`,
      );
  }
}

function describe(outcome: SealOutcome): string {
  const { hour } = outcome;
  const name = `${hour.day} ${hour.stem}`;
  if (outcome.kind === "failed") return `${name} could not be sealed: ${outcome.why}`;
  if (outcome.kind === "finished") return `${name} had been sealed; its lines were removed`;
  const { rows, superfluous, bad } = outcome;
  return [
    `${name} sealed: ${rows.attempts} attempts, ${rows.endings} endings, ${rows.others} others`,
    ...(superfluous > 0 ? [`${superfluous} ends of calls with another end left out`] : []),
    ...(bad > 0 ? [`${bad} lines that can't be read in ${hour.stem}.bad`] : []),
  ].join("; ");
}
