// Which peer stands at a place, and by which port it is reached: over streams both depend on open connections.
import type { TrunkPolicy } from "../../policy/policy.ts";
import { ANY_NAME } from "../../policy/trunk-match.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import type { ProxyState } from "./proxy-state.ts";
import { egressListener } from "../../routing/egress.ts";
import type { Moment, Origin, RequestTurn } from "./turn.ts";

/**
 * Returns the port to send to. While a connection that the peer opened to us is open, that is the port of the
 * connection. Otherwise it is the port where the peer listens (RFC 3261 section 18.2.2).
 */
export function portTowards({ sink }: ProxyState, listener: Listener, target: Target): number {
  const { address, port, connection } = target;
  if (connection === undefined || !listener.isReliable) return port;
  return sink.namesOf?.(listener, address, connection) === undefined ? port : connection;
}

/**
 * Returns the listener that a request leaves by. A request of a dialog leaves by the side that its Route names, where
 * the policy leaves a choice; any other by the side that it came in by.
 */
export function egressOf(
  { proxy, policy, source, request, routes }: RequestTurn,
  target: Target,
): Listener | undefined {
  const isWithin = request.toTag !== "" && routes.exit !== undefined;
  return egressListener(
    proxy.listeners,
    policy,
    target,
    source?.trunk,
    isWithin ? routes.exit : request.listener,
  );
}

/**
 * Returns the trunk of a target. A TLS peer that is not connected yet has no name yet. Then any name that the policy
 * asks for there is accepted, since the connection is closed unless its certificate shows one of them.
 */
export function trunkAt(
  { proxy, policy }: Moment,
  listener: Listener,
  target: Target,
): TrunkPolicy | undefined {
  const { address } = target;
  if (!listener.isReliable) return policy.matchTrunk(listener.id, address, target.port);
  const port = portTowards(proxy, listener, target);
  const names =
    proxy.sink.namesOf?.(listener, address, port) ?? (listener.transport === "tls" ? ANY_NAME : undefined);
  return policy.matchTrunk(listener.id, address, port, names);
}

/** Returns the trunk that a message came from, by the names of its connection. */
export function trunkOf(
  { proxy, policy }: Moment,
  { listener, address, port }: Origin,
): TrunkPolicy | undefined {
  return policy.matchTrunk(listener.id, address, port, proxy.sink.namesOf?.(listener, address, port));
}

/**
 * True when calls are sent to this peer. On a connection the peer chooses its port, so only the address counts there.
 */
export function isHop({ hops }: ProxyState, { listener, address, port }: Origin): boolean {
  return listener.isReliable ? hops.has(address) : hops.has(address, port);
}

/** Returns `target` by the connection that the same peer, `known`, has open. */
export function byConnectionOf(target: Target, known: Target): Target {
  return known.connection !== undefined &&
    target.transport === known.transport &&
    target.address === known.address
    ? { ...target, connection: known.connection }
    : target;
}
