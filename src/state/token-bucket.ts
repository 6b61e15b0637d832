import type { Millis } from "../domain/time.ts";

/** Tokens are counted in thousandths: with whole milliseconds and whole rates every refill is exact. */
const TOKEN = 1000;

/**
 * Token buckets under configured names (trunk ids), so that they outlive a policy reload and need no bound of
 * their own. A bucket holds one second's worth of tokens, at least one, and starts full.
 */
export interface TokenBuckets {
  /** Milliseconds until a token is there; 0: now. Takes nothing. */
  wait(name: string, perSecond: number, now: Millis): Millis;
  /** Takes one token, or what is left of one. */
  take(name: string, perSecond: number, now: Millis): void;
}

export function createTokenBuckets(): TokenBuckets {
  const slots = new Map<string, number>();
  let level = new Float64Array(16);
  let filledAt = new Float64Array(16);

  const slotOf = (name: string, perSecond: number, now: Millis): number => {
    const known = slots.get(name);
    if (known !== undefined) return known;
    const slot = slots.size;
    if (slot === level.length) {
      level = enlarge(level);
      filledAt = enlarge(filledAt);
    }
    slots.set(name, slot);
    level[slot] = depthOf(perSecond);
    filledAt[slot] = now;
    return slot;
  };

  /** Tokens now, in thousandths. A clock set back refills nothing; a lower rate after a reload empties what is over. */
  const refill = (slot: number, perSecond: number, now: Millis): number => {
    const elapsed = Math.max(0, now - (filledAt[slot] ?? now));
    const tokens = Math.min(depthOf(perSecond), (level[slot] ?? 0) + elapsed * perSecond);
    level[slot] = tokens;
    filledAt[slot] = now;
    return tokens;
  };

  return {
    wait(name, perSecond, now) {
      const tokens = refill(slotOf(name, perSecond, now), perSecond, now);
      return tokens >= TOKEN ? 0 : (TOKEN - tokens) / perSecond;
    },
    take(name, perSecond, now) {
      const slot = slotOf(name, perSecond, now);
      level[slot] = Math.max(0, refill(slot, perSecond, now) - TOKEN);
    },
  };
}

function depthOf(perSecond: number): number {
  return Math.max(1, perSecond) * TOKEN;
}

function enlarge(array: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
