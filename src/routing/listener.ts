import { formatEndpoint } from "../net/endpoint.ts";
import type { HopId } from "../domain/call.ts";
import type { SipTransport } from "../domain/trunk.ts";

/** The URI parameter of our Record-Route that holds the dialog token. */
export const TOKEN_PARAM = "sw";

/** A local address that messages arrive on and leave by. */
export interface Listener {
  /** As in `listen`: "udp:127.0.0.1:5060". */
  readonly id: string;
  /** Position in `listen`; also the digit in our branches (base 36, so at most 36 listeners). */
  readonly index: number;
  readonly transport: SipTransport;
  /** True for TCP and TLS: what is sent arrives, once, or the connection ends (RFC 3261 section 17). */
  readonly isReliable: boolean;
  /** Literal address without brackets, and the port that was bound. */
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  /** What peers see: host and port as they stand in Via and Record-Route, IPv6 in brackets. */
  readonly sentBy: string;
  /** What our Via values begin with: everything up to the branch. */
  readonly via: string;
  /** Our URI in Record-Route, as far as it is the same for every dialog: everything up to the token. */
  readonly route: string;
}

/** A listener over a bound address. */
export function createListener(
  id: string,
  index: number,
  transport: SipTransport,
  address: string,
  port: number,
): Listener {
  const family = address.includes(":") ? 6 : 4;
  const sentBy = formatEndpoint({ address, port });
  const via = `SIP/2.0/${transport.toUpperCase()} ${sentBy};branch=`;
  const isReliable = transport !== "udp";
  const route = `<sip:${sentBy};${isReliable ? `transport=${transport};` : ""}lr;${TOKEN_PARAM}=`;
  return { id, index, transport, isReliable, address, port, family, sentBy, via, route };
}

/** Where a message goes. */
export interface Target {
  readonly transport: SipTransport;
  /** Literal, without brackets. */
  readonly address: string;
  readonly port: number;
  /** Of a peer that connected to us: the remote port of its connection, used while that is open. `port` is where it listens. */
  readonly connection?: number;
}

/** A target as logs and metrics name it: `udp:192.0.2.1:5060`. */
export function hopIdOf({ transport, address, port }: Target): HopId {
  return `${transport}:${formatEndpoint({ address, port })}`;
}

/** The port that a URI or a sent-by means when it names none (RFC 3261 section 19.1.2). */
export function defaultPort(transport: SipTransport): number {
  return transport === "tls" ? 5061 : 5060;
}

/** The listener to leave by towards `target`: the one the request came in by when it fits, else the first of that transport and family. */
export function egressListener(
  listeners: readonly Listener[],
  ingress: Listener,
  { transport, address }: Target,
): Listener | undefined {
  const family = address.includes(":") ? 6 : 4;
  if (ingress.family === family && ingress.transport === transport) return ingress;
  return listeners.find((listener) => listener.family === family && listener.transport === transport);
}
