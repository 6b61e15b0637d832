// Puts the user messages of captured SCTP associations together, for M3UA, M2UA and M2PA.
import { LRUCache } from "lru-cache";
import type { IpPacket } from "./ip.ts";

/**
 * At most this many directions of associations are followed. The one idle longest is forgotten first.
 */
const MAX_DIRECTIONS = 4096;
/**
 * How many transmission sequence numbers below the highest one are remembered, to recognise
 * repeats.
 */
const WINDOW = 4096;
/**
 * At most this many pieces of unfinished messages in one direction, and this many bytes of them in all.
 */
const MAX_PIECES = 1024;
const MAX_HELD = 64 * 1024 * 1024;
/** At most this many bytes in a message: a longer one is no signalling. */
const MAX_MESSAGE = 262_144;

const COMMON_HEADER = 12;
const DATA = 0;
const I_DATA = 64;
const DATA_HEADER = 16;
const I_DATA_HEADER = 20;
const FLAG_END = 1;
const FLAG_BEGIN = 2;
const FLAG_UNORDERED = 4;

/**
 * One SCTP user message, `buffer[start, end)`. The object is reused: it is valid only during the
 * call.
 */
export interface SctpMessage {
  buffer: Buffer;
  start: number;
  end: number;
  /** The payload protocol identifier, or 0 when unspecified (RFC 9260 section 3.3.1). */
  payloadProtocol: number;
  stream: number;
  /** Whether the capture holds only a part of the message. */
  truncated: boolean;
}

/** Takes the user messages of a packet, in the order in which they were completed. */
export type SctpSink = (message: SctpMessage) => void;

/**
 * Puts the user messages of SCTP associations together, each direction alone (RFC 9260, RFC 8260).
 */
export interface SctpLayer {
  /** The bytes of all pieces of unfinished messages. Invariant: at most {@link MAX_HELD}. */
  readonly held: number;
  /** Reads one packet. Its payload begins with the SCTP header. */
  read(packet: IpPacket, sink: SctpSink): void;
}

/** A fragment of a user message. */
interface Piece {
  readonly bytes: Buffer;
  readonly flags: number;
  readonly payloadProtocol: number;
}

interface Direction {
  /** The highest TSN seen, as a signed 32-bit integer. */
  highest: number;
  /** One bit for each of the last {@link WINDOW} TSNs. */
  readonly seen: Uint32Array;
  /** The fragments, by message and place in it. */
  readonly pieces: Map<string, Piece>;
  /** Invariant: the sum of the bytes of `pieces`. */
  held: number;
}

/**
 * @returns true when the payload of `packet` could be SCTP: a chunk of a known kind and sound
 *   length follows the header
 */
export function maySctpStart({ buffer, start, end }: IpPacket): boolean {
  if (start + COMMON_HEADER + 4 > end) return false;
  const type = buffer[start + COMMON_HEADER]!;
  return (type <= 14 || type === I_DATA) && buffer.readUInt16BE(start + COMMON_HEADER + 2) >= 4;
}

