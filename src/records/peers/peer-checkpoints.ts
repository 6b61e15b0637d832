// The checkpoints of other nodes, kept beside our own evidence: a log of theirs that is rolled back shows against these.
import { Buffer } from "node:buffer";
import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import { nodeNamePattern } from "../../config/sigwall/node-place.ts";
import type { Millis } from "../../domain/time.ts";
import { type FolderLock, lockFile } from "../sealed/folder-lock.ts";
import type { HeardCheckpoint } from "../lines/recording.ts";
import { readNotes } from "../tree/checkpoint-file.ts";
import { makeFolder, readIfThere, replaceFile, writeWhole } from "../tree/durable-writing.ts";
import {
  type NoteKey,
  openCheckpoint,
  readKeyLine,
  readTreeHead,
  type TreeHead,
} from "../tree/signed-note.ts";

/**
 * What became of a checkpoint. `known`: it was told before. `form`: it is no checkpoint. `key`: it is signed by another key
 * than the first one of that node. `signature`: its signature is wrong. `shrunk`: it was kept, and the log has fewer leaves
 * than before, or others: it was rolled back. `full`: there are too many nodes. `foreign`: another process keeps
 * checkpoints in this folder.
 */
export const checkpointOutcomes = [
  "kept",
  "known",
  "form",
  "key",
  "signature",
  "shrunk",
  "full",
  "foreign",
] as const;
export type CheckpointOutcome = (typeof checkpointOutcomes)[number];

/** Keeps checkpoints of other nodes. */
export interface PeerCheckpoints {
  /**
   * Takes a checkpoint, and waits until it is on the disk. Throws what the operating system says.
   *
   * @param now our own wall clock
   */
  readonly take: (heard: HeardCheckpoint, now: Millis) => CheckpointOutcome;
  readonly close: () => void;
}

/** Octets of a packed checkpoint, at most. */
const MOST_OCTETS = 4096;
/** Nodes whose checkpoints are kept, at most. */
const MOST_NODES = 64;
/** Checkpoints of a node, at most: one an hour makes two years. Then the older half goes. */
const MOST_NOTES = 20_000;
const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

/** The folder of the checkpoints of other nodes, in the folder of our own evidence. */
export function peersFolder(evidence: string): string {
  return join(evidence, "peers");
}

/** A checkpoint as it goes to other nodes: the line of the public key, then the note. */
export function packCheckpoint(keyLine: string, note: string): Buffer {
  return Buffer.from(`${keyLine}\n${note}`);
}

/** What is known of the log of a node. */
interface PeerLog {
  readonly path: string;
  readonly key: NoteKey;
  /** Heads by octets of their file, the oldest first. */
  readonly heads: KeptHead[];
  end: number;
  /** The head with most leaves. */
  largest: KeptHead | undefined;
  /** What told the last one; undefined: a process of ours before this one has heard it. */
  last: { readonly epoch: number; readonly hour: number; readonly at: Millis } | undefined;
}

interface KeptHead extends TreeHead {
  readonly from: number;
}

/**
 * Opens the folder; it is made with the first checkpoint. `NODE.pub` is the key that a node told first, and no other one is
 * believed later. `NODE.checkpoints` has the newest checkpoint of each hour and of each process of the node: what a later
 * one could be rolled back from is never replaced.
 */
