// Records and tells which numbers left police and shutdown lists, or were to leave them.
import type { CustodyNote } from "../../config/change/custody.ts";
import type { Log } from "../../observe/log.ts";
import type { Records } from "../../records/lines/recording.ts";

/** Makes what takes the notes of a reading. The log has no numbers: their records name them. */
export function noteCustody(
  log: Pick<Log, "info" | "error">,
  records: Pick<Records, "note"> | undefined,
): (notes: readonly CustodyNote[]) => void {
  return (notes) => {
    for (const line of notes) records?.note({ ...line });
    const [first] = notes;
    const fields = { lists: [...new Set(notes.map(({ list }) => list))], records: notes.length };
    if (first?.what === "released") log.info("numbers were released from lists", fields);
    else if (first !== undefined) log.error("numbers were to leave lists and were not released", fields);
  };
}
