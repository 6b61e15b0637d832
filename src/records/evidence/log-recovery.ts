// Takes up an evidence log again: the tree of the last checkpoint, and the blocks behind it, hashed again.
import { Buffer } from "node:buffer";
import {
  closeSync,
  ftruncateSync,
  fdatasyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { type BlockFault, createBlockReader, readSegmentHead } from "./block-reader.ts";
import { findLastCheckpoint } from "../tree/checkpoint-file.ts";
import { readIfThere, replaceFile, syncFolder, writeFileThrough } from "../tree/durable-writing.ts";
import { EvidenceFault, messageOf } from "./evidence-fault.ts";
import { headOf, listSegments, type LogFiles, logFiles, type Segment } from "./log-files.ts";
import { growTree, type GrowingTree, hashLeafInPlace } from "../tree/merkle-tree.ts";
import { type Checkpoint, type NoteKey, openCheckpoint } from "../tree/signed-note.ts";
import { readPeaks, readTiles, type TileWriter, writeTiles } from "../tree/tiles.ts";

/** A log that can go on. */
export interface TakenUpLog {
  readonly tree: GrowingTree;
  readonly tiles: TileWriter;
  /** The number of the last segment; 0 without one. */
  readonly lastSegment: number;
  /** The newest checkpoint of the log. */
  readonly checkpoint: Checkpoint | undefined;
  /** Where the next checkpoint is written in the file of checkpoints. */
  readonly checkpointsEnd: number;
  /** Blocks behind the last checkpoint that were hashed again. */
  readonly rehashed: number;
  /** What was cut, moved or found missing, a sentence each. */
  readonly told: readonly string[];
}

/** The newest of the checkpoints that are kept in the two places. */
function findCheckpoint(
  files: LogFiles,
  key: NoteKey,
  told: string[],
): { checkpoint: Checkpoint | undefined; end: number } {
  const last = findLastCheckpoint(files.checkpoints, key);
  if (last.torn > 0)
    told.push(
      `${files.checkpoints}: the last ${last.torn} octets are no whole checkpoint and are written over`,
    );
  const note = readIfThere(files.checkpoint)?.toString("utf8");
  const single = note === undefined ? "" : openCheckpoint(note, key);
  // A crash may have come before the newest was written to the file of its own.
  if (last.checkpoint !== undefined && (typeof single === "string" || single.size < last.checkpoint.size))
    replaceFile(files.checkpoint, Buffer.from(last.checkpoint.note));
  if (typeof single === "string") {
    if (single !== "") told.push(`${files.checkpoint}: ${single}; the last of ${files.checkpoints} is taken`);
    return { checkpoint: last.checkpoint, end: last.end };
  }
  const isNewer = single.size > (last.checkpoint?.size ?? 0);
  if (isNewer) told.push(`${files.checkpoints} lacks the newest checkpoint, of ${single.size} leaves`);
  return { checkpoint: isNewer ? single : last.checkpoint, end: last.end };
}

/** The tree of the checkpoint, out of the tiles; an empty tree when the tiles don't give it. */
function restoreTree(
  files: LogFiles,
  checkpoint: Checkpoint | undefined,
  told: string[],
): { readonly tree: GrowingTree; readonly tiles: TileWriter } {
  if (checkpoint !== undefined) {
    try {
      const tiles = writeTiles(files.tiles, checkpoint.size);
      const peaks = readPeaks(readTiles(files.tiles, checkpoint.size), checkpoint.size);
      const tree = growTree(checkpoint.size, peaks, tiles.node);
      if (tree.root().equals(checkpoint.root)) return { tree, tiles };
      told.push(
        `${files.tiles} does not give the root of the last checkpoint: every segment is hashed again`,
      );
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      told.push(`${messageOf(error)}: every segment is hashed again`);
    }
  }
  const tiles = writeTiles(files.tiles, 0);
  return { tree: growTree(0, [], tiles.node), tiles };
}

/** Takes the octets behind the last whole block out of a segment, and keeps them beside it. */
function cutTorn({ path }: Segment, { offset, why }: BlockFault, told: string[]): void {
  const rest = readFileSync(path).subarray(offset);
  if (offset === 0) {
    if (rest.length === 0) rmSync(path);
    else renameSync(path, `${path}.torn`);
  } else {
    writeFileThrough(`${path}.torn`, rest, "w");
    const file = openSync(path, "r+");
    ftruncateSync(file, offset);
    fdatasyncSync(file);
    closeSync(file);
  }
  syncFolder(dirname(path));
  told.push(
    `${path}: ${why}; the last ${rest.length} octets are no whole block and were moved to ${path}.torn`,
  );
}

/** The segments from the one with leaf `leaf` on. Files at the end without a head are moved away. */
function segmentsFrom(segments: readonly Segment[], leaf: number, told: string[]): readonly Segment[] {
  let first = segments.length;
  for (let i = segments.length - 1; i >= 0; i -= 1) {
    const segment = segments[i]!;
    const head = headOf(segment.path);
    if (head === undefined) {
      if (i < segments.length - 1)
        throw new EvidenceFault(`${segment.path} has no head of a segment: run \`sigwall evidence verify\``);
      const isEmpty = statSync(segment.path).size === 0;
      const why = isEmpty ? "the file is empty" : "the head of the segment is torn";
      cutTorn(segment, { number: 1, offset: 0, why }, told);
      return segmentsFrom(segments.slice(0, -1), leaf, told);
    }
    first = i;
    if (head.firstLeaf <= leaf) break;
  }
  return segments.slice(first);
}

/**
 * Takes up the log of a node in `folder`. What a crash has left is mended and told.
 * Throws an {@link EvidenceFault} when the folder can't be gone on with, and what the operating system says.
 */
export function takeUpLog(folder: string, node: string, key: NoteKey): TakenUpLog {
  const files = logFiles(folder, node);
  const told: string[] = [];
  const { checkpoint, end } = findCheckpoint(files, key, told);
  const { tree, tiles } = restoreTree(files, checkpoint, told);
  const base = tree.size;
  const all = listSegments(folder, node);
  const segments = segmentsFrom(all, base, told);
  const reader = createBlockReader();
  let leaf = -1;
  for (const [i, segment] of segments.entries()) {
    const fault = reader.read(segment.path, (block) => {
      if (block.number === 1) leaf = checkHead(segment, readSegmentHead(block), leaf, base, key.name, node);
      if (leaf >= tree.size) tree.append(hashLeafInPlace(block.buffer, block.start, block.end));
      leaf += 1;
      return true;
    });
    if (fault === undefined) continue;
    if (i < segments.length - 1)
      throw new EvidenceFault(
        `${segment.path}: block ${fault.number}: ${fault.why}: move the folder away, keep it, and start anew`,
      );
    cutTorn(segment, fault, told);
  }
  const expected = checkpoint?.size ?? 0;
  if (tree.size < expected)
    throw new EvidenceFault(
      `${folder}: the tiles are damaged and the segments hold ${tree.size} of ${expected} leaves: move the folder away, keep it, and start anew`,
    );
  if (leaf < expected && leaf >= 0)
    told.push(
      `${folder}: the blocks of leaves ${leaf} to ${expected - 1} are missing; the log goes on behind them`,
    );
  return {
    tree,
    tiles,
    lastSegment: Math.max(0, ...all.slice(-1).map(({ number }) => number)),
    checkpoint,
    checkpointsEnd: end,
    rehashed: tree.size - base,
    told,
  };
}

function checkHead(
  { path, number }: Segment,
  head: ReturnType<typeof readSegmentHead>,
  leaf: number,
  base: number,
  origin: string,
  node: string,
): number {
  if (head === undefined || head.node !== node || head.segment !== number || head.origin !== origin)
    throw new EvidenceFault(
      `${path} is no segment ${number} of the log ${origin} of node ${node}: move it out of the folder`,
    );
  // The first segment that is read may begin before the last checkpoint; none may leave leaves out.
  const isNext = leaf < 0 ? head.firstLeaf <= base : head.firstLeaf === leaf;
  // Leaves before the checkpoint may be missing: the tiles have their hashes.
  if (isNext || head.firstLeaf <= base) return head.firstLeaf;
  throw new EvidenceFault(
    `${path} begins with leaf ${head.firstLeaf}, and the segment before ends with leaf ${leaf - 1}: blocks are missing; move the folder away, keep it, and start anew`,
  );
}
