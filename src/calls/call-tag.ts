// The name of a call on the wire: which node, and which call, in characters that no peer can read.
import type { KeyedTags } from "../sip/tag.ts";
import type { CallName } from "./calls.ts";

/** Characters of a tag: base64url of 12 octets. */
export const CALL_TAG_LENGTH = 16;

/** Characters of a tag where capitals count for nothing: hex of 12 octets. */
const HEX_LENGTH = 24;

/** Rounds of the permutation: what Luby and Rackoff need against a chooser of both sides. */
const ROUNDS = 4;
/** Steps of a round function: one takes in the word, three finish, as HalfSipHash-1-3 has it. */
const STEPS = 4;

/** The alphabet of base64url (RFC 4648 section 5) as character codes, and the value of each code; -1: none. */
const CODES = Uint8Array.from(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
  (character) => character.charCodeAt(0),
);
const VALUES = new Int8Array(128).fill(-1);
CODES.forEach((code, value) => (VALUES[code] = value));

/** The same for hex in lower case. */
const HEX_CODES = Uint8Array.from("0123456789abcdef", (character) => character.charCodeAt(0));
const HEX_VALUES = new Int8Array(128).fill(-1);
HEX_CODES.forEach((code, value) => (HEX_VALUES[code] = value));

/** A name that was read. */
export interface ReadCallTag {
  readonly name: CallName;
  /** False: another node has begun the call, or nobody has. */
  readonly isOwnNode: boolean;
}

/**
 * Writes and reads tags: four octets that stand for the node, then the epoch and the count (64 bits) through a keyed
 * permutation. `tweak` is what surrounds the tag, in our branches the first 16 hex digits of their MAC, and enters every
 * round: the same call looks different in each branch. In a token it is "".
 *
 * What a peer can do. The permutation is a Feistel network whose round function is a keyed PRF with a key of 128 bits
 * (HalfSipHash over four key words, the tweak, and one half under a word of the round). Without the key a name can't be
 * read, and two tags don't show whether their calls are neighbours. A tag has no check of its own:
 * - In a token the MAC of the token covers it. It can't be changed.
 * - In a branch a peer may put a tag of another branch, or any octets. The tweak then differs, and a random 64-bit name
 *   comes out. It meets one of `live` calls with a chance of live / 2^64: at 262,144 calls and 10,000 forgeries a
 *   second once in 200 years. The MAC of the branch is checked beside it.
 * - A tag in the branch that it was made for is a repeat: it names the call that the branch belongs to.
 * The octets of the node are the same in every tag of it. They show which node a message has passed, as our Via does.
 */
export interface CallTags {
  write(name: CallName, tweak: string): string;
  /** Writes the tag with the tweak "" in lower-case hex: the same octets. */
  writeHex(name: CallName): string;
  /** Total, and reads both forms. @returns undefined for what is neither 16 characters of base64url nor 24 of hex */
  read(text: string, tweak: string): ReadCallTag | undefined;
}

