// Records and tells which numbers left police and shutdown lists, or were to leave them.
import type { CustodyList, CustodyNote } from "../../config/change/custody.ts";
import type { Log } from "../../observe/log.ts";
import type { Records } from "../../records/lines/recording.ts";

/** What is known of custody when the filter starts. */
export interface StartCustody {
  /** The lists of the policy whose numbers may leave only when released. */
  readonly lists: readonly CustodyList[];
  /** What the start is to record of them. */
  readonly notes: readonly CustodyNote[];
}

/** Records what the start has found, and makes what takes the notes of reloads. The log has no numbers: records do. */
export function openCustody(
  log: Pick<Log, "info" | "error">,
  records: Pick<Records, "note"> | undefined,
  start: StartCustody | undefined,
) {
  const noted = (notes: readonly CustodyNote[]): void => {
    for (const line of notes) records?.note({ ...line });
    const [first] = notes;
    const fields = { lists: [...new Set(notes.map(({ list }) => list))], records: notes.length };
    if (first?.what === "released") log.info("numbers were released from lists", fields);
    else if (first !== undefined) log.error("numbers were to leave lists and were not released", fields);
  };
  noted(start?.notes ?? []);
  return { custody: start?.lists, noted };
}
