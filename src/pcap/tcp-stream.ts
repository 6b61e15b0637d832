// Puts the bytes of captured TCP connections in order, for SIP over TCP.
import { LRUCache } from "lru-cache";
import type { Millis } from "../domain/time.ts";
import type { IpPacket } from "./ip.ts";
import { toMillis } from "./timestamp.ts";

/**
 * At most this many directions of connections are followed. The one idle longest is forgotten first.
 */
const MAX_DIRECTIONS = 16_384;
/** At most this many bytes are held for all directions, consumers included. */
const MAX_HELD = 128 * 1024 * 1024;
/** At most this many bytes and segments of one direction wait after a hole. */
const MAX_PENDING = 262_144;
const MAX_PENDING_SEGMENTS = 512;
/**
 * After this many milliseconds a hole counts as a segment that the capture lacks: repeats come
 * sooner.
 */
const HOLE_LIFETIME: Millis = 10_000;
/** A sequence number further away belongs to another connection. */
const WINDOW = 1 << 24;

const SYN = 2;
const RST = 4;

/** A frame number with its time. */
export interface Arrival {
  readonly frame: number;
  readonly seconds: number;
  readonly nanos: number;
}

/** Takes the bytes of one direction of a connection, in order and each byte once. */
export interface StreamConsumer {
  /**
   * Takes more bytes. `arrival` is the frame that made them readable. The bytes are valid only
   * during the call.
   */
  data(bytes: Buffer, arrival: Arrival): void;
  /** Learns that bytes are missing between the last data and the next. */
  gap(): void;
  /** Learns that no more bytes come. `arrival` is the last packet of the capture. */
  end(arrival: Arrival): void;
  /** @returns how many bytes the consumer keeps */
  held(): number;
}

interface Segment extends Arrival {
  readonly sequence: number;
  readonly bytes: Buffer;
}

interface Direction {
  readonly consumer: StreamConsumer;
  /** The sequence number of the first byte. */
  readonly first: number;
  /** The sequence number of the next byte in order. */
  next: number;
  /** The segments after a hole, by sequence number. */
  pending: Segment[];
  pendingBytes: number;
  /** When the hole was first seen. */
  since: Millis;
  /** How many bytes this direction holds, its consumer included. */
  held: number;
}

/** Follows TCP connections, each direction alone. */
export interface TcpStreams {
  /** Takes a segment. `open` makes the consumer of a direction that was not seen before. */
  segment(packet: IpPacket, open: () => StreamConsumer): void;
  /** @returns true while a direction waits for bytes that have not come */
  waiting(): boolean;
  /** Ends the capture with the packet `arrival`. Every hole is given up. */
  end(arrival: Arrival): void;
}

/**
 * Returns the distance from `b` to `a` in sequence space, negative when `a` lies before `b` (RFC
 * 9293 section 3.4).
 */
function distance(a: number, b: number): number {
  return (a - b) | 0;
}

