// Reads HEP version 3, in which agents send copies of messages to a collector.
import { beginAddresses, copyAddress } from "./told-addresses.ts";
import type { IpPacket } from "./ip.ts";

/** A message out of HEP. The object is reused. */
export interface HepMessage {
  /** The protocol type: 1 SIP, 8 M2UA, 9 M3UA, 13 M2PA; -1 when no chunk says it. */
  type: number;
  /** The message is `buffer[start, end)` of the packet that it was read from. */
  start: number;
  end: number;
  sourcePort: number;
  destinationPort: number;
}

/** Makes an empty message to be filled. */
export function createHepMessage(): HepMessage {
  return { type: -1, start: 0, end: 0, sourcePort: 0, destinationPort: 0 };
}

/** "HEP3" */
const MAGIC = 0x4845_5033;
const HEADER = 6;
const CHUNK = 6;
/** At most this many chunks. */
const MAX_CHUNKS = 64;

// Chunks of the vendor 0 (HEP3 network protocol specification, section 2.3).
const IP_PROTOCOL = 2;
const IPV4_SOURCE = 3;
const IPV4_DESTINATION = 4;
const IPV6_SOURCE = 5;
const IPV6_DESTINATION = 6;
const SOURCE_PORT = 7;
const DESTINATION_PORT = 8;
const PROTOCOL_TYPE = 11;
const PAYLOAD = 15;

/** @returns true when a datagram begins as HEP does */
export function isHep(buffer: Buffer, start: number, end: number): boolean {
  return start + HEADER + CHUNK <= end && buffer[start] === 0x48 && buffer.readUInt32BE(start) === MAGIC;
}

/**
 * Reads the chunks of the datagram `buffer[start, end)`, which begins as HEP does.
 *
 * @param message is filled
 * @param packet gets the addresses and the transport protocol of the message; its addresses are written into `room`
 * @param room 32 octets for two addresses
 * @returns false when no chunk has a message
 */
export function readHep(
  message: HepMessage,
  packet: IpPacket,
  room: Buffer,
  buffer: Buffer,
  start: number,
  end: number,
): boolean {
  message.type = -1;
  message.start = -1;
  message.sourcePort = 0;
  message.destinationPort = 0;
  beginAddresses(packet, room);
  const whole = Math.min(end, start + buffer.readUInt16BE(start + 4));
  let at = start + HEADER;
  for (let chunks = 0; chunks < MAX_CHUNKS && at + CHUNK <= whole; chunks += 1) {
    const vendor = buffer.readUInt16BE(at);
    const chunk = buffer.readUInt16BE(at + 2);
    const length = buffer.readUInt16BE(at + 4);
    if (length < CHUNK) return false;
    const next = at + length;
    if (vendor === 0) readChunk(message, packet, buffer, chunk, at + CHUNK, Math.min(next, whole));
    if (next > whole) packet.truncated = true;
    at = next;
  }
  return message.start >= 0;
}

function readChunk(
  message: HepMessage,
  packet: IpPacket,
  buffer: Buffer,
  chunk: number,
  at: number,
  end: number,
): void {
  const size = end - at;
  switch (chunk) {
    case IPV4_SOURCE:
    case IPV4_DESTINATION:
      if (size === 4) copyAddress(packet, buffer, at, 4, chunk === IPV4_DESTINATION);
      break;
    case IPV6_SOURCE:
    case IPV6_DESTINATION:
      if (size === 16) copyAddress(packet, buffer, at, 16, chunk === IPV6_DESTINATION);
      break;
    case IP_PROTOCOL:
      if (size === 1) packet.protocol = buffer[at]!;
      break;
    case PROTOCOL_TYPE:
      if (size === 1) message.type = buffer[at]!;
      break;
    case SOURCE_PORT:
      if (size === 2) message.sourcePort = buffer.readUInt16BE(at);
      break;
    case DESTINATION_PORT:
      if (size === 2) message.destinationPort = buffer.readUInt16BE(at);
      break;
    case PAYLOAD:
      message.start = at;
      message.end = end;
      break;
    default:
  }
}
