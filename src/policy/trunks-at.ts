// Finds every trunk that a peer's address may belong to, whatever its ports, names and labels.
import { parseAddress } from "../net/address.ts";
import type { MatchEntry } from "./trunk-match.ts";

/**
 * Finds the targets with an entry for an address and a listener. For peers that are set up, not for messages: the work
 * grows with the entries.
 *
 * @param listener canonical id of the local end ("sctp:192.0.2.1:2905")
 * @param address of the peer, a literal without brackets
 * @returns each target once, in the order of the entries
 */
export function findTargetsAt<Target>(
  entries: readonly MatchEntry<Target>[],
  listener: string,
  address: string,
): readonly Target[] {
  const parsed = parseAddress(address);
  if (parsed === undefined) return [];
  const found = new Set<Target>();
  for (const { target, network, listener: wanted } of entries) {
    if (network.bits !== parsed.bits || (wanted !== undefined && wanted !== listener)) continue;
    if (parsed.value >> BigInt(network.bits - network.prefixLength) === network.value) found.add(target);
  }
  return [...found];
}
