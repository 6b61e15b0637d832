// Writes the sorted lines of one hour as the three Parquet tables of that hour.
import { join } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { type Database, quote } from "./duckdb.ts";
import { columnsOf, sqlType, type TableName } from "./record-columns.ts";
import type { SortedLines } from "./line-sorting.ts";
import { HOUR, type HourFiles, listHours, sealedPath } from "./hour-files.ts";
import { inShortForm } from "./short-form.ts";

/** What the footer of each table says about the lines that it was made of. */
export type Origin = Pick<SortedLines, "octets" | "digest">;

/** Rows of each table as written. */
export type RowCounts = Readonly<Record<TableName, number>>;

/** Ends of the same call can lie so far apart: the most that `maxCallHours` allows, and a day. */
export const LONGEST_CALL: Millis = 768 * HOUR;
/** Level of Zstandard: higher ones cost more time than they save room. */
const LEVEL = 9;

/**
 * Writes `attempts.parquet`, `endings.parquet` and `others.parquet` into `work`, where the sorted lines lie. Of several
 * ends of one call one is kept: an end that was seen, before `lost`; then the earliest.
 *
 * @param records the records folder: another node's end of a call may lie there, sealed
 * @param hour the hour whose lines these are
 * @returns resolves with the rows that were read again out of the files
 */
export async function writeTables(
  database: Database,
  work: string,
  sorted: SortedLines,
  records: string,
  hour: HourFiles,
): Promise<RowCounts> {
  const write = async (table: TableName, select: string): Promise<number> => {
    const path = join(work, `${table}.parquet`);
    await database.run(
      `COPY (${select}) TO ${quote(path)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL ${LEVEL}, PARQUET_VERSION v2, ${originOf(sorted)})`,
    );
    return countRows(database, path);
  };
  const others = await write("others", `SELECT * FROM ${linesOf(work, "others")}`);
  const endings = await write("endings", await keepOneEnd(database, work, records, hour));
  const attempts = await write("attempts", inShortForm(linesOf(work, "attempts")));
  return { others, endings, attempts };
}

/** The lines of a table, as SQL reads them. */
function linesOf(work: string, table: TableName): string {
  const columns = [...Object.entries(columnsOf[table]).map(([name, shape]) => [name, sqlType(shape)]), more]
    .map(([name = "", type = ""]) => `"${name}": ${quote(type)}`)
    .join(", ");
  const path = quote(join(work, `${table}.ndjson`));
  return `read_json(${path}, format = 'newline_delimited', columns = {${columns}}, maximum_object_size = 33554432)`;
}

const more = ["more", "VARCHAR"] as const;

/** Reads the ends into a table of the database, and says how to select those that are kept. */
async function keepOneEnd(
  database: Database,
  work: string,
  records: string,
  hour: HourFiles,
): Promise<string> {
  await database.run("DROP TABLE IF EXISTS ends");
  await database.run(
    `CREATE TEMP TABLE ends AS SELECT *, row_number() OVER () AS "row" FROM ${linesOf(work, "endings")}`,
  );
  const better = `row_number() OVER (PARTITION BY coalesce(id, "row"::VARCHAR || ' without id') ORDER BY how = 'lost', time, "row") = 1`;
  const [lost] = await database.ask("SELECT count(*) AS n FROM ends WHERE how = 'lost'");
  const around = Number(lost?.["n"]) === 0 ? [] : sealedAround(records, hour, LONGEST_CALL);
  const near = sealedAround(records, hour, HOUR).filter(({ node }) => node !== hour.node);
  const conditions = [
    ...(around.length === 0
      ? []
      : [
          `(how IS DISTINCT FROM 'lost' OR id NOT IN (SELECT id FROM ${endsOf(around)} WHERE how <> 'lost' AND id IS NOT NULL))`,
        ]),
    // Two nodes may see one end: a message on one of them, and its repeat on the other.
    ...(near.length === 0
      ? []
      : [
          `NOT EXISTS (SELECT 1 FROM ${endsOf(near)} other WHERE other.id = kept.id AND (other.how <> 'lost' OR kept.how = 'lost') AND other.time <= kept.time)`,
        ]),
  ];
  const unless = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  return `SELECT * EXCLUDE ("row") FROM (SELECT * FROM ends QUALIFY ${better}) kept${unless} ORDER BY time, id`;
}

/** The sealed hours of every node in the time before the end of an hour. */
function sealedAround(records: string, { start }: HourFiles, before: Millis): readonly HourFiles[] {
  return listHours(records, start - before, start + HOUR).filter(({ isSealed }) => isSealed);
}

/** The ends of sealed hours as SQL reads them. */
function endsOf(hours: readonly HourFiles[]): string {
  const paths = hours.map((hour) => quote(sealedPath(hour, "endings")));
  return `read_parquet([${paths.join(", ")}], union_by_name = true)`;
}

function originOf({ octets, digest }: Origin): string {
  return `KV_METADATA {sigwall_octets: '${octets}', sigwall_sha256: '${digest}'}`;
}

/** Reads what a sealed table was made of. */
export async function readOrigin(database: Database, path: string): Promise<Origin> {
  const rows = await database.ask(
    `SELECT decode(key) AS name, decode(value) AS value FROM parquet_kv_metadata(${quote(path)})`,
  );
  const values = new Map(rows.map(({ name, value }) => [String(name), String(value)]));
  return {
    octets: Number(values.get("sigwall_octets") ?? -1),
    digest: values.get("sigwall_sha256") ?? "",
  };
}

/** Counts by reading a column, so that a page that can't be decoded shows. */
async function countRows(database: Database, path: string): Promise<number> {
  const [row] = await database.ask(`SELECT count(time) AS n FROM read_parquet(${quote(path)})`);
  return Number(row?.["n"]);
}
