/** Counts calls of some subjects as a list of all times would: the reference, which shares no code with the limits. */

/** The times of one subject, and for each window where its oldest call stands. */
interface Times {
  times: Float64Array;
  size: number;
  readonly first: Map<number, number>;
}

/** A naive count of the subjects that were chosen. */
export interface NaiveCounts {
  add(subject: string, now: number): void;
  /** Windows of more than an hour are counted in whole seconds, as the limits say. `now` never goes back. */
  count(subject: string, within: number, now: number): number;
}

const HOUR = 3_600_000;

export function createNaiveCounts(): NaiveCounts {
  const known = new Map<string, Times>();

  return {
    add(subject, now) {
      let own = known.get(subject);
      if (own === undefined)
        known.set(subject, (own = { times: new Float64Array(64), size: 0, first: new Map() }));
      if (own.size === own.times.length) {
        const larger = new Float64Array(own.times.length * 2);
        larger.set(own.times);
        own.times = larger;
      }
      own.times[own.size++] = now;
    },
    count(subject, within, now) {
      const own = known.get(subject);
      if (own === undefined) return 0;
      const isLong = within > HOUR;
      let first = own.first.get(within) ?? 0;
      while (first < own.size) {
        const time = own.times[first]!;
        const age = isLong ? (Math.floor(now / 1000) - Math.floor(time / 1000)) * 1000 : now - time;
        if (age < within) break;
        first++;
      }
      own.first.set(within, first);
      return own.size - first;
    },
  };
}
