// Seals one hour: NDJSON in, Parquet out, and the NDJSON goes when everything is on the disk.
import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "./duckdb.ts";
import { giveToOwner } from "./folder-owner.ts";
import { badPath, type HourFiles, openPath, sealedPath } from "./hour-files.ts";
import { type SortedLines, sortLines } from "./line-sorting.ts";
import { tableNames } from "./record-columns.ts";
import { removeFile, settle } from "./settled-files.ts";
import { type RowCounts, writeTables } from "./parquet-writing.ts";

/** The steps of sealing, in their order. */
export type SealStep = "sorted" | "written" | "checked" | "others" | "endings" | "attempts" | "removed";

/** What became of an hour. */
export interface SealedHour {
  readonly rows: RowCounts;
  /** Ends that another end of the same call made superfluous. */
  readonly superfluous: number;
  /** Lines in `HH-NODE.bad`. */
  readonly bad: number;
}

/** What a sealing needs beside the hour. */
export interface SealParts {
  readonly database: Database;
  /** The records folder. */
  readonly records: string;
  /** Told after each step, for tests that end the process there. */
  readonly after?: (step: SealStep) => void;
}

/**
 * Seals the open file of an hour. Rejects when a count differs, when the file is still written, or with what the
 * operating system or DuckDB says; the NDJSON is then as it was.
 *
 * Invariant: `STEM.attempts.parquet` gets its name last, so that it stands for the whole hour.
 *
 * @param stem under which the hour is sealed
 */
export async function sealHour(parts: SealParts, hour: HourFiles, stem: string): Promise<SealedHour> {
  const source = openPath(hour);
  const target = { folder: hour.folder, stem };
  const work = join(hour.folder, `${stem}.sealing`);
  const after = parts.after ?? (() => undefined);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { mode: 0o700 });
  try {
    const before = stampOf(source);
    const { sorted, rows } = await convert(parts, source, work, hour, after);
    const superfluous = sorted.counts.endings - rows.endings;
    if (
      rows.attempts !== sorted.counts.attempts ||
      rows.others !== sorted.counts.others ||
      superfluous < 0 ||
      stampOf(source) !== before
    )
      throw new Error(describeMismatch(source, sorted, rows, stampOf(source) !== before));
    for (const table of tableNames) {
      const path = join(work, `${table}.parquet`);
      // Whole numbers stand in the tables: DuckDB would let everybody read them.
      chmodSync(path, 0o600);
      giveToOwner(hour.folder, path);
      settle(path);
    }
    after("checked");
    if (sorted.bad > 0) giveToOwner(hour.folder, join(work, "bad"));
    if (sorted.bad > 0) renameSync(join(work, "bad"), badPath(target));
    for (const table of tableNames) {
      renameSync(join(work, `${table}.parquet`), sealedPath(target, table));
      // The new name is on the disk before the next one: `attempts` must never be there alone.
      settle(hour.folder);
      after(table);
    }
    // A line that came meanwhile is in no table: the next sealing takes the hour as a whole.
    if (stampOf(source) !== before) throw new Error(describeMismatch(source, sorted, rows, true));
    removeFile(source);
    settle(hour.folder);
    after("removed");
    return { rows, superfluous, bad: sorted.bad };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Sorts and writes. Lines on which two readers of JSON differ are written anew at a second try. */
async function convert(
  { database, records }: SealParts,
  source: string,
  work: string,
  hour: HourFiles,
  after: (step: SealStep) => void,
): Promise<{ readonly sorted: SortedLines; readonly rows: RowCounts }> {
  const attempt = async (always: boolean): ReturnType<typeof convert> => {
    const sorted = sortLines(source, work, always);
    after("sorted");
    const rows = await writeTables(database, work, sorted, records, hour);
    after("written");
    return { sorted, rows };
  };
  try {
    return await attempt(false);
  } catch {
    return attempt(true);
  }
}

function stampOf(path: string): string {
  const { ino, size, mtimeMs } = statSync(path);
  return `${ino} ${size} ${mtimeMs}`;
}

function describeMismatch(
  source: string,
  { counts }: SortedLines,
  rows: RowCounts,
  isWritten: boolean,
): string {
  if (isWritten) return `${source} is still written; it is sealed the next time`;
  const differing = tableNames.filter((table) => rows[table] !== counts[table]);
  const words = differing.map((table) => `${counts[table]} lines and ${rows[table]} rows of ${table}`);
  return `${source}: the counts differ: ${words.join(", ")}; the lines stay as they are`;
}
