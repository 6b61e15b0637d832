/**
 * The numbers and trunks every target is loaded with: made from a seed, so that two runs compare.
 * 180 domestic trunks with a lessee each, 20 international ones; 100,000 single numbers and 2,000 ranges.
 */

/** A contiguous run of numbers, both ends inclusive, as doubles with country code. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

export interface Lessee {
  readonly id: string;
  readonly numbers: readonly number[];
  readonly ranges: readonly NumberRange[];
}

export interface BenchTrunk {
  readonly id: string;
  /** A loopback address; all trunks send from the same port. */
  readonly address: string;
  /** Undefined on an international trunk. */
  readonly lessee: Lessee | undefined;
}

export interface Dataset {
  readonly trunks: readonly BenchTrunk[];
  readonly police: readonly number[];
}

/** What a call of the timed load says. */
export interface LoadCall {
  readonly address: string;
  /** As it stands in From and P-Asserted-Identity. */
  readonly caller: string;
  readonly called: string;
}

const lessees = 180;
const internationalTrunks = 20;
const listedNumbers = 100_000;
const listedRanges = 2_000;
const policeNumbers = 1_000;
const callersPerTrunk = 20;
const seed = 20_260_401;

/** Fixed lines of three cities and two mobile blocks; ranges live in a fourth city, so nothing overlaps. */
const numberSpaces: readonly NumberRange[] = [
  { first: 861080000000, last: 861089999999 },
  { first: 862160000000, last: 862169999999 },
  { first: 862860000000, last: 862869999999 },
  { first: 8613800000000, last: 8613899999999 },
  { first: 8615000000000, last: 8615099999999 },
];
const rangeSpace = 862020000000;
const policeSpace: NumberRange = { first: 85291000000, last: 85298999999 };
/** Valid fixed lines of a city no lessee has a number in. */
const unlistedSpace: NumberRange = { first: 862560000000, last: 862569999999 };

/** Makes the trunks, lessees and lists; the same ones every time. */
export function makeDataset(): Dataset {
  const random = seededRandom(seed);
  const numbers = distinctNumbers(listedNumbers, () => drawFrom(pick(numberSpaces, random), random));
  const ranges = Array.from({ length: listedRanges }, (_, index) => {
    const first = rangeSpace + index * 10_000 + Math.floor(random() * 5_000);
    return { first, last: first + 10 + Math.floor(random() * 300) };
  });
  const trunks: BenchTrunk[] = [];
  for (let index = 0; index < lessees; index += 1) {
    const id = `lessee-${index}`;
    const lessee = {
      id,
      numbers: everyNth(numbers, lessees, index),
      ranges: everyNth(ranges, lessees, index),
    };
    trunks.push({ id: `lease-${index}`, address: `127.20.0.${index + 1}`, lessee });
  }
  for (let index = 0; index < internationalTrunks; index += 1) {
    trunks.push({ id: `intl-${index}`, address: `127.20.1.${index + 1}`, lessee: undefined });
  }
  return { trunks, police: distinctNumbers(policeNumbers, () => drawFrom(policeSpace, random)) };
}

/** Calls of every lessee in turn, from single numbers and from ranges: all allowed. */
export function allowedCalls(dataset: Dataset): readonly LoadCall[] {
  return callsOf(dataset, (lessee, turn) => {
    const range = turn % 4 === 3 ? lessee.ranges[turn % lessee.ranges.length] : undefined;
    return range === undefined ? (lessee.numbers[turn % lessee.numbers.length] ?? 0) : range.first + 7;
  });
}

/** The same calls from numbers on nobody's list, so that both look-ups miss: all rejected. */
export function rejectedCalls(dataset: Dataset): readonly LoadCall[] {
  const random = seededRandom(seed + 1);
  return callsOf(dataset, () => drawFrom(unlistedSpace, random));
}

function callsOf(dataset: Dataset, callerOf: (lessee: Lessee, turn: number) => number): readonly LoadCall[] {
  const random = seededRandom(seed + 2);
  const calls: LoadCall[] = [];
  for (let turn = 0; turn < callersPerTrunk; turn += 1) {
    for (const { address, lessee } of dataset.trunks) {
      if (lessee === undefined) continue;
      const called = String(13_700_000_000 + Math.floor(random() * 99_999_999));
      calls.push({ address, caller: `+${callerOf(lessee, turn)}`, called });
    }
  }
  return calls;
}

/** xorshift32 (Marsaglia 2003): 0 ≤ x < 1, reproducible. */
export function seededRandom(from: number): () => number {
  let state = from | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}

function distinctNumbers(count: number, draw: () => number): readonly number[] {
  const numbers = new Set<number>();
  while (numbers.size < count) numbers.add(draw());
  return [...numbers];
}

function drawFrom(range: NumberRange, random: () => number): number {
  return range.first + Math.floor(random() * (range.last - range.first + 1));
}

function pick<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

function everyNth<Item>(items: readonly Item[], step: number, offset: number): readonly Item[] {
  return items.filter((_, index) => index % step === offset);
}
