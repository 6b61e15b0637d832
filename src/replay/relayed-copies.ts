// Tells a call that is seen again on another hop from a call that begins.
import type { SignallingPath } from "../domain/attempt.ts";
import type { Millis } from "../domain/time.ts";
import { pathKey } from "./capture-keys.ts";

/** At most twice as many calls are remembered. */
const MAX_YOUNG = 32_768;
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
  /** Of two generations: when the younger one is full, the older one is forgotten whole. */
  let young = new Map<string, Sighting>();
  let old = new Map<string, Sighting>();

  function remember(key: string, sighting: Sighting): void {
    if (young.size >= MAX_YOUNG) {
      old = young;
      young = new Map();
    }
    young.set(key, sighting);
  }

  return {
    isCopy(key, path, now) {
      const place = pathKey(path);
      const before = young.get(key) ?? old.get(key);
      if (before !== undefined && now - before.at < LIFETIME) return before.path !== place;
      remember(key, { path: place, at: now });
      return false;
    },
    forget(key) {
      young.delete(key);
      old.delete(key);
    },
  };
}
