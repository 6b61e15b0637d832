/** A literal address as it stands in URIs, in Via and in front of a port: IPv6 in brackets (RFC 3986 section 3.2.2). */
export function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** An address and port as one text: `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
export function formatEndpoint({
  address,
  port,
}: {
  readonly address: string;
  readonly port: number;
}): string {
  return `${bracketed(address)}:${port}`;
}
