// Seeded random numbers, and the distributions that are drawn from them.

/** One generator: 32 bits of state. */
export interface Random {
  state: number;
}

/** Values around a median, log-normal: ln(value / median) has the standard deviation `sigma`. */
export interface Spread {
  readonly median: number;
  readonly sigma: number;
}

/** Values between two bounds, all ratios alike. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** Mixes 32 bits; neighbours come far apart (the finaliser of MurmurHash3). */
export function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Mixes two numbers below 2^53 into 32 bits. */
export function mixTwo(a: number, b: number): number {
  return mix(mix((a % 0x1_0000_0000) ^ Math.floor(a / 0x1_0000_0000)) + Math.imul(b, 0x9e3779b1));
}

/** A generator of its own for each name under a seed, so that a change of one leaves the others. */
export function randomFor(seed: number, name: string, index: number): Random {
  let h = mix(seed);
  for (const letter of name) h = mix(h + (letter.codePointAt(0) ?? 0));
  return { state: mixTwo(h, index) | 0 };
}

/** 0 ≤ x < 1 (mulberry32). */
export function draw(random: Random): number {
  const state = (random.state + 0x6d2b79f5) | 0;
  random.state = state;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
}

/** A whole number from 0 to below `count`. */
export function below(random: Random, count: number): number {
  return Math.floor(draw(random) * count);
}

const STEPS = 4096;

/** Quantiles of the normal distribution at (i + 0.5) / STEPS, found by bisection of its integral. */
const quantiles = makeQuantiles();

function makeQuantiles(): Float64Array {
  const table = new Float64Array(STEPS);
  const width = 1 / 4096;
  let z = -4;
  // Below -4 stands 3.17e-5 of the distribution.
  let sum = 3.17e-5;
  for (let i = 0; i < STEPS; i += 1) {
    while (sum < (i + 0.5) / STEPS && z < 4) {
      const middle = z + width / 2;
      sum += (Math.exp((-middle * middle) / 2) / Math.sqrt(2 * Math.PI)) * width;
      z += width;
    }
    table[i] = z;
  }
  return table;
}

/** A value of the distribution. At most exp(3.7 sigma) times the median. */
export function drawSpread(random: Random, { median, sigma }: Spread): number {
  return median * Math.exp(sigma * (quantiles[below(random, STEPS)] ?? 0));
}

export function drawBounds(random: Random, { least, most }: Bounds): number {
  return least * (most / least) ** draw(random);
}

/**
 * A rank from 0 to below `count`, the first ones more often: Zipf–Mandelbrot, share ∝ (rank + flat)^-s.
 * `flat` keeps the first rank from taking too much. Invariant: s is not 1.
 */
export function drawRank(random: Random, count: number, s: number, flat: number): number {
  const power = 1 - s;
  const low = flat ** power;
  const rank = Math.floor((low + draw(random) * ((count + flat) ** power - low)) ** (1 / power) - flat);
  return rank < 0 ? 0 : rank < count ? rank : count - 1;
}
