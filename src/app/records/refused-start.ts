// Records a start that was to take numbers out of lists in custody, and was refused.
import type { CustodyNote } from "../../config/change/custody.ts";
import type { RecordsConfig } from "../../config/sigwall/records-schema.ts";
import { createLog } from "../../observe/log.ts";
import { openRecords } from "./open-records.ts";

/** At most so many numbers have a line of one start: a service that can't start is started again and again. */
const MOST_NOTES = 20;

/**
 * Opens the records for these lines alone. Where another filter holds the folder, or it can't be written, nothing is
 * recorded: the refusal is told on standard error in any case. Resolves when the lines are written, or could not be.
 */
export async function recordRefusedStart(
  config: RecordsConfig,
  node: string,
  notes: readonly CustodyNote[],
): Promise<void> {
  // What refuses the start is told on standard error.
  const log = createLog(
    "silent",
    () => 0,
    () => {},
  );
  const records = openRecords({ records: config, evidence: undefined }, { node, log });
  if (typeof records === "string") return;
  for (const [index, note] of notes.slice(0, MOST_NOTES).entries()) {
    const more = index === MOST_NOTES - 1 ? notes.length - MOST_NOTES : 0;
    records.note({ ...note, ...(more > 0 ? { more } : {}) });
  }
  await records.close();
}
