// `sigwall import`: turns what a spreadsheet exports into a clean list, says what it changed, and compares it.
import { Buffer } from "node:buffer";
import { statSync } from "node:fs";
import { writeDurably } from "../../app/durable-file.ts";
import { describeFailure, readFromDisk, readGivenFile } from "../../app/read-file.ts";
import { readPolicy } from "../../config/load-policy.ts";
import { loadStatic } from "../../config/load-static.ts";
import { compareMarks } from "../../config/change/same-marks.ts";
import { describeDifference } from "../../config/change/number-words.ts";
import { sayAmount } from "../../domain/amount.ts";
import { createCalendar } from "../../config/lists/calendar.ts";
import { askedOf, type LoadedList } from "../../config/policy/list-loading.ts";
import type { PolicyFile } from "../../config/policy/policy-file.ts";
import { findStrangeTrunks } from "../../config/policy/row-trunks.ts";
import { type ConfigIssue, formatIssue, hasErrors } from "../../config/yaml/issue.ts";
import { suggest } from "../../config/yaml/suggestion.ts";
import type { CellIssue } from "../../intake/cell-issues.ts";
import { type Change, type ChangeCount, cleanList, type CleanList } from "../../intake/clean-list.ts";
import { addRows, type MetRow } from "../../intake/list-addition.ts";
import type { ListTerms } from "../../intake/listed-rows.ts";
import { placesOf, proveList, writeList } from "../../intake/list-text.ts";
import { differenceOf } from "../../numbering/lists/difference.ts";
import type { ReadList } from "../../config/lists/number-list.ts";
import { readMonthlyFigures, writeMonthlyFigures } from "../../intake/monthly-figures.ts";
import type { Table } from "../../intake/table.ts";
import { findKnown, refuseFigures, takeOutElsewhere } from "./import-figures.ts";
import { describeLoss } from "./list-replacement.ts";
import { readTable } from "./read-table.ts";

/** What the command was called with. */
export interface ImportOptions {
  /** The file of the spreadsheet; `-`: standard input. */
  readonly file: string;
  readonly sheet?: string;
  readonly config: string;
  /** The lessee, or the list of the policy, that the table is for. */
  readonly lessee?: string;
  readonly list?: string;
  /** The rows come behind those of the list that is in force. */
  readonly add?: boolean;
  /** Numbers or figures that are there may go. */
  readonly replace?: boolean;
  /** `monthly`: figures for the monthly report, and no numbers. */
  readonly kind?: "list" | "monthly";
  /** File that is written; left out: standard output. */
  readonly out?: string;
}

export interface ImportOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

const DONE = 0;
const REFUSED = 1;
const UNUSABLE = 2;
const DEFAULT_ZONE = "Asia/Shanghai";
const DEFAULT_COUNTRY = "86";

/**
 * Runs `sigwall import`. Nothing is written unless every cell could be read. The clean list goes to `out` or to standard
 * output, what is told of it to standard error.
 *
 * @returns exit code: 0 written; 1 cells that can't be taken; 2 the file or the configuration can't be read
 */
export async function importFile(options: ImportOptions, output: ImportOutput): Promise<number> {
  const say = (text: string): void => void output.stderr.write(`${text}\n`);
  const fail = (text: string, code: number): number => {
    say(`sigwall import: ${text}`);
    return code;
  };
  const content = readGivenFile(options.file === "-" ? "/dev/stdin" : options.file);
  if ("error" in content) return fail(`can't read ${options.file}: ${content.error}`, UNUSABLE);
  const target = findTarget(options);
  if ("issues" in target) {
    for (const issue of target.issues) say(formatIssue(issue));
    return fail("the configuration has errors", UNUSABLE);
  }
  if ("error" in target) return fail(target.error, UNUSABLE);
  const reading = await readTable(Buffer.from(content.bytes), options.sheet);
  if ("error" in reading) return fail(nameFile(options.file, reading.error), REFUSED);
  if (options.kind === "monthly") return importFigures(options, reading.table, say, output);
  const clean = cleanList(reading.table, target.homeCountry, target.asked);
  if ("error" in clean) return fail(nameFile(options.file, clean.error), REFUSED);

  const made = options.add === true ? addTo(target, clean) : makeWhole(target, clean);
  say(`${options.file} (${reading.table.form}): ${sayAmount(clean.rows.length, "row")} of numbers`);
  for (const change of clean.changes) say(`  ${describeChange(change)}`);
  if (!("error" in made)) for (const line of made.told) say(`  ${line}`);
  if ("error" in made) return fail(`${target.list?.file ?? ""}: ${made.error}`, REFUSED);
  const issues = [...clean.issues, ...made.issues, ...findTrunks(target, made)];
  for (const { place, message } of issues) say(`${options.file}:${place}: ${message}`);
  const left = clean.issueCount - clean.issues.length;
  if (left > 0) say(`${left} more cells that can't be taken`);
  if (issues.length > 0)
    return fail(`${sayAmount(issues.length + left, "cell")} can't be taken: nothing was written`, REFUSED);
  if (target.list !== undefined && made.read !== undefined)
    for (const line of describeAgainst(target.list, made.read)) say(`  ${line}`);
  if (options.out !== undefined && options.replace !== true && made.read !== undefined) {
    const loss = describeLoss(options.out, made.read, target, target.list !== undefined);
    if (loss !== undefined) return fail(loss, REFUSED);
  }
  return write(options, made.text, say, output);
}

