// Finds the IP header in a captured frame: the first step from frame to message.

/**
 * The LINKTYPE_ values that are read: those that carry IP, and signalling links
 * (https://www.tcpdump.org/linktypes.html).
 */
export const LinkType = {
  null: 0,
  ethernet: 1,
  rawBsd: 12,
  rawOpenBsd: 14,
  raw: 101,
  loop: 108,
  cooked: 113,
  mtp2WithHeader: 139,
  mtp2: 140,
  mtp3: 141,
  ipv4: 228,
  ipv6: 229,
  cooked2: 276,
} as const;

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;

/** At most this many headers may stand between link and network layer. */
const MAX_STACKED = 16;

/**
 * Skips PPPoE and PPP (RFC 2516 section 4, RFC 1661 section 2). The protocol field may be
 * compressed to one byte.
 */
function skipPppoe(buffer: Buffer, at: number, end: number): number {
  if (at + 8 > end) return -1;
  const compressed = (buffer.readUInt8(at + 6) & 1) === 1;
  const protocol = compressed ? buffer.readUInt8(at + 6) : buffer.readUInt16BE(at + 6);
  return protocol === 0x21 || protocol === 0x57 ? at + (compressed ? 7 : 8) : -1;
}

/** Skips an MPLS label stack (RFC 3032). Only the version nibble tells that IP follows. */
function skipMpls(buffer: Buffer, at: number, end: number): number {
  for (let labels = 0; labels < MAX_STACKED && at + 4 <= end; labels += 1) {
    const bottom = (buffer.readUInt8(at + 2) & 1) === 1;
    at += 4;
    if (bottom) return at;
  }
  return -1;
}

/**
 * Follows ethertypes from the two-byte type field at `at`.
 * @returns where the IP header begins, or -1
 */
function skipEthertypes(buffer: Buffer, at: number, end: number): number {
  return at + 2 <= end ? skipPayload(buffer.readUInt16BE(at), buffer, at + 2, end) : -1;
}

/**
 * Skips what stands before IP in a payload of ethertype `type` that begins at `at`.
 * @returns where the IP header begins, or -1
 */
export function skipPayload(type: number, buffer: Buffer, at: number, end: number): number {
  for (let tags = 0; tags < MAX_STACKED; tags += 1) {
    switch (type) {
      case ETHERTYPE_IPV4:
      case ETHERTYPE_IPV6:
        return at < end ? at : -1;
      case 0x8100: // 802.1Q
      case 0x88a8: // 802.1ad
      case 0x9100: // QinQ before the standard
        if (at + 4 > end) return -1;
        type = buffer.readUInt16BE(at + 2);
        at += 4;
        break;
      case 0x8864:
        return skipPppoe(buffer, at, end);
      case 0x8847:
      case 0x8848:
        return skipMpls(buffer, at, end);
      default:
        return -1;
    }
  }
  return -1;
}

/**
 * Skips an Ethernet header.
 * @returns where the IP header begins, or -1
 */
export function skipEthernet(buffer: Buffer, start: number, end: number): number {
  return skipEthertypes(buffer, start + 12, end);
}

/** Skips the header of BSD loopback: an address family in the byte order of the capturing host. */
function skipFamily(buffer: Buffer, at: number, end: number): number {
  if (at + 4 > end) return -1;
  const family = Math.min(buffer.readUInt32LE(at), buffer.readUInt32BE(at));
  // AF_INET is 2 everywhere. AF_INET6 is 10 on Linux, 24 on NetBSD, 28 on FreeBSD, 30 on macOS.
  const ip = family === 2 || family === 10 || family === 24 || family === 28 || family === 30;
  return ip ? at + 4 : -1;
}

/**
 * Finds the IP header of the packet `buffer[start, end)`.
 * @returns where it begins, or -1 when the packet carries no IP
 */
export function findIp(linkType: number, buffer: Buffer, start: number, end: number): number {
  switch (linkType) {
    case LinkType.ethernet:
      return skipEthernet(buffer, start, end);
    case LinkType.raw:
    case LinkType.rawBsd:
    case LinkType.rawOpenBsd:
    case LinkType.ipv4:
    case LinkType.ipv6:
      return start;
    case LinkType.null:
    case LinkType.loop:
      return skipFamily(buffer, start, end);
    case LinkType.cooked:
      return skipEthertypes(buffer, start + 14, end);
    case LinkType.cooked2:
      return start + 20 <= end ? skipCooked2(buffer, start, end) : -1;
    default:
      return -1;
  }
}

/**
 * Skips Linux cooked capture v2. It has its protocol first and 18 more bytes before the payload.
 */
function skipCooked2(buffer: Buffer, start: number, end: number): number {
  const type = buffer.readUInt16BE(start);
  if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) return start + 20;
  // With a VLAN tag the payload begins with two bytes of tag control and an ethertype.
  return type === 0x8100 || type === 0x88a8 ? skipEthertypes(buffer, start + 22, end) : -1;
}
