// `sigwall report`: the monthly report out of the records, as a page, as CSV or as JSON.
import type { ReadFile } from "../../config/yaml/config-files.ts";
import { readPolicyFile } from "../../config/policy/policy-file.ts";
import { readYaml } from "../../config/yaml/yaml-source.ts";
import type { Millis } from "../../domain/time.ts";
import type { MonthlyFigure } from "../../intake/monthly-figures.ts";
import { lastInForce, listKept } from "../../records/policies/kept-policy.ts";
import { readKeptFiles } from "../../records/policies/policy-recall.ts";
import { countMonth, hasRecords, type MonthCounts } from "../../records/reporting/month-counts.ts";
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
import { sayFailure } from "../asking/failure-words.ts";
import { noteAccess } from "../asking/access-note.ts";
import {
  exitOf,
  findRecords,
  openForAsking,
  type PlaceOptions,
  type RecordsPlace,
} from "../asking/record-places.ts";
import { readSpan, type Span, timeForms } from "../asking/spoken-times.ts";
import {
  findTwice,
  findUnequalTotal,
  listMonthly,
  monthlyFolder,
  type PlacedFigure,
  readMonthlyFile,
} from "../intake/monthly-files.ts";

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
  /** Who reports, as the page says it. */
  readonly unit?: string | undefined;
  /** When the report is made, as people write times. Left out: the report does not say it. */
  readonly madeAt?: string | undefined;
}

export interface ReportOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly readFile: ReadFile;
  /** Unix milliseconds. A month that is over is the same whenever it is asked for. */
  readonly now: Millis;
  /** Who asks, for an `access` line in the records; undefined: none is written. */
  readonly access?: { readonly user: string; readonly host: string };
}

/** So many spans without a record are told on standard error; the report has all. */
const MOST_TOLD = 5;
const DONE = 0;
const FAILED = 1;
const UNUSABLE = 2;

/**
 * Prints the report of a month. The same records, policies and imports give the same octets of a month that is over,
 * whenever it is asked for.
 *
 * @returns resolves with the exit code: 0; 1 when the records can't be read; 2 for wrong usage, and for figures that can't
 * be read or stand twice
 */
export async function reportMonth(options: ReportOptions, output: ReportOutput): Promise<number> {
  const fail = (code: number, message: string): number => {
    output.stderr.write(`sigwall report: ${message}\n`);
    return code;
  };
  const place = findRecords(options, output.readFile);
  if (typeof place === "string") return fail(exitOf(place), place);
  const span = monthSpan(options.month, place.timeZone);
  if (span === undefined) return fail(UNUSABLE, `--month ${options.month}: expected a month like 2026-11`);
  const begun = findPresent(span, output.now);
  if (begun === "future")
    return fail(UNUSABLE, `--month ${options.month}: this month has not begun; there is nothing to report`);
  const madeAt =
    options.madeAt === undefined ? undefined : readSpan(options.madeAt, place.timeZone, output.now);
  if (options.madeAt !== undefined && madeAt === undefined)
    return fail(UNUSABLE, `--made-at "${options.madeAt}" is no time; expected ${timeForms}`);
  const imported = readImports(options, place, output);
  if (typeof imported === "string") return fail(UNUSABLE, imported);
  const opened = await openForAsking();
  const database = typeof opened === "string" ? undefined : opened;
  try {
    const { report, notes } = await makeReport(
      options,
      { place, span, imported, database, until: begun, madeAt: madeAt?.from },
      output.readFile,
    );
    if (typeof opened === "string" && notes.leftOut > 0)
      return fail(FAILED, `${notes.leftOut} sealed hours can't be read: ${opened}`);
    for (const damage of notes.damages) output.stderr.write(`sigwall report: ${damage}\n`);
    for (const note of describeMissing(report)) output.stderr.write(`sigwall report: ${note}\n`);
    output.stdout.write(writeReport(report, options));
    noteReport(options, place.folders, output);
    return DONE;
  } catch (error) {
    return fail(FAILED, sayFailure(error));
  } finally {
    database?.close();
  }
}

/** What may make the figures too low, in words. */
function describeMissing({ completeness, month }: MonthReport): readonly string[] {
  const { isWhole, silent, hasRecords: has } = completeness;
  if (!has) return [`there are no records of ${month}: heads 1 and 2 have no figures, which is not 0`];
  return [
    ...(isWhole ? [] : ["records are missing, so figures may be too low; the report says which"]),
    ...silent
      .slice(0, MOST_TOLD)
      .map(
        ({ node, from, to, hours }) =>
          `${node === "" ? "no node" : `node ${node}`} has ${node === "" ? "a" : "no"} record from ${from} to ${to} (${hours} h)`,
      ),
    ...(silent.length > MOST_TOLD ? [`… and in ${silent.length - MOST_TOLD} more spans`] : []),
  ];
}

function noteReport(
  { month, format }: ReportOptions,
  folders: readonly string[],
  { access, stderr, now }: ReportOutput,
): void {
  if (access === undefined) return;
  const note = { command: "report", ...access, found: 1, asked: { month, format } };
  for (const failure of noteAccess(folders, note, now)) stderr.write(`sigwall report: ${failure}\n`);
}

