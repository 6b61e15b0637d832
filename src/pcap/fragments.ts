import type { Millis } from "../domain/time.ts";

/** Seconds that RFC 8200 section 4.5 gives a datagram to come together. */
const LIFETIME: Millis = 60_000;
/** Bounds for what fragments may hold: datagrams, fragments of one, bytes of all. */
const MAX_DATAGRAMS = 4096;
const MAX_PARTS = 512;
const MAX_BYTES = 16 * 1024 * 1024;
/** Largest payload that a fragment offset can reach. */
const MAX_LENGTH = 65_535;

interface Part {
  readonly start: number;
  readonly bytes: Buffer;
}

interface Assembly {
  readonly since: Millis;
  readonly parts: Part[];
  /** Payload length; known once the last fragment has come. */
  length: number | undefined;
  received: number;
  /** Upper layer protocol; known once the first fragment has come. */
  protocol: number | undefined;
  /** Fragments overlapped: all of it, also what is still to come, is refused (RFC 5722 section 4). */
  refused: boolean;
}

/** One fragment; its payload is `buffer[start, end)`. */
export interface Fragment {
  /** Addresses and identification: equal for all fragments of a datagram. */
  readonly key: string;
  readonly at: Millis;
  readonly offset: number;
  readonly more: boolean;
  readonly protocol: number;
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/** A datagram that has come together. */
export interface Reassembled {
  readonly protocol: number;
  readonly bytes: Buffer;
}

/** Puts fragmented datagrams together, in bounded memory, by the time of the packets. */
export interface FragmentStore {
  /** Takes a fragment; the whole datagram when this one completes it. */
  add(fragment: Fragment): Reassembled | undefined;
}

/** What a new fragment is to those that are there. */
function compare(parts: readonly Part[], start: number, bytes: Buffer): "new" | "copy" | "overlap" {
  for (const part of parts) {
    if (start >= part.start + part.bytes.length || part.start >= start + bytes.length) continue;
    // Captures of two interfaces hold every packet twice; an equal copy hides nothing.
    return part.start === start && part.bytes.equals(bytes) ? "copy" : "overlap";
  }
  return "new";
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
    held -= assembly.received;
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
    makeRoom();
    assemblies.set(key, fresh);
    return fresh;
  }

  function refuse(assembly: Assembly): undefined {
    held -= assembly.received;
    assembly.parts.length = 0;
    assembly.received = 0;
    assembly.refused = true;
  }

  function makeRoom(): void {
    for (const [key, oldest] of assemblies) {
      if (assemblies.size < MAX_DATAGRAMS && held < MAX_BYTES) return;
      forget(key, oldest);
    }
  }

  function add(fragment: Fragment): Reassembled | undefined {
    const { key, offset, more } = fragment;
    const size = fragment.end - fragment.start;
    const assembly = find(key, fragment.at);
    if (assembly.refused) return undefined;
    // All but the last fragment are whole multiples of eight (RFC 791 section 3.1).
    if (size === 0 || offset + size > MAX_LENGTH || (more && size % 8 !== 0)) return refuse(assembly);
    const bytes = Buffer.from(fragment.buffer.subarray(fragment.start, fragment.end));
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
    held += size;
    if (offset === 0) assembly.protocol = fragment.protocol;
    if (assembly.received === length && assembly.protocol !== undefined) {
      forget(key, assembly);
      return { protocol: assembly.protocol, bytes: join(assembly, length) };
    }
    return undefined;
  }

  return { add };
}
