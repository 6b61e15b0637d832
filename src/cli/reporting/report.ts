// `sigwall report`: the monthly report out of the records, as a page, as CSV or as JSON.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createCalendar } from "../../config/lists/calendar.ts";
import { type ReadFile, resolvePath } from "../../config/yaml/config-files.ts";
import { valueAt } from "../../config/yaml/schema-issues.ts";
import { readPolicyFile } from "../../config/policy/policy-file.ts";
import { readYaml } from "../../config/yaml/yaml-source.ts";
import type { Millis } from "../../domain/time.ts";
import { type MonthlyFigure, readMonthlyFigures } from "../../intake/monthly-figures.ts";
import { readTextTable } from "../../intake/text-table.ts";
import { keptAt, listKept } from "../../records/policies/kept-policy.ts";
import { readKeptFiles } from "../../records/policies/policy-recall.ts";
import { countMonth, type MonthCounts } from "../../records/reporting/month-counts.ts";
import type { Database } from "../../records/sealed/duckdb.ts";
import {
  buildReport,
  type Dimension,
  type LesseePlace,
  type MonthReport,
  type TrunkPlace,
} from "../../reports/month-report.ts";
import { writeReportCsv } from "../../reports/report-csv.ts";
import { writeReportHtml } from "../../reports/report-html.ts";
import type { Language } from "../../reports/report-words.ts";
import { findRecords, openForAsking, type PlaceOptions, type RecordsPlace } from "../asking/record-places.ts";
import { readSpan, type Span } from "../asking/spoken-times.ts";

/** What the command was called with. */
export interface ReportOptions extends PlaceOptions {
  /** `2026-11`. */
  readonly month: string;
  /** Left out: by everything. */
  readonly by: readonly Dimension[];
  readonly format: "html" | "csv" | "json";
  readonly language: Language;
  /** Files that `import --kind monthly` has written; empty: the folder `monthly` beside the configuration. */
  readonly monthly: readonly string[];
}

export interface ReportOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly readFile: ReadFile;
}

const DONE = 0;
const FAILED = 1;
const UNUSABLE = 2;

/**
 * Prints the report of a month. The same records, policies and imports give the same octets, whenever it is asked for.
 *
 * @returns resolves with the exit code: 0; 1 when the records can't be read; 2 for wrong usage
 */
export async function reportMonth(options: ReportOptions, output: ReportOutput): Promise<number> {
  const fail = (code: number, message: string): number => {
    output.stderr.write(`sigwall report: ${message}\n`);
    return code;
  };
  const place = findRecords(options, output.readFile);
  if (typeof place === "string") return fail(FAILED, place);
  const span = monthSpan(options.month, place.timeZone);
  if (span === undefined) return fail(UNUSABLE, `--month ${options.month}: expected a month like 2026-11`);
  const imported = readImports(options, place, output.readFile);
  if (typeof imported === "string") return fail(FAILED, imported);
  const opened = await openForAsking();
  const database = typeof opened === "string" ? undefined : opened;
  try {
    const { report, notes } = await makeReport(options, { place, span, imported, database }, output.readFile);
    if (typeof opened === "string" && notes.leftOut > 0)
      return fail(FAILED, `${notes.leftOut} sealed hours can't be read: ${opened}`);
    for (const damage of notes.damages) output.stderr.write(`sigwall report: ${damage}\n`);
    output.stdout.write(writeReport(report, options));
    return DONE;
  } catch (error) {
    return fail(FAILED, error instanceof Error ? error.message : String(error));
  } finally {
    database?.close();
  }
}

function writeReport(report: MonthReport, { format, language }: ReportOptions): string {
  if (format === "json") return `${JSON.stringify(report, undefined, 2)}\n`;
  return format === "csv" ? writeReportCsv(report, language) : writeReportHtml(report, language);
}

interface Given {
  readonly place: RecordsPlace;
  readonly span: Span;
  readonly imported: readonly MonthlyFigure[];
  readonly database: Database | undefined;
}

