// Compares the tiles of a log, full ones and partial ones, with the tree that its blocks give.
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { readIfThere } from "./durable-writing.ts";
import { HASH_OCTETS } from "./merkle-tree.ts";
import { hashesAt, partialWidths, TILE_WIDTH, tilePath } from "./tiles.ts";

/** Takes the nodes of a tree, and compares them with tiles. */
export interface TileCheck {
  /** Takes a node of the tree (merkle-tree.ts). */
  readonly node: (level: number, hash: Buffer) => void;
  /** Compares the tiles that are not full. */
  end(): void;
}

/**
 * Creates a check of the tiles in `folder`.
 * @param signed leaves of the newest checkpoint: tiles that it needs must be there
 * @param fault learns of each tile that is wrong or missing, in words
 */
export function createTileCheck(folder: string, signed: number, fault: (what: string) => void): TileCheck {
  const rows: { readonly hashes: Buffer; count: number; index: number }[] = [];

  function compare(level: number): void {
    const { hashes, count, index } = rows[level]!;
    const needed = Math.min(hashesAt(level, signed) - index * TILE_WIDTH, TILE_WIDTH);
    const whole = count === TILE_WIDTH ? readIfThere(join(folder, tilePath(level, index))) : undefined;
    if (whole !== undefined && !whole.equals(hashes))
      fault(`${join(folder, tilePath(level, index))} is damaged`);
    let isThere = whole !== undefined;
    for (const width of partialWidths(folder, level, index)) {
      if (!(width >= 1 && width <= count)) continue;
      const path = join(folder, tilePath(level, index, width));
      const part = readIfThere(path);
      if (part?.equals(hashes.subarray(0, width * HASH_OCTETS)) !== true) fault(`${path} is damaged`);
      isThere ||= width === needed;
    }
    if (needed > 0 && !isThere) fault(`${join(folder, tilePath(level, index, needed))} is missing`);
  }

  function node(level: number, hash: Buffer): void {
    if (level % 8 !== 0) return;
    const at = level / 8;
    const row = (rows[at] ??= { hashes: Buffer.alloc(TILE_WIDTH * HASH_OCTETS), count: 0, index: 0 });
    hash.copy(row.hashes, row.count * HASH_OCTETS);
    row.count += 1;
    if (row.count < TILE_WIDTH) return;
    compare(at);
    row.index += 1;
    row.count = 0;
  }

  return {
    node,
    end() {
      for (const [level, row] of rows.entries()) if (row.count > 0) compare(level);
    },
  };
}
