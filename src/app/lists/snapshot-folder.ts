// The folder of list snapshots: reads, writes and removes its files.
import { Buffer } from "node:buffer";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { HeldList } from "./held-lists.ts";
import {
  decodeSnapshot,
  encodeSnapshot,
  readerName,
  type SnapshotFacts,
  snapshotName,
  type SnapshotPlace,
} from "./list-snapshot.ts";

/** No snapshot is larger: a list file has at most 500 MiB, and a row takes more octets there than here. */
const MOST_OCTETS = 1 << 30;

/** Says which file a stamp is of: inode, size and time of the last change. The time of the last change of its name is left out. */
export function identityOf(stamp: string): string {
  return stamp.split(" ").slice(0, 3).join(" ");
}

/** Reads snapshots into one buffer, which grows as they need it. */
export function createSnapshotReader({ folder, key, maker }: SnapshotPlace) {
  let room = Buffer.alloc(0);
  const reader = readerName(maker);

  function readAll(path: string): Buffer | undefined {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile() || stat.size > MOST_OCTETS) return undefined;
      if (room.length < stat.size) room = Buffer.allocUnsafeSlow(stat.size * 2);
      let filled = 0;
      while (filled < stat.size) {
        const octets = readSync(file, room, filled, stat.size - filled, null);
        if (octets === 0) return undefined;
        filled += octets;
      }
      return room.subarray(0, filled);
    } finally {
      closeSync(file);
    }
  }

  /**
   * Recalls a list. Never throws: a snapshot that can't be read, was cut or changed, or is of another file or another
   * reader is none.
   */
  return (file: string, setting: string, stamp: string): HeldList | undefined => {
    try {
      const bytes = readAll(join(folder, snapshotName(file)));
      const snapshot = bytes && decodeSnapshot(key, bytes);
      if (snapshot === undefined) return undefined;
      const { facts, numbers } = snapshot;
      const isMeant =
        facts.file === file &&
        facts.setting === setting &&
        facts.identity === identityOf(stamp) &&
        facts.reader === reader;
      if (!isMeant) return undefined;
      const { counts, wide, hashes, names, issues } = facts;
      return {
        file,
        setting,
        stamp,
        state: "recalled",
        issues,
        list: { numbers, counts, wide, hashes, names },
      };
    } catch {
      return undefined;
    }
  };
}

/** Writes the snapshot of a list, mode 0600. Throws what the operating system says. */
export function writeSnapshot(
  { folder, key, maker }: SnapshotPlace,
  { file, setting, stamp, issues, list: { numbers, counts, wide, hashes, names } }: HeldList,
): void {
  const facts: SnapshotFacts = {
    file,
    setting,
    identity: identityOf(stamp),
    reader: readerName(maker),
    counts,
    wide,
    hashes,
    names,
    issues,
  };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, snapshotName(file));
  const temporary = `${path}.new`;
  // It is not put on the disk: after a crash the MAC says whether it is whole, and the list is there anyway.
  writeFileSync(temporary, encodeSnapshot(key, facts, numbers.memory), { mode: 0o600 });
  renameSync(temporary, path);
}

/** Removes the snapshot of a list. */
export function removeSnapshot({ folder }: SnapshotPlace, file: string): void {
  removeFile(join(folder, snapshotName(file)));
}

/** Removes all snapshots but those of these lists. */
export function removeOthers({ folder }: SnapshotPlace, files: readonly string[]): void {
  const needed = new Set(files.map(snapshotName));
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    // No snapshot was written yet.
    return;
  }
  for (const name of names)
    if (!needed.has(name) && /^[0-9a-f]{32}\.list/.test(name)) removeFile(join(folder, name));
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is not there, or can't be removed: what is there proves itself, or is not trusted.
  }
}
