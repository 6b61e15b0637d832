// When a time stamping authority is asked again: after each outcome, and at the start.
import type { Millis } from "../../domain/time.ts";
import type { StampOutcome } from "../../records/evidence/newest-stamp.ts";

/** First pause after a failure, and while the log has no checkpoint. It doubles with every failure. */
const SOON: Millis = 1000;

/** Says how long to wait before each question. */
export interface StampingTimes {
  /** Before the first one. @param last when the last stamp was kept. Unix milliseconds */
  readonly first: (now: Millis, last: Millis | undefined) => Millis;
  readonly after: (outcome: StampOutcome) => Millis;
}

/** @param every time between two stamps */
export function createStampingTimes(every: Millis): StampingTimes {
  let failures = 0;
  return {
    first(now, last) {
      // A clock that was set back makes the last stamp a later one: then the wait is no longer than usual.
      return last === undefined ? 0 : Math.min(Math.max(last + every - now, 0), every);
    },
    after({ kind }) {
      failures = kind === "failed" ? failures + 1 : 0;
      if (kind === "failed") return Math.min(SOON * 2 ** Math.min(failures - 1, 30), every);
      return kind === "none" ? Math.min(SOON, every) : every;
    },
  };
}
