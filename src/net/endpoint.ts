// Writes an address with its port, for URIs, Via, messages and logs.

/**
 * Puts an IPv6 address in brackets, as URIs, Via and `address:port` need it (RFC 3986 section
 * 3.2.2).
 */
export function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** Writes an address and its port as one text: `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
export function formatEndpoint({
  address,
  port,
}: {
  readonly address: string;
  readonly port: number;
}): string {
  return `${bracketed(address)}:${port}`;
}
