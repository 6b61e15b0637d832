// The time of the memory of calls: made from the engine's clock, it never runs backwards.
import type { Millis } from "../domain/time.ts";

/** A clock that follows another one forwards only. */
export interface CallClock {
  /** Time of the last {@link pass}. Invariant: it never decreases. */
  readonly time: Millis;
  /** How far `time` is ahead of the engine's clock. */
  readonly ahead: Millis;
  /** Hands in the engine's clock. @returns true when `ahead` has changed */
  pass(now: Millis): boolean;
}

/**
 * An engine's clock that is set back by an hour costs nothing: time stands for that moment and then goes on at its
 * pace. Nothing ends early and nothing lives an hour longer.
 *
 * A step forwards counts at most `longestPause`. An engine that ticks every second hands in some seconds, and a clock
 * that is set ahead by an hour then ends no call. By default a step counts in whole: a test at virtual time needs that.
 */
export function createCallClock(longestPause: Millis): CallClock {
  let last = Number.NaN;
  const clock = {
    time: 0,
    ahead: 0,
    pass(now: Millis): boolean {
      const step = now - last;
      if (step === 0) return false;
      last = now;
      if (step > 0 && step <= longestPause) {
        clock.time += step;
        return false;
      }
      if (Number.isNaN(step)) clock.time = now;
      else if (step > 0) clock.time += longestPause;
      clock.ahead = clock.time - now;
      return true;
    },
  };
  return clock;
}
