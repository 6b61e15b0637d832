/** Searches the knee of a target: the highest rate of allowed calls without loss and with a p99 below the bound. */
import { applyLoad, type LoadPlan, type Measurement } from "../load.ts";
import type { Target } from "../targets.ts";

/** p99 from INVITE to 100 that still counts as carried, ms. */
export const KNEE_P99 = 10;
/** Calls a second: the first rate, and the highest that is tried. */
const FIRST = 1_000;
const HIGHEST = 64_000;
/** The search ends when the rates that hold and fail are this close, as a share of the higher one. */
const CLOSE = 0.05;
/** A rate holds when one of so many tries does: other work on the machine spoils some. */
const TRIES = 3;
/** Rates are multiples of this: SIPp places calls in whole numbers. */
const STEP = 50;

/** What ended the search. */
export type KneeLimit = "loss" | "p99" | "generators" | "none";

export interface Knee {
  readonly target: Target;
  /** Calls a second; 0 when not even the first rate held. */
  readonly rate: number;
  /** p99 at that rate, ms. */
  readonly p99: number;
  /** CPU at that rate, µs a call. */
  readonly microsPerCall: number;
  /** What failed at the next rate. `generators`: SIPp placed fewer calls, so the knee lies higher. */
  readonly limit: KneeLimit;
}

/**
 * Doubles the rate until it fails, then halves the distance.
 *
 * @param seconds how long each rate is tried
 * @param tell learns every try
 */
export async function findKnee(
  plan: LoadPlan,
  target: Target,
  seconds: number,
  tell: (tried: Measurement, limit: KneeLimit) => void,
): Promise<Knee> {
  let best: Measurement | undefined;
  let fails = Infinity;
  let limit: KneeLimit = "none";
  for (let rate: number | undefined = FIRST; rate !== undefined;) {
    const tried = await tryRate(plan, target, rate, seconds, tell);
    if (tried.limit === "none") best = tried.measurement;
    else ({ limit } = tried);
    if (tried.limit !== "none") fails = rate;
    rate = nextRate(best?.callsPerSecond ?? 0, fails);
  }
  return {
    target,
    rate: best?.callsPerSecond ?? 0,
    p99: best?.p99 ?? NaN,
    microsPerCall: best?.microsPerCall ?? NaN,
    limit,
  };
}

/**
 * The rate to be tried next.
 *
 * @param holds the highest rate that held; 0: none
 * @param fails the lowest rate that failed; Infinity: none
 * @returns undefined where the search ends
 */
export function nextRate(holds: number, fails: number): number | undefined {
  if (fails === Infinity) return holds * 2 <= HIGHEST ? holds * 2 : undefined;
  if (fails - holds <= fails * CLOSE) return undefined;
  const between = Math.round((holds + fails) / 2 / STEP) * STEP;
  return between === holds || between === fails ? undefined : between;
}

async function tryRate(
  plan: LoadPlan,
  target: Target,
  callsPerSecond: number,
  seconds: number,
  tell: (tried: Measurement, limit: KneeLimit) => void,
): Promise<{ readonly measurement: Measurement; readonly limit: KneeLimit }> {
  for (let left = TRIES; ; left -= 1) {
    const measurement = await applyLoad(plan, target, { kind: "allowed", callsPerSecond, seconds });
    const limit = limitOf(measurement);
    tell(measurement, limit);
    if (limit === "none" || left === 1) return { measurement, limit };
  }
}

/** Says why a rate does not count as carried; `none`: it does. */
export function limitOf({
  failed,
  retransmissions,
  p99,
  reached,
  callsPerSecond,
}: Pick<Measurement, "failed" | "retransmissions" | "p99" | "reached" | "callsPerSecond">): KneeLimit {
  if (reached < callsPerSecond * 0.95) return "generators";
  if (failed > 0 || retransmissions > 0) return "loss";
  return p99 > KNEE_P99 ? "p99" : "none";
}
