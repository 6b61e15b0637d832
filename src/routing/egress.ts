// Which listener a message leaves by: the side of the filter that knows the peer at the target.
import type { Trunk } from "../domain/trunk.ts";
import type { Policy } from "../policy/policy.ts";
import { ANY_NAME } from "../policy/trunk-match.ts";
import type { Listener, Target } from "./listener.ts";

/** Tells whether a listener has the transport and the address family of a target. */
export function fits({ transport, family }: Listener, target: Target): boolean {
  return transport === target.transport && family === (target.address.includes(":") ? 6 : 4);
}

/**
 * Chooses the listener that a message to `target` leaves by. Of those that fit, one on which some
 * trunk matches the target comes first: that peer knows the address of this listener (`match.listener`). The core and
 * a PBX may share an address, and only the listener tells them apart: then the message goes from the core to the PBX, or
 * from the PBX to the core. Where several are left, it is `preferred`, else the first.
 *
 * @param sender the trunk that the message comes from, or whose next hop is probed
 * @returns undefined when no listener fits
 */
export function egressListener(
  listeners: readonly Listener[],
  { matchTrunk }: Pick<Policy, "matchTrunk">,
  target: Target,
  sender: Trunk | undefined,
  preferred?: Listener,
): Listener | undefined {
  let only: Listener | undefined;
  let count = 0;
  for (const listener of listeners)
    if (fits(listener, target)) {
      only ??= listener;
      count++;
    }
  if (count < 2) return only;
  const { address, port } = target;
  const names = target.transport === "tls" ? ANY_NAME : undefined;
  const isFromCore = sender?.side === "core";
  let chosen: Listener | undefined;
  let chosenRank = 0;
  for (const listener of listeners) {
    if (!fits(listener, target)) continue;
    const known = matchTrunk(listener.id, address, port, names)?.trunk;
    const rank = known === undefined ? 0 : (known.side === "core") === isFromCore ? 1 : 2;
    if (chosen !== undefined && (rank < chosenRank || (rank === chosenRank && listener !== preferred)))
      continue;
    chosen = listener;
    chosenRank = rank;
  }
  return chosen;
}
