// `sigwall why`: what was decided on a call then, by what, what it would be now, and what became of the call.
import { dirname } from "node:path";
import { parseCallId } from "../calls/call-id.ts";
import { loadPolicy } from "../config/load-policy.ts";
import { loadStatic, type StaticConfig } from "../config/load-static.ts";
import { type ConfigIssue, formatIssue } from "../config/yaml/issue.ts";
import type { ReadFile } from "../config/yaml/config-files.ts";
import type { Millis } from "../domain/time.ts";
import { askRecords, type Found, type RecordPlace } from "../records/asking/ask-records.ts";
import { findEnds } from "../records/asking/ends-of-calls.ts";
import { type ReadLine, type RecordFilter, readParty } from "../records/asking/record-filter.ts";
import type { RecalledPolicy } from "../records/policies/policy-recall.ts";
import { readRecordedAttempt } from "../replay/recorded-attempts.ts";
import { doubtNames } from "./asking/asked-words.ts";
import { sayFailure } from "./asking/failure-words.ts";
import { noteAccess, whoAsks } from "./asking/access-note.ts";
import { type Judged, judgeAgain, type Judging, readRow } from "./asking/call-judging.ts";
import { type CallStory, layOutStory } from "./asking/call-story.ts";
import { sayEnd } from "./asking/call-endings.ts";
import { plainJson } from "./asking/plain-text.ts";
import { findBindingFindings, isOfQuarantine } from "./asking/binding-findings.ts";
import type { KeptOrders } from "./asking/kept-orders.ts";
import { findStoppingOrders } from "./asking/stopping-orders.ts";
import { objectsIn } from "../records/lines/line-fields.ts";
import { recallFrom } from "./asking/policy-at.ts";
import {
  createClock,
  exitOf,
  findRecords,
  openForAsking,
  type PlaceOptions,
  type RecordsPlace,
} from "./asking/record-places.ts";
import { readSpan, timeForms } from "./asking/spoken-times.ts";
import { describeGaps } from "./search.ts";

/** Options of `sigwall why`. Either `callId`, or `caller` and `at`. */
export interface WhyOptions extends PlaceOptions {
  /** The Call-ID, or the id of the record: NODE-EPOCH-COUNT. */
  readonly callId?: string | undefined;
  readonly caller?: string | undefined;
  readonly at?: string | undefined;
  readonly case?: string | undefined;
  readonly json: boolean;
}

/** What the command may use. `now`: Unix milliseconds. */
export interface WhyOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly readFile: ReadFile;
  readonly now: Millis;
  /** What was ordered by command, and what findings bind. Left out: nothing. */
  readonly ordersOf?: (config: StaticConfig, path: string) => KeptOrders;
}

/** Calls so long before and after the time that was given are shown too. */
const AROUND: Millis = 5 * 60_000;
const MOST_CALLS = 50;

/**
 * Tells every call that is meant, the earliest first.
 *
 * @returns resolves with the exit code: 0; 1 when nothing was found or the records can't be read; 2 for wrong usage
 */
export async function whyCall(options: WhyOptions, output: WhyOutput): Promise<number> {
  const { stdout, stderr, now } = output;
  const fail = (code: number, message: string): number => {
    stderr.write(`sigwall why: ${message}\n`);
    return code;
  };
  const place = findRecords(options, output.readFile);
  if (typeof place === "string") return fail(exitOf(place), place);
  const filter = readFilter(options, place.timeZone, now);
  if (typeof filter === "string") return fail(2, filter);
  const opened = await openForAsking();
  const database = typeof opened === "string" ? undefined : opened;
  try {
    const asked: RecordPlace = { folders: place.folders, database };
    const found = await findCalls(asked, filter);
    const calls = found.items.toReversed();
    const ends = await findEnds(asked, calls);
    const orders = await findStoppingOrders(asked, calls);
    const findings = await findBindingFindings(asked, calls);
    const judges = createJudges(place, output);
    for (const call of calls) {
      const bound = { order: orders.get(call), finding: findings.get(call) };
      const story = tell(call, ends.get(String(call["id"])), bound, judges, now);
      stdout.write(
        options.json ? `${plainJson(toLine(story))}\n` : layOutStory(story, createClock(place.timeZone)),
      );
    }
    tellGaps(found, opened, fail);
    const access = { command: "why", ...whoAsks(), case: options.case, found: calls.length };
    const askedFor =
      options.callId === undefined
        ? { caller: options.caller ?? "", at: options.at ?? "" }
        : { callId: options.callId };
    for (const failure of noteAccess(place.folders, { ...access, asked: askedFor }, now)) fail(0, failure);
    if (calls.length > 0) return 0;
    for (const doubt of doubtNames({ caller: options.caller, kinds: [] }, undefined, output.readFile))
      fail(1, doubt);
    return fail(1, "no such call was found");
  } catch (error) {
    return fail(1, sayFailure(error));
  } finally {
    database?.close();
  }
}

