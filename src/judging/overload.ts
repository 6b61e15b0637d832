// Overload control: decides which new calls there is room for.
import type { Mutable } from "../domain/mutable.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import type { OverloadLimits } from "../policy/policy.ts";
import { hashKey, type KeyHash } from "../state/key-hash.ts";
import { createTokenBuckets } from "../state/token-bucket.ts";

/** What the engine measured of itself since the last time, {@link LOAD_INTERVAL} ago. */
export interface Load {
  /** Share of the time in which the thread was at work, 0 to 1. */
  readonly busy: number;
  /** How long a due callback had to wait for its turn. Milliseconds. */
  readonly late: Millis;
}

/** How often an engine measures. Milliseconds. */
export const LOAD_INTERVAL: Millis = 100;

/**
 * The stage of an overload. 0: every new call is judged. 1: new calls of trunks above their fair share are shed in
 * part. 2: every new call except emergency calls is shed. 3: emergency calls are shed too.
 */
export type OverloadStage = 0 | 1 | 2 | 3;

/** Decides which new calls there is room for. Calls in progress are never shed. */
export interface Overload {
  /** False: every call passes; {@link Overload.admits} need not be asked. */
  readonly isShedding: boolean;
  readonly isDraining: boolean;
  readonly stage: OverloadStage;
  /** What was measured last. */
  readonly load: Load;
  /** Takes a measurement, and how many new calls were judged since the last one; called every {@link LOAD_INTERVAL}. */
  measure(load: Load, judged: number, limits: OverloadLimits): void;
  /**
   * True when the new call is to be judged. The answer depends on the Call-ID and on a share that moves slowly. A call
   * that is tried again gets the same answer, or a better one when there is more room.
   */
  admits(trunk: Trunk, callId: string): boolean;
  /** The same for an emergency call of a domestic trunk, asked after `admits` was false. */
  admitsEmergency(callId: string): boolean;
  /** False when the trunk has used up its `attemptsPerSecond`. */
  takeAttempt(trunk: Trunk, perSecond: number, now: Millis): boolean;
  /** Takes no new call from now on. */
  drain(): void;
}

/**
 * Fewer new calls than this between two measurements, 50 a second, can't be what keeps the thread busy. A neighbour on
 * the same core or a pause does, and shedding calls would not help.
 */
const FEWEST_CALLS = 5;
/** Measurements in a row above the limit before anything is shed: one long pause is no overload. */
const ONSET = 5;
/** Measurements in a row below {@link CALM} of the limit until an overload is over. */
const ABATEMENT = 10;
const CALM = 0.8;
/** Measurements at stage 2 above the limit before emergency calls are shed. */
const LAST_RESORT = 10;
/** The share of admitted calls moves no faster than this from one measurement to the next. */
const STEEPEST_FALL = 0.5;
const STEEPEST_RISE = 1.15;
/** A smaller share of admitted calls counts as 0. */
const LEAST_SHARE = 0.02;
/** Weight of the newest measurement in the rate of a trunk: a second of memory. */
const RATE_WEIGHT = 0.1;

/** New calls of one trunk while calls are shed. */
interface Demand {
  readonly id: string;
  weight: number;
  /** New calls since the last measurement. */
  offered: number;
  /** Moving average of `offered`. */
  rate: number;
  /** Share that is admitted. */
  share: number;
}

/**
 * Occupancy control: the share of new calls that is judged is multiplied by wanted over measured load until both are
 * the same. What may pass is divided max-min fairly by the weights of the trunks. A trunk that asks for less than its
 * fair share gets all of it, and the others share the rest (RFC 6357 section 8; B. L. Cyr, J. S. Kaufman, P. T. Lee
 * 1990).
 */
