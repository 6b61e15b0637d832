// When calls are made: profiles of a day by hour, and times drawn from them.
import { draw, drawSpread, type Random, type Spread } from "./random.ts";

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** Answers the time of the next call, or NO_MORE. */
export type Times = () => number;
export const NO_MORE = -1;

export interface Profile {
  /** The time by which this share of the day's calls was made. */
  timeAt(share: number): number;
  shareAt(time: number): number;
}

/** @param weights one for each of 24 hours, above 0 */
export function createProfile(weights: readonly number[]): Profile {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const shares = new Float64Array(25);
  weights.forEach((weight, hour) => {
    shares[hour + 1] = (shares[hour] ?? 0) + weight / sum;
  });
  return {
    timeAt(share) {
      let hour = share < (shares[12] ?? 0) ? 0 : 12;
      while (hour < 23 && share >= (shares[hour + 1] ?? 1)) hour += 1;
      const start = shares[hour] ?? 0;
      return (hour + (share - start) / ((shares[hour + 1] ?? 1) - start)) * HOUR;
    },
    shareAt(time) {
      const hour = Math.min(23, Math.floor(time / HOUR));
      const start = shares[hour] ?? 0;
      return start + (time / HOUR - hour) * ((shares[hour + 1] ?? 1) - start);
    },
  };
}

/**
 * Exactly `count` times from `from` to below `until`, independent of each other, thick where the profile is thick. They are drawn one after
 * the other: the smallest of n uniform values is 1 - u^(1/n).
 */
export function drawTimes(
  random: Random,
  profile: Profile,
  count: number,
  from: number,
  until: number,
): Times {
  let left = count;
  let share = profile.shareAt(from);
  const end = profile.shareAt(until);
  return () => {
    if (left <= 0) return NO_MORE;
    share -= (end - share) * Math.expm1(Math.log(1 - draw(random)) / left);
    left -= 1;
    return Math.min(until - 1, Math.floor(profile.timeAt(share)));
  };
}

/** `count` times from `start` on, with gaps around a median: a list that is worked through. Milliseconds. */
export function drawPaced(random: Random, count: number, start: number, gap: Spread): Times {
  let left = count;
  let time = start;
  return () => {
    if (left <= 0) return NO_MORE;
    left -= 1;
    const at = time;
    time += drawSpread(random, gap);
    return Math.floor(at);
  };
}
