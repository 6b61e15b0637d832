// Writes HEP3 packets: one judged message or log entry in, bytes out.
import type { Buffer } from "node:buffer";
import type { SignallingSource } from "../../domain/attempt.ts";
import type { Millis } from "../../domain/time.ts";
import { parseAddress, type Address } from "../../net/address.ts";

/**
 * What a packet carries: a SIP message, or a log entry that belongs to it (HEP3 protocol types 1
 * and 100).
 */
export const HepProtocol = { sip: 1, log: 100 } as const;

/** One HEP3 packet. */
export interface HepPacket {
  readonly protocol: (typeof HepProtocol)[keyof typeof HepProtocol];
  readonly at: Millis;
  readonly origin: SignallingSource;
  readonly captureId: number;
  readonly password: string | undefined;
  /** The Call-ID, by which collectors join messages and log entries. */
  readonly correlationId: string;
  readonly payload: Uint8Array;
}

/** Bytes that fit into a UDP datagram over IPv4 (RFC 768). */
export const LONGEST_HEP = 65_507;

/**
 * Types of the generic chunks, vendor 0 (HEP/EEP Network Protocol Specification, revision 12,
 * section 5).
 */
const Chunk = {
  family: 1,
  transport: 2,
  source4: 3,
  destination4: 4,
  source6: 5,
  destination6: 6,
  sourcePort: 7,
  destinationPort: 8,
  seconds: 9,
  microseconds: 10,
  protocol: 11,
  captureId: 12,
  password: 14,
  payload: 15,
  correlationId: 17,
} as const;

const CHUNK_HEADER = 6;
/** AF_INET and AF_INET6 as on Linux, by the bits of an address; IPPROTO_TCP and IPPROTO_UDP. */
const Family = { 32: 2, 128: 10 } as const;
const TCP = 6;
const UDP = 17;

/**
 * Writes a packet to the beginning of `into`, which has at least {@link LONGEST_HEP} bytes.
 * @returns the length of the packet in bytes; 0 when it is too long or has no literal addresses
 */
export function writeHep(into: Buffer, packet: HepPacket): number {
  const { origin, at, password, correlationId, payload } = packet;
  const source = parseAddress(origin.sourceAddress);
  const destination = parseAddress(origin.destinationAddress);
  const texts = [correlationId, password ?? ""].reduce((sum, text) => sum + text.length, 0);
  // Every character is at least one byte. A longer encoding is found below.
  if (source === undefined || destination === undefined || texts + payload.length > LONGEST_HEP) return 0;
  const bits = source.bits === 32 && destination.bits === 32 ? 32 : 128;
  let end = into.write("HEP3", 0, "latin1") + 2;

  const begin = (type: number, length: number): void => {
    into.writeUInt16BE(0, end);
    into.writeUInt16BE(type, end + 2);
    into.writeUInt16BE(CHUNK_HEADER + length, end + 4);
    end += CHUNK_HEADER;
  };
  const number = (type: number, size: 1 | 2 | 4, value: number): void => {
    begin(type, size);
    end = into.writeUIntBE(value, end, size);
  };
  const address = (type: number, { value, bits: own }: Address): void => {
    begin(type, bits / 8);
    // Beside an IPv6 address, an IPv4 address is written as IPv4-mapped (RFC 4291 section 2.5.5.2).
    const written = bits === own ? value : value | 0xffff_0000_0000n;
    for (let shift = bits - 8; shift >= 0; shift -= 8)
      end = into.writeUInt8(Number((written >> BigInt(shift)) & 0xffn), end);
  };
  const bytes = (type: number, value: Uint8Array): void => {
    begin(type, value.length);
    into.set(value, end);
    end += value.length;
  };

  number(Chunk.family, 1, Family[bits]);
  number(Chunk.transport, 1, origin.transport === "udp" ? UDP : TCP);
  address(bits === 32 ? Chunk.source4 : Chunk.source6, source);
  address(bits === 32 ? Chunk.destination4 : Chunk.destination6, destination);
  number(Chunk.sourcePort, 2, origin.sourcePort);
  number(Chunk.destinationPort, 2, origin.destinationPort);
  number(Chunk.seconds, 4, Math.floor(at / 1000));
  number(Chunk.microseconds, 4, Math.floor((at % 1000) * 1000));
  number(Chunk.protocol, 1, packet.protocol);
  number(Chunk.captureId, 4, packet.captureId);
  const correlation = new TextEncoder().encode(correlationId);
  const key = password === undefined ? undefined : new TextEncoder().encode(password);
  const rest = (key === undefined ? 0 : CHUNK_HEADER + key.length) + 2 * CHUNK_HEADER;
  if (end + rest + correlation.length + payload.length > LONGEST_HEP) return 0;
  if (key !== undefined) bytes(Chunk.password, key);
  bytes(Chunk.correlationId, correlation);
  bytes(Chunk.payload, payload);
  into.writeUInt16BE(end, 4);
  return end;
}
