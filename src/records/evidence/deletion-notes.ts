// Deletes the segments of old days, and the notes that tell a deletion by retention from one by an intruder.
import { Buffer } from "node:buffer";
import { rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { isFields } from "../lines/line-fields.ts";
import { readJson } from "./block-reader.ts";
import { codeOf, readIfThere, replaceFile, syncFolder } from "../tree/durable-writing.ts";
import { roomOfGap, writeGapBlock } from "./evidence-block.ts";
import type { EvidenceLog } from "./evidence-log.ts";
import { dayOf, headOf, listSegments, logFiles, type Segment } from "./log-files.ts";
import { hashLeaf } from "../tree/merkle-tree.ts";

// A deletion is a leaf of the log: a gap line that names the leaves. Only the holder of the key can sign a tree with such
// a leaf. Its block is copied to NODE.deletions, since the segment with the leaf will be deleted one day too.

/** Leaves whose blocks were deleted. */
export interface DeletedLeaves {
  /** The first leaf, and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** The UTC day of the deletion. */
  readonly on: string;
  /** `retention`, or the order of a court. */
  readonly why: string;
}

/** A line of NODE.deletions. */
export interface DeletionNote {
  /** The leaf that says so, and the hash that it must have. */
  readonly leaf: number;
  readonly hash: Buffer;
  readonly deleted: readonly DeletedLeaves[];
}

/** Reads the deleted leaves out of a gap line; none for other lines. */
export function readDeletion(line: string): readonly DeletedLeaves[] {
  const read = readJson(line);
  const deleted: unknown = read?.["deleted"];
  if (read === undefined || read["record"] !== "gap" || !Array.isArray(deleted)) return [];
  const on = String(read["time"]).slice(0, 10);
  return deleted.flatMap((entry: unknown) => {
    if (!isFields(entry)) return [];
    const { firstLeaf, leaves } = entry;
    return typeof firstLeaf === "number" && typeof leaves === "number"
      ? [{ from: firstLeaf, to: firstLeaf + leaves, on, why: String(read["why"]) }]
      : [];
  });
}

/** Reads NODE.deletions. @returns a string for a line that can't be read */
export function readDeletions(path: string): readonly (DeletionNote | string)[] {
  const text = readIfThere(path)?.toString("latin1") ?? "";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line, i) => {
      const [number = "", encoded = ""] = line.split(" ");
      const block = Buffer.from(encoded, "base64");
      if (!/^\d+$/.test(number) || block.length < 36 || `${number} ${block.toString("base64")}` !== line)
        return `${path}: line ${i + 1} can't be read`;
      const comment = block.subarray(32, 32 + block.readUInt16LE(30));
      return {
        leaf: Number(number),
        hash: hashLeaf(block),
        deleted: readDeletion(wholeComment(block, comment)),
      };
    });
}

/** The comments of a gap block, one behind the other. */
function wholeComment(block: Buffer, first: Buffer): string {
  let text = first.toString("utf8");
  for (let at = 32 + ((first.length + 3) & ~3); at + 4 <= block.length - 4;) {
    const length = block.readUInt16LE(at + 2);
    if (block.readUInt16LE(at) !== 1) break;
    text += block.toString("utf8", at + 4, at + 4 + length);
    at += 4 + ((length + 3) & ~3);
  }
  return text;
}

/** Whose segments are deleted, and which. */
export interface DeletionOrder {
  readonly folder: string;
  readonly node: string;
  /** Segments of days before this one are deleted, `2026-11-30`. */
  readonly before: string;
  readonly at: Millis;
  /** `retention`, or the reference of an order. */
  readonly why: string;
}

/** What was deleted. */
export interface Deletion {
  readonly segments: number;
  readonly leaves: number;
  /** The line that tells it, as in the log; undefined when nothing was old enough. */
  readonly line: string | undefined;
}

/** The first day whose segments are kept. */
export function firstKeptDay(at: Millis, keepDays: number): string {
  return dayOf(at - keepDays * 86_400_000);
}

/**
 * Deletes segments of old days: first the leaf that tells it is signed, then the files go. The last segment stays. Tiles
 * and checkpoints stay too. Throws as {@link EvidenceLog.commit}; it may be called again, and goes on where it ended.
 */
export function deleteSegments(log: EvidenceLog, order: DeletionOrder): Deletion {
  const { folder, node, before, at, why } = order;
  const all = listSegments(folder, node);
  const old = all.slice(0, -1).filter(({ day }) => day < before);
  const placed = old.map((segment) => ({ segment, ...leavesOf(all, segment) }));
  if (placed.length === 0) return { segments: 0, leaves: 0, line: undefined };
  const leaves = placed.reduce((sum, one) => sum + one.leaves, 0);
  const line = JSON.stringify({
    record: "gap",
    time: new Date(at).toISOString(),
    node,
    from: `${placed[0]?.segment.day}T00:00:00.000Z`,
    to: `${before}T00:00:00.000Z`,
    lost: leaves,
    why,
    deleted: placed.map(({ segment, firstLeaf, leaves: count }) => ({
      segment: segment.number,
      day: segment.day,
      firstLeaf,
      leaves: count,
    })),
  });
  const leaf = log.gap(line, at);
  if (leaf < 0) return { segments: 0, leaves: 0, line: undefined };
  log.commit();
  keepNote(logFiles(folder, node).deletions, leaf, line, at);
  log.checkpoint(at);
  for (const { path } of old) removeSegment(path);
  return { segments: old.length, leaves, line };
}

function leavesOf(
  all: readonly Segment[],
  segment: Segment,
): { readonly firstLeaf: number; readonly leaves: number } {
  const next = all[all.indexOf(segment) + 1];
  const firstLeaf = headOf(segment.path)?.firstLeaf ?? 0;
  const end = next === undefined ? firstLeaf : (headOf(next.path)?.firstLeaf ?? firstLeaf);
  return { firstLeaf, leaves: Math.max(0, end - firstLeaf) };
}

function keepNote(path: string, leaf: number, line: string, at: Millis): void {
  const buffer = Buffer.alloc(roomOfGap(line));
  const end = writeGapBlock(buffer, 0, at, line);
  const former = readIfThere(path) ?? Buffer.alloc(0);
  const note = Buffer.from(`${leaf} ${buffer.toString("base64", 0, end)}\n`);
  replaceFile(path, Buffer.concat([former, note]));
}

/** Removes a file, and its day when it was the last one. */
function removeSegment(path: string): void {
  rmSync(path, { force: true });
  const day = dirname(path);
  try {
    rmdirSync(day);
    syncFolder(dirname(day));
  } catch (error) {
    if (codeOf(error) !== "ENOTEMPTY" && codeOf(error) !== "ENOENT") throw error;
  }
}
