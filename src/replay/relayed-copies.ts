// Tells a call that is seen again on another hop from a call that begins.
import type { SignallingPath } from "../domain/attempt.ts";
import type { Millis } from "../domain/time.ts";
import { pathKey } from "./capture-keys.ts";

/** At most this many calls are remembered; the oldest is forgotten first. */
const MAX_REMEMBERED = 65_536;
/** Timer C and a minute: so long a proxy may try one hop after the other (RFC 3261 section 16.6). */
const LIFETIME: Millis = 240_000;

/** The calls that were judged a short while ago, and where each was seen first. */
export interface RelayedCopies {
  /**
   * Takes an INVITE or IAM that is judged.
   * @param key what all copies share
   * @returns true for a copy: the same call was seen between other places before
   */
  isCopy(key: string, path: SignallingPath, now: Millis): boolean;
  /** The call is over: the same key begins another one. */
  forget(key: string): void;
}

interface Sighting {
  readonly path: string;
  readonly at: Millis;
}

export function createRelayedCopies(): RelayedCopies {
  const sightings = new Map<string, Sighting>();

  function forgetOldest(now: Millis): void {
    for (const [key, { at }] of sightings) {
      if (sightings.size < MAX_REMEMBERED && now - at < LIFETIME) return;
      sightings.delete(key);
    }
  }

  return {
    isCopy(key, path, now) {
      const place = pathKey(path);
      const before = sightings.get(key);
      if (before !== undefined && now - before.at < LIFETIME) return before.path !== place;
      sightings.delete(key);
      forgetOldest(now);
      sightings.set(key, { path: place, at: now });
      return false;
    },
    forget(key) {
      sightings.delete(key);
    },
  };
}