/** Finds the calls of a Call-ID, on whatever nodes; where there is none, the call of that id. */
async function findCalls(place: RecordPlace, { callId, ...filter }: RecordFilter): Promise<Found<ReadLine>> {
  const found = await askRecords(place, { ...filter, callId }, MOST_CALLS);
  return found.items.length > 0 || callId === undefined || parseCallId(callId) === undefined
    ? found
    : askRecords(place, { ...filter, ids: [callId] }, MOST_CALLS);
}

function tellGaps(
  found: Found<ReadLine>,
  opened: Awaited<ReturnType<typeof openForAsking>>,
  fail: (code: number, message: string) => number,
): void {
  for (const note of describeGaps(found, opened)) fail(0, note);
  if (found.isCut) fail(0, `there are more than ${MOST_CALLS} such calls; the newest are shown`);
}

function readFilter(
  { callId, caller, at }: WhyOptions,
  timeZone: string,
  now: Millis,
): RecordFilter | string {
  const kinds = ["decided"];
  const span = at === undefined ? undefined : readSpan(at, timeZone, now);
  if (at !== undefined && span === undefined) return `--at "${at}" is no time; expected ${timeForms}`;
  if (callId !== undefined) {
    const around = span === undefined ? {} : { from: span.from - AROUND, to: span.to + AROUND };
    return { kinds, callId, ...around };
  }
  if (caller === undefined || span === undefined)
    return "which call? give a Call-ID, or --caller N and --at T";
  return { kinds, caller: readParty(caller), from: span.from - AROUND, to: span.to + AROUND };
}

/** Gives the policies to judge by, each loaded once. A string says why there is none. */
interface Judges {
  readonly former: (revision: string) => RecalledPolicy | string;
  readonly today: () => Judging | string;
}

function createJudges({ policies, config }: RecordsPlace, output: WhyOutput): Judges {
  const recalled = new Map<string, RecalledPolicy | string>();
  let today: Judging | string | undefined;
  return {
    former(revision) {
      const known = recalled.get(revision) ?? recallFrom(policies, revision);
      recalled.set(revision, known);
      return known;
    },
    today: () =>
      (today ??= config === undefined ? "no configuration was given: --config FILE" : load(config, output)),
  };
}

function load(path: string, { readFile, ordersOf }: WhyOutput): Judging | string {
  const { config, issues } = loadStatic(readFile, path);
  if (config === undefined) return `the policy of today can't be loaded: ${firstOf(issues)}`;
  const loaded = loadPolicy(readFile, config.policy);
  return loaded.policy === undefined
    ? `the policy of today can't be loaded: ${firstOf(loaded.issues)}`
    : { policy: loaded.policy, readFile, orders: ordersOf?.(config, path) };
}

function firstOf(issues: readonly ConfigIssue[]): string {
  const issue = issues.find(({ severity }) => severity === "error");
  return issue === undefined ? "" : formatIssue(issue);
}

function tell(
  call: ReadLine,
  end: ReadLine | undefined,
  { order, finding }: Pick<CallStory, "order" | "finding">,
  judges: Judges,
  now: Millis,
): CallStory {
  const at = Date.parse(call.time);
  const recalled = judges.former(String(call["revision"]));
  const today = judges.today();
  const former: Judged | string = typeof recalled === "string" ? recalled : judgeAgain(call, recalled, at);
  const { listLine, trunk } = call;
  const known = typeof recalled === "string" ? undefined : recalled.policy.trunkById(String(trunk))?.trunk;
  return {
    call,
    end,
    former,
    today: typeof today === "string" ? today : judgeAgain(call, today, now),
    row:
      typeof listLine === "string" && typeof recalled !== "string"
        ? (readRow(listLine, recalled.readFile) ??
          readRow(beside(recalled.kept.policy, listLine), recalled.readFile))
        : undefined,
    order,
    finding,
    missing: [
      ...(known === undefined ? [] : readRecordedAttempt(call, known, at).missing),
      // An order by command is no part of a policy.
      ...(call["rule"] === "line-state" || hasObservedMark(call)
        ? [
            "orders by command that were in force then, but as `order` lines: the policy of then is judged without them",
          ]
        : []),
      // What binds a call is no part of a policy either.
      ...(isOfQuarantine(call)
        ? ["the quarantine of then, but as `finding` lines: the policy of then is judged without it"]
        : []),
    ],
  };
}

function hasObservedMark({ marks }: ReadLine): boolean {
  return objectsIn(marks).some(({ reason }) => reason === "line-observed");
}

/** A list line may be written from the folder of the policy on. */
function beside(policy: string, line: string): string {
  const folder = dirname(policy);
  return folder === "." ? line : `${folder}/${line}`;
}

/** The line of a call for programs: its record, and what was found beside it. */
function toLine({ call, end, former, today, row, order, finding, missing }: CallStory): object {
  return {
    ...call,
    ended: end,
    end: sayEnd(call, end),
    row,
    stoppedBy: order,
    boundBy: finding,
    former: withFault(former),
    today: withFault(today),
    notRecorded: missing,
  };
}

function withFault(judged: Judged | string): object {
  return typeof judged === "string" ? { fault: judged } : judged;
}
