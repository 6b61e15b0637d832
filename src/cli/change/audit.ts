// `sigwall audit`: which listed numbers and special users need a look, for the regular inspection.
import { type AuditFinding, MOST_NAMED } from "../../config/audit/audit-findings.ts";
import { auditPolicy } from "../../config/audit/audit-policy.ts";
import { createUsedRows, type UsedRows } from "../../config/audit/used-rows.ts";
import { sayNumbers } from "../../config/change/number-words.ts";
import { sayAmount } from "../../domain/amount.ts";
import { createCalendar } from "../../config/lists/calendar.ts";
import type { PolicyMaterial } from "../../config/load-policy.ts";
import { suggest } from "../../config/yaml/suggestion.ts";
import type { ReadFile } from "../../config/yaml/config-files.ts";
import type { Millis } from "../../domain/time.ts";
import { eachUsedNumber } from "../../records/asking/used-numbers.ts";
import { sayFailure } from "../asking/failure-words.ts";
import { findRecords, openForAsking } from "../asking/record-places.ts";
import { readConfigured } from "./configured-policy.ts";

/** What the command was called with. */
export interface AuditOptions {
  /** Path of sigwall.yaml. */
  readonly config: string;
  /** Empty: the folder of the configuration. */
  readonly records: readonly string[];
  /** A number is unused after so many days. */
  readonly days: number;
  /** A row is about to expire so many days before. */
  readonly soon: number;
  /** A verification is overdue after so many days. Left out: as the policy says. */
  readonly verifiedWithin?: number | undefined;
  readonly lessee: string | undefined;
  readonly json: boolean;
}

export interface AuditOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly readFile: ReadFile;
  /** Unix milliseconds. */
  readonly now: Millis;
}

const CLEAN = 0;
const FOUND = 1;
const UNUSABLE = 2;
const DAY: Millis = 86_400_000;

/**
 * Runs `sigwall audit`.
 *
 * @returns resolves with the exit code: 0 nothing found; 1 findings; 2 when the policy or the records can't be read
 */
export async function audit(options: AuditOptions, output: AuditOutput): Promise<number> {
  const { stdout, stderr, readFile, now } = output;
  const fail = (message: string): number => {
    stderr.write(`sigwall audit: ${message}\n`);
    return UNUSABLE;
  };
  const read = readConfigured(readFile, options.config);
  if (typeof read === "string") return fail(read);
  const { material } = read;
  const { lessee } = options;
  if (lessee !== undefined && !material.file.lessees.some(({ value }) => value.id === lessee))
    return fail(
      `${material.file.source.file} has no lessee "${lessee}"${suggest(
        lessee,
        material.file.lessees.map(({ value }) => value.id),
      )}`,
    );
  let use: Use;
  try {
    use = await findUse(options, material, output);
  } catch (error) {
    return fail(sayFailure(error));
  }
  const { used, isWhole } = use;
  const { days: unusedDays, soon: soonDays, verifiedWithin } = options;
  const question = { now, unusedDays, soonDays, verifiedWithin, lessee, used, isWhole };
  const { findings, notes } = auditPolicy(material, readFile, question);
  const all = [...use.notes, ...notes];
  stdout.write(
    options.json
      ? [...findings.map(toJson), ...all.map((note) => JSON.stringify({ note }))]
          .map((line) => `${line}\n`)
          .join("")
      : describe(material, findings, all, options),
  );
  return findings.length === 0 ? CLEAN : FOUND;
}

interface Use {
  readonly used: UsedRows | undefined;
  readonly isWhole: boolean;
  readonly notes: readonly string[];
}

function unknown(why: string): Use {
  return { used: undefined, isWhole: false, notes: [`not judged: unused, expiring-in-use: ${why}`] };
}

/** Finds what was used. What the records do not hold is never taken for "not used". Throws when they can't be read. */
async function findUse(
  { config, records, days }: AuditOptions,
  material: PolicyMaterial,
  { readFile, now }: AuditOutput,
): Promise<Use> {
  const place = findRecords({ config, records }, readFile);
  if (typeof place === "string") {
    // Folders that were asked for must be there.
    if (records.length > 0) throw new Error(place);
    return unknown(place);
  }
  const opened = await openForAsking();
  const database = typeof opened === "string" ? undefined : opened;
  try {
    const used = createUsedRows(material.lists, now);
    const from = now - days * DAY;
    const folders = { folders: place.folders, database };
    const found = await eachUsedNumber(folders, from, now, ({ lessee, number }) => used.note(lessee, number));
    if (found.reach === undefined) return unknown(`there are no records in ${place.folders.join(", ")}`);
    if (found.leftOut > 0 && typeof opened === "string")
      return unknown(`${found.leftOut} sealed hours can't be read: ${opened}`);
    const since = createCalendar(material.file.timeZone).formatTime(found.reach);
    const reached = `the records reach back to ${since}`;
    const whole = Math.floor((now - found.reach) / DAY);
    const notes: string[] = [];
    if (found.damages.length > 0)
      notes.push("not judged: unused: a part of the records can't be read", ...found.damages);
    else if (found.reach > from)
      notes.push(
        `not judged: unused: ${reached}, not over ${days} days${whole > 0 ? `; --days ${whole} judges what they hold` : ""}`,
      );
    else notes.push(`${reached}; used means: called on a trunk of the lessee in the last ${days} days`);
    return { used, isWhole: found.damages.length === 0 && found.reach <= from, notes };
  } finally {
    database?.close();
  }
}

function toJson({ kind, lessee, ...rest }: AuditFinding): string {
  return JSON.stringify({ finding: kind, lessee, ...rest });
}

function describe(
  { file, revision }: PolicyMaterial,
  findings: readonly AuditFinding[],
  notes: readonly string[],
  { days, soon }: AuditOptions,
): string {
  const titles: Readonly<Record<AuditFinding["kind"], string>> = {
    "overdue-verification": "verification overdue",
    expired: "expired",
    "expiring-in-use": `in use, expires within ${soon} days`,
    unused: `unused for ${days} days`,
    "over-quota": "over quota",
    "other-area": "number of another area",
    "no-contract": "without contract",
    "no-approver": "without approver",
  };
  const rows = findings.map(({ kind, lessee, rows: count, numbers, prefixes = 0, first }) => {
    const amount = `${sayAmount(count, "row")}, ${sayNumbers(numbers, prefixes)}`;
    const places = first.map(({ file: path, line, what }) => `${path}:${line} ${what}`);
    if (count > MOST_NAMED && kind !== "over-quota") places.push("…");
    return [lessee || "–", titles[kind], amount, places.join("; ")] as const;
  });
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => (row[column] ?? "").length)));
  const lines = [
    `${file.source.file}, revision ${revision}`,
    ...rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")),
    findings.length === 0
      ? "nothing found"
      : `${findings.length} ${findings.length === 1 ? "finding" : "findings"}`,
    ...notes.map((note) => `note: ${note}`),
  ];
  return `${lines.join("\n")}\n`;
}
