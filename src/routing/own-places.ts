// Which hosts and ports are the filter itself: its listeners, what they advertise, and names of its own.
import { isAddress, withoutFinalDot, type HostPort } from "../net/host.ts";
import { formatAddress, parseAddress } from "../net/address.ts";
import type { SipTransport } from "../domain/trunk.ts";
import { readParam, type UriParts } from "../sip/fields/name-addr.ts";
import { defaultPort, type Listener } from "./listener.ts";

/** What the filter is known by. */
export interface OwnPlaces {
  readonly listeners: readonly Listener[];
  /** `ownNames` of sigwall.yaml. */
  readonly names: readonly HostPort[];
}

const NO_NAMES: readonly HostPort[] = [];

/**
 * Tells whether a URI names the filter, whatever its transport: nothing that we send may come back to us.
 * A name without port, in the URI or in `ownNames`, stands for every port that we listen on, since SRV
 * records may say the port (RFC 3263 section 4.2).
 *
 * @param also names that only the sender uses for us (`trunks[].ownNames`)
 */
export function isOwn(
  { listeners, names }: OwnPlaces,
  uri: UriParts,
  also: readonly HostPort[] = NO_NAMES,
): boolean {
  if (uri.scheme !== "sip" && uri.scheme !== "sips") return false;
  const host = canonicalHost(uri.host);
  const port = uri.port || defaultPort(transportOf(uri) ?? "udp");
  for (const { address, port: bound, shown } of listeners) {
    if (bound === port && address === host) return true;
    if (shown.host === host && (shown.port === port || (uri.port === 0 && !isAddress(host)))) return true;
  }
  return isAmong(names, listeners, host, uri.port, port) || isAmong(also, listeners, host, uri.port, port);
}

function isAmong(
  names: readonly HostPort[],
  listeners: readonly Listener[],
  host: string,
  written: number,
  port: number,
): boolean {
  for (const name of names) {
    if (name.host !== host) continue;
    if (name.port !== 0) {
      if (name.port === port) return true;
    } else if (written === 0 || port === 5060 || port === 5061) return true;
    else if (listeners.some((each) => each.port === port || each.shown.port === port)) return true;
  }
  return false;
}

/** Tells whether a sent-by of Via is one of ours, in whatever spelling a peer returns it. */
export function isOwnSentBy(listeners: readonly Listener[], written: string, port: number): boolean {
  const host = canonicalHost(written);
  for (const listener of listeners) {
    const { shown } = listener;
    if (shown.host === host && (port === 0 || port === shown.port)) return true;
    // Requests that left before `advertise` was set.
    if (listener.address === host && (port === 0 || port === listener.port)) return true;
  }
  return false;
}

/**
 * Finds the listener that a URI of ours names.
 * @returns undefined where none or several are meant
 */
export function listenerNamed(listeners: readonly Listener[], uri: UriParts): Listener | undefined {
  const host = canonicalHost(uri.host);
  const transport = transportOf(uri);
  let found: Listener | undefined;
  for (const listener of listeners) {
    const { shown } = listener;
    if (listener.transport !== transport || shown.host !== host || shown.port !== uri.port) continue;
    if (found !== undefined) return undefined;
    found = listener;
  }
  return found;
}

/**
 * Returns the canonical spelling of a host: names in lower case without a final dot. IPv6 literals
 * have many spellings (RFC 5952); listeners and trunks use one.
 */
export function canonicalHost(host: string): string {
  if (host.includes(":")) {
    const address = parseAddress(host);
    return address === undefined ? host : formatAddress(address);
  }
  for (let i = 0; i < host.length; i++) {
    const c = host.charCodeAt(i);
    // Digits and dots alone are an address, which has one spelling.
    if (c !== 0x2e && (c < 0x30 || c > 0x39)) return withoutFinalDot(host).toLowerCase();
  }
  return host;
}

/**
 * Returns the transport of a URI: its parameter, else TLS for sips and UDP for sip (RFC 3263
 * section 4.1).
 */
export function transportOf({ scheme, params }: UriParts): SipTransport | undefined {
  if (scheme === "sips") return "tls";
  if (params === "") return "udp";
  const transport = readParam(params, 0, params.length, "transport")?.toLowerCase() ?? "udp";
  return transport === "udp" || transport === "tcp" || transport === "tls" ? transport : undefined;
}
