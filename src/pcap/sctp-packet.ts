import type { PacketEnd } from "./packet.ts";

/** One DATA chunk to be written (RFC 9260 section 3.3.1). */
export interface DataChunk {
  /** Transmission sequence number. */
  readonly tsn: number;
  readonly stream: number;
  /** Payload protocol identifier: 2 M2UA, 3 M3UA, 5 M2PA. */
  readonly payloadProtocol: number;
  readonly payload: Buffer;
  /** First and last fragment of a user message; default: both. */
  readonly begins?: boolean;
  readonly ends?: boolean;
}

/** CRC32c (RFC 9260 appendix A), one table entry an octet. */
const table = Uint32Array.from({ length: 256 }, (_, octet) => {
  let value = octet;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

function crc32c(bytes: Buffer): number {
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

/** An SCTP packet of DATA chunks with a right checksum, not yet in IP; `tag`: verification tag. */
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