export function openPeerCheckpoints(folder: string): PeerCheckpoints {
  const logs = new Map<string, PeerLog>();
  let lock: FolderLock | undefined;
  let lockTriedAt = -Infinity;

  /** Nodes that share a folder of evidence keep one set of files. */
  function holdsLock(now: Millis): boolean {
    if (lock !== undefined) return true;
    if (now - lockTriedAt < MINUTE && now >= lockTriedAt) return false;
    lockTriedAt = now;
    makeFolder(folder);
    const taken = lockFile(join(folder, "peers.lock"));
    if (typeof taken === "string") return false;
    lock = taken;
    return true;
  }

  function logOf(node: string, told: NoteKey): PeerLog | "full" {
    const known = logs.get(node);
    if (known !== undefined) return known;
    if (logs.size >= MOST_NODES) return "full";
    const keyPath = join(folder, `${node}.pub`);
    const present = readIfThere(keyPath)?.toString("utf8");
    const first = present === undefined ? told : readKeyLine(present);
    if (typeof first === "string") throw new Error(`${keyPath}: ${first}; mend it, or move it away`);
    if (present === undefined) replaceFile(keyPath, Buffer.from(`${told.line}\n`));
    const log = readLog(join(folder, `${node}.checkpoints`), first);
    logs.set(node, log);
    return log;
  }

  return {
    take({ node, epoch, at, bytes }, now) {
      const told = unpack(node, bytes);
      if (told === undefined) return "form";
      // A key that signs nothing must not become the first one.
      const checkpoint = openCheckpoint(told.note, told.key);
      if (typeof checkpoint === "string") return "signature";
      if (checkpoint.origin !== told.key.name || !hasOneSignature(told.note)) return "form";
      if (!holdsLock(now)) return "foreign";
      const log = logOf(node, told.key);
      if (log === "full") return "full";
      if (log.key.line !== told.key.line) return "key";
      const isKnown = log.heads.some(
        ({ size, root }) => size === checkpoint.size && root.equals(checkpoint.root),
      );
      if (isKnown) return "known";
      const { largest, last } = log;
      const hour = Math.floor(now / HOUR);
      const goesOn = largest === undefined || checkpoint.size > largest.size;
      const before = log.heads.at(-1)?.size ?? Infinity;
      const replaces = last?.epoch === epoch && last.hour === hour && checkpoint.size > before;
      write(log, checkpoint, told.note, replaces);
      // An old entry may be told late: it is kept, and says nothing.
      const isShrunk = !goesOn && last !== undefined && at > last.at;
      log.last = { epoch, hour, at: Math.max(at, last?.at ?? at) };
      return isShrunk ? "shrunk" : "kept";
    },
    close() {
      lock?.release();
      lock = undefined;
    },
  };
}

/** @returns undefined for what is no checkpoint */
function unpack(
  node: string,
  bytes: Uint8Array,
): { readonly key: NoteKey; readonly note: string } | undefined {
  if (!nodeNamePattern.test(node) || bytes.length > MOST_OCTETS) return undefined;
  const text = Buffer.from(bytes).toString("utf8");
  const end = text.indexOf("\n");
  const key = end < 0 ? "" : readKeyLine(text.slice(0, end));
  return typeof key === "string" ? undefined : { key, note: text.slice(end + 1) };
}

/** True for three lines of text and one signature line: text behind them would be another note in the file. */
function hasOneSignature(note: string): boolean {
  const lines = note.split("\n");
  return lines.length === 6 && lines[3] === "" && lines[5] === "";
}

/** Reads what is kept. What is torn at the end is overwritten by the next checkpoint. */
function readLog(path: string, key: NoteKey): PeerLog {
  const log: PeerLog = { path, key, heads: [], end: 0, largest: undefined, last: undefined };
  for (const { note, from, to } of readNotes(path)) {
    const head = readTreeHead(note.slice(0, note.indexOf("\n\n") + 1));
    if (typeof head === "string" || !note.endsWith("\n")) continue;
    know(log, { ...head, from });
    log.end = to;
  }
  return log;
}

function know(log: PeerLog, head: KeptHead): void {
  log.heads.push(head);
  if (log.largest === undefined || head.size > log.largest.size) log.largest = head;
}

function write(log: PeerLog, head: TreeHead, note: string, replaces: boolean): void {
  if (log.heads.length >= MOST_NOTES) dropOldest(log);
  const from = replaces ? (log.heads.at(-1)?.from ?? log.end) : log.end;
  const bytes = Buffer.from(note);
  const file = openSync(log.path, existsSync(log.path) ? "r+" : "w", 0o600);
  try {
    writeWhole(file, bytes, from);
    ftruncateSync(file, from + bytes.length);
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
  if (replaces) log.heads.pop();
  know(log, { ...head, from });
  log.end = from + bytes.length;
}

/** Drops the older half, but the checkpoint with most leaves. */
function dropOldest(log: PeerLog): void {
  const notes = [...readNotes(log.path)];
  const half = Math.ceil(notes.length / 2);
  const left = notes.filter(({ from }, index) => index >= half || from === log.largest?.from);
  replaceFile(log.path, Buffer.from(left.map(({ note }) => note).join("")));
  const { heads, end, largest: most } = readLog(log.path, log.key);
  log.heads.splice(0, log.heads.length, ...heads);
  log.end = end;
  log.largest = most;
}
