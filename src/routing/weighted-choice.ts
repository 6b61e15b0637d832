import type { Destination } from "./hop-health.ts";

/** One address of a next hop: its rank and share within the hop (SRV priority and weight, RFC 2782; 0 and 1 for a literal). */
export interface HopAddress {
  readonly destination: Destination;
  readonly priority: number;
  readonly weight: number;
}

/** A next hop of a trunk with the addresses that are known now. */
export interface Hop {
  readonly id: string;
  readonly seed: number;
  readonly priority: number;
  readonly weight: number;
  readonly addresses: readonly HopAddress[];
}

/**
 * The destination of a call: the best priority that has one, and there the one that the call's hash falls to by weight. Rendezvous
 * hashing (Thaler and Ravishankar, 1998): when one goes, its calls are shared out and all others stay where they are.
 *
 * @param hash 32 bits of the call
 * @param mustBeUp leaves out those that are down
 * @param tried left out too
 */
export function pick(
  hops: readonly Hop[],
  hash: number,
  mustBeUp: boolean,
  tried: readonly Destination[],
): Destination | undefined {
  let best: Destination | undefined;
  let bestPriority = Infinity;
  let bestDraw = Infinity;
  for (const hop of hops) {
    if (hop.priority > bestPriority) continue;
    const draw = drawOf(hash, hop.seed, hop.weight);
    if (hop.priority === bestPriority && draw >= bestDraw) continue;
    const destination = pickAddress(hop.addresses, hash, mustBeUp, tried);
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
  mustBeUp: boolean,
  tried: readonly Destination[],
): Destination | undefined {
  let best: Destination | undefined;
  let bestPriority = Infinity;
  let bestDraw = Infinity;
  for (const { destination, priority, weight } of addresses) {
    if (priority > bestPriority || destination.listener === undefined) continue;
    if ((mustBeUp && destination.state === "down") || tried.includes(destination)) continue;
    const draw = drawOf(hash, destination.seed, weight);
    if (priority === bestPriority && draw >= bestDraw) continue;
    best = destination;
    bestPriority = priority;
    bestDraw = draw;
  }
  return best;
}

/** Exponentially distributed with rate `weight`: the smallest of several falls to each in proportion to its weight. */
function drawOf(hash: number, seed: number, weight: number): number {
  // RFC 2782: weight 0 has a very small chance beside others.
  return -Math.log((mix(hash ^ seed) + 0.5) / 2 ** 32) / Math.max(weight, 1 / 1024);
}

/** The finaliser of MurmurHash3: every bit of the input moves every bit of the result. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