/** Creates a layer without associations. */
export function createSctpLayer(): SctpLayer {
  let held = 0;
  const directions = new LRUCache<string, Direction>({
    max: MAX_DIRECTIONS,
    dispose: clear,
  });
  const message: SctpMessage = {
    buffer: Buffer.alloc(0),
    start: 0,
    end: 0,
    payloadProtocol: 0,
    stream: 0,
    truncated: false,
  };

  /**
   * Finds a direction by ports and verification tag. A host may send from any of its addresses (RFC 9260 section 6.4), so
   * the addresses tell directions apart only where the tag is 0, which no association has.
   */
  function findDirection(packet: IpPacket, tsn: number): Direction {
    const { buffer, start, addresses, addressesAt, addressLength } = packet;
    const named = buffer.toString("latin1", start, start + 8);
    const key = hasTag(packet)
      ? named
      : named + addresses.toString("latin1", addressesAt, addressesAt + 2 * addressLength);
    let direction = directions.get(key);
    if (direction === undefined) {
      direction = {
        highest: (tsn - 1) | 0,
        seen: new Uint32Array(WINDOW / 32),
        pieces: new Map(),
        held: 0,
      };
      directions.set(key, direction);
    }
    return direction;
  }

  function keep(direction: Direction, key: string, piece: Piece): void {
    // Two TSNs may bring pieces of the same place: the later one counts.
    const replaced = direction.pieces.get(key);
    if (replaced === undefined && direction.pieces.size >= MAX_PIECES) clear(direction);
    direction.pieces.set(key, piece);
    const added = piece.bytes.length - (replaced?.bytes.length ?? 0);
    direction.held += added;
    held += added;
    for (;;) {
      if (held <= MAX_HELD || directions.pop() === undefined) return;
    }
  }

  function clear(direction: Direction): void {
    direction.pieces.clear();
    held -= direction.held;
    direction.held = 0;
  }

  /** @returns the whole message that the piece at `sequence` completes, or undefined */
  function complete(direction: Direction, group: string, sequence: number): Piece | undefined {
    const { pieces } = direction;
    let first = sequence;
    let piece = pieces.get(group + first);
    while (piece !== undefined && (piece.flags & FLAG_BEGIN) === 0) {
      first = (first - 1) | 0;
      piece = pieces.get(group + first);
    }
    if (piece === undefined) return undefined;
    const { payloadProtocol } = piece;
    const parts: Buffer[] = [];
    let size = 0;
    for (let at = first; ; at = (at + 1) | 0) {
      const part = pieces.get(group + at);
      // A second beginning before the end belongs to another message.
      if (part === undefined || (at !== first && (part.flags & FLAG_BEGIN) !== 0)) return undefined;
      parts.push(part.bytes);
      size += part.bytes.length;
      if ((part.flags & FLAG_END) !== 0) break;
    }
    for (let i = 0; i < parts.length; i++) pieces.delete(group + ((first + i) | 0));
    direction.held -= size;
    held -= size;
    if (size > MAX_MESSAGE) return undefined;
    return { bytes: Buffer.concat(parts, size), flags: FLAG_BEGIN | FLAG_END, payloadProtocol };
  }

  function give(sink: SctpSink, buffer: Buffer, start: number, end: number, truncated: boolean): void {
    message.buffer = buffer;
    message.start = start;
    message.end = end;
    message.truncated = truncated;
    sink(message);
  }

  /**
   * Reads the DATA or I-DATA chunk that begins at `at` and ends at `next`.
   * @param end where the captured bytes end, which may be before `next`
   */
  function readData(packet: IpPacket, at: number, next: number, end: number, sink: SctpSink): void {
    const { buffer } = packet;
    const isInterleaved = buffer[at] === I_DATA;
    const from = at + (isInterleaved ? I_DATA_HEADER : DATA_HEADER);
    if (from >= next || from > end) return;
    const flags = buffer[at + 1]!;
    const tsn = buffer.readInt32BE(at + 4);
    const direction = findDirection(packet, tsn);
    // Tools that make packets out of messages leave tag and TSN at 0.
    if (!isNew(direction, tsn) && hasTag(packet)) return;
    message.stream = buffer.readUInt16BE(at + 8);
    // In later fragments of I-DATA the field holds the place in the message (RFC 8260 section 2.1).
    const isFirst = (flags & FLAG_BEGIN) !== 0;
    const field = buffer.readUInt32BE(at + (isInterleaved ? 16 : 12));
    const payloadProtocol = isInterleaved && !isFirst ? 0 : field;
    if (isFirst && (flags & FLAG_END) !== 0) {
      message.payloadProtocol = payloadProtocol;
      give(sink, buffer, from, Math.min(next, end), next > end);
      return;
    }
    if (next > end) return;
    const group = isInterleaved
      ? `${message.stream}/${flags & FLAG_UNORDERED}/${buffer.readUInt32BE(at + 12)}/`
      : "";
    const place = isInterleaved ? (isFirst ? 0 : field | 0) : tsn;
    keep(direction, group + place, {
      bytes: Buffer.from(buffer.subarray(from, next)),
      flags,
      payloadProtocol,
    });
    const whole = complete(direction, group, place);
    if (whole === undefined) return;
    message.payloadProtocol = whole.payloadProtocol;
    give(sink, whole.bytes, 0, whole.bytes.length, false);
  }

  function read(packet: IpPacket, sink: SctpSink): void {
    const { buffer, end } = packet;
    for (let at = packet.start + COMMON_HEADER; at + 4 <= end;) {
      const length = buffer.readUInt16BE(at + 2);
      if (length < 4) return;
      const next = at + length;
      const type = buffer[at]!;
      if (type === DATA || type === I_DATA) readData(packet, at, next, end, sink);
      at = next + ((4 - (length & 3)) & 3);
    }
  }

  return {
    read,
    get held() {
      return held;
    },
  };
}

/** @returns true when the packet has a verification tag: 0 is that of an INIT alone (RFC 9260 section 8.5.1) */
function hasTag({ buffer, start }: IpPacket): boolean {
  return buffer.readUInt32BE(start + 4) !== 0;
}

/**
 * Notes a TSN.
 * @returns false when it was seen before, or is too old to tell
 */
function isNew(direction: Direction, tsn: number): boolean {
  const { seen } = direction;
  const ahead = (tsn - direction.highest) | 0;
  if (ahead <= -WINDOW) return false;
  if (ahead > 0) {
    if (ahead >= WINDOW) seen.fill(0);
    else for (let i = 1; i <= ahead; i++) setBit(seen, (direction.highest + i) | 0, false);
    direction.highest = tsn;
  } else if (hasBit(seen, tsn)) {
    return false;
  }
  setBit(seen, tsn, true);
  return true;
}

function hasBit(seen: Uint32Array, tsn: number): boolean {
  const bit = tsn & (WINDOW - 1);
  return (seen[bit >>> 5]! & (1 << (bit & 31))) !== 0;
}

function setBit(seen: Uint32Array, tsn: number, value: boolean): void {
  const bit = tsn & (WINDOW - 1);
  const mask = 1 << (bit & 31);
  if (value) seen[bit >>> 5]! |= mask;
  else seen[bit >>> 5]! &= ~mask;
}