export function createOverload(): Overload {
  const attempts = createTokenBuckets();
  const hash: KeyHash = { low: 0, high: 0 };
  // Trunk ids come from the policy, so the map is bounded by what operators configured.
  const demands = new Map<string, Demand>();
  let isOver = false;
  let above = 0;
  let below = 0;
  let offered = 0;
  let ordinary = 1;
  let emergency = 1;

  const adjust = (pressure: number): void => {
    const step = Math.min(STEEPEST_RISE, Math.max(STEEPEST_FALL, 1 / pressure));
    above = pressure > 1 ? above + 1 : 0;
    below = pressure < CALM ? below + 1 : 0;
    if (step < 1) {
      if (ordinary > 0) {
        ordinary = atLeastSome(ordinary * step, 0);
        above = 0;
      } else if (above > LAST_RESORT) emergency = atLeastSome(emergency * step, 0);
    } else if (emergency < 1) emergency = Math.min(1, atLeastSome(emergency, LEAST_SHARE) * step);
    else ordinary = Math.min(1, atLeastSome(ordinary, LEAST_SHARE) * step);
  };

  const begin = (): void => {
    isOver = true;
    above = 0;
    below = 0;
  };

  const end = (): void => {
    isOver = false;
    above = 0;
    ordinary = 1;
    emergency = 1;
    demands.clear();
  };

  const demandOf = (trunk: Trunk): Demand => {
    let demand = demands.get(trunk.id);
    if (demand === undefined) {
      demand = { id: trunk.id, weight: 1, offered: 0, rate: 0, share: ordinary };
      demands.set(trunk.id, demand);
    }
    demand.weight = trunk.limits.share ?? 1;
    return demand;
  };

  /**
   * True for `share` of all Call-IDs. They are hashed under a secret of the process: otherwise a peer could choose
   * Call-IDs that pass.
   */
  const isAmong = (callId: string, share: number): boolean => {
    if (share >= 1) return true;
    hashKey(callId, hash);
    return (hash.low >>> 0) / 2 ** 32 < share;
  };

  const stageOf = (): OverloadStage => {
    if (!isOver) return 0;
    if (emergency < 1) return 3;
    return ordinary === 0 ? 2 : 1;
  };

  /** Shows what a measurement has changed. */
  const show = (): void => {
    overload.stage = stageOf();
    overload.isShedding = isOver || overload.isDraining;
  };

  const overload: Mutable<Overload> = {
    isShedding: false,
    isDraining: false,
    stage: 0,
    load: { busy: 0, late: 0 },
    measure(load, judged, limits) {
      overload.load = load;
      // While calls are shed, the offered ones count: the few that were judged must not look like low load.
      const calls = Math.max(judged, offered);
      offered = 0;
      if (limits.mode === "off") {
        if (isOver) end();
        show();
        return;
      }
      const pressure =
        calls < FEWEST_CALLS
          ? 0
          : Math.max(load.busy / limits.busyRatio, load.late / limits.lateMilliseconds);
      if (!isOver) {
        above = pressure > 1 ? above + 1 : 0;
        if (above < ONSET) return;
        begin();
      }
      adjust(pressure);
      if (ordinary === 1 && below >= ABATEMENT) end();
      else divide(demands, ordinary);
      show();
    },
    admits(trunk, callId) {
      if (overload.isDraining) return false;
      offered++;
      const demand = demandOf(trunk);
      demand.offered++;
      return isAmong(callId, demand.share);
    },
    admitsEmergency: (callId) => !overload.isDraining && isAmong(callId, emergency),
    takeAttempt(trunk, perSecond, now) {
      if (attempts.wait(trunk.id, perSecond, now) > 0) return false;
      attempts.take(trunk.id, perSecond, now);
      return true;
    },
    drain() {
      overload.isDraining = true;
      overload.isShedding = true;
    },
  };
  return overload;
}

function atLeastSome(share: number, otherwise: number): number {
  return share < LEAST_SHARE ? otherwise : share;
}

/** Admits the part `ordinary` of all new calls, and divides it among the trunks by weight (max-min fairness). */
function divide(demands: ReadonlyMap<string, Demand>, ordinary: number): void {
  let room = 0;
  let weights = 0;
  for (const demand of demands.values()) {
    demand.rate += (demand.offered - demand.rate) * RATE_WEIGHT;
    demand.offered = 0;
    room += demand.rate * ordinary;
    weights += demand.weight;
  }
  const byNeed = [...demands.values()].toSorted((a, b) => a.rate / a.weight - b.rate / b.weight);
  for (const demand of byNeed) {
    const served = Math.min(demand.rate, (room / weights) * demand.weight);
    demand.share = ordinary === 0 ? 0 : demand.rate === 0 ? 1 : served / demand.rate;
    room -= served;
    weights -= demand.weight;
  }
}
