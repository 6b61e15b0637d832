/** How one side is reached. */
export interface Leg {
  readonly transport: "udp" | "tcp" | "tls";
  /** Where the filter listens for it, and where the peer is. */
  readonly filter: string;
  readonly peer: string;
  /** SIPp's `-t`: one socket. By TLS there is a `TlsPipe` between it and the filter. */
  readonly sipp: "u1" | "t1";
}

/** What carries a call on either side of the filter. */
export interface Path {
  readonly name: string;
  readonly caller: Leg;
  readonly called: Leg;
}

const udp = { transport: "udp", filter: "127.0.0.1", sipp: "u1" } as const;
const tcp = { transport: "tcp", filter: "127.0.0.1", sipp: "t1" } as const;
const tls = { transport: "tls", filter: "127.0.0.1", sipp: "t1" } as const;
/** There is only one loopback address: trunks are told by port. */
const udp6 = { transport: "udp", filter: "::1", peer: "::1", sipp: "u1" } as const;
const caller = { peer: "127.0.0.2" } as const;
const called = { peer: "127.0.0.3" } as const;

/** Every scenario is played over each of these; another transport is another row. */
export const paths: readonly Path[] = [
  { name: "UDP", caller: { ...udp, ...caller }, called: { ...udp, ...called } },
  { name: "UDP over IPv6", caller: udp6, called: udp6 },
  { name: "UDP from IPv6 to IPv4", caller: udp6, called: { ...udp, ...called } },
  { name: "TCP", caller: { ...tcp, ...caller }, called: { ...tcp, ...called } },
  { name: "TCP to UDP", caller: { ...tcp, ...caller }, called: { ...udp, ...called } },
  { name: "UDP to TCP", caller: { ...udp, ...caller }, called: { ...tcp, ...called } },
  { name: "TLS", caller: { ...tls, ...caller }, called: { ...tls, ...called } },
  { name: "TLS to UDP", caller: { ...tls, ...caller }, called: { ...udp, ...called } },
  { name: "UDP to TLS", caller: { ...udp, ...caller }, called: { ...tls, ...called } },
];

/** An address as it stands in URIs and in `listen`. */
export function hostOf(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
