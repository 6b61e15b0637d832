// Finds the IP packet inside a tunnel's packet, whatever carries it: IP itself, GRE, UDP or MPLS.
import { findIpBehind } from "../links/link-layer.ts";
import { Header } from "../links/place.ts";
import { DAMAGED, NO_TUNNEL } from "../links/unread.ts";
import { skipGre } from "./gre.ts";
import { skipGtpU } from "./gtp-u.ts";
import { skipL2tp } from "./l2tp.ts";
import { skipGeneve, skipTzsp, skipVxlan, skipVxlanGpe } from "./mirrors.ts";

// Protocol numbers of IP that carry packets in packets.
const IPV4_IN_IP = 4;
const UDP = 17;
const IPV6_IN_IP = 41;
const GRE = 47;
const ETHERNET_IN_IP = 97;
const MPLS_IN_IP = 137;

/**
 * Finds the IP header in the payload `buffer[start, end)` of a UDP datagram.
 *
 * @returns where it begins, `NO_TUNNEL` when the payload is none of this tunnel, or a reason of `unread`
 */
type UdpTunnel = (buffer: Buffer, start: number, end: number) => number;

/** Tunnels in UDP by their port. 8472 is VXLAN from before its port was assigned. */
const udpTunnels: ReadonlyMap<number, UdpTunnel> = new Map([
  [1701, skipL2tp],
  [2152, skipGtpU],
  [4754, skipGre],
  [4789, skipVxlan],
  [4790, skipVxlanGpe],
  [6081, skipGeneve],
  [6635, (buffer, start, end) => findIpBehind(Header.mpls, buffer, start, end)],
  [8472, skipVxlan],
  [37_008, skipTzsp],
]);

const UDP_HEADER = 8;

/** Octets of the header of Ethernet in IP (RFC 3378 section 3). */
const ETHERNET_IN_IP_HEADER = 2;

/**
 * Finds the IP header inside a tunnel's packet.
 *
 * @param protocol the protocol number of IP
 * @param buffer the buffer that holds the payload of IP, `buffer[start, end)`
 * @returns where the inner packet begins, {@link NO_TUNNEL} when the packet belongs to no tunnel, or a reason of `unread` when
 *   the tunnel carries no IP
 */
export function findInnerIp(protocol: number, buffer: Buffer, start: number, end: number): number {
  switch (protocol) {
    case UDP:
      return findInUdp(buffer, start, end);
    case IPV4_IN_IP:
    case IPV6_IN_IP:
      return start < end ? start : DAMAGED;
    case GRE:
      return skipGre(buffer, start, end);
    case ETHERNET_IN_IP:
      return findIpBehind(Header.ethernet, buffer, start + ETHERNET_IN_IP_HEADER, end);
    case MPLS_IN_IP:
      return findIpBehind(Header.mpls, buffer, start, end);
    default:
      return NO_TUNNEL;
  }
}

function findInUdp(buffer: Buffer, start: number, end: number): number {
  if (start + UDP_HEADER >= end) return NO_TUNNEL;
  const tunnel =
    udpTunnels.get((buffer[start + 2]! << 8) | buffer[start + 3]!) ??
    udpTunnels.get((buffer[start]! << 8) | buffer[start + 1]!);
  return tunnel === undefined ? NO_TUNNEL : tunnel(buffer, start + UDP_HEADER, end);
}
