// The hashes of the tree in files, in the layout of C2SP tlog-tiles: written as the tree grows, read for proofs.
import { Buffer } from "node:buffer";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { codeOf, makeFolder, readIfThere, replaceFile } from "./durable-writing.ts";
import { HASH_OCTETS, hashPair, levelsOf } from "./merkle-tree.ts";
import type { NodeReader } from "./tree-proofs.ts";

// Source: c2sp.org/tlog-tiles, "Merkle Tree". A tile holds 256 hashes; those of tile level l are roots of 256^l leaves.

/** Hashes of a full tile. */
export const TILE_WIDTH = 256;
const TILE_LEVELS = 8;

/** The index in path elements of three digits, all but the last behind an "x": 1234067 is `x001/x234/067`. */
function indexPath(index: number): string {
  const elements = [String(index % 1000).padStart(3, "0")];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    elements.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  return elements.join("/");
}

/** The path of a tile below the folder of tiles. A width below 256 is a partial tile. */
export function tilePath(level: number, index: number, width = TILE_WIDTH): string {
  const path = `tile/${level}/${indexPath(index)}`;
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

/** How many hashes tile level `level` has in a tree of `size` leaves. */
export function hashesAt(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** Reads hashes of a tree of `size` leaves. It keeps the tiles that were read last. */
export interface TileReader {
  /** The tile, as wide as the tree has it. Undefined when its file is missing or too short. */
  tile(level: number, index: number): Buffer | undefined;
  /** The file that {@link TileReader.tile} takes the tile from. */
  fileOf(level: number, index: number): string;
  /** Throws a RangeError when a tile is missing. */
  readonly node: NodeReader;
}

/** At most this many tiles are kept in memory. */
const MOST_KEPT = 256;

/** Opens the folder of tiles for the tree of `size` leaves. */
export function readTiles(folder: string, size: number): TileReader {
  const kept = new Map<string, Buffer | undefined>();

  function load(level: number, index: number): Buffer | undefined {
    const width = Math.min(hashesAt(level, size) - index * TILE_WIDTH, TILE_WIDTH);
    if (width <= 0) return undefined;
    const whole = readIfThere(join(folder, tilePath(level, index)));
    if (whole?.length === TILE_WIDTH * HASH_OCTETS) return whole.subarray(0, width * HASH_OCTETS);
    const part = width < TILE_WIDTH ? readIfThere(join(folder, tilePath(level, index, width))) : undefined;
    return part?.length === width * HASH_OCTETS ? part : undefined;
  }

  function tile(level: number, index: number): Buffer | undefined {
    const key = `${level}/${index}`;
    if (!kept.has(key)) {
      if (kept.size >= MOST_KEPT) kept.clear();
      kept.set(key, load(level, index));
    }
    return kept.get(key);
  }

  function node(level: number, index: number): Buffer {
    const tileLevel = Math.floor(level / TILE_LEVELS);
    const span = 2 ** (level % TILE_LEVELS);
    const first = index * span;
    const at = Math.floor(first / TILE_WIDTH);
    const hashes = tile(tileLevel, at);
    const from = (first - at * TILE_WIDTH) * HASH_OCTETS;
    const to = from + span * HASH_OCTETS;
    if (hashes === undefined || hashes.length < to)
      throw new RangeError(`the tile ${join(folder, tilePath(tileLevel, at))} is missing or too short`);
    let row: Buffer[] = [];
    for (let i = from; i < to; i += HASH_OCTETS) row.push(hashes.subarray(i, i + HASH_OCTETS));
    while (row.length > 1)
      row = Array.from({ length: row.length / 2 }, (_, i) => hashPair(row[2 * i]!, row[2 * i + 1]!));
    return row[0]!;
  }

  function fileOf(level: number, index: number): string {
    const whole = join(folder, tilePath(level, index));
    const width = hashesAt(level, size) - index * TILE_WIDTH;
    return width >= TILE_WIDTH || existsSync(whole) ? whole : join(folder, tilePath(level, index, width));
  }

  return { tile, fileOf, node };
}

/** The roots of the complete subtrees of the tree, the largest first. Throws when a tile is missing. */
export function readPeaks({ node }: TileReader, size: number): readonly Buffer[] {
  let from = 0;
  return levelsOf(size).map((level) => {
    const peak = node(level, from / 2 ** level);
    from += 2 ** level;
    return peak;
  });
}

interface Row {
  /** The hashes of the tile that is not full yet. */
  readonly hashes: Buffer;
  count: number;
  index: number;
  /** Width of the partial tile that was written last. */
  written: number;
}

/** Writes tiles as the tree grows. */
export interface TileWriter {
  /** Takes a node of the tree (merkle-tree.ts); nodes between the levels of tiles are left out. */
  readonly node: (level: number, hash: Buffer) => void;
  /** Full tiles that are not written yet. */
  readonly waiting: number;
  /** Writes full tiles, without the partial ones. Throws when the disk does; may be called again. */
  writeFull(): void;
  /** Writes every tile, so that a checkpoint may name the tree. Throws when the disk does; may be called again. */
  writeAll(): void;
}

/** Goes on with the tiles of a tree of `size` leaves. Throws when a partial tile of this size is missing. */
export function writeTiles(folder: string, size: number): TileWriter {
  const rows: Row[] = [];
  const full: { readonly level: number; readonly index: number; readonly hashes: Buffer }[] = [];
  const reader = readTiles(folder, size);
  for (let level = 0; hashesAt(level, size) > 0; level += 1) rows.push(restore(level));

  function restore(level: number): Row {
    const all = hashesAt(level, size);
    const index = Math.floor(all / TILE_WIDTH);
    const count = all % TILE_WIDTH;
    const hashes = Buffer.alloc(TILE_WIDTH * HASH_OCTETS);
    const kept = count === 0 ? undefined : reader.tile(level, index);
    if (count > 0 && kept === undefined)
      throw new RangeError(`the tile ${join(folder, tilePath(level, index, count))} is missing or too short`);
    kept?.copy(hashes);
    return { hashes, count, index, written: count };
  }

  function node(level: number, hash: Buffer): void {
    if (level % TILE_LEVELS !== 0) return;
    const tileLevel = level / TILE_LEVELS;
    const row = (rows[tileLevel] ??= {
      hashes: Buffer.alloc(TILE_WIDTH * HASH_OCTETS),
      count: 0,
      index: 0,
      written: 0,
    });
    hash.copy(row.hashes, row.count * HASH_OCTETS);
    row.count += 1;
    if (row.count < TILE_WIDTH) return;
    full.push({ level: tileLevel, index: row.index, hashes: Buffer.from(row.hashes) });
    row.index += 1;
    row.count = 0;
    row.written = 0;
  }

  function write(path: string, bytes: Buffer): void {
    const whole = join(folder, path);
    makeFolder(dirname(whole));
    replaceFile(whole, bytes);
  }

  function writeFull(): void {
    for (let tile = full[0]; tile !== undefined; tile = full[0]) {
      const { level, index, hashes } = tile;
      write(tilePath(level, index), hashes);
      rmSync(join(folder, `${tilePath(level, index)}.p`), { recursive: true, force: true });
      full.shift();
    }
  }

  function writeAll(): void {
    writeFull();
    for (const [level, row] of rows.entries()) {
      if (row.count === 0 || row.count === row.written) continue;
      write(tilePath(level, row.index, row.count), row.hashes.subarray(0, row.count * HASH_OCTETS));
      row.written = row.count;
    }
  }

  return {
    node,
    get waiting() {
      return full.length;
    },
    writeFull,
    writeAll,
  };
}

/** The widths of the partial tiles that are kept of a tile, in no order. */
export function partialWidths(folder: string, level: number, index: number): readonly number[] {
  try {
    return readdirSync(join(folder, `${tilePath(level, index)}.p`)).map(Number);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}
