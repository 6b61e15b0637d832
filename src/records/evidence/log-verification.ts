// Verifies the evidence log of a node, with its public key alone: every block, tile, checkpoint and deletion.
import type { Buffer } from "node:buffer";
import {
  type BlockFault,
  createBlockReader,
  type FileBlock,
  isPacket,
  lineOf,
  readSegmentHead,
} from "./block-reader.ts";
import { readNotes } from "../tree/checkpoint-file.ts";
import { type DeletedLeaves, readDeletion, readDeletions } from "./deletion-notes.ts";
import { readIfThere } from "../tree/durable-writing.ts";
import { listSegments, logFiles, originOf, type Segment } from "./log-files.ts";
import { growTree, HASH_OCTETS, type GrowingTree, hashLeafInPlace } from "../tree/merkle-tree.ts";
import { type Checkpoint, type NoteKey, openCheckpoint } from "../tree/signed-note.ts";
import { verifyStamps } from "../tree/stamp-files.ts";
import { createTileCheck } from "../tree/tile-check.ts";
import { readTiles, TILE_WIDTH } from "../tree/tiles.ts";

/** A checkpoint that somebody has kept elsewhere. */
export interface GivenCheckpoint {
  /** Where it comes from, for people. */
  readonly name: string;
  readonly checkpoint: Checkpoint;
}

/** What a verification found. */
export interface Verification {
  readonly leaves: number;
  readonly octets: number;
  readonly segments: number;
  /** Checkpoints of the folder that hold. */
  readonly checkpoints: number;
  readonly newest: Checkpoint | undefined;
  /** RFC 3161 replies that fit their checkpoint. */
  readonly stamps: number;
  /** Leaves without block that a note of the log accounts for. */
  readonly deleted: readonly DeletedLeaves[];
  /** What is wrong, the first place first. Empty: everything holds. */
  readonly faults: readonly string[];
}

/** At most this many faults are told. */
const MOST_FAULTS = 20;

/**
 * Verifies the log of a node in `folder`. The tree is built again from the blocks; where blocks were deleted, from the
 * hashes in the tiles. Its root at the size of each checkpoint must be the signed one: this is what a consistency proof
 * of RFC 6962 section 2.1.2 shows, without a proof. Throws what the operating system says.
 * @param given checkpoints of this log that were kept elsewhere: a log that was rolled back can't have their roots
 */
