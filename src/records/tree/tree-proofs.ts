// Proofs of the hash tree: that it holds a leaf, and that it continues an earlier tree (RFC 6962 section 2.1).
import type { Buffer } from "node:buffer";
import { hashPair } from "./merkle-tree.ts";

/** Gives the root of the complete subtree of 2^level leaves that is the `index`-th of its level. */
export type NodeReader = (level: number, index: number) => Buffer;

/** The largest power of two below `leaves`, which is at least 2. */
function splitOf(leaves: number): number {
  let split = 1;
  while (split * 2 < leaves) split *= 2;
  return split;
}

/** The hash of the leaves from `from` up to but without `to`: MTH(D[from:to]). */
export function hashRange(read: NodeReader, from: number, to: number): Buffer {
  const leaves = to - from;
  const level = Math.log2(leaves);
  if (Number.isInteger(level) && from % leaves === 0) return read(level, from / leaves);
  const middle = from + splitOf(leaves);
  return hashPair(hashRange(read, from, middle), hashRange(read, middle, to));
}

/**
 * The audit path of a leaf in the tree of `size` leaves, from the leaf up (RFC 6962 section 2.1.1).
 * @param leaf its index, below `size`
 */
export function proveInclusion(read: NodeReader, leaf: number, size: number): readonly Buffer[] {
  const path: Buffer[] = [];
  let from = 0;
  let to = size;
  for (;;) {
    if (to - from === 1) return path.toReversed();
    const middle = from + splitOf(to - from);
    if (leaf < middle) {
      path.push(hashRange(read, middle, to));
      to = middle;
    } else {
      path.push(hashRange(read, from, middle));
      from = middle;
    }
  }
}

/**
 * Proves that the tree of `size` leaves begins with the tree of `former` leaves (RFC 6962 section 2.1.2).
 * @param former from 1 to `size`
 */
export function proveConsistency(read: NodeReader, former: number, size: number): readonly Buffer[] {
  const path: Buffer[] = [];
  let from = 0;
  let to = size;
  let isWhole = true;
  for (;;) {
    if (former === to) {
      if (!isWhole) path.push(hashRange(read, from, to));
      return path.toReversed();
    }
    const middle = from + splitOf(to - from);
    if (former <= middle) {
      path.push(hashRange(read, middle, to));
      to = middle;
    } else {
      path.push(hashRange(read, from, middle));
      from = middle;
      isWhole = false;
    }
  }
}

/** The root that an audit path leads to (RFC 9162 section 2.1.3.2); undefined for a path of the wrong length. */
export function rootByInclusion(
  leafHash: Buffer,
  leaf: number,
  size: number,
  path: readonly Buffer[],
): Buffer | undefined {
  if (leaf >= size) return undefined;
  let node = leafHash;
  let index = leaf;
  let last = size - 1;
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (index % 2 === 1 || index === last) {
      node = hashPair(sibling, node);
      while (index % 2 === 0 && index !== 0) {
        index = Math.floor(index / 2);
        last = Math.floor(last / 2);
      }
    } else node = hashPair(node, sibling);
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? node : undefined;
}

/** Tells whether a proof leads from one root to the other (RFC 9162 section 2.1.4.2). */
export function isConsistent(
  former: { readonly size: number; readonly root: Buffer },
  later: { readonly size: number; readonly root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (former.size > later.size || former.size === 0) return false;
  if (former.size === later.size) return proof.length === 0 && former.root.equals(later.root);
  const path = Number.isInteger(Math.log2(former.size)) ? [former.root, ...proof] : [...proof];
  let index = former.size - 1;
  let last = later.size - 1;
  while (index % 2 === 1) {
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let before = first;
  let after = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (index % 2 === 1 || index === last) {
      before = hashPair(sibling, before);
      after = hashPair(sibling, after);
      while (index % 2 === 0 && index !== 0) {
        index = Math.floor(index / 2);
        last = Math.floor(last / 2);
      }
    } else after = hashPair(after, sibling);
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && before.equals(former.root) && after.equals(later.root);
}
