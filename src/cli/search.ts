// `sigwall search`: finds record lines, sealed and open hours together.
import type { Millis } from "../domain/time.ts";
import { askNumbers, askRecords, type Found, type RecordPlace } from "../records/asking/ask-records.ts";
import { readParty, type RecordFilter } from "../records/asking/record-filter.ts";
import type { NumberUse } from "../records/asking/sealed-lines.ts";
import { sayFailure } from "./asking/failure-words.ts";
import { keepOneEnd } from "../records/asking/ends-of-calls.ts";
import { noteAccess, whoAsks } from "./asking/access-note.ts";
import { doubtNames, refuseWords } from "./asking/asked-words.ts";
import { plainJson } from "./asking/plain-text.ts";
import {
  createClock,
  exitOf,
  findRecords,
  openForAsking,
  type PlaceOptions,
} from "./asking/record-places.ts";
import { writeCsv, writeNumbersCsv } from "./asking/record-csv.ts";
import { type Clock, layOutLines, layOutNumbers } from "./asking/record-table.ts";
import { readSpan, timeForms } from "./asking/spoken-times.ts";
import type { ReadFile } from "../config/yaml/config-files.ts";

/** Options of `sigwall search`. */
export interface SearchOptions extends PlaceOptions {
  readonly caller?: string | undefined;
  readonly called?: string | undefined;
  readonly callId?: string | undefined;
  /** Ids of records; left out or empty: any. */
  readonly ids?: readonly string[] | undefined;
  readonly trunk?: string | undefined;
  readonly lessee?: string | undefined;
  readonly reason?: string | undefined;
  readonly verdict?: string | undefined;
  readonly rule?: string | undefined;
  readonly shadow?: string | undefined;
  /** Kinds of lines; empty: `decided` and `request`, with `ids` `moved` and `ended` too. */
  readonly kinds: readonly string[];
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly limit?: string | undefined;
  /** Counts the calls of each calling number. */
  readonly numbers: boolean;
  /** The case that the search is for; it stands in the `access` line. */
  readonly case?: string | undefined;
  readonly json: boolean;
  readonly csv: boolean;
}

/** What the command may use. `now`: Unix milliseconds. */
export interface SearchOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly readFile: ReadFile;
  readonly now: Millis;
}

const DEFAULT_LIMIT = 100;
const MOST_LINES = 1_000_000;

/**
 * Prints the newest lines that are meant, the newest first.
 *
 * @returns resolves with the exit code: 0, also when nothing was found; 1 when the records can't be read; 2 for wrong usage
 */
export async function searchRecords(options: SearchOptions, output: SearchOutput): Promise<number> {
  const { stdout, stderr, now } = output;
  const fail = (code: number, message: string): number => {
    stderr.write(`sigwall search: ${message}\n`);
    return code;
  };
  const place = findRecords(options, output.readFile);
  if (typeof place === "string") return fail(exitOf(place), place);
  const wrong = refuseWords(options);
  if (wrong !== undefined) return fail(2, wrong);
  const filter = readFilter(options, place.timeZone, now);
  if (typeof filter === "string") return fail(2, filter);
  const limit = Number(options.limit ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LINES)
    return fail(2, `--limit ${options.limit}: expected a number from 1 to ${MOST_LINES}`);
  if (options.csv && options.json) return fail(2, "choose one of --csv and --json");
  const opened = await openForAsking();
  const database = typeof opened === "string" ? undefined : opened;
  const clock = createClock(place.timeZone);
  const asked: RecordPlace = { folders: place.folders, database };
  try {
    let found: Found<unknown>;
    if (options.numbers) {
      const numbers = await askNumbers(asked, filter);
      found = numbers;
      stdout.write(writeNumbers(numbers.items, options, clock));
    } else {
      const lines = await askRecords(asked, filter, limit);
      found = lines;
      const items = await keepOneEnd(asked, lines.items);
      if (options.json) for (const line of items) stdout.write(`${plainJson(line)}\n`);
      else stdout.write((options.csv ? writeCsv : layOutLines)(items, clock));
    }
    for (const note of describeGaps(found, opened)) stderr.write(`sigwall search: ${note}\n`);
    if (found.items.length === 0)
      for (const doubt of doubtNames(options, place.policy, output.readFile))
        stderr.write(`sigwall search: nothing was found: ${doubt}\n`);
    if (found.isCut) stderr.write(`sigwall search: the newest ${limit} are shown; --limit N shows more\n`);
    const access = { command: "search", ...whoAsks(), case: options.case, found: found.items.length };
    for (const failure of noteAccess(place.folders, { ...access, asked: askedFor(options) }, now))
      stderr.write(`sigwall search: ${failure}\n`);
    return 0;
  } catch (error) {
    return fail(1, sayFailure(error));
  } finally {
    database?.close();
  }
}