export function verifyLog(
  folder: string,
  node: string,
  key: NoteKey,
  given: readonly GivenCheckpoint[],
): Verification {
  const files = logFiles(folder, node);
  const faults: string[] = [];
  const fault = (what: string): void => {
    if (faults.length < MOST_FAULTS) faults.push(what);
  };
  const newest = readNewest(files.checkpoint, key, fault);
  const signed = newest?.size ?? 0;
  const waiting = given.toSorted((a, b) => a.checkpoint.size - b.checkpoint.size);
  const kept = readKept(files.checkpoints, key, fault);
  let nextKept = kept.next().value;
  let lastKept: Checkpoint | undefined;
  let held = 0;
  const tileFaults: string[] = [];
  let areTilesWhole = true;
  const tileCheck = createTileCheck(files.tiles, signed, (what) => tileFaults.push(what));
  let tree = growTree(0, [], tileCheck.node);
  const tiles = readTiles(files.tiles, Math.max(signed, ...waiting.map(({ checkpoint }) => checkpoint.size)));
  const notes = readDeletions(files.deletions);
  const noted = new Map<number, { readonly hash: Buffer; readonly deleted: readonly DeletedLeaves[] }>();
  for (const note of notes) {
    if (typeof note === "string") fault(note);
    else noted.set(note.leaf, note);
  }
  const deletions: DeletedLeaves[] = [];
  const missing: { from: number; to: number; place: string }[] = [];
  /** The first block whose hash is not the one in its tile, and the tree with the hash of the block. */
  let odd: { readonly what: string; readonly leaf: number; readonly other: GrowingTree } | undefined;
  let octets = 0;
  /** The tile of the leaf that was read last. */
  let current: { readonly index: number; readonly hashes: Buffer | undefined } = {
    index: -1,
    hashes: undefined,
  };

  /** The hash of a leaf as its tile has it. */
  function tileHash(leaf: number): Buffer | undefined {
    const index = Math.floor(leaf / TILE_WIDTH);
    if (index !== current.index) current = { index, hashes: tiles.tile(0, index) };
    const from = (leaf - index * TILE_WIDTH) * HASH_OCTETS;
    const { hashes } = current;
    return hashes === undefined || hashes.length < from + HASH_OCTETS
      ? undefined
      : hashes.subarray(from, from + HASH_OCTETS);
  }

  /** Takes a leaf. Where its tile has another hash, the next checkpoint tells which of the two is right. */
  function take(leafHash: Buffer, what: () => string): void {
    const leaf = tree.size;
    const hash = leaf < signed ? (tileHash(leaf) ?? leafHash) : leafHash;
    if (odd === undefined && !hash.equals(leafHash))
      odd = { what: what(), leaf, other: growTree(leaf, tree.peaks()) };
    odd?.other.append(leafHash);
    tree.append(hash);
    const note = noted.get(leaf);
    // What stands behind the newest checkpoint may be anybody's.
    if (note !== undefined && leaf < signed) {
      if (note.hash.equals(hash)) deletions.push(...note.deleted);
      else fault(`${files.deletions}: the note of leaf ${leaf} is not the block of this leaf`);
    }
    compare();
  }

  /** Tells whether the tree has the root of a checkpoint; finds out whether a block or a tile is wrong. */
  function holds(checkpoint: Checkpoint): boolean {
    const isRight = tree.root().equals(checkpoint.root);
    if (odd === undefined) return isRight;
    const { what, leaf, other } = odd;
    odd = undefined;
    if (isRight) {
      fault(what);
      return true;
    }
    if (!other.root().equals(checkpoint.root)) return false;
    // The tiles above this one would be called damaged for its sake.
    areTilesWhole = false;
    fault(`${tiles.fileOf(0, Math.floor(leaf / TILE_WIDTH))} is damaged; the blocks are whole`);
    tree = other;
    return true;
  }

  function compare(): void {
    while (nextKept !== undefined && nextKept.size <= tree.size) {
      if (nextKept.size < tree.size && nextKept.size !== (lastKept?.size ?? 0))
        fault(`${files.checkpoints}: a checkpoint of ${nextKept.size} leaves follows a later one`);
      else if (nextKept.size === tree.size) {
        if (holds(nextKept)) held += 1;
        else tell(files.checkpoints, nextKept);
      }
      lastKept = nextKept;
      nextKept = kept.next().value;
    }
    if (newest?.size === tree.size && !holds(newest)) tell(files.checkpoint, newest);
    for (
      let first = waiting[0];
      first !== undefined && first.checkpoint.size <= tree.size;
      first = waiting[0]
    ) {
      if (!holds(first.checkpoint))
        fault(
          `${first.name}: the log does not contain this checkpoint of ${first.checkpoint.size} leaves: the log was changed or rolled back since`,
        );
      waiting.shift();
    }
  }

  let lastGood = 0;
  function tell(name: string, { size }: Checkpoint): void {
    if (lastGood < 0) return;
    const before = lastKept === undefined ? 0 : lastKept.size;
    fault(
      `the blocks do not give the root that is signed for ${size} leaves (${name}): one of leaves ${before} to ${size - 1} was changed, ${placeOf(before)}`,
    );
    lastGood = -1;
  }

  const starts: { readonly leaf: number; readonly path: string }[] = [];
  function placeOf(leaf: number): string {
    const at = starts.findLast((start) => start.leaf <= leaf);
    return at === undefined ? "no segment" : `${at.path} block ${leaf - at.leaf + 1} and later`;
  }

  /** Takes the hashes of leaves without block from the tiles. @returns false where a tile is missing */
  function takeHashes(to: number): boolean {
    while (tree.size < to) {
      const hash = tileHash(tree.size);
      if (hash === undefined) return false;
      take(hash, () => "");
    }
    return true;
  }

  function skipTo(leaf: number, place: string): boolean {
    if (leaf === tree.size) return true;
    const from = tree.size;
    missing.push({ from, to: leaf, place });
    if (takeHashes(leaf)) return true;
    fault(`${place}: the blocks of leaves ${from} to ${leaf - 1} are missing, and so are their hashes`);
    return false;
  }

  compare();
  const segments = listSegments(folder, node);
  const reader = createBlockReader();
  for (const segment of segments) {
    let isOurs = true;
    const broken = reader.read(segment.path, (block) => {
      if (block.number === 1) {
        const first = findFirstLeaf(segment, block, node, key.name, tree.size);
        if (typeof first === "string") fault(first);
        isOurs = typeof first === "number" && skipTo(first, segment.path);
        if (!isOurs) return false;
        starts.push({ leaf: tree.size, path: segment.path });
      }
      const leaf = tree.size;
      octets += block.end - block.start;
      const hash = hashLeafInPlace(block.buffer, block.start, block.end);
      take(hash, () => `${segment.path}: block ${block.number} (leaf ${leaf}) was changed`);
      if (leaf < signed && isPacket(block) && isDeletion(block))
        deletions.push(...readDeletion(lineOf(block)));
      return true;
    });
    if (broken !== undefined) tellBroken(segment, broken);
  }

  function tellBroken({ path }: Segment, { number, offset, why }: BlockFault): void {
    const leaf = tree.size;
    fault(`${path}: block ${number} (leaf ${leaf}) at octet ${offset} is damaged: ${why}`);
    // The rest of the file can't be read. The hashes of its blocks are in the tiles.
    const next = segments.find(
      (segment) => segment.number > (segments.find((one) => one.path === path)?.number ?? 0),
    );
    if (next === undefined && leaf < signed) takeHashes(signed);
  }

  if (tree.size < signed) skipTo(signed, folder);
  for (const { name, checkpoint } of waiting)
    fault(
      `${name}: the log has ${tree.size} leaves, and this checkpoint was signed for ${checkpoint.size}: the log was rolled back`,
    );
  if (nextKept !== undefined)
    fault(`${files.checkpoints} has a checkpoint of ${nextKept.size} leaves, and the log has ${tree.size}`);
  const lastSize = lastKept?.size ?? 0;
  // The other way round a crash came between the two writings: the newest is among those of the longer file.
  if (newest !== undefined && nextKept === undefined && lastSize < newest.size)
    fault(
      `${files.checkpoints} ends with a checkpoint of ${lastSize} leaves, ${files.checkpoint} has ${newest.size}`,
    );
  for (const { from, to, place } of missing) {
    const first = firstUnaccounted(from, to, deletions);
    if (first < to)
      fault(`${place}: the blocks of leaves ${first} to ${to - 1} are missing, and no note says why`);
  }
  tileCheck.end();
  if (areTilesWhole) for (const what of tileFaults) fault(what);
  const stamps = verifyStamps(files.stamps, key, fault);
  return {
    leaves: tree.size,
    octets,
    segments: segments.length,
    checkpoints: held,
    newest,
    stamps,
    deleted: deletedOf(missing, deletions),
    faults,
  };
}

