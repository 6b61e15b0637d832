// Asks sealed hours: a filter becomes SQL over their tables, and rows become record lines again.
import { type Database, quote } from "../sealed/duckdb.ts";
import { type HourFiles, sealedPath } from "../sealed/hour-files.ts";
import { tableNames, tableOf, type TableName } from "../sealed/record-columns.ts";
import { inFull } from "../sealed/short-form.ts";
import { type Fields, isFields, textsIn } from "../lines/line-fields.ts";
import { isLine } from "./open-lines.ts";
import {
  areaDigits,
  equalFields,
  type PartyAsked,
  type ReadLine,
  type RecordFilter,
} from "./record-filter.ts";

/** A value of a statement. */
type Value = string | number;

/** A condition, and the values that stand for its `$N`. */
interface Condition {
  readonly sql: string;
  readonly values: readonly Value[];
}

/**
 * Asks the tables of sealed hours.
 *
 * @param limit most lines of each table; the newest come first
 */
export async function readSealedLines(
  database: Database,
  hours: readonly HourFiles[],
  filter: RecordFilter,
  limit: number,
): Promise<readonly ReadLine[]> {
  const lines: ReadLine[] = [];
  for (const table of tablesOf(filter)) {
    const { sql, values } = conditionOf(table, filter);
    const rows = await askTables(
      database,
      hours,
      table,
      (tables) =>
        `SELECT epoch_us(t.time) AS us, to_json(t)::VARCHAR AS line FROM (SELECT * FROM ${tables} WHERE ${sql} ORDER BY time DESC LIMIT ${limit}) t`,
      values,
    );
    for (const { us, line } of rows) {
      const restored = restoreLine(String(line), Number(us));
      if (restored !== undefined) lines.push(restored);
    }
  }
  return lines;
}

