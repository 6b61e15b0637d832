// Reads hosts with an optional port, as URIs and configuration write them: addresses and host names.
import { parseAddress, parseEndpoint } from "./address.ts";

/** A literal address without brackets, or a host name in lower case without a final dot; and a port. */
export interface HostPort {
  readonly host: string;
  /** 0: none is written. */
  readonly port: number;
}

/**
 * Reads `192.0.2.1`, `[2001:db8::1]:5060`, `sbc.example.com` or `sbc.example.com:5060`.
 * @returns undefined for anything else, and for port 0
 */
export function parseHostPort(text: string): HostPort | undefined {
  const endpoint = parseEndpoint(text, 0);
  if (endpoint !== undefined)
    return text.endsWith(":0") ? undefined : { host: endpoint.address, port: endpoint.port };
  const [name = "", digits, ...rest] = text.split(":", 3);
  const host = withoutFinalDot(name).toLowerCase();
  const port = digits === undefined ? 0 : readPort(digits);
  return isHostName(host) && port !== undefined && rest.length === 0 ? { host, port } : undefined;
}

/** Tells whether the text is an address, not a name. */
export function isAddress(host: string): boolean {
  return parseAddress(host) !== undefined;
}

/** "sbc.example.com." is the same host as "sbc.example.com" (RFC 1034 section 3.1). */
export function withoutFinalDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}

/**
 * Reads a port from 1 to 65535 without leading zeros.
 * @returns undefined for anything else
 */
export function readPort(digits: string): number | undefined {
  return /^[1-9]\d{0,4}$/.test(digits) && Number(digits) <= 65_535 ? Number(digits) : undefined;
}

/**
 * Tells whether the text is a host name in lower case: labels of letters, digits, "-" and "_". The
 * last label is no number, else it would be a broken address (RFC 1123 section 2.1).
 */
export function isHostName(host: string): boolean {
  const labels = host.split(".");
  return (
    host.length <= 253 &&
    labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? "")
  );
}
