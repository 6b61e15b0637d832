// Remembers peers that could not be reached, and when to try again.
import type { Millis } from "../../domain/time.ts";

const FIRST: Millis = 500;
const LONGEST: Millis = 30_000;
/** At most this many peers are remembered; the one that failed longest ago is forgotten first. */
const MOST = 1024;

/**
 * Remembers peers that could not be reached, so that calls don't wait for the same failure again.
 */
export interface BackOff {
  /** Tells whether it is too early to try the peer again. */
  isBlocked(peer: string, now: Millis): boolean;
  /**
   * Blocks the peer for half a second, twice as long after every further failure, and at most half
   * a minute.
   */
  failed(peer: string, now: Millis): void;
  succeeded(peer: string): void;
}

/** Makes an empty memory: every peer may be tried. */
export function createBackOff(): BackOff {
  const failures = new Map<string, { readonly until: Millis; readonly delay: Millis }>();
  return {
    isBlocked: (peer, now) => now < (failures.get(peer)?.until ?? 0),
    failed(peer, now) {
      const delay = Math.min((failures.get(peer)?.delay ?? FIRST / 2) * 2, LONGEST);
      failures.delete(peer);
      failures.set(peer, { until: now + delay, delay });
      if (failures.size <= MOST) return;
      for (const oldest of failures.keys()) {
        failures.delete(oldest);
        break;
      }
    },
    succeeded: (peer) => void failures.delete(peer),
  };
}
