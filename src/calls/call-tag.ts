// The name of a call on the wire: which node, and which call, in characters that no peer can read.
import { Buffer } from "node:buffer";
import type { KeyedTags } from "../sip/tag.ts";
import { MOST_NODES } from "./call-nodes.ts";
import type { CallName } from "./calls.ts";

/** Characters of a tag: base64url of 12 octets. */
export const CALL_TAG_LENGTH = 16;

/** Characters of a tag where capitals count for nothing: hex of 12 octets. */
const HEX_LENGTH = 24;

/** Octets of a tweak, at most; what is behind them does not count. */
const LONGEST_TWEAK = 64;

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
  /** False: no node that is known here has begun the call. */
  readonly isKnownNode: boolean;
}

/**
 * Writes and reads tags: four octets that stand for the node, then the epoch and the count (64 bits) through a keyed
 * permutation. `tweak` is what surrounds the tag, beside our branches 16 or 24 hex digits of their MAC, and enters every
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
  /** Tags of this node are read from now on, as names with this number. */
  know(node: string, number: number): void;
  /**
   * Reads a tag out of octets, in the form that its length says, into {@link CallTags.found}.
   *
   * @param tweak its first `tweakLength` octets
   * @returns false for what is no tag, and for a tag of a node that is not known
   */
  find(bytes: Uint8Array, at: number, length: number, tweak: Uint8Array, tweakLength: number): boolean;
  /** The name that {@link CallTags.find} has read last. */
  readonly found: CallName;
  /** Writes the tag into octets. @returns where it ends */
  put(name: CallName, tweak: Uint8Array, tweakLength: number, out: Uint8Array, at: number): number;
}

