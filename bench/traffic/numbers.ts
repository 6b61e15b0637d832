// Telephone numbers of the virtual country: blocks of private persons, numbers of firms, short codes, numbers abroad.
import { NONE, type NumberRange } from "./call.ts";
import { below, draw, drawRank, mix, mixTwo, type Random } from "./random.ts";

export interface NumberParameters {
  /** Blocks of 10,000 mobile numbers at full size. */
  readonly mobileBlocks: number;
  /** Blocks of 10,000 fixed numbers at full size. */
  readonly fixedBlocks: number;
  /** Share of a block that is in service, from the emptiest to the fullest. */
  readonly inService: readonly [least: number, most: number];
  /** How unequal persons are: exponent and flat part of Zipf–Mandelbrot; `flat` is a share of all numbers. */
  readonly popularity: { readonly s: number; readonly flat: number };
}

export interface Numbers {
  /** Positions of numbers of private persons: 0 to below this. */
  readonly positions: number;
  /** The number at a position. */
  at(position: number): number;
  /** The first position from `position` on whose number is in service. */
  inServiceFrom(position: number): number;
  /** The position of a private number, NONE for every other number. */
  positionOf(number: number): number;
  inService(position: number): boolean;
  /** Position of a person in service, all alike. */
  anyone(random: Random): number;
  /** Position of a person in service, busy ones more often. */
  active(random: Random): number;
  /** The person that a key and an index stand for; the same one every time. */
  chosen(key: number, index: number): number;
  /** The next hop that a number stands behind, whose position is this. */
  hopOf(number: number, position: number): number;
  /** Contiguous fixed numbers for a firm, none of them given before. */
  lease(count: number): NumberRange;
  /** A platform number (95xxx), none given before. */
  platform(): number;
  /** A mobile number outside the blocks of private persons, none given before: fresh SIM cards. */
  freshMobile(): number;
  /** A number abroad. */
  abroad(random: Random): number;
}

const BLOCK = 10_000;
/** Every mobile prefix has 10,000 blocks (86 1xx HHHH xxxx). */
const mobilePrefixes = [8613800000000, 8613900000000, 8615000000000, 8618600000000];
/** A city of 8-digit fixed numbers for persons, and one for firms. */
const FIXED = 862880000000;
const FIRMS = 862160000000;
const PLATFORMS = 8695500;
const FRESH = 8619500000000;
/** Prime, and above the number of positions: neighbours in rank are no neighbours in number. */
const STRIDE = 982_451_653;
/** Country codes with the digits that follow. */
const countries: readonly (readonly [prefix: number, digits: number])[] = [
  [852, 8],
  [1, 10],
  [44, 10],
  [81, 10],
  [82, 10],
  [65, 8],
  [61, 9],
  [49, 10],
  [7, 10],
  [252, 8],
  [675, 8],
  [232, 8],
];
const HOPS = 8;

export function createNumbers(parameters: NumberParameters, scale: number): Numbers {
  const mobile = Math.max(mobilePrefixes.length, Math.round(parameters.mobileBlocks * scale));
  const fixed = Math.max(2, Math.round(parameters.fixedBlocks * scale));
  const positions = (mobile + fixed) * BLOCK;
  const [least, most] = parameters.inService;
  const perPrefix = Math.ceil(mobile / mobilePrefixes.length);
  const bases = Float64Array.from({ length: mobile + fixed }, (_, block) =>
    block < mobile
      ? (mobilePrefixes[Math.floor(block / perPrefix)] ?? 0) + (block % perPrefix) * BLOCK
      : FIXED + (block - mobile) * BLOCK,
  );
  const filled = Float64Array.from(
    bases,
    (_, block) => (least + ((most - least) * mix(block)) / 2 ** 32) * 2 ** 32,
  );
  /** Runs of contiguous blocks: where each begins, and the position of its first number. */
  const runs = [...mobilePrefixes, FIXED].map((first, run) => {
    const block = run < mobilePrefixes.length ? run * perPrefix : mobile;
    const end = run < mobilePrefixes.length ? Math.min(mobile, block + perPrefix) : mobile + fixed;
    return { first, end: first + (end - block) * BLOCK, position: block * BLOCK };
  });
  const flat = parameters.popularity.flat * positions;
  let leased = FIRMS;
  let platforms = PLATFORMS;
  let fresh = 0;

  const inService = (position: number): boolean =>
    mix(position ^ 0x5bd1e995) < (filled[Math.floor(position / BLOCK)] ?? 0);
  function inServiceFrom(position: number): number {
    let found = position % positions;
    while (!inService(found)) found = found + 1 < positions ? found + 1 : 0;
    return found;
  }
  const byRank = (rank: number): number => inServiceFrom((rank * STRIDE + 777_777) % positions);

  return {
    positions,
    at: (position) => (bases[Math.floor(position / BLOCK)] ?? 0) + (position % BLOCK),
    inServiceFrom,
    positionOf(number) {
      for (const run of runs)
        if (number >= run.first && number < run.end) return run.position + (number - run.first);
      return NONE;
    },
    inService,
    anyone: (random) => inServiceFrom(below(random, positions)),
    active: (random) => byRank(drawRank(random, positions, parameters.popularity.s, flat)),
    chosen: (key, index) => inServiceFrom(Math.floor((mixTwo(key, index) / 2 ** 32) * positions)),
    hopOf(number, position) {
      if (position !== NONE) return Math.floor(position / BLOCK) % HOPS;
      return Math.floor(number / 1e10) === 86 || number < 1e8 ? HOPS : HOPS + 1;
    },
    lease(count) {
      const first = leased;
      // The next firm begins at a full ten, as numbers are sold.
      leased += Math.ceil(count / 10) * 10;
      return { first, count };
    },
    platform() {
      platforms += 1;
      return platforms;
    },
    freshMobile() {
      fresh += 1;
      return FRESH + ((fresh * STRIDE) % 1e8);
    },
    abroad(random) {
      const [prefix, digits] = countries[below(random, countries.length)] ?? [1, 10];
      return prefix * 10 ** digits + Math.floor((0.2 + 0.7 * draw(random)) * 10 ** digits);
    },
  };
}
