// What a release of calls is: the work, done a piece at a time, and what it counts.
import type { Millis } from "../domain/time.ts";

/** What became of the calls that were to be released. */
export interface ReleaseCount {
  /** Both sides got our BYE or REL; of a call in set-up, the caller got the final answer and the called side a CANCEL. */
  readonly released: number;
  /** Ended by themselves meanwhile: also those of which neither side knew any more (481, 408). */
  readonly gone: number;
  /** Calls that go on, because the filter can't end them. */
  readonly notReleasable: number;
}

/** Calls of some trunks that are being released. */
export interface ReleaseWork {
  /** Ends a few calls: at most a millisecond or so. Never throws. @returns true when no call is left to be ended */
  step(now: Millis): boolean;
  /** Calls whose BYE waits for its answer. */
  waiting(): number;
  /** The count so far. A call whose BYE waits for its answer is counted as released. */
  count(): ReleaseCount;
}

/** Nothing was to be released. */
export const nothingReleased: ReleaseCount = { released: 0, gone: 0, notReleasable: 0 };
