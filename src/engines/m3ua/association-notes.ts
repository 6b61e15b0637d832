// What an operator should know of an association that goes on: its paths and its payload protocol identifiers.
import type { Millis } from "../../domain/time.ts";
import type { Ss7Counters } from "../../observe/ss7-counters.ts";
import type { AssociationNote } from "../../wire/sctp/association.ts";
import { createRareLog } from "./rare-log.ts";

/** Makes what counts the notes of one association, and writes them to the log. */
export function createNoteTaker(parts: {
  readonly id: string;
  readonly counters: Ss7Counters;
  readonly now: () => Millis;
  readonly noted: (message: string) => void;
}): (note: AssociationNote) => void {
  const { id, counters, now, noted } = parts;
  const log = createRareLog(now, noted);

  function takePath(address: string, state: "down" | "up" | "gone"): void {
    if (state === "down") {
      counters.pathsLost++;
      counters.pathsDown++;
      noted(`${id}: the path to ${address} is down`);
      return;
    }
    counters.pathsDown--;
    if (state === "up") noted(`${id}: the path to ${address} is up again`);
  }

  return (note) => {
    if (note.kind === "path") {
      takePath(note.address, note.state);
    } else if (note.kind === "missing") {
      noted(
        `${id}: the association of the peer does not have the address ${note.address}: no path goes there`,
      );
    } else if (note.kind === "host-order") {
      counters.hostOrder++;
      log(
        `${id}: the peer sends the payload protocol identifier of M3UA in host order (0x03000000); its messages are read`,
        note.kind,
      );
    } else {
      counters.foreign++;
      log(
        `${id}: dropped a message with payload protocol identifier ${note.identifier}: M3UA has 3, see RFC 4666 section 7.1`,
        note.kind,
      );
    }
  };
}