/** Creates a table without connections. */
export function createTcpStreams(): TcpStreams {
  let held = 0;
  let holes = 0;
  const directions = new LRUCache<string, Direction>({
    max: MAX_DIRECTIONS,
    dispose(direction) {
      held -= direction.held;
      if (direction.pending.length > 0) holes -= 1;
    },
  });

  function account(direction: Direction): void {
    const now = direction.pendingBytes + direction.consumer.held();
    held += now - direction.held;
    direction.held = now;
    for (;;) {
      if (held <= MAX_HELD || directions.pop() === undefined) return;
    }
  }

  /** Gives the consumer the new bytes of a segment that begins at or before the next byte. */
  function deliver(direction: Direction, sequence: number, bytes: Buffer, arrival: Arrival): void {
    const known = distance(direction.next, sequence);
    if (known >= bytes.length) return;
    direction.next = (sequence + bytes.length) | 0;
    direction.consumer.data(known === 0 ? bytes : bytes.subarray(known), arrival);
  }

  /** Delivers the segments that a filled hole set free. */
  function drain(direction: Direction, arrival: Arrival): void {
    const { pending } = direction;
    let latest = arrival;
    let count = 0;
    for (const kept of pending) {
      if (distance(kept.sequence, direction.next) > 0) break;
      if (kept.frame > latest.frame) latest = kept;
      deliver(direction, kept.sequence, kept.bytes, latest);
      direction.pendingBytes -= kept.bytes.length;
      count += 1;
    }
    if (count === 0) return;
    pending.splice(0, count);
    if (pending.length === 0) holes -= 1;
    direction.since = toMillis(arrival);
  }

  /** Gives up the first hole and goes on after it. */
  function giveUp(direction: Direction): void {
    const first = direction.pending[0];
    if (first === undefined) return;
    direction.consumer.gap();
    direction.next = first.sequence;
    drain(direction, first);
  }

  function keep(direction: Direction, sequence: number, bytes: Buffer, arrival: Arrival): void {
    const { pending } = direction;
    if (pending.length === 0) {
      direction.since = toMillis(arrival);
      holes += 1;
    }
    let at = pending.length;
    // Segments mostly come in order, so the place is near the end.
    while (at > 0 && distance(pending[at - 1]?.sequence ?? sequence, sequence) > 0) at -= 1;
    const before = pending[at - 1];
    if (before?.sequence === sequence && before.bytes.length >= bytes.length) return;
    const { frame, seconds, nanos } = arrival;
    pending.splice(at, 0, { sequence, bytes: Buffer.from(bytes), frame, seconds, nanos });
    direction.pendingBytes += bytes.length;
    while (direction.pendingBytes > MAX_PENDING || pending.length > MAX_PENDING_SEGMENTS) giveUp(direction);
  }

  function place(direction: Direction, sequence: number, bytes: Buffer, packet: IpPacket): void {
    const ahead = distance(sequence, direction.next);
    if (Math.abs(ahead) > WINDOW) {
      while (direction.pending.length > 0) giveUp(direction);
      direction.consumer.gap();
      direction.next = sequence | 0;
      deliver(direction, sequence, bytes, packet);
    } else if (ahead > 0) {
      keep(direction, sequence, bytes, packet);
      if (Math.abs(toMillis(packet) - direction.since) > HOLE_LIFETIME) giveUp(direction);
    } else {
      deliver(direction, sequence, bytes, packet);
      drain(direction, packet);
    }
  }

  function segment(packet: IpPacket, open: () => StreamConsumer): void {
    const { buffer, start, end } = packet;
    if (start + 20 > end) return;
    const headerLength = (buffer.readUInt8(start + 12) >>> 4) * 4;
    if (headerLength < 20 || start + headerLength > end) return;
    const flags = buffer.readUInt8(start + 13);
    const from = start + headerLength;
    const key =
      packet.addresses.toString("latin1", packet.addressesAt, packet.addressesAt + 2 * packet.addressLength) +
      buffer.toString("latin1", start, start + 4);
    let direction = directions.get(key);
    // A SYN takes one sequence number, and may carry the first bytes (RFC 7413).
    const sequence = (buffer.readInt32BE(start + 4) + ((flags & SYN) === 0 ? 0 : 1)) | 0;
    const restarts = (flags & SYN) !== 0 && direction !== undefined && direction.first !== sequence;
    if (direction !== undefined && (restarts || (flags & RST) !== 0)) {
      while (direction.pending.length > 0) giveUp(direction);
      if (restarts) directions.delete(key);
    }
    if (direction === undefined || restarts) {
      if ((flags & SYN) === 0 && from === end) return;
      direction = {
        consumer: open(),
        first: sequence,
        next: sequence,
        pending: [],
        pendingBytes: 0,
        since: toMillis(packet),
        held: 0,
      };
      directions.set(key, direction);
    }
    if (from < end) place(direction, sequence, buffer.subarray(from, end), packet);
    account(direction);
  }

  function finish(arrival: Arrival): void {
    for (const direction of directions.values()) {
      while (direction.pending.length > 0) giveUp(direction);
      direction.consumer.end(arrival);
    }
  }

  return { segment, waiting: () => holes > 0, end: finish };
}
