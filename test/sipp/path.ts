/** How one side is reached: its address, and the transport by SIPp's name and ours. */
export interface Leg {
  readonly address: "127.0.0.1" | "::1";
  readonly transport: "udp";
  /** SIPp's `-t`: one socket. */
  readonly sipp: "u1";
}

/** What carries a call on either side of the filter. */
export interface Path {
  readonly name: string;
  readonly caller: Leg;
  readonly called: Leg;
}

const udp: Leg = { address: "127.0.0.1", transport: "udp", sipp: "u1" };
const udp6: Leg = { address: "::1", transport: "udp", sipp: "u1" };

/** Every scenario is played over each of these; another transport is another row. */
export const paths: readonly Path[] = [
  { name: "UDP", caller: udp, called: udp },
  { name: "UDP over IPv6", caller: udp6, called: udp6 },
  { name: "UDP from IPv6 to IPv4", caller: udp6, called: udp },
];

/** An address as it stands in URIs and in `listen`. */
export function hostOf({ address }: Leg): string {
  return address.includes(":") ? `[${address}]` : address;
}
