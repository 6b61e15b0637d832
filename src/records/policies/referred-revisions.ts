// Finds the revisions that records still name.
import { type Database, quote } from "../sealed/duckdb.ts";
import { isReadOpen, listHours, openPath, sealedPath } from "../sealed/hour-files.ts";
import { readOpenLines } from "../asking/open-lines.ts";

/**
 * Collects the revisions that kept records of a folder name, sealed or open. Throws when the folder can't be read.
 *
 * @param candidates revisions that are asked for
 */
export async function findReferred(
  database: Database,
  records: string,
  candidates: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const hours = listHours(records);
  const sealed = hours.filter(({ isSealed }) => isSealed);
  for (const table of ["attempts", "others"] as const) {
    if (sealed.length === 0 || candidates.length === 0) break;
    const files = sealed.map((hour) => quote(sealedPath(hour, table))).join(", ");
    const asked = candidates.map((_, index) => `$${index + 1}`).join(", ");
    const rows = await database.ask(
      `SELECT DISTINCT revision FROM read_parquet([${files}], union_by_name = true) WHERE revision IN (${asked})`,
      candidates,
    );
    for (const { revision } of rows) found.add(String(revision));
  }
  const kinds = ["decided", "request", "policy"];
  for (const hour of hours.filter(isReadOpen))
    readOpenLines(openPath(hour), { kinds }, ({ revision }) => {
      if (typeof revision === "string") found.add(revision);
    });
  return found;
}
