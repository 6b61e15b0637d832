// The blocks of an evidence file: the head of a segment, a message with its decision line, a gap (pcapng).
import { Buffer } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import { LinkType } from "../../pcap/links/link-layer.ts";
import { headerOctets, type MessageBytes, MOST_HEADER, writePacket } from "./message-packet.ts";

// Source: draft-ietf-opsawg-pcapng. All numbers are little-endian. The last octet of a block is the high octet of its
// length, and so always 0: it serves as the 0 that stands before the next block when that is hashed as a leaf.

/** At most this many octets of a message are kept. */
export const MOST_CAPTURED = 16_384;
/** At most this many octets of lines a block has. */
const MOST_COMMENT = 524_288;
/** A longer block is none of ours. */
export const MOST_BLOCK = 2 ** 20;

export const BlockType = { section: 0x0a0d0d0a, interface: 1, packet: 6 } as const;

const COMMENT = 1;
/** The most octets of one option, as a multiple of 4. */
const MOST_OPTION = 65_532;

const padTo4 = (length: number): number => (length + 3) & ~3;

/** A message to be kept. */
export interface MessageBlock extends MessageBytes {
  readonly at: Millis;
  /** The decision line, JSON. */
  readonly line: string;
}

/** The octets that the options with a comment take, at most. */
function commentRoom(octets: number): number {
  return padTo4(octets) + 8 * (1 + Math.ceil(octets / MOST_OPTION)) + 4;
}

/** The octets that a block of this message takes, at most. */
export function roomOfMessage({ bytes, line }: MessageBlock): number {
  return (
    36 +
    MOST_HEADER +
    Math.min(bytes.length, MOST_CAPTURED) +
    commentRoom(Math.min(line.length * 3, MOST_COMMENT))
  );
}

/** The octets that a block without a message takes, at most. */
export function roomOfGap(line: string): number {
  return 36 + commentRoom(Math.min(line.length * 3, MOST_COMMENT));
}

/** Writes a text as one comment, or as several where it is longer than an option. */
function writeComments(target: Buffer, at: number, text: string): number {
  const from = at + 4;
  const octets = target.write(text, from, Math.min(MOST_COMMENT, target.length - from), "utf8");
  if (octets <= MOST_OPTION) {
    target.writeUInt16LE(COMMENT, at);
    target.writeUInt16LE(octets, at + 2);
    target.fill(0, from + octets, from + padTo4(octets));
    target.fill(0, from + padTo4(octets), from + padTo4(octets) + 4);
    return from + padTo4(octets) + 4;
  }
  const bytes = Buffer.from(target.subarray(from, from + octets));
  let place = at;
  for (let first = 0; first < octets;) {
    let last = Math.min(first + MOST_OPTION, octets);
    // A code point is not cut: each comment is UTF-8 by itself.
    while (last < octets && (bytes[last]! & 0xc0) === 0x80) last -= 1;
    target.writeUInt16LE(COMMENT, place);
    target.writeUInt16LE(last - first, place + 2);
    bytes.copy(target, place + 4, first, last);
    target.fill(0, place + 4 + last - first, place + 4 + padTo4(last - first));
    place += 4 + padTo4(last - first);
    first = last;
  }
  target.fill(0, place, place + 4);
  return place + 4;
}

/** Writes type and length around what stands in `target` from `at + 8` to `end`. @returns the end of the block */
function closeBlock(target: Buffer, at: number, end: number, type: number): number {
  const length = end + 4 - at;
  target.writeUInt32LE(type, at);
  target.writeUInt32LE(length, at + 4);
  target.writeUInt32LE(length, end);
  return end + 4;
}

function writeTime(target: Buffer, at: number, time: Millis): void {
  const micros = Math.max(0, Math.round(time * 1000));
  target.writeUInt32LE(0, at + 8);
  target.writeUInt32LE(Math.floor(micros / 2 ** 32), at + 12);
  target.writeUInt32LE(micros % 2 ** 32, at + 16);
}

/**
 * Writes a message with its line as an Enhanced Packet Block.
 * @param target has room of {@link roomOfMessage} from `at` on
 * @param count the number of the leaf; it tells packets apart
 * @returns the end of the block
 */
export function writeMessageBlock(target: Buffer, at: number, block: MessageBlock, count: number): number {
  const bytes = block.bytes.length > MOST_CAPTURED ? block.bytes.subarray(0, MOST_CAPTURED) : block.bytes;
  const originalLength = Math.max(block.originalLength, block.bytes.length);
  const message: MessageBytes = { origin: block.origin, bytes, originalLength };
  writeTime(target, at, block.at);
  const packet = at + 28;
  const captured = writePacket(target, packet, message, count);
  const isCut = originalLength > bytes.length;
  target.writeUInt32LE(captured, at + 20);
  target.writeUInt32LE(isCut ? headerOctets(message) + originalLength : captured, at + 24);
  const options = packet + padTo4(captured);
  target.fill(0, packet + captured, options);
  return closeBlock(target, at, writeComments(target, options, block.line), BlockType.packet);
}

/** Writes a line without a message: a block of captured length 0. @returns the end of the block */
export function writeGapBlock(target: Buffer, at: number, time: Millis, line: string): number {
  writeTime(target, at, time);
  target.fill(0, at + 20, at + 28);
  return closeBlock(target, at, writeComments(target, at + 28, line), BlockType.packet);
}

/** What a segment says of itself. */
export interface SegmentHead {
  readonly node: string;
  readonly origin: string;
  /** Counts up from 1, over days and restarts. */
  readonly segment: number;
  /** The leaf that the first block of the file is. */
  readonly firstLeaf: number;
}

/** The section header and the interface description with which a segment begins: two blocks, two leaves. */
export function writeSegmentHead({ node, origin, segment, firstLeaf }: SegmentHead): readonly Buffer[] {
  const text = JSON.stringify({ evidence: 1, node, origin, segment, firstLeaf });
  const section = Buffer.alloc(24 + commentRoom(Buffer.byteLength(text)) + 4);
  section.writeUInt32LE(0x1a2b3c4d, 8);
  section.writeUInt16LE(1, 12);
  section.fill(0xff, 16, 24);
  const sectionEnd = closeBlock(section, 0, writeComments(section, 24, text), BlockType.section);
  const face = Buffer.alloc(64);
  face.writeUInt16LE(LinkType.raw, 8);
  // if_tsresol: microseconds. opt_endofopt follows.
  face.writeUInt16LE(9, 16);
  face.writeUInt16LE(1, 18);
  face[20] = 6;
  const faceEnd = closeBlock(face, 0, 28, BlockType.interface);
  return [section.subarray(0, sectionEnd), face.subarray(0, faceEnd)];
}
