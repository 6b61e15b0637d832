// Token buckets by trunk: the memory of the call-rate limits.
import type { Millis } from "../domain/time.ts";

/**
 * Tokens are counted in thousandths: every refill is exact for whole milliseconds and whole rates.
 */
const TOKEN = 1000;

/**
 * Token buckets under configured names (trunk ids). Peers cannot add names, so the table needs no
 * bound, and buckets outlive a policy reload. A bucket holds the tokens of one second, at least
 * one, and starts full.
 */
export interface TokenBuckets {
  /**
   * Takes nothing.
   * @returns milliseconds until a token is available; 0 when one is
   */
  wait(name: string, perSecond: number, now: Millis): Millis;
  /** Takes one token, or what is left of one. */
  take(name: string, perSecond: number, now: Millis): void;
  /**
   * Takes one token that another node has given away, also where there is none: what is owed is paid before the next one
   * is there. At most the tokens of one second are owed. What is older than a second has been refilled since.
   */
  owe(name: string, perSecond: number, now: Millis): void;
  /** The share of the tokens of one second that is used up, 0 to 1. */
  used(name: string, perSecond: number, now: Millis): number;
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

  /**
   * Returns the tokens available now, in thousandths. A clock set back refills nothing. A rate
   * lowered by a reload cuts the level to the new depth.
   */
  const refill = (slot: number, perSecond: number, now: Millis): number => {
    const elapsed = Math.max(0, now - (filledAt[slot] ?? now));
    const depth = depthOf(perSecond);
    const tokens = Math.min(depth, Math.max(-depth, level[slot] ?? 0) + elapsed * perSecond);
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
      const tokens = refill(slot, perSecond, now);
      level[slot] = tokens < TOKEN ? Math.min(tokens, 0) : tokens - TOKEN;
    },
    owe(name, perSecond, now) {
      const slot = slotOf(name, perSecond, now);
      if (now < filledAt[slot]! - 1000) return;
      level[slot] = Math.max(
        -depthOf(perSecond),
        refill(slot, perSecond, Math.max(now, filledAt[slot]!)) - TOKEN,
      );
    },
    used(name, perSecond, now) {
      const slot = slots.get(name);
      return slot === undefined ? 0 : Math.min(1, 1 - refill(slot, perSecond, now) / depthOf(perSecond));
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
