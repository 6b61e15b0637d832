// Whether a request to the admin address names this filter, and whether a web page of another site sent it.
import { type Address, formatAddress, parseAddress } from "../../net/address.ts";

/** What a request says of itself. */
export interface AskedBy {
  /** Header fields, as node:http joins them. Undefined: there is none. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  /** The address of this machine that the connection came to. */
  readonly localAddress: string | undefined;
}

/** What a page may be asked by. */
export interface Trust {
  /** True: the page only shows figures. It names no number and changes nothing. */
  readonly isPublic: boolean;
  /** True: the listener is on a loopback address. */
  readonly isLoopback: boolean;
  /** Names and canonical addresses that Host may have, in lower case. */
  readonly names: ReadonlySet<string>;
}

/**
 * Tells why a request must not be answered. A web page can make a browser send requests to any address; it can neither
 * choose Host (against DNS rebinding) nor leave out Origin of a POST (against cross-site requests).
 *
 * @returns undefined when the request may be answered
 */
export function findDistrust(by: AskedBy, { isPublic, isLoopback, names }: Trust): string | undefined {
  const host = by.host === undefined ? undefined : hostOf(by.host);
  const isOpen = isPublic && !isLoopback;
  // Without Host there is no name that could be foreign: HTTP/1.0, which no browser speaks.
  const isNamed =
    by.host === undefined ? isPublic : host !== undefined && isOurs(host, by, isLoopback, names);
  if (!isOpen && !isNamed)
    return isLoopback ? "Host is no name of this machine" : "Host is not in admin.hosts";
  if (isPublic) return undefined;
  const { origin, fetchSite } = by;
  if (fetchSite !== undefined && fetchSite !== "same-origin" && fetchSite !== "none")
    return "the request comes from another site";
  if (origin === undefined) return undefined;
  const asked = by.host?.toLowerCase() ?? "";
  const isOwn = [`http://${asked}`, `https://${asked}`].includes(origin.toLowerCase());
  return isOwn ? undefined : "the request comes from another origin";
}

function isOurs(
  host: string,
  { localAddress }: AskedBy,
  isLoopback: boolean,
  names: ReadonlySet<string>,
): boolean {
  const address = parseAddress(host);
  const local = parseAddress(localAddress ?? "");
  const isLocal = host === "localhost" || (address !== undefined && isLoopbackAddress(address));
  if (isLoopback) return isLocal;
  if (isLocal) return local !== undefined && isLoopbackAddress(local);
  if (names.has(address === undefined ? host : formatAddress(unmapped(address)))) return true;
  // A listener on every address: the one that was asked is one of them.
  return (
    address !== undefined &&
    local !== undefined &&
    formatAddress(unmapped(address)) === formatAddress(unmapped(local))
  );
}

/**
 * The host of a Host field, in lower case, without port, brackets and the dot of the root.
 *
 * @returns undefined when the field is malformed
 */
function hostOf(field: string): string | undefined {
  const text = field.trim().toLowerCase();
  const end = text.startsWith("[")
    ? text.indexOf("]") + 1
    : text.indexOf(":") === -1
      ? text.length
      : text.indexOf(":");
  if (end <= 0 || !isPort(text.slice(end))) return undefined;
  if (text.startsWith("[")) {
    const inner = text.slice(1, end - 1);
    return inner.includes(":") && parseAddress(inner) !== undefined ? inner : undefined;
  }
  const host = text.slice(0, end);
  return host.endsWith(".") ? host.slice(0, -1) : host;
}

function isPort(text: string): boolean {
  if (text === "") return true;
  const digits = text.slice(1);
  if (!text.startsWith(":") || digits.length === 0 || digits.length > 5) return false;
  return /^[0-9]+$/.test(digits) && Number(digits) <= 0xffff;
}

/** True for 127.0.0.0/8 and ::1, also written as an IPv6 address. */
export function isLoopbackAddress(address: Address): boolean {
  const { bits, value } = unmapped(address);
  return bits === 32 ? value >> 24n === 127n : value === 1n;
}

/** The IPv4 address inside ::ffff:0:0/96 (RFC 4291 section 2.5.5.2); other addresses as they are. */
function unmapped(address: Address): Address {
  const isMapped = address.bits === 128 && address.value >> 32n === 0xffffn;
  return isMapped ? { bits: 32, value: address.value & 0xffff_ffffn } : address;
}
