// Chooses the destination of a call by priority and weight: rendezvous hashing.
import type { Destination } from "./hop-health.ts";

/**
 * One address of a next hop, with its priority and weight within the hop (SRV, RFC 2782; 0 and 1
 * for a literal).
 */
export interface HopAddress {
  readonly destination: Destination;
  readonly priority: number;
  readonly weight: number;
}

/** A next hop of a trunk with its addresses known now. */
export interface Hop {
  readonly id: string;
  readonly seed: number;
  readonly priority: number;
  readonly weight: number;
  readonly addresses: readonly HopAddress[];
}

/** Which destinations may be chosen: those that are up or unknown and don't rest, those that rest too, or all. */
export type Choosable = "rested" | "up" | "any";

/**
 * Chooses the destination of a call: the lowest priority that has one, and there by weight and
 * hash. Rendezvous hashing (Thaler and Ravishankar, 1998): when a destination goes, only its own
 * calls move.
 *
 * @param hash 32 bits of the call
 * @param choosable leaves out destinations that are down, or that rest
 * @param tried destinations to leave out as well
 * @returns undefined when none is left
 */
export function pick(
  hops: readonly Hop[],
  hash: number,
  choosable: Choosable,
  tried: readonly Destination[],
): Destination | undefined {
  let best: Destination | undefined;
  let bestPriority = Infinity;
  let bestDraw = Infinity;
  for (const hop of hops) {
    if (hop.priority > bestPriority) continue;
    const draw = drawOf(hash, hop.seed, hop.weight);
    if (hop.priority === bestPriority && draw >= bestDraw) continue;
    const destination = pickAddress(hop.addresses, hash, choosable, tried);
    if (destination === undefined) continue;
    best = destination;
    bestPriority = hop.priority;
    bestDraw = draw;
  }
  return best;
}

function pickAddress(
  addresses: readonly HopAddress[],
  hash: number,
  choosable: Choosable,
  tried: readonly Destination[],
): Destination | undefined {
  let best: Destination | undefined;
  let bestPriority = Infinity;
  let bestDraw = Infinity;
  for (const { destination, priority, weight } of addresses) {
    if (priority > bestPriority || destination.listener === undefined) continue;
    if (!isChoosable(destination, choosable) || tried.includes(destination)) continue;
    const draw = drawOf(hash, destination.seed, weight);
    if (priority === bestPriority && draw >= bestDraw) continue;
    best = destination;
    bestPriority = priority;
    bestDraw = draw;
  }
  return best;
}

function isChoosable({ state, restsUntil }: Destination, choosable: Choosable): boolean {
  return choosable === "any" || (state !== "down" && (choosable === "up" || restsUntil === 0));
}

/**
 * Draws an exponentially distributed value with rate `weight`. Each candidate has the smallest draw
 * in proportion to its weight.
 */
function drawOf(hash: number, seed: number, weight: number): number {
  // Weight 0 has a very small chance beside others (RFC 2782).
  return -Math.log((mix(hash ^ seed) + 0.5) / 2 ** 32) / Math.max(weight, 1 / 1024);
}

/** The finaliser of MurmurHash3: every input bit affects every output bit. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
