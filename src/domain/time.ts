// The unit of time, and how the two clocks of the filter stand to each other.

/** Milliseconds. Time is always an argument: nothing below the engines reads a clock. */
export type Millis = number;

/** The last moment that a date can say (ECMA-262 section 21.4.1.1). Unix milliseconds. */
export const LAST_MOMENT: Millis = 8.64e15;

/**
 * One point in time on both clocks. Intervals are measured on one clock, dates are read on the other: whoever sets the
 * wall clock changes no interval.
 */
export interface Instant {
  /**
   * The engine's clock. It is monotonic: it began as the wall clock of the start, and nobody can set it. Every
   * interval, expiry and window is measured on it.
   */
  readonly now: Millis;
  /** The wall clock, since the Unix epoch: list dates are compared with it, events and copies are dated by it. */
  readonly at: Millis;
}

/** How the wall clock stands. The engine looks at it several times a second. */
export interface WallClock {
  /** How far the wall clock is ahead of the engine's clock: `at` is `now + ahead`. */
  ahead: Millis;
}