function importFigures(
  options: ImportOptions,
  table: Table,
  say: (text: string) => void,
  output: ImportOutput,
): number {
  const fail = (text: string): number => {
    say(`sigwall import: ${text}`);
    return REFUSED;
  };
  const read = readMonthlyFigures(table);
  if ("error" in read) return fail(nameFile(options.file, read.error));
  for (const { place, message } of read.issues) say(`${options.file}:${place}: ${message}`);
  if (read.issueCount > read.issues.length)
    say(`${read.issueCount - read.issues.length} more cells that can't be taken`);
  if (read.issues.length > 0)
    return fail(`${sayAmount(read.issueCount, "cell")} can't be taken: nothing was written`);
  say(`${options.file} (${table.form}): ${sayAmount(read.figures.length - read.empty, "figure")}`);
  if (read.empty > 0) say(`  ${sayAmount(read.empty, "empty cell")}: not imported, which is not 0`);
  const known = findKnown(read.figures, options);
  if (typeof known === "string") return fail(known);
  const why = options.replace === true ? undefined : refuseFigures(known);
  if (why !== undefined) return fail(why);
  const code = write(options, writeMonthlyFigures(read.figures), say, output);
  if (code !== DONE || options.replace !== true) return code;
  try {
    for (const done of takeOutElsewhere(known)) say(done);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
  return DONE;
}

/** Puts the file in front of words that may begin with a place in it: `list.csv:1:2: …`. */
function nameFile(file: string, words: string): string {
  return `${file}${/^(?:\d+:\d+|[A-Z]{1,3}\d+): /u.test(words) ? ":" : ": "}${words}`;
}

/** What the table is compared with, and how its numbers and days are read. */
interface Target extends ListTerms {
  readonly list: LoadedList | undefined;
  /** The policy that the list belongs to. */
  readonly policy?: PolicyFile;
}

function findTarget({
  config,
  lessee,
  list,
  add,
}: ImportOptions): Target | { readonly error: string } | { readonly issues: readonly ConfigIssue[] } {
  if (lessee !== undefined && list !== undefined) return { error: "give --lessee or --list, not both" };
  const wanted = lessee ?? list;
  if (wanted === undefined) {
    if (add === true) return { error: "--add needs --lessee or --list, the list that the rows are added to" };
    return {
      list: undefined,
      homeCountry: DEFAULT_COUNTRY,
      calendar: createCalendar(DEFAULT_ZONE),
      asked: undefined,
    };
  }
  const { config: read, issues } = loadStatic(readFromDisk, config);
  if (read === undefined) {
    const there = readFromDisk(config);
    if ("error" in there)
      return { error: `can't read ${config}: ${there.error}; name the configuration with --config FILE` };
    return { issues };
  }
  const { material, issues: mistakes } = readPolicy(readFromDisk, read.policy);
  if (material === undefined || hasErrors(mistakes)) return { issues: mistakes };
  const found = material.lists.find(
    ({ id, kind }) => id === wanted && (kind === "lessee") === (lessee !== undefined),
  );
  if (found === undefined) {
    const known = material.lists.filter(({ kind }) => (kind === "lessee") === (lessee !== undefined));
    const ids = known.map(({ id }) => id);
    return {
      error: `the policy has no ${lessee === undefined ? "list" : "lessee"} "${wanted}"${suggest(wanted, ids) || sayKnown(ids)}`,
    };
  }
  const { homeCountry, timeZone } = material.file;
  return {
    list: found,
    homeCountry,
    calendar: createCalendar(timeZone),
    asked: askedOf(found),
    policy: material.file,
  };
}

const MOST_KNOWN = 8;

function sayKnown(ids: readonly string[]): string {
  if (ids.length === 0) return "; it has none";
  return `; it has ${ids.slice(0, MOST_KNOWN).join(", ")}${ids.length > MOST_KNOWN ? ", …" : ""}`;
}

/** Trunks that the lessee has not: a policy with such a list would be refused. */
function findTrunks({ list, policy }: Target, made: MadeList): readonly CellIssue[] {
  if (list === undefined || policy === undefined || made.read === undefined) return [];
  const read = { ...list, read: made.read };
  const bytes = Buffer.from(made.text);
  return findStrangeTrunks(policy, [read], () => ({ bytes })).map(({ line, message }) => ({
    place: made.placeOfLine(line, "trunk"),
    column: "trunk",
    message,
  }));
}

interface MadeList {
  /** Where a line of the text came from. */
  readonly placeOfLine: (line: number, column: string) => string;
  readonly text: string;
  /** What people must know of it. */
  readonly told: readonly string[];
  readonly read: ReadList | undefined;
  readonly issues: readonly CellIssue[];
}

function makeWhole(target: Target, clean: CleanList): MadeList {
  const { calendar, homeCountry, asked } = target;
  const text = writeList(clean.columns, clean.rows);
  const placeOfLine = placesOf(clean);
  if (clean.issues.length > 0) return { text, placeOfLine, told: [], read: undefined, issues: [] };
  const { reading, issues } = proveList(clean, text, calendar, homeCountry, { asked });
  return { text, placeOfLine, told: [], read: reading.list, issues };
}

function addTo(target: Target, clean: CleanList): MadeList | { readonly error: string } {
  const { list, calendar, homeCountry, asked } = target;
  const there = list === undefined ? { error: "there is no list" } : readFromDisk(list.file);
  if ("error" in there) return there;
  const addition = addRows(Buffer.from(there.bytes).toString("utf8"), clean, target);
  if ("error" in addition) return addition;
  const { text, added, firstLine, covered, overlapping, issues } = addition;
  const news = { ...clean, rows: added };
  const proved = proveList(news, text, calendar, homeCountry, {
    firstLine,
    asked,
  });
  const told = [
    ...describeMet("row left out, the list has its numbers already", covered),
    ...describeMet("row that repeats numbers of the list, which says the same of them", overlapping),
  ];
  const placeOfLine = placesOf(news, firstLine);
  return { text, placeOfLine, told, read: proved.reading.list, issues: [...issues, ...proved.issues] };
}

function write(
  { out }: ImportOptions,
  text: string,
  say: (text: string) => void,
  { stdout }: ImportOutput,
): number {
  if (out === undefined) {
    stdout.write(text);
    return DONE;
  }
  try {
    writeDurably(out, Buffer.from(text), modeOf(out));
  } catch (error) {
    say(`sigwall import: can't write ${out}: ${describeFailure(error)}`);
    return UNUSABLE;
  }
  say(`written to ${out}`);
  return DONE;
}

/** A list that is there keeps its permissions. */
function modeOf(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.mode ?? 0o644) & 0o777;
}

