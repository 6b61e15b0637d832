// Reads the attempts and ends of sealed hours for a judgement: only the columns that it reads, as short rows of text.
import type { Database } from "../sealed/duckdb.ts";
import type { HourFiles } from "../sealed/hour-files.ts";
import type { TableName } from "../sealed/record-columns.ts";
import { fullParty, rawOfForm } from "../sealed/short-form.ts";
import { type Fields, objectsIn, textIn } from "../lines/line-fields.ts";
import type { Millis } from "../../domain/time.ts";
import { askTables, moment, parseFields, streamTables } from "./sealed-lines.ts";

/**
 * What many attempts have in common, in the order in which {@link readShared} reads it. A text of it is parsed once.
 *
 * DuckDB could give values instead of text. Each value then costs a call into its library: ten times the time of one
 * text a row that `JSON.parse` reads.
 */
const shared = [
  "trunk, lessee, verdict, reason, rule, revision, signalling, transport, source, destination, listener",
  `bodies, privacy, "requestUriAround".before, "requestUriAround".after, called.form, called.why, "nextHop"`,
  "[x.source for x in calling], [x.presentation for x in calling], [x.form for x in calling], [x.why for x in calling]",
  "[x.verdict for x in marks]",
].join(", ");

/** What an attempt has for itself, in the order in which {@link takeAttempt} reads it. */
const own = [
  `epoch_ms(time), id, called.number, called.raw, [x.number for x in calling], [x.raw for x in calling]`,
  `"requestUri", displays, isup, diversion, fault, "rawHex", more`,
].join(", ");

/** JSON has no line end of its own: the first one ends what is shared. Counts alone ask which calls are one. */
function attemptText(forCounts: boolean): string {
  const all = forCounts ? `${own}, "callId"` : own;
  return `json_array(${shared})::VARCHAR || chr(10) || json_array(${all})::VARCHAR`;
}

/** It has nothing in common with others. */
const endText = `chr(10) || json_array(epoch_ms(time), id, trunk, "by", how, status, cause, "ringingMs", "answeredMs", seconds)::VARCHAR`;

/** So many different texts of what is shared are kept. A peer can send more: then all of them are read anew. */
const MOST_SHARED = 4096;

/**
 * Calls `take` with every attempt from a moment until another one, in order of time, and with its time in Unix
 * milliseconds. DuckDB holds the rows of all of them. Fields that a record has not are null, undefined or empty.
 *
 * @param withEnds the ends of calls come too, and attempts have their Call-ID
 */
export async function eachSealedLine(
  database: Database,
  hours: readonly HourFiles[],
  { from, to, withEnds }: { readonly from: Millis; readonly to: Millis; readonly withEnds: boolean },
  take: (line: Fields, at: Millis) => void,
): Promise<void> {
  const known = new Map<string, Shared>();
  const takeRow = (row: string): void => {
    const end = row.indexOf("\n");
    if (end === 0) takeEnd(JSON.parse(row), take);
    else {
      const text = row.slice(0, end);
      let common = known.get(text);
      if (common === undefined) {
        if (known.size >= MOST_SHARED) known.clear();
        common = readShared(JSON.parse(text));
        known.set(text, common);
      }
      takeAttempt(JSON.parse(row.slice(end + 1)), common, take);
    }
  };
  const during = `time >= ${moment(from)} AND time < ${moment(to)}`;
  const sqlOf = (read: (table: TableName) => string): string => {
    const attempts = `SELECT time, 0 AS kind, ${attemptText(withEnds)} AS row FROM ${read("attempts")} WHERE record = 'decided' AND ${during}`;
    if (!withEnds) return `SELECT row FROM (${attempts}) ORDER BY time`;
    const ends = `SELECT time, 1 AS kind, ${endText} AS row FROM ${read("endings")} WHERE record = 'ended' AND ${during}`;
    return `SELECT row FROM (${attempts} UNION ALL ${ends}) ORDER BY time, kind`;
  };
  for await (const rows of streamTables(database, hours, sqlOf)) for (const row of rows) takeRow(row);
}

