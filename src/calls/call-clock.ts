// The time of the memory of calls, and how it stands to the wall clock that snapshots and ends are dated by.
import type { Millis, WallClock } from "../domain/time.ts";
import { SESSION_GRACE } from "../sip/timers.ts";

/** The engine's clock as the memory of calls keeps it. */
export interface CallClock {
  /** Time of the last {@link pass}. */
  readonly time: Millis;
  /** How far `time` is ahead of the wall clock. */
  readonly ahead: Millis;
  /** Hands in the engine's clock. @returns true when `ahead` has changed, and the first time */
  pass(now: Millis): boolean;
}

export function createCallClock(wall: WallClock): CallClock {
  const clock = {
    time: 0,
    ahead: Number.NaN,
    pass(now: Millis): boolean {
      clock.time = now;
      if (clock.ahead === -wall.ahead) return false;
      // Without a minus zero, which a comparison of snapshots would tell from zero.
      clock.ahead = 0 - wall.ahead;
      return true;
    },
  };
  return clock;
}

/** When a session that begins now expires (RFC 4028); Infinity: its interval is 0. `seconds`: the interval. */
export function sessionEnd(now: Millis, seconds: number): Millis {
  return seconds > 0 ? now + seconds * 1000 + SESSION_GRACE : Infinity;
}
