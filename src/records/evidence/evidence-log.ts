// The evidence log of one node: blocks appended to segments, hashed into a tree, and the tree signed.
import { Buffer } from "node:buffer";
import { closeSync, fdatasyncSync, ftruncateSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Millis } from "../../domain/time.ts";
import {
  type MessageBlock,
  roomOfGap,
  roomOfMessage,
  writeGapBlock,
  writeMessageBlock,
  writeSegmentHead,
} from "./evidence-block.ts";
import {
  makeFolder,
  readIfThere,
  replaceFile,
  syncFolder,
  writeFileThrough,
  writeWhole,
} from "../tree/durable-writing.ts";
import { findLastCheckpoint } from "../tree/checkpoint-file.ts";
import { EvidenceFault, messageOf } from "./evidence-fault.ts";
import { obtainEvidenceKey } from "./evidence-key.ts";
import { dayOf, type LogFiles, logFiles, originOf, segmentPath } from "./log-files.ts";
import { takeUpLog } from "./log-recovery.ts";
import { hashLeafInPlace } from "../tree/merkle-tree.ts";
import {
  type Checkpoint,
  type NoteKey,
  nameKey,
  openCheckpoint,
  signCheckpoint,
} from "../tree/signed-note.ts";

/** Where a log stands and how it is written. */
export interface EvidenceLogOptions {
  /** The folder `evidence`; made when missing. */
  readonly folder: string;
  readonly node: string;
  /** Name of the log. Default: `sigwall/NODE`. */
  readonly origin?: string | undefined;
  /** File of the Ed25519 key; made when missing. */
  readonly keyFile: string;
  /** A file outside the folder to which every checkpoint is appended. */
  readonly publish?: string | undefined;
  /** Octets after which a segment is closed. Default: 64 MiB. */
  readonly segmentOctets?: number;
  /** At most this many octets wait for a commit. Default: 32 MiB. */
  readonly mostPending?: number;
  /** Learns of each checkpoint, and of the public key in one line, when it is on the disk: it should leave the machine. */
  readonly onCheckpoint?: (checkpoint: Checkpoint, at: Millis, keyLine: string) => void;
  /** Learns what an operator should know: what a crash has left, a second path that can't be written. */
  readonly onTrouble?: (what: string) => void;
}

/** How a log stands. */
export interface EvidenceState {
  readonly leaves: number;
  /** Octets that wait for a commit. */
  readonly pending: number;
  /** Leaves of the newest checkpoint. */
  readonly signed: number;
  /** What was mended at the start, a sentence each. */
  readonly told: readonly string[];
  /** Blocks behind the last checkpoint that were hashed again at the start. */
  readonly rehashed: number;
}

/** What {@link EvidenceLog.append} gives when nothing can be taken until a commit succeeds. */
export const NO_ROOM = -1;

/**
 * The log of one node. Synchronous. Invariant: one process at a time writes the log of a node; the caller holds the
 * lock of the node.
 */
export interface EvidenceLog {
  /** @returns the leaf of the block, or {@link NO_ROOM}: then the block is not taken, and its loss is the caller's to tell */
  append(block: MessageBlock): number;
  /** Appends a line without a message. @returns as `append` */
  gap(line: string, at: Millis): number;
  /** Writes what was appended: it outlives the process then. It waits for a commit still. Throws as `commit`. */
  write(): void;
  /**
   * Writes what was appended, and waits until it is on the disk. Throws what the operating system says; nothing is lost
   * then, and the next commit writes the same octets at the same places.
   */
  commit(): void;
  /** Commits, and signs the tree when it has grown. Throws as `commit`. @returns the new checkpoint */
  checkpoint(at: Millis): Checkpoint | undefined;
  state(): EvidenceState;
  /** Commits and closes the files. Throws as `commit`; the files are closed all the same. */
  close(): void;
}

/** The octets of one segment that wait for a commit: `buffer[1, length)`. */
interface Part {
  readonly path: string;
  readonly day: string;
  buffer: Buffer;
  length: number;
  /** The octets of the buffer before this place are written, though the disk may not have them yet. */
  handed: number;
  /** Octets of the segment that are on the disk. */
  written: number;
  file: number | undefined;
  /** Whether the name of the file is on the disk. */
  isNamed: boolean;
}

