// Writes packets from Ethernet to UDP and TCP, for captures that the filter makes.

/** One end of a conversation: a literal address without brackets, and a port. */
export interface PacketEnd {
  readonly address: string;
  readonly port: number;
}

/** The fields of a TCP segment to be written (RFC 9293 section 3.1). */
export interface SegmentFields {
  readonly sequence: number;
  readonly flags: { readonly syn?: boolean; readonly fin?: boolean; readonly rst?: boolean };
}

function readGroups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

/**
 * Returns the bytes of an IPv4 or IPv6 literal in network order. The addresses of our own packets
 * are our own, so an IPv6 literal is not fully checked.
 * @throws RangeError when an IPv4 literal is malformed
 */
export function addressBytes(address: string): Buffer {
  if (!address.includes(":")) {
    const parts = address.split(".").map(Number);
    if (parts.length !== 4 || !parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255)) {
      throw new RangeError(`not an IP address: ${address}`);
    }
    return Buffer.from(parts);
  }
  const [left = "", right] = address.split("::");
  const head = readGroups(left);
  const tail = right === undefined ? [] : readGroups(right);
  const all = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
  const bytes = Buffer.alloc(16);
  for (const [i, group] of all.entries()) bytes.writeUInt16BE(group, i * 2);
  return bytes;
}

/**
 * Returns the Internet checksum over several pieces, each of even length but the last (RFC 1071).
 */
function checksum(...pieces: readonly Buffer[]): number {
  let sum = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += 2) sum += (piece[at]! << 8) | (piece[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** Returns what UDP and TCP checksums cover of the IP header (RFC 768; RFC 8200 section 8.1). */
function pseudoHeader(source: Buffer, destination: Buffer, protocol: number, length: number): Buffer {
  const tail = Buffer.alloc(source.length === 4 ? 4 : 8);
  tail.writeUInt16BE(length, 2);
  tail[source.length === 4 ? 1 : 7] = protocol;
  return Buffer.concat([source, destination, tail]);
}

/**
 * Writes an IP packet around `payload`.
 * @param source the source address, 4 or 16 bytes
 * @param destination the destination address, of the same length
 * @param protocol the protocol number of the payload
 * @param payload the bytes after the IP header
 * @param identification numbers IPv4 packets, and the fragments of IPv6
 * @param fragment places a piece of a larger payload; offset in bytes
 */
export function writeIp(
  source: Buffer,
  destination: Buffer,
  protocol: number,
  payload: Buffer,
  identification = 0,
  fragment?: { readonly offset: number; readonly more: boolean },
): Buffer {
  return source.length === 4
    ? writeIpv4(source, destination, protocol, payload, identification, fragment)
    : writeIpv6(source, destination, protocol, payload, identification, fragment);
}

function writeIpv4(
  source: Buffer,
  destination: Buffer,
  protocol: number,
  payload: Buffer,
  identification: number,
  fragment: { readonly offset: number; readonly more: boolean } | undefined,
): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + payload.length, 2);
  header.writeUInt16BE(identification & 0xffff, 4);
  if (fragment !== undefined) header.writeUInt16BE((fragment.offset >>> 3) | (fragment.more ? 0x2000 : 0), 6);
  header[8] = 64;
  header[9] = protocol;
  source.copy(header, 12);
  destination.copy(header, 16);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, payload]);
}

function writeIpv6(
  source: Buffer,
  destination: Buffer,
  protocol: number,
  payload: Buffer,
  identification: number,
  fragment: { readonly offset: number; readonly more: boolean } | undefined,
): Buffer {
  const extension = Buffer.alloc(fragment === undefined ? 0 : 8);
  if (fragment !== undefined) {
    extension[0] = protocol;
    extension.writeUInt16BE(fragment.offset | (fragment.more ? 1 : 0), 2);
    extension.writeUInt32BE(identification, 4);
  }
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(extension.length + payload.length, 4);
  header[6] = fragment === undefined ? protocol : 44;
  header[7] = 64;
  source.copy(header, 8);
  destination.copy(header, 24);
  return Buffer.concat([header, extension, payload]);
}

/** Writes a UDP header with a valid checksum and the payload, without IP. */
export function writeUdp(source: PacketEnd, destination: PacketEnd, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(source.port, 0);
  header.writeUInt16BE(destination.port, 2);
  header.writeUInt16BE(8 + payload.length, 4);
  const pseudo = pseudoHeader(
    addressBytes(source.address),
    addressBytes(destination.address),
    17,
    8 + payload.length,
  );
  // A sum of 0 is sent as all ones (RFC 768).
  header.writeUInt16BE(checksum(pseudo, header, payload) || 0xffff, 6);
  return Buffer.concat([header, payload]);
}

/** Writes a TCP header with a valid checksum and the payload, without IP. */
export function writeTcp(
  source: PacketEnd,
  destination: PacketEnd,
  payload: Buffer,
  fields: SegmentFields,
): Buffer {
  const { flags } = fields;
  const header = Buffer.alloc(20);
  header.writeUInt16BE(source.port, 0);
  header.writeUInt16BE(destination.port, 2);
  header.writeUInt32BE(fields.sequence >>> 0, 4);
  header[12] = 0x50;
  header[13] = (flags.fin ? 1 : 0) | (flags.syn ? 2 : 0) | (flags.rst ? 4 : 0) | 0x10;
  header.writeUInt16BE(65_535, 14);
  const pseudo = pseudoHeader(
    addressBytes(source.address),
    addressBytes(destination.address),
    6,
    20 + payload.length,
  );
  header.writeUInt16BE(checksum(pseudo, header, payload), 16);
  return Buffer.concat([header, payload]);
}

/**
 * Writes an Ethernet frame around an IP packet, between two made-up stations. `tags` are VLAN ids,
 * the outer one first.
 */
export function writeEthernet(packet: Buffer, tags: readonly number[] = []): Buffer {
  const stations = Buffer.from("020000000002020000000001", "hex");
  const type = Buffer.alloc(2 + tags.length * 4);
  for (const [i, tag] of tags.entries()) {
    type.writeUInt16BE(i + 1 < tags.length ? 0x88a8 : 0x8100, i * 4);
    type.writeUInt16BE(tag, i * 4 + 2);
  }
  type.writeUInt16BE(packet.readUInt8(0) >>> 4 === 4 ? 0x0800 : 0x86dd, tags.length * 4);
  return Buffer.concat([stations, type, packet]);
}
