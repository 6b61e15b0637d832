// Writes SCTP packets, for captures that the filter or a test makes.
import type { PacketEnd } from "./packet.ts";

/** One DATA chunk to be written (RFC 9260 section 3.3.1). */
export interface DataChunk {
  /** The transmission sequence number. */
  readonly tsn: number;
  readonly stream: number;
  /** The payload protocol identifier: 2 M2UA, 3 M3UA, 5 M2PA. */
  readonly payloadProtocol: number;
  readonly payload: Buffer;
  /** Whether the chunk is the first and the last fragment of a user message. Default: both. */
  readonly begins?: boolean;
  readonly ends?: boolean;
}

/** The table of CRC32c, one entry an octet (RFC 9260 appendix A). */
const table = Uint32Array.from({ length: 256 }, (_, octet) => {
  let value = octet;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** The checksum of an SCTP packet whose checksum field is 0 (RFC 9260 appendix A). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const octet of bytes) crc = (crc >>> 8) ^ table[(crc ^ octet) & 255]!;
  return ~crc >>> 0;
}

function writeChunk({
  tsn,
  stream,
  payloadProtocol,
  payload,
  begins = true,
  ends = true,
}: DataChunk): Buffer {
  const length = 16 + payload.length;
  const chunk = Buffer.alloc(Math.ceil(length / 4) * 4);
  chunk[1] = (begins ? 2 : 0) | (ends ? 1 : 0);
  chunk.writeUInt16BE(length, 2);
  chunk.writeUInt32BE(tsn >>> 0, 4);
  chunk.writeUInt16BE(stream, 8);
  chunk.writeUInt32BE(payloadProtocol, 12);
  payload.copy(chunk, 16);
  return chunk;
}

/**
 * Writes an SCTP packet of DATA chunks with a valid checksum, without IP.
 * @param source the sending end
 * @param destination the receiving end
 * @param tag the verification tag
 * @param chunks the DATA chunks, in order
 */
export function writeSctp(
  source: PacketEnd,
  destination: PacketEnd,
  tag: number,
  chunks: readonly DataChunk[],
): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(source.port, 0);
  header.writeUInt16BE(destination.port, 2);
  header.writeUInt32BE(tag >>> 0, 4);
  const packet = Buffer.concat([header, ...chunks.map(writeChunk)]);
  packet.writeUInt32LE(crc32c(packet), 8);
  return packet;
}