const changeWords: Readonly<Record<Change, (first: string) => string>> = {
  "text-mark": (first) => `text mark of the spreadsheet taken away (${first})`,
  width: (first) => `full-width characters written as usual ones (${first})`,
  invisible: (first) => `characters that nobody sees taken away (${first})`,
  range: (first) => `range written as A..B (${first})`,
  digits: (first) => `number that the spreadsheet held as an amount (${first})`,
  day: (first) => `day written as YYYY-MM-DD (${first})`,
  "yes-no": (first) => `yes or no written in English (${first})`,
  "empty-row": (first) => `empty row left out (row ${first})`,
  "row-twice": (first) => `row that stands twice left out (${first})`,
  "unnamed-cell": (first) => `cell beyond the header left out (${first})`,
  "unread-column": (first) => `column that no list has left out (${first})`,
};

function describeMet(what: string, met: readonly MetRow[]): readonly string[] {
  if (met.length === 0) return [];
  const places = met.slice(0, 3).map(({ place, line }) => `${place} in line ${line}`);
  return [`${met.length} × ${what} (${places.join(", ")}${met.length > places.length ? ", …" : ""})`];
}

function describeChange({ change, count: times, first }: ChangeCount): string {
  const places = first.join(", ") + (times > first.length ? ", …" : "");
  return `${times} × ${changeWords[change](places)}`;
}

function describeAgainst({ file, kind, read }: LoadedList, made: ReadList): readonly string[] {
  const isSameMark = compareMarks({ kind, read }, { kind, read: made });
  const words = describeDifference(differenceOf(read.numbers, made.numbers, isSameMark));
  return [
    `beside ${file}, which is in force:`,
    ...(words.length === 0 ? ["the same numbers"] : words).map((line) => `  ${line}`),
  ];
}