/** Counts the attempts of hours without reading them. */
export async function countSealedAttempts(database: Database, hours: readonly HourFiles[]): Promise<number> {
  const [row] = await askTables(
    database,
    hours,
    "attempts",
    (tables) => `SELECT count(*) AS n FROM ${tables}`,
    [],
  );
  return Number(row?.["n"] ?? 0);
}

/** What many attempts have in common. Objects of it are shared between lines. */
interface Shared {
  readonly fields: Fields;
  readonly before: string | undefined;
  readonly after: string;
  readonly calledForm: unknown;
  readonly calledWhy: unknown;
  readonly parties: readonly SharedParty[];
}

interface SharedParty {
  readonly source: unknown;
  readonly presentation: unknown;
  readonly form: unknown;
  readonly why: unknown;
}

function readShared(values: readonly unknown[]): Shared {
  const [trunk, lessee, verdict, reason, rule, revision, signalling, transport] = values;
  const [source, destination, listener, bodies, privacy, before, after, calledForm, calledWhy, nextHop] =
    values.slice(8);
  const [sources, presentations, forms, whys, marks = []] = values.slice(18).map(listIn);
  return {
    fields: {
      trunk,
      lessee,
      verdict,
      reason,
      rule,
      revision,
      signalling,
      transport,
      source,
      destination,
      listener,
      bodies,
      privacy,
      nextHop,
      marks: marks.length === 0 ? undefined : marks.map((kind) => ({ verdict: kind })),
    },
    before: typeof before === "string" ? before : undefined,
    after: textIn(after),
    calledForm,
    calledWhy,
    parties: (sources ?? []).map((party, index) => ({
      source: party,
      presentation: presentations?.[index],
      form: forms?.[index],
      why: whys?.[index],
    })),
  };
}

function takeEnd(values: readonly unknown[], take: (line: Fields, at: Millis) => void): void {
  const [at, id, trunk, by, how, status, cause, ringingMs, answeredMs, seconds] = values;
  take({ record: "ended", id, trunk, by, how, status, cause, ringingMs, answeredMs, seconds }, Number(at));
}

function takeAttempt(
  values: readonly unknown[],
  common: Shared,
  take: (line: Fields, at: Millis) => void,
): void {
  const [at, id, calledNumber, calledRaw, numbers, raws, uri, displays, isup, diversion] = values;
  const { fields, before, after, parties } = common;
  const raw = rawOfForm(common.calledForm, textIn(calledNumber)) ?? calledRaw;
  const line: Record<string, unknown> = {
    record: "decided",
    id,
    trunk: fields["trunk"],
    lessee: fields["lessee"],
    verdict: fields["verdict"],
    reason: fields["reason"],
    rule: fields["rule"],
    revision: fields["revision"],
    signalling: fields["signalling"],
    transport: fields["transport"],
    source: fields["source"],
    destination: fields["destination"],
    listener: fields["listener"],
    callId: values[13],
    calling: parties.map((party, index) => readParty(party, itemOf(numbers, index), itemOf(raws, index))),
    called: { raw, number: calledNumber, why: common.calledWhy },
    requestUri: before === undefined ? uri : before + textIn(raw) + after,
    bodies: fields["bodies"],
    privacy: fields["privacy"],
    marks: fields["marks"],
    displays,
    isup,
    diversion: diversion === null ? undefined : objectsIn(diversion).map(fullParty),
    fault: values[10],
    rawHex: values[11],
    nextHop: fields["nextHop"],
  };
  const more = values[12];
  if (typeof more === "string") Object.assign(line, parseFields(more));
  take(line, Number(at));
}

function readParty({ source, presentation, form, why }: SharedParty, number: unknown, raw: unknown): Fields {
  return { source, presentation, number, why, raw: rawOfForm(form, textIn(number)) ?? raw };
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function itemOf(list: unknown, index: number): unknown {
  return Array.isArray(list) ? list[index] : undefined;
}
