// Which network appearances are one network: point codes and circuits of two networks have nothing to do with each other.
import type { Policy } from "../policy/policy.ts";

/**
 * Tells networks apart as the trunks do: the appearances of one trunk are one network, whichever of its links has which.
 * Where the trunks name less than two networks, everything is one: a neighbour may leave the appearance out (RFC 4666
 * section 3.3.1).
 *
 * @returns finds the network of an appearance; 0 where no trunk names it, or where there is none (-1)
 */
export function networksOf(policy: Pick<Policy, "trunks" | "matchesOf">): (appearance: number) => number {
  const networks = new Map<number, number>();
  let count = 0;
  for (const { trunk } of policy.trunks)
    for (const { networkAppearance = [] } of policy.matchesOf(trunk.id)) {
      const known = new Set(networkAppearance.flatMap((appearance) => networks.get(appearance) ?? []));
      const network = ++count;
      for (const appearance of networkAppearance) networks.set(appearance, network);
      for (const [appearance, former] of networks) if (known.has(former)) networks.set(appearance, network);
    }
  if (new Set(networks.values()).size < 2) return () => 0;
  return (appearance) => networks.get(appearance) ?? 0;
}
