// Tells when no message has been sent on for a while: the end of draining.
import type { Millis } from "../domain/time.ts";
import type { Counters } from "../observe/counters.ts";

/**
 * RFC 3261 section 17.1.2.1: T2, the longest pause between two repeats of a message that waits for its answer. When
 * nothing has been sent on for that long, no transaction is under way.
 */
export const QUIET: Millis = 4000;

/** Sees when messages were sent on last. Times are monotonic milliseconds. */
export interface TrafficWatch {
  /** Called several times a second. */
  look(now: Millis): void;
  /** Resolves in a later `look`: when it has been quiet for {@link QUIET}, or `most` is over. */
  quiet(now: Millis, most: Millis): Promise<void>;
}

/** `start`: when the engine began. */
export function createTrafficWatch(counters: Counters, start: Millis): TrafficWatch {
  let forwarded = counters.forwarded;
  // Nothing has been sent on yet: it has always been quiet.
  let lastAt = start - QUIET;
  let waiting: { readonly until: Millis; readonly done: () => void } | undefined;
  return {
    look(now) {
      if (counters.forwarded !== forwarded) {
        forwarded = counters.forwarded;
        lastAt = now;
      }
      if (waiting === undefined || (now < waiting.until && now < lastAt + QUIET)) return;
      waiting.done();
      waiting = undefined;
    },
    quiet: (now, most) =>
      new Promise((done) => {
        waiting = { until: now + most, done };
      }),
  };
}
