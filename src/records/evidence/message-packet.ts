// Puts headers of IP and of UDP, TCP or SCTP around a message of a peer, so that tools for captures can read the message.
import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import type { SignallingSource } from "../../domain/attempt.ts";
import { addressBytes } from "../../pcap/packet.ts";
import { crc32c } from "../../pcap/sctp-packet.ts";

// The filter sees messages, not packets. The addresses and ports are true; the rest of the headers is made here.

/** The most octets that stand before a message: an IPv6 header, and SCTP with its DATA chunk. */
export const MOST_HEADER = 40 + 28;

const UDP = 17;
const TCP = 6;
const SCTP = 132;
const SYN_AND_PUSH = 0x0a;
/** Payload protocol identifier of M3UA (RFC 4666 section 1.4.8). */
const M3UA = 3;

/** At most this many addresses are remembered as octets. */
const MOST_ADDRESSES = 4096;
const addresses = new Map<string, Buffer>();
const unspecified = Buffer.alloc(4);

/** The octets of an address; 0.0.0.0 for what is none, as on signalling links. */
function octetsOf(address: string): Buffer {
  const known = addresses.get(address);
  if (known !== undefined) return known;
  const plain = address.split("%", 1)[0] ?? "";
  const mapped = plain.startsWith("::ffff:") && plain.includes(".") ? plain.slice(7) : plain;
  const octets =
    isIP(mapped) === 0 || (isIP(mapped) === 6 && mapped.includes(".")) ? unspecified : addressBytes(mapped);
  if (addresses.size >= MOST_ADDRESSES) addresses.clear();
  addresses.set(address, octets);
  return octets;
}

/** An IPv6 address for one of IPv4, where the other end has IPv6 (RFC 4291 section 2.5.5.2). */
function widen(octets: Buffer): Buffer {
  if (octets.length === 16) return octets;
  const wide = Buffer.alloc(16);
  wide.writeUInt16BE(0xffff, 10);
  octets.copy(wide, 12);
  return wide;
}

function sumOf(buffer: Buffer, start: number, end: number, from: number): number {
  let sum = from;
  const even = end - ((end - start) % 2);
  for (let at = start; at < even; at += 2) sum += (buffer[at]! << 8) | buffer[at + 1]!;
  return even < end ? sum + (buffer[even]! << 8) : sum;
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/** A message of a peer, maybe cut. */
export interface MessageBytes {
  readonly origin: SignallingSource;
  /** The message, or its first octets. */
  readonly bytes: Uint8Array;
  /** Octets of the whole message. */
  readonly originalLength: number;
}

/** Octets of headers that {@link writePacket} puts before the message. */
export function headerOctets({ origin }: MessageBytes): number {
  const isWide = octetsOf(origin.sourceAddress).length + octetsOf(origin.destinationAddress).length > 8;
  return (isWide ? 40 : 20) + transportOctets(origin);
}

function transportOctets(origin: SignallingSource): number {
  if (origin.transport === "udp") return 8;
  return isTcp(origin) ? 20 : 28;
}

/** False for M3UA, which is written as SCTP whatever carried it. */
function isTcp({ signalling, transport }: SignallingSource): boolean {
  return signalling !== "isup" && (transport === "tcp" || transport === "tls");
}

/**
 * Writes a packet with the message into `target` from `at` on. A message of TCP or TLS is the first segment of a
 * connection of its own (RFC 7413), so that a reader needs no other packet. TLS is written as TCP: the message is in the
 * clear. M3UA over TCP is written as SCTP (RFC 4666 section 1.3.1): readers of captures know M3UA there alone. Lengths are those of the whole message; a message that was cut has no valid checksum.
 * @param target at least {@link MOST_HEADER} and the message and 3 octets longer than `at`; owned by the caller
 * @param count tells packets of one peer apart: sequence numbers and tags are made of it
 * @returns the octets that were written
 */
export function writePacket(target: Buffer, at: number, message: MessageBytes, count: number): number {
  const { origin, bytes, originalLength } = message;
  let source = octetsOf(origin.sourceAddress);
  let destination = octetsOf(origin.destinationAddress);
  if (source.length !== destination.length) {
    source = widen(source);
    destination = widen(destination);
  }
  const isWide = source.length === 16;
  const transport = at + (isWide ? 40 : 20);
  const payload = transport + transportOctets(origin);
  const end = payload + bytes.length;
  target.fill(0, at, payload);
  target.set(bytes, payload);
  target.writeUInt16BE(origin.sourcePort & 0xffff, transport);
  target.writeUInt16BE(origin.destinationPort & 0xffff, transport + 2);
  const isCut = originalLength > bytes.length;
  const length = payload - transport + originalLength;
  const from = isWide ? at + 8 : at + 12;
  source.copy(target, from);
  destination.copy(target, from + source.length);
  let protocol = SCTP;
  if (origin.transport === "udp") {
    protocol = UDP;
    target.writeUInt16BE(length > 0xffff ? 0 : length, transport + 4);
    if (!isCut) {
      const pseudo = sumOf(target, from, from + 2 * source.length, protocol + length);
      target.writeUInt16BE(fold(sumOf(target, transport, end, pseudo)) || 0xffff, transport + 6);
    }
  } else if (isTcp(origin)) {
    protocol = TCP;
    target.writeUInt32BE(count >>> 0, transport + 4);
    target[transport + 12] = 0x50;
    target[transport + 13] = SYN_AND_PUSH;
    target.writeUInt16BE(0xffff, transport + 14);
    if (!isCut) {
      const pseudo = sumOf(target, from, from + 2 * source.length, protocol + length);
      target.writeUInt16BE(fold(sumOf(target, transport, end, pseudo)), transport + 16);
    }
  } else writeChunk(target, transport, origin, originalLength, count);
  const padded = protocol === SCTP && !isCut ? padChunk(target, transport, end) : end;
  const fullLength = padded - transport + originalLength - bytes.length;
  if (isWide) {
    target[at] = 0x60;
    target.writeUInt16BE(fullLength > 0xffff ? 0 : fullLength, at + 4);
    target[at + 6] = protocol;
    target[at + 7] = 64;
  } else {
    target[at] = 0x45;
    target.writeUInt16BE(20 + fullLength > 0xffff ? 0 : 20 + fullLength, at + 2);
    target[at + 8] = 64;
    target[at + 9] = protocol;
    target.writeUInt16BE(fold(sumOf(target, at, at + 20, 0)), at + 10);
  }
  return padded - at;
}

/** Writes the common header and one DATA chunk that is a whole message (RFC 9260 sections 3.1 and 3.3.1). */
function writeChunk(
  target: Buffer,
  at: number,
  origin: SignallingSource,
  length: number,
  count: number,
): void {
  target.writeUInt32BE(count >>> 0, at + 4);
  target[at + 13] = 3;
  target.writeUInt16BE(Math.min(16 + length, 0xffff), at + 14);
  target.writeUInt32BE(count >>> 0, at + 16);
  target.writeUInt32BE(origin.signalling === "isup" ? M3UA : 0, at + 24);
}

/** Fills the chunk up to a multiple of 4 octets, and writes the checksum. @returns the end of the packet */
function padChunk(target: Buffer, transport: number, end: number): number {
  const padded = end + ((4 - ((end - transport) % 4)) % 4);
  target.fill(0, end, padded);
  target.writeUInt32LE(crc32c(target.subarray(transport, padded)), transport + 8);
  return padded;
}
