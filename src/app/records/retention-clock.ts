// The clock that retention goes by: it follows the wall clock, and doubts a wall clock that jumps ahead.
import type { Millis } from "../../domain/time.ts";

// Deleted days never come back, and a clock that is wrong for an hour is common: a machine without a battery, a slip of
// an operator, a time server that lies. Therefore a jump ahead deletes nothing until it has stood for a day.

/** The time that retention goes by. */
export interface RetentionClock {
  /**
   * Reads the clock.
   *
   * @param wall the wall clock
   * @param elapsed a monotonic clock. Milliseconds, from any start
   * @returns never more than the wall clock. While the wall clock is doubted: the time before its jump, and what has
   * passed since
   */
  readonly read: (wall: Millis, elapsed: Millis) => Millis;
  /** True while the wall clock is doubted. */
  readonly isDoubtful: () => boolean;
}

const HOUR: Millis = 3_600_000;
/** A wall clock that is ahead of what has passed by more than this is doubted. */
export const MOST_STEP: Millis = HOUR;
/** A start so long after the last reading is a filter that was off, and no jump. */
export const MOST_AWAY: Millis = 7 * 24 * HOUR;
/** A wall clock that has stood its ground for so long is right. */
export const DOUBTED_FOR: Millis = 24 * HOUR;

/** @param last what a process before this one has read last; undefined: nobody has */
export function createRetentionClock(last: Millis | undefined): RetentionClock {
  /** The newest reading that is believed, and when it was made. */
  let believed: Millis | undefined;
  let readAt: Millis = 0;
  /** How far the wall clock is ahead of the monotonic one, and since when. */
  let ahead = NaN;
  let since: Millis = 0;
  let isDoubtful = false;

  function mostAt(elapsed: Millis): Millis {
    if (believed !== undefined) return believed + Math.max(0, elapsed - readAt) + MOST_STEP;
    return last === undefined ? Infinity : last + MOST_AWAY;
  }

  return {
    read(wall, elapsed) {
      if (!(Math.abs(wall - elapsed - ahead) <= MOST_STEP)) {
        ahead = wall - elapsed;
        since = elapsed;
      }
      if (wall <= mostAt(elapsed) || elapsed - since >= DOUBTED_FOR) {
        isDoubtful = false;
        last = undefined;
        believed = wall;
      } else {
        isDoubtful = true;
        believed = believed === undefined ? undefined : believed + Math.max(0, elapsed - readAt);
      }
      readAt = elapsed;
      return believed ?? last ?? wall;
    },
    isDoubtful: () => isDoubtful,
  };
}