async function makeReport(
  { month, by }: ReportOptions,
  { place, span, imported, database }: Given,
  readFile: ReadFile,
): Promise<{ readonly report: MonthReport; readonly notes: MonthCounts }> {
  const previous = monthBefore(month);
  const spanBefore = monthSpan(previous, place.timeZone) ?? span;
  const counts = await countMonth(place.folders, database, span.from, span.to);
  const before = await countMonth(place.folders, database, spanBefore.from, span.from);
  const calendar = createCalendar(place.timeZone);
  const report = buildReport({
    month,
    timeZone: place.timeZone,
    ...span,
    counts,
    before: before.attempts.length === 0 && before.notes.length === 0 ? undefined : before,
    ...readPlaces(place, span.to, readFile),
    imported: imported.filter((figure) => figure.month === month),
    importedBefore: imported.filter((figure) => figure.month === previous),
    dayOf: (at) => calendar.formatDay(at),
  });
  const breakdowns =
    by.length === 0 ? report.breakdowns : report.breakdowns.filter(({ dimension }) => by.includes(dimension));
  return { report: { ...report, breakdowns }, notes: counts };
}

function monthSpan(month: string, timeZone: string): Span | undefined {
  return /^\d{4}-\d{2}$/u.test(month) ? readSpan(month, timeZone, 0) : undefined;
}

function monthBefore(month: string): string {
  const [year = 0, number = 0] = month.split("-").map(Number);
  return new Date(Date.UTC(year, number - 2, 1)).toISOString().slice(0, 7);
}

/**
 * What trunks and lessees are called, and where they are: by the policy that was in force at the end of the month, else by
 * that of today.
 */
function readPlaces(
  { policies, config }: RecordsPlace,
  until: Millis,
  readFile: ReadFile,
): { readonly trunks: ReadonlyMap<string, TrunkPlace>; readonly lessees: ReadonlyMap<string, LesseePlace> } {
  for (const folder of policies) {
    const kept = keptAt(listKept(folder), until - 1);
    if (kept !== undefined) return placesIn(kept.policy, readKeptFiles(folder, kept));
  }
  const content = config === undefined ? { error: "" } : readFile(config);
  const policy =
    config === undefined || "error" in content
      ? undefined
      : valueAt(readYaml(config, content.bytes).value, ["policy"]);
  return config !== undefined && typeof policy === "string"
    ? placesIn(resolvePath(config, policy), readFile)
    : { trunks: new Map(), lessees: new Map() };
}

function placesIn(path: string, readFile: ReadFile): ReturnType<typeof readPlaces> {
  const content = readFile(path);
  if ("error" in content) return { trunks: new Map(), lessees: new Map() };
  const { file } = readPolicyFile(readYaml(path, content.bytes));
  return {
    trunks: new Map(file.trunks.map(({ value: { id, side, area } }) => [id, { side, ...area }])),
    lessees: new Map(file.lessees.map(({ value: { id, name, owner } }) => [id, { name, owner }])),
  };
}

/** @returns a string that says which file can't be read */
function readImports(
  { monthly }: ReportOptions,
  { config }: RecordsPlace,
  readFile: ReadFile,
): readonly MonthlyFigure[] | string {
  const folder = config === undefined ? undefined : join(dirname(config), "monthly");
  const beside =
    folder !== undefined && existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => name.endsWith(".csv"))
          .toSorted()
          .map((name) => join(folder, name))
      : [];
  const figures: MonthlyFigure[] = [];
  for (const path of monthly.length > 0 ? monthly : beside) {
    const content = readFile(path);
    if ("error" in content) return `can't read ${path}: ${content.error}`;
    const reading = readTextTable(content.bytes);
    const read = "error" in reading ? reading : readMonthlyFigures(reading.table);
    if ("error" in read) return `${path}: ${read.error}`;
    const [issue] = read.issues;
    if (issue !== undefined) return `${path}:${issue.place}: ${issue.message}`;
    figures.push(...read.figures);
  }
  return figures;
}