function writeReport(report: MonthReport, { format, language }: ReportOptions): string {
  if (format === "json") return `${JSON.stringify(report, nullWhereUnknown, 2)}\n`;
  return format === "csv" ? writeReportCsv(report, language) : writeReportHtml(report, language);
}

/** Figures that nobody knows are null: a program that finds none would take it for 0. */
function nullWhereUnknown(key: string, value: unknown): unknown {
  return value === undefined && /^(?:count|attempts|refused|notCounted)$/u.test(key) ? null : value;
}

interface Given {
  readonly place: RecordsPlace;
  readonly span: Span;
  readonly imported: readonly MonthlyFigure[];
  readonly database: Database | undefined;
  /** The month is not over: until when there may be records. Undefined: it is over. */
  readonly until: Millis | undefined;
  readonly madeAt: Millis | undefined;
}

/** @returns the present moment within a month that is not over; undefined: it is over */
function findPresent({ from, to }: Span, now: Millis): Millis | "future" | undefined {
  return now < from ? "future" : now < to ? now : undefined;
}

async function makeReport(
  { month, by, unit }: ReportOptions,
  { place, span, imported, database, until, madeAt }: Given,
  readFile: ReadFile,
): Promise<{ readonly report: MonthReport; readonly notes: MonthCounts }> {
  const previous = monthBefore(month);
  const spanBefore = monthSpan(previous, place.timeZone) ?? span;
  const counts = await countMonth(place.folders, database, { ...span, since: spanBefore.from, until });
  const before = await countMonth(place.folders, database, { from: spanBefore.from, to: span.from });
  const report = buildReport({
    month,
    timeZone: place.timeZone,
    ...span,
    until,
    unit,
    madeAt,
    counts,
    before: hasRecords(before) ? before : undefined,
    ...readPlaces(place, span.to, new Set(counts.attempts.map(({ trunk }) => trunk)), readFile),
    imported: imported.filter((figure) => figure.month === month),
    importedBefore: imported.filter((figure) => figure.month === previous),
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

interface Places {
  readonly trunks: ReadonlyMap<string, TrunkPlace>;
  readonly lessees: ReadonlyMap<string, LesseePlace>;
}

const nowhere: Places = { trunks: new Map(), lessees: new Map() };

/** So many policies are read for trunks that those after them have no more. */
const MOST_POLICIES = 50;

/**
 * What trunks and lessees are called, and where they are: by the policy that was in force at the end of the month; of
 * trunks that it has no more, by earlier ones. Where none is kept, by that of today.
 */
function readPlaces(
  { policies, policy: today }: RecordsPlace,
  until: Millis,
  wanted: ReadonlySet<string>,
  readFile: ReadFile,
): Places {
  const kept = policies
    .flatMap((folder) => listKept(folder).map((policy) => ({ folder, policy })))
    .map((one) => ({ ...one, from: lastInForce(one.policy, until - 1) ?? -1 }))
    .filter(({ from }) => from >= 0)
    .toSorted((a, b) => b.from - a.from || (a.policy.revision < b.policy.revision ? -1 : 1));
  if (kept.length === 0) return today === undefined ? nowhere : placesIn(today, readFile);
  const trunks = new Map<string, TrunkPlace>();
  const lessees = new Map<string, LesseePlace>();
  for (const { folder, policy } of kept.slice(0, MOST_POLICIES)) {
    const places = placesIn(policy.policy, readKeptFiles(folder, policy));
    for (const [id, trunk] of places.trunks) if (!trunks.has(id)) trunks.set(id, trunk);
    for (const [id, lessee] of places.lessees) if (!lessees.has(id)) lessees.set(id, lessee);
    if ([...wanted].every((id) => trunks.has(id))) break;
  }
  return { trunks, lessees };
}

function placesIn(path: string, readFile: ReadFile): Places {
  const content = readFile(path);
  if ("error" in content) return nowhere;
  const { file } = readPolicyFile(readYaml(path, content.bytes));
  return {
    trunks: new Map(
      file.trunks.map(({ value: { id, side, lessee, area } }) => [id, { side, lessee, ...area }]),
    ),
    lessees: new Map(file.lessees.map(({ value: { id, name, owner } }) => [id, { name, owner }])),
  };
}

/** @returns a string that says which file can't be read, or which figure stands twice */
function readImports(
  { monthly }: ReportOptions,
  { config }: RecordsPlace,
  { readFile, stderr }: ReportOutput,
): readonly MonthlyFigure[] | string {
  const { files, ignored } =
    monthly.length > 0 || config === undefined
      ? { files: monthly, ignored: [] }
      : listMonthly(monthlyFolder(config));
  for (const path of ignored)
    stderr.write(
      `sigwall report: ${path} is not read; \`sigwall import ${path} --kind monthly --out ${path.replace(/\.[^./]+$/u, "")}.csv\` makes a CSV of it\n`,
    );
  const figures: PlacedFigure[] = [];
  for (const path of files) {
    const read = readMonthlyFile(path, readFile);
    if (typeof read === "string") return read;
    figures.push(...read);
  }
  return findTwice(figures) ?? findUnequalTotal(figures) ?? figures;
}
