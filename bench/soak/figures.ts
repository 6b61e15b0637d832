/** Times in µs, in buckets of equal ratio: exact to 2 % over any number of samples. */
export interface Times {
  add(micros: number): void;
  /** The time below which this share of the samples lies, in µs; 0 where there are none. */
  quantile(share: number): number;
  readonly count: number;
  readonly max: number;
}

/** The series of `/metrics` whose names begin so, summed. */
export function sumOf(metrics: string, name: string): number {
  let sum = 0;
  for (const line of metrics.split("\n"))
    if (line.startsWith(name)) sum += Number(line.slice(line.lastIndexOf(" ") + 1));
  return sum;
}

const RATIO = Math.log(1.02);

export function createTimes(): Times {
  const buckets = new Float64Array(1200);
  let count = 0;
  let max = 0;
  return {
    add(micros) {
      const bucket = Math.ceil(Math.log(Math.max(micros, 1)) / RATIO);
      buckets[Math.min(bucket, buckets.length - 1)]!++;
      count++;
      max = Math.max(max, micros);
    },
    quantile(share) {
      let left = share * count;
      for (const [bucket, samples] of buckets.entries()) {
        left -= samples;
        if (samples > 0 && left <= 0) return Math.exp(bucket * RATIO);
      }
      return 0;
    },
    get count() {
      return count;
    },
    get max() {
      return max;
    },
  };
}

/** Slope of the straight line nearest to the points (least squares), in units of y per unit of x; 0 below three points. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  if (points.length < 3) return 0;
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x0, y0] = [mean(0), mean(1)];
  let covariance = 0;
  let variance = 0;
  for (const [x, y] of points) {
    covariance += (x - x0) * (y - y0);
    variance += (x - x0) ** 2;
  }
  return variance === 0 ? 0 : covariance / variance;
}
