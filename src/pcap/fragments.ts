// Puts fragmented IP datagrams of a capture together, between the IP header and UDP or TCP.
import type { Millis } from "../domain/time.ts";

/** Milliseconds that a datagram has to come together (RFC 8200 section 4.5). */
const LIFETIME: Millis = 60_000;
/** At most this many datagrams are held, and this many fragments of one. */
const MAX_DATAGRAMS = 4096;
const MAX_PARTS = 512;
/** At most this many bytes are held: the fragments, and {@link PART_COST} for each. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Bytes of memory that a fragment takes beside its own: an object and a buffer (measured: 390). */
const PART_COST = 400;
/** The largest payload that a fragment offset can reach. */
const MAX_LENGTH = 65_535;

interface Part {
  readonly start: number;
  readonly bytes: Buffer;
}

interface Assembly {
  readonly since: Millis;
  readonly parts: Part[];
  /** The payload length, known once the last fragment has come. */
  length: number | undefined;
  /** The bytes of the fragments that have come. */
  received: number;
  /** The upper layer protocol, known once the first fragment has come. */
  protocol: number | undefined;
  /**
   * Whether the datagram is refused, with all fragments still to come, for example because
   * fragments overlapped (RFC 5722 section 4).
   */
  refused: boolean;
}

/** One fragment. Its payload is `buffer[start, end)`; the store copies it. */
export interface Fragment {
  /** The addresses and the identification, equal for all fragments of a datagram. */
  readonly key: string;
  readonly at: Millis;
  readonly offset: number;
  readonly more: boolean;
  readonly protocol: number;
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/** A datagram that has come together. `bytes` belongs to the receiver. */
export interface Reassembled {
  readonly protocol: number;
  readonly bytes: Buffer;
}

/** Puts fragmented datagrams together in bounded memory, by the time of the packets. */
export interface FragmentStore {
  /** Bytes of memory that the fragments take. Invariant: at most {@link MAX_BYTES}. */
  readonly held: number;
  /**
   * Takes a fragment.
   * @returns the whole datagram when this fragment completes it
   */
  add(fragment: Fragment): Reassembled | undefined;
}

/** Compares a new fragment with those that have come. */
function compare(parts: readonly Part[], start: number, bytes: Buffer): "new" | "copy" | "overlap" {
  for (const part of parts) {
    if (start >= part.start + part.bytes.length || part.start >= start + bytes.length) continue;
    // A capture of two interfaces holds every packet twice. An equal copy hides nothing.
    return part.start === start && part.bytes.equals(bytes) ? "copy" : "overlap";
  }
  return "new";
}

/** Copies a fragment. A buffer from the shared pool would keep 8 KiB alive for each fragment. */
function copyOf({ buffer, start, end }: Fragment): Buffer {
  const bytes = Buffer.allocUnsafeSlow(end - start);
  buffer.copy(bytes, 0, start, end);
  return bytes;
}

function costOf({ received, parts }: Assembly): number {
  return received + parts.length * PART_COST;
}

function join(assembly: Assembly, length: number): Buffer {
  const whole = Buffer.alloc(length);
  for (const part of assembly.parts) part.bytes.copy(whole, part.start);
  return whole;
}

/** Makes an empty store. */
export function createFragmentStore(): FragmentStore {
  const assemblies = new Map<string, Assembly>();
  let held = 0;

  function forget(key: string, assembly: Assembly): void {
    held -= costOf(assembly);
    assemblies.delete(key);
  }

  function find(key: string, at: Millis): Assembly {
    const known = assemblies.get(key);
    if (known !== undefined && Math.abs(at - known.since) <= LIFETIME) return known;
    if (known !== undefined) forget(key, known);
    const fresh: Assembly = {
      since: at,
      parts: [],
      length: undefined,
      received: 0,
      protocol: undefined,
      refused: false,
    };
    assemblies.set(key, fresh);
    makeRoom(fresh);
    return fresh;
  }

  function refuse(assembly: Assembly): undefined {
    held -= costOf(assembly);
    assembly.parts.length = 0;
    assembly.received = 0;
    assembly.refused = true;
  }

  /**
   * Forgets the oldest datagrams until the bounds hold, but never `current`. One datagram alone is
   * far below the bounds.
   */
  function makeRoom(current: Assembly): void {
    for (const [key, oldest] of assemblies) {
      if (assemblies.size <= MAX_DATAGRAMS && held <= MAX_BYTES) return;
      if (oldest !== current) forget(key, oldest);
    }
  }

  function add(fragment: Fragment): Reassembled | undefined {
    const { key, offset, more } = fragment;
    const size = fragment.end - fragment.start;
    const assembly = find(key, fragment.at);
    if (assembly.refused) return undefined;
    // Every fragment but the last is a multiple of eight octets long (RFC 791 section 3.1).
    if (size === 0 || offset + size > MAX_LENGTH || (more && size % 8 !== 0)) return refuse(assembly);
    const bytes = copyOf(fragment);
    const relation = compare(assembly.parts, offset, bytes);
    if (relation === "copy") return undefined;
    const length = more ? assembly.length : offset + size;
    const contradicts = assembly.length !== undefined && length !== assembly.length;
    const beyond = length !== undefined && offset + size > length;
    if (relation === "overlap" || contradicts || beyond || assembly.parts.length >= MAX_PARTS)
      return refuse(assembly);
    assembly.length = length;
    assembly.parts.push({ start: offset, bytes });
    assembly.received += size;
    held += size + PART_COST;
    if (offset === 0) assembly.protocol = fragment.protocol;
    if (assembly.received === length && assembly.protocol !== undefined) {
      forget(key, assembly);
      return { protocol: assembly.protocol, bytes: join(assembly, length) };
    }
    makeRoom(assembly);
    return undefined;
  }

  return {
    add,
    get held() {
      return held;
    },
  };
}