/** Looks for the word that every note of a deletion has, without reading the line. */
function isDeletion({ buffer, start, end }: FileBlock): boolean {
  // Such a block has no message: captured length 0.
  return buffer.readUInt32LE(start + 20) === 0 && buffer.subarray(start, end).includes('"deleted":[');
}

function readNewest(path: string, key: NoteKey, fault: (what: string) => void): Checkpoint | undefined {
  const note = readIfThere(path)?.toString("utf8");
  if (note === undefined) return undefined;
  const checkpoint = openCheckpoint(note, key);
  if (typeof checkpoint !== "string") return checkpoint;
  fault(`${path}: ${checkpoint}`);
  return undefined;
}

function* readKept(
  path: string,
  key: NoteKey,
  fault: (what: string) => void,
): Generator<Checkpoint, undefined> {
  for (const { note, from } of readNotes(path)) {
    const checkpoint = openCheckpoint(note, key);
    if (typeof checkpoint === "string") fault(`${path} at octet ${from}: ${checkpoint}`);
    else yield checkpoint;
  }
  return undefined;
}

/** The first leaf of a segment, or in words why it does not belong here. */
function findFirstLeaf(
  { path, number }: Segment,
  block: FileBlock,
  node: string,
  origin: string,
  expected: number,
): number | string {
  const head = readSegmentHead(block);
  if (head === undefined) return `${path}: block 1 (leaf ${expected}) is no head of a segment`;
  if (head.node !== node || head.origin !== origin)
    return `${path}: block 1 says that this is a segment of the log ${head.origin} of node ${head.node}, not of ${origin || originOf(node)}`;
  if (head.segment !== number) return `${path}: block 1 says that this is segment ${head.segment}`;
  if (head.firstLeaf < expected)
    return `${path}: block 1 says that the segment begins with leaf ${head.firstLeaf}, which is already there: the next is ${expected}`;
  return head.firstLeaf;
}

/** The first leaf of a range that no deletion accounts for; `to` when all are accounted for. */
function firstUnaccounted(from: number, to: number, deletions: readonly DeletedLeaves[]): number {
  let leaf = from;
  for (const one of deletions.toSorted((a, b) => a.from - b.from)) {
    if (one.from <= leaf && one.to > leaf) leaf = one.to;
  }
  return Math.min(leaf, to);
}

/** The deletions that account for leaves without block. */
function deletedOf(
  missing: readonly { readonly from: number; readonly to: number }[],
  deletions: readonly DeletedLeaves[],
): readonly DeletedLeaves[] {
  const used: DeletedLeaves[] = [];
  for (const { from, to } of missing) {
    for (const one of deletions) {
      const [first, last] = [Math.max(from, one.from), Math.min(to, one.to)];
      const isKnown = used.some((other) => other.from === first && other.to === last);
      if (first < last && !isKnown) used.push({ ...one, from: first, to: last });
    }
  }
  return used;
}
