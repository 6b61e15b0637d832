// Which listener a message leaves by: the side of the filter that knows the peer at the target.
import type { Policy } from "../policy/policy.ts";
import { ANY_NAME } from "../policy/trunk-match.ts";
import type { Listener, Target } from "./listener.ts";

/** Tells whether a listener has the transport and the address family of a target. */
export function fits({ transport, family }: Listener, target: Target): boolean {
  return transport === target.transport && family === (target.address.includes(":") ? 6 : 4);
}

/**
 * Chooses the listener that a message to `target` leaves by. Of those that fit, one on which some
 * trunk matches the target comes first: that peer knows the address of this listener (`match.listener`).
 * Where several are left, it is `preferred`, else the first.
 *
 * @returns undefined when no listener fits
 */
export function egressListener(
  listeners: readonly Listener[],
  { matchTrunk }: Pick<Policy, "matchTrunk">,
  target: Target,
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
  let chosen: Listener | undefined;
  let isChosenKnown = false;
  for (const listener of listeners) {
    if (!fits(listener, target)) continue;
    const isKnown = matchTrunk(listener.id, address, port, names) !== undefined;
    if (isChosenKnown && !isKnown) continue;
    if (chosen !== undefined && isKnown === isChosenKnown && listener !== preferred) continue;
    chosen = listener;
    isChosenKnown = isKnown;
  }
  return chosen;
}
