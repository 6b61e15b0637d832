// The clocks of the machine: a monotonic one for intervals, and how far the wall clock has moved away from it.
import { performance } from "node:perf_hooks";
import type { Millis, WallClock } from "../../domain/time.ts";

/** A difference up to this is that of two readings one after the other, and no step. */
const JITTER: Millis = 5;

/**
 * The engine's clock: it reads as the wall clock did when this thread began, and goes on evenly whatever happens to the
 * wall clock. Whole milliseconds.
 */
export function engineNow(): Millis {
  return Math.floor(performance.timeOrigin + performance.now());
}

/** Looks at the wall clock. To be called several times a second: dates are right from then on. */
export function followWall(wall: WallClock): void {
  const ahead = Date.now() - engineNow();
  if (Math.abs(ahead - wall.ahead) > JITTER) wall.ahead = ahead;
}

/** The wall clock, for what is dated by a thread that has no engine. */
export function wallNow(): Millis {
  return Date.now();
}