function writeNumbers(
  uses: readonly NumberUse[],
  { json, csv }: Pick<SearchOptions, "json" | "csv">,
  clock: Clock,
): string {
  if (!json) return (csv ? writeNumbersCsv : layOutNumbers)(uses, clock);
  return uses
    .map(
      ({ number, calls, first, last }) =>
        `${plainJson({ number, calls, first: iso(first), last: iso(last) })}\n`,
    )
    .join("");
}

function iso(at: Millis): string {
  return new Date(at).toISOString();
}

/** Says what could not be looked at, and what to do. */
export function describeGaps(
  { leftOut, damages }: Found<unknown>,
  opened: Awaited<ReturnType<typeof openForAsking>>,
): readonly string[] {
  const missing =
    leftOut > 0 && typeof opened === "string"
      ? [`${leftOut} sealed hours were left out, open hours alone were read: ${opened}`]
      : [];
  return [...missing, ...damages];
}

/** Which options were given, for the `access` line. */
function askedFor(options: SearchOptions): Readonly<Record<string, string>> {
  const names = [
    "caller",
    "called",
    "callId",
    "trunk",
    "lessee",
    "reason",
    "verdict",
    "rule",
    "shadow",
    "from",
    "to",
  ] as const;
  const { ids = [] } = options;
  return Object.fromEntries([
    ...(ids.length === 0 ? [] : [["ids", ids.join(" ")]]),
    ...names.flatMap((name) => {
      const value = options[name];
      return value === undefined ? [] : [[name, value]];
    }),
  ]);
}

/** Who names a call wants to see all of it. */
function defaultKinds(ids: readonly string[]): readonly string[] {
  return ids.length === 0 ? ["decided", "request"] : ["decided", "request", "moved", "ended"];
}

function readFilter(options: SearchOptions, timeZone: string, now: Millis): RecordFilter | string {
  const {
    caller,
    called,
    callId,
    ids = [],
    trunk,
    lessee,
    reason,
    verdict,
    rule,
    shadow,
    from,
    to,
    kinds,
  } = options;
  const first = from === undefined ? undefined : readSpan(from, timeZone, now);
  const last = to === undefined ? undefined : readSpan(to, timeZone, now);
  if (from !== undefined && first === undefined) return `--from "${from}" is no time; expected ${timeForms}`;
  if (to !== undefined && last === undefined) return `--to "${to}" is no time; expected ${timeForms}`;
  if (first !== undefined && last !== undefined && first.from >= last.to)
    return `--from "${from}" is later than --to "${to}"`;
  return {
    kinds: options.numbers ? ["decided"] : kinds.length > 0 ? kinds : defaultKinds(ids),
    from: first?.from,
    // A day or a minute is meant as a whole.
    to: last?.to,
    caller: caller === undefined ? undefined : readParty(caller),
    called: called === undefined ? undefined : readParty(called),
    callId,
    ids: ids.length === 0 ? undefined : ids,
    trunk,
    lessee,
    reason,
    verdict,
    rule,
    shadow,
  };
}