/** A calling number, and how often it was used. Times are Unix milliseconds. */
export interface NumberUse {
  readonly number: string;
  readonly calls: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Counts the calls of every calling number among the attempts that are meant.
 *
 * @param areCopied several of the hours may hold an attempt: it counts once
 */
export async function countSealedNumbers(
  database: Database,
  hours: readonly HourFiles[],
  filter: RecordFilter,
  areCopied: boolean,
): Promise<readonly NumberUse[]> {
  const { sql, values } = conditionOf("attempts", filter);
  const rows = await askTables(
    database,
    hours,
    "attempts",
    (
      tables,
    ) => `SELECT caller, "otherCallers", count(*) AS calls, epoch_ms(min(time)) AS first, epoch_ms(max(time)) AS last
      FROM (SELECT ${areCopied ? "DISTINCT id, " : ""}caller, "otherCallers", time FROM ${tables} WHERE ${sql} AND caller IS NOT NULL) GROUP BY ALL`,
    values,
  );
  return rows.flatMap(({ caller, otherCallers, calls, first, last }) =>
    [caller, ...textsIn(otherCallers)].map((number) => ({
      number: String(number),
      calls: Number(calls),
      first: Number(first),
      last: Number(last),
    })),
  );
}

/** Lists the ids of the attempts that are meant. */
export async function listSealedIds(
  database: Database,
  hours: readonly HourFiles[],
  filter: RecordFilter,
): Promise<readonly string[]> {
  const { sql, values } = conditionOf("attempts", filter);
  const rows = await askTables(
    database,
    hours,
    "attempts",
    (tables) => `SELECT id FROM ${tables} WHERE ${sql} AND id IS NOT NULL`,
    values,
  );
  return rows.map(({ id }) => String(id));
}

/** A number that a lessee has called from, as records write it. */
export interface LesseeNumber {
  readonly lessee: string;
  readonly number: string;
}

/** Lists the calling numbers of every lessee among the attempts that are meant and were passed on. */
export async function listSealedUse(
  database: Database,
  hours: readonly HourFiles[],
  filter: RecordFilter,
): Promise<readonly LesseeNumber[]> {
  const { sql, values } = conditionOf("attempts", filter);
  const rows = await askTables(
    database,
    hours,
    "attempts",
    (tables) =>
      `SELECT DISTINCT lessee, caller, "otherCallers" FROM ${tables} WHERE ${sql} AND caller IS NOT NULL AND lessee IS NOT NULL AND verdict NOT IN ('reject', 'drop')`,
    values,
  );
  return rows.flatMap(({ lessee, caller, otherCallers }) =>
    [caller, ...textsIn(otherCallers)].map((number) => ({ lessee: String(lessee), number: String(number) })),
  );
}

function tablesOf({ kinds }: RecordFilter): readonly TableName[] {
  const wanted = new Set(kinds.map(tableOf));
  return tableNames.filter((table) => wanted.has(table));
}

/**
 * Asks the tables of one kind. The columns of the newest hour hold for all of them; where an older one lacks some, as
 * versions before had fewer, the columns of all are put together, which takes twice as long.
 */
export async function askTables(
  database: Database,
  hours: readonly HourFiles[],
  table: TableName,
  sqlOf: (tables: string) => string,
  values: readonly Value[],
): ReturnType<Database["ask"]> {
  const files = filesOf(hours, table);
  try {
    return await database.ask(sqlOf(`read_parquet(${files})`), values);
  } catch {
    return database.ask(sqlOf(`read_parquet(${files}, union_by_name = true)`), values);
  }
}

function filesOf(hours: readonly HourFiles[], table: TableName): string {
  const newestFirst = hours.toSorted((a, b) => b.start - a.start);
  return `[${newestFirst.map((hour) => quote(sealedPath(hour, table))).join(", ")}]`;
}

/** Asks tables as {@link askTables} does, for one column of texts. */
export async function* streamTables(
  database: Database,
  hours: readonly HourFiles[],
  sqlOf: (read: (table: TableName) => string) => string,
): AsyncGenerator<readonly string[]> {
  const alike = database.askTexts(sqlOf((table) => `read_parquet(${filesOf(hours, table)})`));
  const texts = alike[Symbol.asyncIterator]();
  let next: IteratorResult<readonly string[], unknown>;
  try {
    next = await texts.next();
  } catch {
    yield* database.askTexts(
      sqlOf((table) => `read_parquet(${filesOf(hours, table)}, union_by_name = true)`),
    );
    return;
  }
  for (; next.done !== true; next = await texts.next()) yield next.value;
}

/** Fields that a table lacks make its condition false. */
function conditionOf(table: TableName, filter: RecordFilter): Condition {
  const values: Value[] = [];
  const put = (value: Value): string => `$${values.push(value)}`;
  const all = (texts: readonly string[]): string => texts.map(put).join(", ");
  const parts = [`record IN (${all(filter.kinds.filter((kind) => tableOf(kind) === table))})`];
  if (filter.from !== undefined) parts.push(`time >= ${moment(filter.from)}`);
  if (filter.to !== undefined && filter.to !== Infinity) parts.push(`time < ${moment(filter.to)}`);
  if (filter.ids !== undefined) parts.push(filter.ids.length === 0 ? "false" : `id IN (${all(filter.ids)})`);
  const has = (field: string): boolean => table === "attempts" || commonFields[table].includes(field);
  for (const field of equalFields) {
    const wanted = filter[field];
    if (wanted !== undefined) parts.push(has(field) ? `"${field}" = ${put(wanted)}` : "false");
  }
  const { caller, called, shadow } = filter;
  if (table !== "attempts") {
    if (caller !== undefined || called !== undefined || shadow !== undefined) parts.push("false");
    return { sql: parts.join(" AND "), values };
  }
  if (caller !== undefined) parts.push(isCaller(caller, put));
  if (called !== undefined)
    parts.push(
      called.kind === "raw" ? isRaw("called", put(called.text)) : isNumber("called.number", called, put),
    );
  if (shadow !== undefined) {
    const wanted = put(shadow);
    parts.push(`len(list_filter(shadow, lambda x: x.rule = ${wanted} OR x.reason = ${wanted})) > 0`);
  }
  return { sql: parts.join(" AND "), values };
}

const commonFields: Readonly<Record<Exclude<TableName, "attempts">, readonly string[]>> = {
  endings: ["trunk", "lessee"],
  others: ["trunk", "lessee", "reason"],
};

/** A moment in SQL. Unix milliseconds. */
export function moment(at: number): string {
  return `make_timestamptz(${Math.round(Math.max(0, at) * 1000)})`;
}

function isCaller(asked: PartyAsked, put: (value: Value) => string): string {
  if (asked.kind === "raw") return `len(list_filter(calling, lambda x: ${isRaw("x", put(asked.text))})) > 0`;
  const others = `len(list_filter("otherCallers", lambda n: ${isNumber("n", asked, put)})) > 0`;
  return `(${isNumber("caller", asked, put)} OR ("otherCallers" IS NOT NULL AND ${others}))`;
}

/** Text that is no number stands as it was, but for numbers that only the filter of then could read. */
function isRaw(party: string, text: string): string {
  return `(${party}.raw = ${text} OR (${party}.form = 'same' AND ${party}.number = ${text}))`;
}

function isNumber(
  column: string,
  { forms, code }: PartyAsked & { readonly kind: "number" },
  put: (value: Value) => string,
): string {
  const same = forms.map((form) => `${column} = ${put(form)}`).join(" OR ");
  if (code === undefined) return `(${same})`;
  const lengths = areaDigits.map((digits) => digits + "+86".length + code.length).join(", ");
  return `(${same} OR (starts_with(${column}, '+86') AND ends_with(${column}, ${put(code)}) AND length(${column}) IN (${lengths})))`;
}

/** Makes the record line of a row, as it was written. */
function restoreLine(json: string, micros: number): ReadLine | undefined {
  const row: unknown = withoutNulls(JSON.parse(json));
  if (!isLine(row)) return undefined;
  const { more, ...line } = row;
  return {
    ...inFull(line),
    record: row.record,
    time: timeOf(micros),
    ...(typeof more === "string" ? parseFields(more) : {}),
  };
}

/** Reads the text of the column `more`. */
export function parseFields(text: string): Fields {
  const value: unknown = JSON.parse(text);
  return isFields(value) ? value : {};
}

function timeOf(micros: number): string {
  const text = new Date(Math.floor(micros / 1000)).toISOString();
  const rest = micros % 1000;
  return rest === 0 ? text : `${text.slice(0, -1)}${String(rest).padStart(3, "0")}Z`;
}

/** A field that a line has not is null in a row. Record lines have no null of their own but in `more`. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isFields(value)) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutNulls(field)]));
}
