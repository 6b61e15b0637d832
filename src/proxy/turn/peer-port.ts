import type { TrunkPolicy } from "../../policy/policy.ts";
import { ANY_NAME } from "../../policy/trunk-match.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import type { Relay } from "./proxy-state.ts";

/**
 * The port to send to: of the connection that the peer opened to us while that is open, else where the peer listens
 * (RFC 3261 section 18.2.2).
 */
export function portTowards(relay: Relay, listener: Listener, target: Target): number {
  const { address, port, connection } = target;
  if (connection === undefined || !listener.isReliable) return port;
  return relay.sink.namesOf?.(listener, address, connection) === undefined ? port : connection;
}

/**
 * The trunk of a target. A TLS peer that is not connected yet has no name yet: any name that is asked for there will do, since the
 * connection is closed unless its certificate shows one of them.
 */
export function trunkAt(relay: Relay, listener: Listener, target: Target): TrunkPolicy | undefined {
  const { policy } = relay;
  const { address } = target;
  if (!listener.isReliable) return policy.matchTrunk(listener.id, address, target.port);
  const port = portTowards(relay, listener, target);
  const names = relay.sink.namesOf?.(listener, address, port);
  return policy.matchTrunk(
    listener.id,
    address,
    port,
    names ?? (listener.transport === "tls" ? ANY_NAME : undefined),
  );
}

/** True when calls are sent to this peer. The port of a connection is the peer's choice, so there the address is all that counts. */
export function isHop({ hops }: Relay, listener: Listener, address: string, port: number): boolean {
  return listener.isReliable ? hops.has(address) : hops.has(address, port);
}

/** `target` by the connection that `known`, the same peer, has open. */
export function byConnectionOf(target: Target, known: Target): Target {
  return known.connection !== undefined &&
    target.transport === known.transport &&
    target.address === known.address
    ? { ...target, connection: known.connection }
    : target;
}
