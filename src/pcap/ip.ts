// Reads the IP header of a captured packet, between the link layer and the transport layer.
import { addressText } from "./packet-address.ts";
import { createFragmentStore, type Reassembled } from "./fragments.ts";
import { toMillis, type CaptureTime } from "./timestamp.ts";

/**
 * A whole IP datagram. One object is filled again and again, so it is valid only until the next
 * packet.
 */
export interface IpPacket {
  /** The number and the time of the frame that completed the datagram. */
  frame: number;
  seconds: number;
  nanos: number;
  /** The upper layer protocol number (6 TCP, 17 UDP). */
  protocol: number;
  /** The payload is `buffer[start, end)`. */
  buffer: Buffer;
  start: number;
  end: number;
  /** Whether the capture holds only a part of the datagram. */
  truncated: boolean;
  /**
   * Holds the source address, then the destination address, from `addressesAt` in network byte
   * order.
   */
  addresses: Buffer;
  addressesAt: number;
  /** Bytes of each address: 4 or 16, or 0 where the capture has none. */
  addressLength: number;
}

/** Makes an empty packet to be filled. */
export function createIpPacket(): IpPacket {
  const none = Buffer.alloc(0);
  return {
    frame: 0,
    seconds: 0,
    nanos: 0,
    protocol: -1,
    buffer: none,
    start: 0,
    end: 0,
    truncated: false,
    addresses: none,
    addressesAt: 0,
    addressLength: 4,
  };
}

/** Returns the source address as text. */
export function sourceOf(packet: IpPacket): string {
  return addressText(packet.addresses, packet.addressesAt, packet.addressLength);
}

/** Returns the destination address as text. */
export function destinationOf(packet: IpPacket): string {
  return addressText(packet.addresses, packet.addressesAt + packet.addressLength, packet.addressLength);
}

// IPv6 extension headers (RFC 8200 section 4; RFC 4302 for the authentication header).
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION = 60;
const MOBILITY = 135;
const HIP = 139;
const SHIM6 = 140;
const MAX_EXTENSIONS = 16;

/**
 * Returns a key of the addresses and the identification: equal for all fragments of one datagram.
 */
function keyOf(packet: IpPacket, identification: string): string {
  const from = packet.addressesAt;
  return packet.addresses.toString("latin1", from, from + 2 * packet.addressLength) + identification;
}

function finish(packet: IpPacket, whole: Reassembled | undefined): boolean {
  if (whole === undefined) return false;
  packet.protocol = whole.protocol;
  packet.buffer = whole.bytes;
  packet.start = 0;
  packet.end = whole.bytes.length;
  return true;
}

/** The bytes that hold an IP header, `buffer[…, end)`, and the frame that brought them. */
export interface IpBytes extends CaptureTime {
  readonly frame: number;
  readonly buffer: Buffer;
  readonly end: number;
}

/** Reads IP headers and puts fragments together. */
export interface IpLayer {
  /**
   * Fills `packet` from the IP header at `at`.
   * @returns false when there is no whole datagram, or not yet
   */
  read(from: IpBytes, at: number, packet: IpPacket): boolean;
}

/** Makes an IP layer that holds no fragments. */
export function createIpLayer(): IpLayer {
  const fragments = createFragmentStore();

  /**
   * Takes the payload of `packet` as one fragment. A fragment that the capture cut short is
   * dropped.
   */
  function collect(packet: IpPacket, key: string, offset: number, more: boolean): boolean {
    if (packet.truncated) return false;
    const { protocol, buffer, start, end } = packet;
    return finish(
      packet,
      fragments.add({ key, at: toMillis(packet), offset, more, protocol, buffer, start, end }),
    );
  }

  /** Reads an IPv4 header (RFC 791 section 3.1). */
  function readIpv4(buffer: Buffer, at: number, limit: number, packet: IpPacket): boolean {
    if (at + 20 > limit) return false;
    const headerLength = (buffer.readUInt8(at) & 15) * 4;
    // Offloaded segmentation leaves a total length of 0 in captures of the sending host.
    const total = buffer.readUInt16BE(at + 2) || limit - at;
    if (headerLength < 20 || total < headerLength || at + headerLength > limit) return false;
    packet.addresses = buffer;
    packet.addressesAt = at + 12;
    packet.addressLength = 4;
    packet.protocol = buffer.readUInt8(at + 9);
    packet.buffer = buffer;
    packet.start = at + headerLength;
    packet.end = Math.min(at + total, limit);
    packet.truncated = at + total > limit;
    const placing = buffer.readUInt16BE(at + 6) & 0x3fff;
    if (placing === 0) return true;
    const key = keyOf(packet, `${buffer.readUInt16BE(at + 4)}/${packet.protocol}`);
    return collect(packet, key, (placing & 0x1fff) * 8, (placing & 0x2000) !== 0);
  }

  /** Reads an IPv6 header (RFC 8200 section 3). */
  function readIpv6(buffer: Buffer, at: number, limit: number, packet: IpPacket): boolean {
    if (at + 40 > limit) return false;
    const length = buffer.readUInt16BE(at + 4) || limit - at - 40;
    packet.addresses = buffer;
    packet.addressesAt = at + 8;
    packet.addressLength = 16;
    packet.protocol = buffer.readUInt8(at + 6);
    packet.buffer = buffer;
    packet.start = at + 40;
    packet.end = Math.min(at + 40 + length, limit);
    packet.truncated = at + 40 + length > limit;
    return skipExtensions(packet);
  }

  function skipExtensions(packet: IpPacket): boolean {
    const { buffer, end } = packet;
    for (let headers = 0; headers < MAX_EXTENSIONS; headers += 1) {
      const at = packet.start;
      switch (packet.protocol) {
        case HOP_BY_HOP:
        case ROUTING:
        case DESTINATION:
        case MOBILITY:
        case HIP:
        case SHIM6:
          if (at + 8 > end) return false;
          packet.start = at + (buffer.readUInt8(at + 1) + 1) * 8;
          break;
        case AUTHENTICATION:
          if (at + 8 > end) return false;
          packet.start = at + (buffer.readUInt8(at + 1) + 2) * 4;
          break;
        case FRAGMENT: {
          if (at + 8 > end) return false;
          const placing = buffer.readUInt16BE(at + 2);
          packet.start = at + 8;
          if ((placing & 0xfff9) !== 0) return collectIpv6(packet, at, placing);
          break; // a datagram in one piece (RFC 6946)
        }
        default:
          return packet.start <= end;
      }
      packet.protocol = buffer.readUInt8(at);
    }
    return false;
  }

  function collectIpv6(packet: IpPacket, at: number, placing: number): boolean {
    packet.protocol = packet.buffer.readUInt8(at);
    const key = keyOf(packet, String(packet.buffer.readUInt32BE(at + 4)));
    const whole = collect(packet, key, placing & 0xfff8, (placing & 1) !== 0);
    // Extension headers may stand in the reassembled part.
    return whole && packet.protocol !== FRAGMENT && skipExtensions(packet);
  }

  function read(from: IpBytes, at: number, packet: IpPacket): boolean {
    const { buffer, end } = from;
    if (at >= end) return false;
    packet.frame = from.frame;
    packet.seconds = from.seconds;
    packet.nanos = from.nanos;
    const version = buffer.readUInt8(at) >>> 4;
    if (version === 4) return readIpv4(buffer, at, end, packet);
    return version === 6 && readIpv6(buffer, at, end, packet);
  }

  return { read };
}
