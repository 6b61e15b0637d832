// The hash tree of the evidence log: leaf and node hashes, the growing tree, its root (RFC 6962 section 2.1).
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";

/** Octets of a SHA-256 hash. */
export const HASH_OCTETS = 32;

/** The root of a tree without leaves: the hash of nothing. */
export const emptyRoot: Buffer = hash("sha256", Buffer.alloc(0), "buffer");

/**
 * Hashes the leaf `buffer[start, end)`. A leaf is hashed behind an octet 0; this octet is written into
 * `buffer[start - 1]`, so that nothing is copied.
 * @param start at least 1; whatever stands before it is overwritten with 0
 */
export function hashLeafInPlace(buffer: Buffer, start: number, end: number): Buffer {
  buffer[start - 1] = 0;
  return hash("sha256", buffer.subarray(start - 1, end), "buffer");
}

/** Hashes a leaf. */
export function hashLeaf(leaf: Uint8Array): Buffer {
  const prefixed = Buffer.allocUnsafe(leaf.length + 1);
  prefixed.set(leaf, 1);
  return hashLeafInPlace(prefixed, 1, prefixed.length);
}

const pair = Buffer.alloc(1 + 2 * HASH_OCTETS, 1);

/** Hashes two children to their parent. */
export function hashPair(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_OCTETS);
  return hash("sha256", pair, "buffer");
}

/** Tells of a node that has become complete: the root of 2^level leaves. Level 0 is a leaf. */
export type NodeSink = (level: number, node: Buffer) => void;

/** A tree that grows to the right. It keeps one hash for each bit of its size. */
export interface GrowingTree {
  readonly size: number;
  append(leaf: Buffer): void;
  root(): Buffer;
  /** The roots of the complete subtrees, the largest first. Enough to go on with the tree elsewhere. */
  peaks(): readonly Buffer[];
}

/**
 * Goes on with a tree.
 * @param size the leaves that the tree has
 * @param peaks the roots of its complete subtrees, the largest first
 * @param onNode learns of each node that becomes complete
 */
export function growTree(size = 0, peaks: readonly Buffer[] = [], onNode?: NodeSink): GrowingTree {
  /** By level; undefined where the bit of the size is 0. */
  const byLevel: (Buffer | undefined)[] = [];
  const levels = levelsOf(size);
  if (levels.length !== peaks.length) throw new RangeError(`${peaks.length} peaks for ${size} leaves`);
  for (const [i, level] of levels.entries()) byLevel[level] = peaks[i];
  let leaves = size;

  function append(leaf: Buffer): void {
    let node = leaf;
    let level = 0;
    onNode?.(0, node);
    for (let left = byLevel[0]; left !== undefined; left = byLevel[level]) {
      node = hashPair(left, node);
      byLevel[level] = undefined;
      level += 1;
      onNode?.(level, node);
    }
    byLevel[level] = node;
    leaves += 1;
  }

  function root(): Buffer {
    let node: Buffer | undefined;
    for (const left of byLevel) {
      if (left !== undefined) node = node === undefined ? left : hashPair(left, node);
    }
    return node ?? emptyRoot;
  }

  return {
    get size() {
      return leaves;
    },
    append,
    root,
    peaks: () => byLevel.filter((node) => node !== undefined).toReversed(),
  };
}

/** The levels of the complete subtrees of a tree, the largest first: the bits of its size. */
export function levelsOf(size: number): readonly number[] {
  const levels: number[] = [];
  for (let rest = size, level = 0; rest > 0; rest = Math.floor(rest / 2), level += 1) {
    if (rest % 2 === 1) levels.unshift(level);
  }
  return levels;
}
