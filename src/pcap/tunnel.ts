// Finds the IP packet inside a tunnel's packet: IP in IP, GRE or GTP-U.
import type { IpPacket } from "./ip.ts";
import { skipEthernet, skipPayload } from "./link-layer.ts";

// Protocol numbers of IP that carry packets in packets.
const IPV4_IN_IP = 4;
const IPV6_IN_IP = 41;
const GRE = 47;
const UDP = 17;

/** The UDP port of GTP-U (3GPP TS 29.281 section 4.4.2). */
const GTP_U = 2152;
/** At most this many extension headers in one GTP-U packet. */
const MAX_EXTENSIONS = 16;

/**
 * Finds the IP header inside a tunnel's packet.
 * @returns where it begins, or -1 when `packet` belongs to no tunnel or to one that carries no IP
 */
export function findInnerIp(packet: IpPacket): number {
  const { protocol, buffer, start, end } = packet;
  if (protocol === IPV4_IN_IP || protocol === IPV6_IN_IP) return start < end ? start : -1;
  if (protocol === GRE) return skipGre(buffer, start, end);
  return protocol === UDP ? skipGtpU(buffer, start, end) : -1;
}

const GRE_CHECKSUM = 0x8000;
const GRE_KEY = 0x2000;
const GRE_SEQUENCE = 0x1000;
/**
 * The bits that tell a header of RFC 1701 from one of RFC 2784 and RFC 2890: a routing field,
 * strict source routes and recursion control. A packet with one of them is discarded (RFC 2784
 * section 2.3).
 */
const GRE_ROUTING = 0x4000 | 0x0800 | 0x0400;
const GRE_VERSION = 0x0007;
const BRIDGED_ETHERNET = 0x6558;

/**
 * Skips a GRE header (RFC 2784, RFC 2890). Packets that GRE itself routes (RFC 1701) and packets of
 * PPTP are not read.
 */
function skipGre(buffer: Buffer, start: number, end: number): number {
  if (start + 4 > end) return -1;
  const flags = buffer.readUInt16BE(start);
  if ((flags & (GRE_ROUTING | GRE_VERSION)) !== 0) return -1;
  let at = start + 4;
  // Each optional field has four octets: a checksum has two more that are reserved.
  for (const flag of [GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE]) if ((flags & flag) !== 0) at += 4;
  const type = buffer.readUInt16BE(start + 2);
  return type === BRIDGED_ETHERNET ? skipEthernet(buffer, at, end) : skipPayload(type, buffer, at, end);
}

/**
 * Skips the header and extensions of a G-PDU of GTP version 1, up to the user's packet (3GPP TS
 * 29.281 section 5).
 */
function skipGtpU(buffer: Buffer, udp: number, end: number): number {
  if (udp + 16 > end) return -1;
  if (buffer.readUInt16BE(udp) !== GTP_U && buffer.readUInt16BE(udp + 2) !== GTP_U) return -1;
  const start = udp + 8;
  const flags = buffer[start]!;
  if (flags >>> 4 !== 3 || buffer[start + 1] !== 0xff) return -1;
  let at = start + 8;
  if ((flags & 7) !== 0) {
    at += 4;
    const next = at <= end && (flags & 4) !== 0 ? buffer[at - 1]! : 0;
    if (next !== 0) at = skipExtensions(buffer, at, end);
  }
  if (at < 0) return -1;
  if (at >= end) return -1;
  const version = buffer[at]! >>> 4;
  return version === 4 || version === 6 ? at : -1;
}

/**
 * Skips extension headers. Each begins with its length in units of four octets and ends with the
 * type of the next one, or 0.
 */
function skipExtensions(buffer: Buffer, at: number, end: number): number {
  for (let i = 0; i < MAX_EXTENSIONS; i++) {
    const length = at < end ? buffer[at]! * 4 : 0;
    if (length === 0 || at + length > end) return -1;
    at += length;
    if (buffer[at - 1] === 0) return at;
  }
  return -1;
}
