// Hashes the keys of the expiring slots under a secret, so that peers cannot aim at one bucket.
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";

/** A 64-bit hash of a key, as two 32-bit halves. One object is reused from key to key. */
export interface KeyHash {
  low: number;
  high: number;
}

/**
 * The secret of the hash, drawn once per process, as the JavaScript engine draws one for `Map`.
 * Without the secret a peer cannot choose keys that share a bucket. Hashes never leave the process,
 * and no decision depends on them.
 */
const secret = randomBytes(8);
const secret0 = secret.readInt32LE(0);
const secret1 = secret.readInt32LE(4);

const FINAL_ROUNDS = 3;

/** Octets of usual keys. Only a longer key takes memory of its own. */
const USUAL = 512;
const octets = Buffer.alloc(USUAL);

/** Writes the hash of `key` into `out`. Keys are latin1, as peers' bytes are: one octet per character. */
export function hashKey(key: string, out: KeyHash): void {
  const { length } = key;
  if (length > USUAL) {
    hashOctets(Buffer.from(key, "latin1"), 0, length, out);
    return;
  }
  octets.write(key, "latin1");
  hashOctets(octets, 0, length, out);
}

/**
 * Writes the hash of the key `bytes[start, end)` into `out`: HalfSipHash-1-3 with 64 bits of output. (Aumasson and
 * Bernstein, "SipHash: a fast short-input PRF", and its reference implementation; Linux hashes its tables alike.)
 */
export function hashOctets(bytes: Uint8Array, start: number, end: number, out: KeyHash): void {
  const length = end - start;
  const words = length >>> 2;
  let v0 = secret0;
  let v1 = secret1 ^ 0xee;
  let v2 = secret0 ^ 0x6c796765;
  let v3 = secret1 ^ 0x74656462;
  const steps = words + 1 + 2 * FINAL_ROUNDS;
  for (let step = 0; step < steps; step++) {
    let word = 0;
    if (step < words) {
      const i = start + (step << 2);
      word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    } else if (step === words) {
      word = length << 24;
      for (let i = words << 2; i < length; i++) word |= bytes[start + i]! << ((i & 3) << 3);
    } else if (step === words + 1) {
      v2 ^= 0xee;
    } else if (step === words + 1 + FINAL_ROUNDS) {
      out.low = v1 ^ v3;
      v1 ^= 0xdd;
    }
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  out.high = v1 ^ v3;
}

const doubles = new Float64Array(1);
const halves = new Int32Array(doubles.buffer);

/**
 * @returns the low half of the hash that {@link hashOctets} gives the eight octets of `number`, a double, and the four of
 *   `limit`, the lowest octet first: the rounds are written out, because each call needs some
 */
export function hashNumber(limit: number, number: number): number {
  doubles[0] = number;
  let v0 = secret0;
  let v1 = secret1 ^ 0xee;
  let v2 = secret0 ^ 0x6c796765;
  let v3 = secret1 ^ 0x74656462;
  for (let step = 0; step < 7; step++) {
    const word = step < 2 ? halves[step]! : step === 2 ? limit : step === 3 ? 12 << 24 : 0;
    if (step === 4) v2 ^= 0xee;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}
