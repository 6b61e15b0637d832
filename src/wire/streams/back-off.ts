import type { Millis } from "../../domain/time.ts";

const FIRST: Millis = 500;
const LONGEST: Millis = 30_000;
/** Peers that are remembered; the one that failed longest ago is forgotten first. */
const MOST = 1024;

/** Remembers who could not be reached, so that nobody waits for the same failure again and again. */
export interface BackOff {
  /** True: don't try yet. */
  isBlocked(peer: string, now: Millis): boolean;
  /** Blocks the peer for half a second, and twice as long with every failure after that, up to half a minute. */
  failed(peer: string, now: Millis): void;
  succeeded(peer: string): void;
}

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
