// Skips GRE and what it carries: IP, Ethernet, MPLS, PPP, and the mirrored frames of ERSPAN.
import { findIpBehind } from "../links/link-layer.ts";
import { Header } from "../links/place.ts";
import { DAMAGED, unread, Unread } from "../links/unread.ts";

const CHECKSUM = 0x8000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
const ACKNOWLEDGMENT = 0x0080;
/**
 * The bits that tell a header of RFC 1701 from one of RFC 2784 and RFC 2890: a routing field,
 * strict source routes and recursion control. A packet with one of them is discarded (RFC 2784
 * section 2.3).
 */
const ROUTING = 0x4000 | 0x0800 | 0x0400;
const VERSION = 0x0007;

const ERSPAN = 0x88be;
const ERSPAN_III = 0x22eb;

/** The EtherTypes that GRE carries here. */
const carried: ReadonlySet<number> = new Set([
  Header.ipv4,
  Header.ipv6,
  Header.vlan,
  Header.serviceVlan,
  Header.oldQinQ,
  Header.mpls,
  Header.mplsMulticast,
  Header.pppoe,
  Header.bridgedEthernet,
  Header.frameRelayOfGre,
]);

/**
 * Skips the header of GRE (RFC 2784, RFC 2890), also that of PPTP (RFC 2637 section 4.1). Packets that GRE itself routes
 * (RFC 1701) are not read.
 *
 * @returns where the inner IP header begins, or a reason of `unread`
 */
export function skipGre(buffer: Buffer, start: number, end: number): number {
  if (start + 4 > end) return DAMAGED;
  const flags = buffer.readUInt16BE(start);
  const type = buffer.readUInt16BE(start + 2);
  const version = flags & VERSION;
  const isPptp = version === 1 && type === Header.pppOfGre;
  if ((flags & ROUTING) !== 0 || (version !== 0 && !isPptp)) return unread(Unread.greProtocol, type);
  let at = start + 4;
  // Each optional field has four octets: a checksum has two more that are reserved.
  for (const flag of [CHECKSUM, KEY, SEQUENCE]) if ((flags & flag) !== 0) at += 4;
  if (isPptp) return findIpBehind(Header.ppp, buffer, at + ((flags & ACKNOWLEDGMENT) === 0 ? 0 : 4), end);
  if (type === ERSPAN && (flags & SEQUENCE) === 0) return findIpBehind(Header.ethernet, buffer, at, end);
  if (type === ERSPAN || type === ERSPAN_III) return skipErspan(buffer, at, end);
  if (type === Header.pppOfGre || carried.has(type)) return findIpBehind(type, buffer, at, end);
  return unread(Unread.greProtocol, type);
}

/** The frame type of ERSPAN III that stands for IP; 0 is Ethernet. */
const FRAME_IP = 2;

/** Skips the header of ERSPAN II or III, which its version tells (draft-foschiano-erspan section 4). */
function skipErspan(buffer: Buffer, at: number, end: number): number {
  if (at + 12 > end) return DAMAGED;
  const version = buffer[at]! >>> 4;
  if (version === 1) return findIpBehind(Header.ethernet, buffer, at + 8, end);
  if (version !== 2) return unread(Unread.greProtocol, ERSPAN);
  const word = buffer.readUInt16BE(at + 10);
  const hasSubheader = (word & 1) !== 0;
  const isIp = ((word >>> 10) & 31) === FRAME_IP;
  return findIpBehind(isIp ? Header.ip : Header.ethernet, buffer, at + (hasSubheader ? 20 : 12), end);
}
