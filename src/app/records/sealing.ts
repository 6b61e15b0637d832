// Seals the records of a running filter every hour, where DuckDB is installed, and tells the outcome.
import { fileURLToPath } from "node:url";
import type { Log } from "../../observe/log.ts";
import { howToInstall, isInstalled } from "../../records/sealed/duckdb.ts";
import { wallNow } from "../../wire/kernel/clock.ts";
import { createSealClock, type HourlySeal, startHourlySeal, startSealing } from "../hourly-seal.ts";

/** Path of the program, from this file. */
const program = fileURLToPath(new URL("../../main.js", import.meta.url));

/**
 * Seals the closed hours of `folder` by a child process, once an hour.
 *
 * @param configPath path of sigwall.yaml, which says what else is kept
 * @returns undefined where DuckDB is not installed: the lines stay as they are
 */
export function startRecordSealing(folder: string, configPath: string, log: Log): HourlySeal | undefined {
  if (!isInstalled()) {
    log.info("records are not sealed: they stay lines of JSON", { why: `no DuckDB; ${howToInstall}` });
    return undefined;
  }
  return startHourlySeal({
    start: () => startSealing(program, folder, configPath),
    clock: createSealClock(wallNow),
    told({ result, why, took }) {
      if (why === undefined) log.info("records are sealed", { result, milliseconds: Math.round(took) });
      else log.warn("records could not be sealed; it is tried again", { why });
    },
  });
}
