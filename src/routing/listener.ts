// Local addresses that messages arrive on and leave by, and the choice among them.
import { formatEndpoint } from "../net/endpoint.ts";
import type { HostPort } from "../net/host.ts";
import type { HopId } from "../domain/call.ts";
import type { SipTransport } from "../domain/trunk.ts";

/** The URI parameter of our Record-Route that holds the dialog token. */
export const TOKEN_PARAM = "sw";

/** A local address that messages arrive on and leave by. */
export interface Listener {
  /** Canonical id, as in `listen`: "udp:127.0.0.1:5060". */
  readonly id: string;
  /** Position in `listen`, and the base-36 digit in our branches. At most 36 listeners. */
  readonly index: number;
  readonly transport: SipTransport;
  /**
   * Whether the transport is reliable (TCP, TLS): a sent message arrives once, or the connection
   * ends (RFC 3261 section 17).
   */
  readonly isReliable: boolean;
  /** Literal address without brackets, and the bound port. */
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  /** Host and port that peers see: what `advertise` says, else the bound address and port. */
  readonly shown: HostPort;
  /** The same as they stand in Via and Record-Route, IPv6 in brackets. */
  readonly sentBy: string;
  /**
   * What our branches are bound to: the id, or the transport and the name where one is advertised. Nodes that advertise
   * one name write the same branch, so that a repeat by another node is the same transaction to the called side.
   */
  readonly bound: string;
  /** Beginning of our Via values: everything up to the branch. */
  readonly via: string;
  /** Beginning of our Record-Route URI: everything up to the token, the same for every dialog. */
  readonly route: string;
}

/**
 * Makes a listener of a bound address.
 *
 * @param advertise what peers see in place of it; its port 0: the bound port
 */
export function createListener(
  id: string,
  index: number,
  transport: SipTransport,
  address: string,
  port: number,
  advertise?: HostPort,
): Listener {
  const family = address.includes(":") ? 6 : 4;
  const shown = { host: advertise?.host ?? address, port: advertise?.port || port };
  const sentBy = formatEndpoint({ address: shown.host, port: shown.port });
  const via = `SIP/2.0/${transport.toUpperCase()} ${sentBy};branch=`;
  const isReliable = transport !== "udp";
  const route = `<sip:${sentBy};${isReliable ? `transport=${transport};` : ""}lr;${TOKEN_PARAM}=`;
  const named = advertise === undefined ? id : `${transport}:${sentBy}`;
  return { id, index, transport, isReliable, address, port, family, shown, sentBy, bound: named, via, route };
}

/** Where a message is sent. */
export interface Target {
  readonly transport: SipTransport;
  /** Literal address without brackets. */
  readonly address: string;
  readonly port: number;
  /**
   * Remote port of a connection that the peer opened to us, used while it is open. `port` is where
   * the peer listens.
   */
  readonly connection?: number;
}

/** A target as logs and metrics name it: `udp:192.0.2.1:5060`. */
export function hopIdOf({ transport, address, port }: Target): HopId {
  return `${transport}:${formatEndpoint({ address, port })}`;
}

/** Returns the port of a URI or sent-by that names none (RFC 3261 section 19.1.2). */
export function defaultPort(transport: SipTransport): number {
  return transport === "tls" ? 5061 : 5060;
}
