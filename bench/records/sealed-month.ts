/** A month of made calls, sealed: what `bench:ask` and `bench:report` ask about. */
import { mkdirSync } from "node:fs";
import { openDatabase } from "../../src/records/sealed/duckdb.ts";
import { sealFolder } from "../../src/records/sealed/seal-folder.ts";
import { writeRecords } from "../../test/support/record-lines.ts";

const DAY = 86_400_000;
const DAYS = 30;

/**
 * Writes and seals thirty days, day by day: the lines of one day are on the disk at a time.
 *
 * @param from first moment. Unix milliseconds
 * @param spillFolder where the database puts what has no room in memory
 */
export async function makeSealedMonth(
  records: string,
  {
    from,
    calls,
    spillFolder,
  }: { readonly from: number; readonly calls: number; readonly spillFolder: string },
): Promise<void> {
  mkdirSync(records, { recursive: true });
  for (let day = 0; day < DAYS; day++) {
    const database = await openDatabase({ megabytes: 500, threads: 1, spillFolder });
    if (typeof database === "string") throw new Error(database);
    const start = from + day * DAY;
    writeRecords(records, {
      node: "gw-a",
      from: start,
      to: start + DAY,
      calls: Math.round(calls / DAYS),
      seed: day,
      epoch: Math.floor(from / 1000) + day,
    });
    const now = day === DAYS - 1 ? start + 3 * DAY : start + DAY;
    await sealFolder({ database, records }, now, (outcome) => {
      if (outcome.kind === "failed") throw new Error(outcome.why);
    });
    database.close();
    console.error(`day ${day + 1} of ${DAYS}`);
  }
}