const DAY: Millis = 86_400_000;
const SEGMENT_OCTETS = 64 * 2 ** 20;
const MOST_PENDING = 32 * 2 ** 20;
const SMALLEST_BUFFER = 2 ** 16;
/** From so many full tiles on a commit writes them, not the checkpoint alone. */
const MANY_TILES = 64;

/**
 * Opens the log of a node. Takes up what is there: what a crash has left is mended, and told in `state().told`.
 * Throws an {@link EvidenceFault} when the key or the folder can't be used, and what the operating system says.
 */
export function openEvidenceLog(options: EvidenceLogOptions): EvidenceLog {
  const { folder, node, segmentOctets = SEGMENT_OCTETS, mostPending = MOST_PENDING } = options;
  const origin = options.origin ?? originOf(node);
  const obtained = obtainEvidenceKey(options.keyFile);
  if (typeof obtained === "string") throw new EvidenceFault(obtained);
  const { secret, warning } = obtained;
  const key = nameKey(origin, secret);
  const files = logFiles(folder, node);
  makeFolder(folder);
  const present = readIfThere(files.publicKey)?.toString("utf8").trim();
  if (present !== undefined && present !== key.line)
    throw new EvidenceFault(
      `${folder} holds the log ${present.split("+", 1)[0] ?? ""} of another key: ${files.publicKey} does not fit ${options.keyFile}. Give back the key, or move the folder away`,
    );
  if (present === undefined && isSignedByOthers(files, key))
    throw new EvidenceFault(
      `${folder} holds checkpoints that ${options.keyFile} has not signed, and ${files.publicKey} is missing: give back the key, or move the folder away`,
    );
  const { tree, tiles, lastSegment, rehashed, told, ...former } = takeUpLog(folder, node, key);
  if (present === undefined) replaceFile(files.publicKey, Buffer.from(`${key.line}\n`));
  for (const what of warning === undefined ? told : [warning, ...told]) options.onTrouble?.(what);
  let signed = former.checkpoint?.size ?? 0;
  let { checkpointsEnd } = former;
  let segment = lastSegment;
  let pending = 0;
  /** All but the last are finished; the last is the one that is appended to. */
  const parts: Part[] = [];

  function add(part: Part, end: number): number {
    const leaf = tree.size;
    tree.append(hashLeafInPlace(part.buffer, part.length, end));
    pending += end - part.length;
    part.length = end;
    return leaf;
  }

  function beginSegment(day: string): Part {
    segment += 1;
    const part: Part = {
      path: segmentPath(folder, day, segment, node),
      day,
      buffer: Buffer.alloc(SMALLEST_BUFFER),
      length: 1,
      handed: 1,
      written: 0,
      file: undefined,
      isNamed: false,
    };
    for (const block of writeSegmentHead({ node, origin, segment, firstLeaf: tree.size })) {
      part.buffer.set(block, part.length);
      add(part, part.length + block.length);
    }
    parts.push(part);
    return part;
  }

  /**
   * The part for a block that is received at `at`, with room for it. A clock that steps back begins a segment only when
   * the day is not that before: blocks must not lie in a day that comes in a year.
   */
  function partFor(at: Millis, room: number): Part {
    const day = dayOf(at);
    let part = parts.at(-1);
    if (
      part === undefined ||
      day > part.day ||
      dayOf(at + DAY) < part.day ||
      part.written + part.length > segmentOctets
    )
      part = beginSegment(day);
    if (part.length + room > part.buffer.length) {
      const larger = Buffer.alloc(Math.max(part.length + room, part.buffer.length * 2));
      part.buffer.copy(larger, 0, 0, part.length);
      part.buffer = larger;
    }
    return part;
  }

  function append(block: MessageBlock): number {
    const room = roomOfMessage(block);
    if (pending + room > mostPending) return NO_ROOM;
    const part = partFor(block.at, room);
    return add(part, writeMessageBlock(part.buffer, part.length, block, tree.size));
  }

  function gap(line: string, at: Millis): number {
    const room = roomOfGap(line);
    if (pending + room > mostPending) return NO_ROOM;
    const part = partFor(at, room);
    return add(part, writeGapBlock(part.buffer, part.length, at, line));
  }

  function openPart(part: Part): number {
    if (part.file === undefined) {
      makeFolder(dirname(part.path));
      part.file = openSync(part.path, "wx", 0o600);
    }
    return part.file;
  }

  function handPart(part: Part): void {
    if (part.handed === part.length) return;
    writeWhole(
      openPart(part),
      part.buffer.subarray(part.handed, part.length),
      part.written + part.handed - 1,
    );
    part.handed = part.length;
  }

  /** After an error the octets stay in the buffer: they are written again, at the same place. */
  function syncPart(part: Part): void {
    if (part.length === 1) return;
    handPart(part);
    const file = openPart(part);
    try {
      fdatasyncSync(file);
      if (!part.isNamed) syncFolder(dirname(part.path));
    } catch (error) {
      // What the disk could not take is gone from the memory of the system too.
      part.handed = 1;
      throw error;
    }
    part.isNamed = true;
    part.written += part.length - 1;
    pending -= part.length - 1;
    part.length = 1;
    part.handed = 1;
  }

  /** A segment is whole on the disk before the next one is begun there: a power cut damages the last one alone. */
  function write(): void {
    const [part] = parts;
    if (parts.length > 1) commit();
    else if (part !== undefined) handPart(part);
  }

  function commit(): void {
    for (let part = parts[0]; part !== undefined; part = parts[0]) {
      syncPart(part);
      if (parts.length === 1) break;
      if (part.file !== undefined) closeSync(part.file);
      parts.shift();
    }
    if (tiles.waiting >= MANY_TILES) writeTilesEarly();
  }

  /** The blocks are on the disk. Tiles that can't be written now are written before the next checkpoint. */
  function writeTilesEarly(): void {
    try {
      tiles.writeFull();
    } catch (error) {
      options.onTrouble?.(`${files.tiles}: ${messageOf(error)}`);
    }
  }

  function appendCheckpoint(note: Buffer): void {
    const file = openSync(files.checkpoints, "a+", 0o600);
    closeSync(file);
    const writing = openSync(files.checkpoints, "r+");
    try {
      writeWhole(writing, note, checkpointsEnd);
      ftruncateSync(writing, checkpointsEnd + note.length);
      fdatasyncSync(writing);
    } finally {
      closeSync(writing);
    }
  }

  function checkpoint(at: Millis): Checkpoint | undefined {
    if (tree.size === signed) return undefined;
    commit();
    tiles.writeAll();
    const made = signCheckpoint({ origin, size: tree.size, root: tree.root() }, key, secret);
    const note = Buffer.from(made.note);
    appendCheckpoint(note);
    replaceFile(files.checkpoint, note);
    checkpointsEnd += note.length;
    signed = made.size;
    publish(note);
    options.onCheckpoint?.(made, at, key.line);
    return made;
  }

  /** The second path may be on another machine: what fails there stops nothing here. */
  function publish(note: Buffer): void {
    if (options.publish === undefined) return;
    try {
      writeFileThrough(options.publish, note, "a");
    } catch (error) {
      options.onTrouble?.(`${options.publish}: a checkpoint can't be published there: ${messageOf(error)}`);
    }
  }

  function close(): void {
    try {
      commit();
    } finally {
      for (const { file } of parts.splice(0)) if (file !== undefined) closeSync(file);
    }
  }

  return {
    append,
    gap,
    write,
    commit,
    checkpoint,
    state: () => ({ leaves: tree.size, pending, signed, told, rehashed }),
    close,
  };
}

/** True when the folder has checkpoints, and `key` has signed none of them. */
function isSignedByOthers(files: LogFiles, key: NoteKey): boolean {
  const newest = readIfThere(files.checkpoint)?.toString("utf8") ?? "";
  const { checkpoint, torn } = findLastCheckpoint(files.checkpoints, key);
  return (
    checkpoint === undefined && (torn > 0 || newest !== "") && typeof openCheckpoint(newest, key) === "string"
  );
}