/** Nodes that share the key read each other's tags. */
export function createCallTags(key: KeyedTags, node: string): CallTags {
  const words = wordsOf(key, "permutation 1", "permutation 2");
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = words;
  const roundWords = Int32Array.from(wordsOf(key, "rounds 1", "rounds 2"));
  const ownNode = parseInt(key.mac("call", `node ${node}`).slice(0, 8), 16) | 0;
  /** The state behind the key and the tweak, from which each round starts. */
  const begun = new Int32Array(4);
  /** Epoch and count of a name that was just encrypted. */
  const written = new Int32Array(2);
  /** The three words of a tag that was just read. */
  const read = new Int32Array(3);

  /** Takes in the tweak as HalfSipHash takes in a message: words of four characters, then the rest with the length. */
  const takeTweak = (tweak: string): void => {
    let v0 = k0;
    let v1 = k1 ^ 0xee;
    let v2 = k2 ^ 0x6c796765;
    let v3 = k3 ^ 0x74656462;
    const { length } = tweak;
    for (let i = 0; i <= length; i += 4) {
      let word = i + 4 > length ? length << 24 : tweak.charCodeAt(i + 3) << 24;
      if (i < length) word |= tweak.charCodeAt(i);
      if (i + 1 < length) word |= tweak.charCodeAt(i + 1) << 8;
      if (i + 2 < length) word |= tweak.charCodeAt(i + 2) << 16;
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
    begun[0] = v0;
    begun[1] = v1;
    begun[2] = v2;
    begun[3] = v3;
  };

  /** The round function: a PRF of the key, the tweak, the round and one half. */
  const mix = (half: number, round: number): number => {
    let v0 = begun[0]!;
    let v1 = begun[1]!;
    let v2 = begun[2]!;
    let v3 = begun[3]!;
    const word = half ^ roundWords[round]!;
    v3 ^= word;
    for (let step = 0; step < STEPS; step++) {
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
      if (step === 0) {
        v0 ^= word;
        v2 ^= 0xff;
      }
    }
    return v1 ^ v3;
  };

  /** Puts the name through the permutation, into `written`. */
  const encrypt = (name: CallName, tweak: string): void => {
    takeTweak(tweak);
    let left = name.epoch | 0;
    let right = name.count | 0;
    for (let round = 0; round < ROUNDS; round++) {
      const next = left ^ mix(right, round);
      left = right;
      right = next;
    }
    written[0] = left;
    written[1] = right;
  };

  return {
    write(name, tweak) {
      encrypt(name, tweak);
      return writeWords(ownNode, written[0]!, written[1]!);
    },
    writeHex(name) {
      encrypt(name, "");
      return writeHexWords(ownNode, written[0]!, written[1]!);
    },
    read(text, tweak) {
      if (!readWords(text, read)) return undefined;
      takeTweak(tweak);
      let left = read[1]!;
      let right = read[2]!;
      for (let round = ROUNDS - 1; round >= 0; round--) {
        const before = right ^ mix(left, round);
        right = left;
        left = before;
      }
      return { name: { epoch: left >>> 0, count: right >>> 0 }, isOwnNode: read[0] === ownNode };
    },
  };
}

/** Four words of a key for one purpose. */
function wordsOf(key: KeyedTags, first: string, second: string): number[] {
  const digits = key.mac("call", first) + key.mac("call", second);
  return Array.from({ length: 4 }, (_, i) => parseInt(digits.slice(i * 8, i * 8 + 8), 16) | 0);
}

/** Three words in base64url (RFC 4648 section 5), without Buffer: this is done several times a call. */
function writeWords(a: number, b: number, c: number): string {
  return String.fromCharCode(
    CODES[a >>> 26]!,
    CODES[(a >>> 20) & 63]!,
    CODES[(a >>> 14) & 63]!,
    CODES[(a >>> 8) & 63]!,
    CODES[(a >>> 2) & 63]!,
    CODES[((a << 4) & 63) | (b >>> 28)]!,
    CODES[(b >>> 22) & 63]!,
    CODES[(b >>> 16) & 63]!,
    CODES[(b >>> 10) & 63]!,
    CODES[(b >>> 4) & 63]!,
    CODES[((b << 2) & 63) | (c >>> 30)]!,
    CODES[(c >>> 24) & 63]!,
    CODES[(c >>> 18) & 63]!,
    CODES[(c >>> 12) & 63]!,
    CODES[(c >>> 6) & 63]!,
    CODES[c & 63]!,
  );
}

/** The same three words in lower-case hex. */
function writeHexWords(a: number, b: number, c: number): string {
  return String.fromCharCode(
    HEX_CODES[a >>> 28]!,
    HEX_CODES[(a >>> 24) & 15]!,
    HEX_CODES[(a >>> 20) & 15]!,
    HEX_CODES[(a >>> 16) & 15]!,
    HEX_CODES[(a >>> 12) & 15]!,
    HEX_CODES[(a >>> 8) & 15]!,
    HEX_CODES[(a >>> 4) & 15]!,
    HEX_CODES[a & 15]!,
    HEX_CODES[b >>> 28]!,
    HEX_CODES[(b >>> 24) & 15]!,
    HEX_CODES[(b >>> 20) & 15]!,
    HEX_CODES[(b >>> 16) & 15]!,
    HEX_CODES[(b >>> 12) & 15]!,
    HEX_CODES[(b >>> 8) & 15]!,
    HEX_CODES[(b >>> 4) & 15]!,
    HEX_CODES[b & 15]!,
    HEX_CODES[c >>> 28]!,
    HEX_CODES[(c >>> 24) & 15]!,
    HEX_CODES[(c >>> 20) & 15]!,
    HEX_CODES[(c >>> 16) & 15]!,
    HEX_CODES[(c >>> 12) & 15]!,
    HEX_CODES[(c >>> 8) & 15]!,
    HEX_CODES[(c >>> 4) & 15]!,
    HEX_CODES[c & 15]!,
  );
}

/** @returns false for what is not 24 characters of hex in lower case: 12 octets */
function readHexWords(text: string, words: Int32Array): boolean {
  for (let i = 0; i < HEX_LENGTH; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? HEX_VALUES[code]! : -1;
    if (value < 0) return false;
    words[i >>> 3] = (words[i >>> 3]! << 4) | value;
  }
  return true;
}

/** @returns false for what is not 16 characters of base64url: 12 octets, with no bit left over */
function readWords(text: string, words: Int32Array): boolean {
  if (text.length === HEX_LENGTH) return readHexWords(text, words);
  if (text.length !== CALL_TAG_LENGTH) return false;
  let at = 0;
  let bits = 0;
  let pending = 0;
  for (let i = 0; i < CALL_TAG_LENGTH; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? VALUES[code]! : -1;
    if (value < 0) return false;
    const missing = 32 - bits;
    if (missing > 6) {
      pending = (pending << 6) | value;
      bits += 6;
    } else {
      bits = 6 - missing;
      words[at++] = (pending << missing) | (value >>> bits);
      pending = value & ((1 << bits) - 1);
    }
  }
  return true;
}
