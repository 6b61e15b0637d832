// Bounds the log lines of findings and orders: so many in a second, then how many were left out.
import type { Millis } from "../../domain/time.ts";
import type { Log, OmittedLines } from "../../observe/log.ts";

/** At most this many get a log line in a second. The records have each of them. */
const LINES_A_SECOND = 10;

export interface FewNotes {
  /**
   * Counts a line of one second.
   *
   * @param what of which the log says how many were left out
   * @returns false when the second has had its lines
   */
  readonly hasRoom: (at: Millis, what: OmittedLines) => boolean;
}

export function createFewNotes(log: Log): FewNotes {
  let second = 0;
  let lines = 0;
  return {
    hasRoom(at, what) {
      const current = Math.floor(at / 1000);
      if (current !== second) {
        if (lines > LINES_A_SECOND) log.omitted(what, lines - LINES_A_SECOND);
        second = current;
        lines = 0;
      }
      return ++lines <= LINES_A_SECOND;
    },
  };
}
