// The name of a call on the wire: which node, and which call, in 16 characters that no peer can read.
import { Buffer } from "node:buffer";
import type { KeyedTags } from "../sip/tag.ts";
import type { CallName } from "./calls.ts";

/** Characters of a tag: base64url of 12 octets. */
export const CALL_TAG_LENGTH = 16;

/** Rounds of the permutation. Luby and Rackoff need four against a chooser of both sides; the others are a margin. */
const ROUNDS = 8;
/** Mixing steps after the two words of a round: one word each, then three to finish, as HalfSipHash-1-3 has it. */
const STEPS = 5;

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
 * (HalfSipHash over four key words, the tweak, the round and one half). Without the key a name can't be read, and two tags don't show
 * whether their calls are neighbours. A tag has no check of its own:
 * - In a token the MAC of the token covers it. It can't be changed.
 * - In a branch a peer may put a tag of another branch, or any octets. The tweak then differs, and a random 64-bit name comes out. It
 *   meets one of `live` calls with a chance of live / 2^64: at 262,144 calls and 10,000 forgeries a second once in 200
 *   years. The MAC of the branch is checked beside it.
 * - A tag in the branch that it was made for is a repeat: it names the call that the branch belongs to.
 * The octets of the node are the same in every tag of it. They show which node a message has passed, as our Via does.
 */
export interface CallTags {
  write(name: CallName, tweak: string): string;
  /** Total. @returns undefined for what is not 16 characters of base64url */
  read(text: string, tweak: string): ReadCallTag | undefined;
}

/** Nodes that share the key read each other's tags. */
export function createCallTags(key: KeyedTags, node: string): CallTags {
  const keyDigits = key.mac("call", "permutation 1") + key.mac("call", "permutation 2");
  const words = Array.from({ length: 4 }, (_, i) => parseInt(keyDigits.slice(i * 8, i * 8 + 8), 16) | 0);
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = words;
  const ownNode = parseInt(key.mac("call", `node ${node}`).slice(0, 8), 16) | 0;
  const octets = Buffer.alloc(12);
  /** The state behind the key and the tweak, from which each round starts. */
  const begun = new Int32Array(4);

  /** Takes in the tweak as HalfSipHash takes in a message: words of four characters, then the rest with the length. */
  const takeTweak = (tweak: string): void => {
    let v0 = k0;
    let v1 = k1 ^ 0xee;
    let v2 = k2 ^ 0x6c796765;
    let v3 = k3 ^ 0x74656462;
    const { length } = tweak;
    for (let i = 0; i <= length; i += 4) {
      // Behind the end charCodeAt is NaN, which these operators take for 0.
      let word =
        tweak.charCodeAt(i) |
        (tweak.charCodeAt(i + 1) << 8) |
        (tweak.charCodeAt(i + 2) << 16) |
        (tweak.charCodeAt(i + 3) << 24);
      if (i + 4 > length) word ^= length << 24;
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
    for (let step = 0; step < STEPS; step++) {
      const word = step === 0 ? half : step === 1 ? round : 0;
      if (step === 2) v2 ^= 0xff;
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
  };

  return {
    write(name, tweak) {
      takeTweak(tweak);
      let left = name.epoch | 0;
      let right = name.count | 0;
      for (let round = 0; round < ROUNDS; round++) {
        const next = left ^ mix(right, round);
        left = right;
        right = next;
      }
      octets.writeInt32BE(ownNode, 0);
      octets.writeInt32BE(left, 4);
      octets.writeInt32BE(right, 8);
      return octets.toString("base64url");
    },
    read(text, tweak) {
      if (!isBase64Url(text)) return undefined;
      octets.write(text, "base64url");
      takeTweak(tweak);
      let left = octets.readInt32BE(4);
      let right = octets.readInt32BE(8);
      for (let round = ROUNDS - 1; round >= 0; round--) {
        const before = right ^ mix(left, round);
        right = left;
        left = before;
      }
      return {
        name: { epoch: left >>> 0, count: right >>> 0 },
        isOwnNode: octets.readInt32BE(0) === ownNode,
      };
    },
  };
}

/** True for 16 characters of A–Z, a–z, 0–9, - and _ (RFC 4648 section 5): 12 octets, with no bit left over. */
function isBase64Url(text: string): boolean {
  if (text.length !== CALL_TAG_LENGTH) return false;
  for (let i = 0; i < CALL_TAG_LENGTH; i++) {
    const code = text.charCodeAt(i);
    const isLetter = (code | 32) >= 97 && (code | 32) <= 122;
    const isDigit = code >= 48 && code <= 57;
    if (!isLetter && !isDigit && code !== 45 && code !== 95) return false;
  }
  return true;
}