/** Nodes that share the key read each other's tags. */
export function createCallTags(key: KeyedTags, node: string): CallTags {
  const words = wordsOf(key, "permutation 1", "permutation 2");
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = words;
  const roundWords = Int32Array.from(wordsOf(key, "rounds 1", "rounds 2"));
  const wordOf = (name: string): number => parseInt(key.mac("call", `node ${name}`).slice(0, 8), 16) | 0;
  /** The word of each node, by its number. */
  const nodes = new Int32Array(MOST_NODES);
  let known = 1;
  nodes[0] = wordOf(node);
  /** The state behind the key and the tweak, from which each round starts. */
  const begun = new Int32Array(4);
  /** Epoch and count of a name that was just encrypted. */
  const written = new Int32Array(2);
  /** The three words of a tag that was just read. */
  const read = new Int32Array(3);

  const found = { epoch: 0, count: 0, node: 0 };
  const octets = Buffer.alloc(LONGEST_TWEAK);

  const takeText = (tweak: string): void => {
    const length = Math.min(tweak.length, LONGEST_TWEAK);
    for (let i = 0; i < length; i++) octets[i] = tweak.charCodeAt(i);
    takeTweak(octets, length);
  };

  /** Takes in the tweak as HalfSipHash takes in a message: words of four octets, then the rest with the length. */
  const takeTweak = (tweak: Uint8Array, length: number): void => {
    let v0 = k0;
    let v1 = k1 ^ 0xee;
    let v2 = k2 ^ 0x6c796765;
    let v3 = k3 ^ 0x74656462;
    for (let i = 0; i <= length; i += 4) {
      let word = i + 4 > length ? length << 24 : tweak[i + 3]! << 24;
      if (i < length) word |= tweak[i]!;
      if (i + 1 < length) word |= tweak[i + 1]! << 8;
      if (i + 2 < length) word |= tweak[i + 2]! << 16;
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

  /** Puts the name through the permutation of the tweak that was taken in, into `written`. */
  const encrypt = (name: CallName): void => {
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

  /** Finds the number of the node of the tag in `read`. */
  const findNode = (): boolean => {
    const word = read[0]!;
    for (let number = 0; number < known; number++)
      if (nodes[number] === word) {
        found.node = number;
        return true;
      }
    return false;
  };

  /** Undoes it for the tag in `read`, into `found`. */
  const decrypt = (): void => {
    let left = read[1]!;
    let right = read[2]!;
    for (let round = ROUNDS - 1; round >= 0; round--) {
      const before = right ^ mix(left, round);
      right = left;
      left = before;
    }
    found.epoch = left >>> 0;
    found.count = right >>> 0;
  };

  return {
    write(name, tweak) {
      takeText(tweak);
      encrypt(name);
      return writeWords(nodes[name.node ?? 0]!, written[0]!, written[1]!);
    },
    writeHex(name) {
      takeText("");
      encrypt(name);
      return writeHexWords(nodes[name.node ?? 0]!, written[0]!, written[1]!);
    },
    read(text, tweak) {
      if (!readWords(text, read)) return undefined;
      takeText(tweak);
      decrypt();
      const isKnownNode = findNode();
      return { name: { epoch: found.epoch, count: found.count, node: found.node }, isKnownNode };
    },
    know(name, number) {
      nodes[number] = wordOf(name);
      known = Math.max(known, number + 1);
    },
    found,
    find(bytes, at, length, tweak, tweakLength) {
      if (!findWords(bytes, at, length, read) || !findNode()) return false;
      takeTweak(tweak, tweakLength);
      decrypt();
      return true;
    },
    put(name, tweak, tweakLength, out, at) {
      takeTweak(tweak, tweakLength);
      encrypt(name);
      return putWords(nodes[name.node ?? 0]!, written[0]!, written[1]!, out, at);
    },
  };
}

/** Four words of a key for one purpose. */
function wordsOf(key: KeyedTags, first: string, second: string): number[] {
  const digits = key.mac("call", first) + key.mac("call", second);
  return Array.from({ length: 4 }, (_, i) => parseInt(digits.slice(i * 8, i * 8 + 8), 16) | 0);
}

/** Where a tag is written as text, and where one is read from. */
const letters = Buffer.alloc(HEX_LENGTH);

/** Three words in base64url (RFC 4648 section 5). */
function writeWords(a: number, b: number, c: number): string {
  return letters.toString("latin1", 0, putWords(a, b, c, letters, 0));
}

function putWords(a: number, b: number, c: number, out: Uint8Array, at: number): number {
  putLetters(out, at, a >>> 8);
  putLetters(out, at + 4, ((a & 255) << 16) | (b >>> 16));
  putLetters(out, at + 8, ((b & 0xffff) << 8) | (c >>> 24));
  putLetters(out, at + 12, c & 0xffffff);
  return at + CALL_TAG_LENGTH;
}

/** 24 bits as four letters. */
function putLetters(out: Uint8Array, at: number, bits: number): void {
  out[at] = CODES[bits >>> 18]!;
  out[at + 1] = CODES[(bits >>> 12) & 63]!;
  out[at + 2] = CODES[(bits >>> 6) & 63]!;
  out[at + 3] = CODES[bits & 63]!;
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

/** @returns false for what is neither 16 characters of base64url, with no bit left over, nor 24 of hex in lower case */
function readWords(text: string, words: Int32Array): boolean {
  const { length } = text;
  if (length !== CALL_TAG_LENGTH && length !== HEX_LENGTH) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return false;
    letters[i] = code;
  }
  return findWords(letters, 0, length, words);
}

/** The same out of octets: 12 octets as three words. */
function findWords(bytes: Uint8Array, at: number, length: number, words: Int32Array): boolean {
  if (length === HEX_LENGTH) return findHexWords(bytes, at, words);
  if (length !== CALL_TAG_LENGTH) return false;
  let wrong = 0;
  for (let i = 0; i < 4; i++) {
    const place = at + i * 4;
    const bits =
      (VALUES[bytes[place]! & 127]! << 18) |
      (VALUES[bytes[place + 1]! & 127]! << 12) |
      (VALUES[bytes[place + 2]! & 127]! << 6) |
      VALUES[bytes[place + 3]! & 127]!;
    wrong |=
      bits | ((bytes[place]! | bytes[place + 1]! | bytes[place + 2]! | bytes[place + 3]!) & 128 ? -1 : 0);
    groups[i] = bits;
  }
  if (wrong < 0) return false;
  const [first = 0, second = 0, third = 0, fourth = 0] = groups;
  words[0] = (first << 8) | (second >>> 16);
  words[1] = (second << 16) | (third >>> 8);
  words[2] = (third << 24) | fourth;
  return true;
}

/** The letters of a tag, four of them as 24 bits. */
const groups = new Int32Array(4);

function findHexWords(bytes: Uint8Array, at: number, words: Int32Array): boolean {
  for (let i = 0; i < HEX_LENGTH; i++) {
    const code = bytes[at + i]!;
    const value = code < 128 ? HEX_VALUES[code]! : -1;
    if (value < 0) return false;
    words[i >>> 3] = (words[i >>> 3]! << 4) | value;
  }
  return true;
}
