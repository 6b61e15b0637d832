// Where everything of an evidence log stands in its folder: segments by day, tiles, checkpoints, the public key.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "../../domain/time.ts";
import { createBlockReader, readSegmentHead } from "./block-reader.ts";
import { codeOf } from "../tree/durable-writing.ts";
import type { SegmentHead } from "./evidence-block.ts";

/** The files of the log of one node. */
export interface LogFiles {
  readonly tiles: string;
  /** Every checkpoint, one behind the other. */
  readonly checkpoints: string;
  /** The newest checkpoint. */
  readonly checkpoint: string;
  /** The public key, in one line. */
  readonly publicKey: string;
  /** Copies of the blocks that say which segments were deleted. */
  readonly deletions: string;
  /** Folder of the RFC 3161 replies and their checkpoints, by tree size. */
  readonly stamps: string;
}

/** Names the files of a node's log. */
export function logFiles(folder: string, node: string): LogFiles {
  const named = (end: string): string => join(folder, `${node}.${end}`);
  return {
    tiles: named("tiles"),
    checkpoints: named("checkpoints"),
    checkpoint: named("checkpoint"),
    publicKey: named("pub"),
    deletions: named("deletions"),
    stamps: named("stamps"),
  };
}

/** The name of a log where the configuration has none. */
export function originOf(node: string): string {
  return `sigwall/${node}`;
}

/** The day of a time in UTC, `2026-11-30`. */
export function dayOf(at: Millis): string {
  const day = Math.floor(at / DAY);
  if (day !== lastDay) {
    lastDay = day;
    lastText = new Date(at).toISOString().slice(0, 10);
  }
  return lastText;
}

const DAY: Millis = 86_400_000;
/** The day that was asked for last: blocks of one day come together. */
let lastDay = NaN;
let lastText = "";

/** One file with blocks. */
export interface Segment {
  readonly path: string;
  /** The folder that it stands in: the UTC day of its first block. */
  readonly day: string;
  readonly number: number;
}

/** The path of a segment below the folder of the log. */
export function segmentPath(folder: string, day: string, number: number, node: string): string {
  return join(folder, day, `${String(number).padStart(8, "0")}-${node}.pcapng`);
}

const dayPattern = /^\d{4}-\d{2}-\d{2}$/;

/** The names in a folder; none when it is not there. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Finds the segments of a node, in the order in which they were written. */
export function listSegments(folder: string, node: string): readonly Segment[] {
  const tail = `-${node}.pcapng`;
  return namesIn(folder)
    .filter((day) => dayPattern.test(day))
    .flatMap((day) =>
      namesIn(join(folder, day))
        .filter((name) => name.endsWith(tail) && /^\d{8,}$/.test(name.slice(0, -tail.length)))
        .map((name) => ({
          path: join(folder, day, name),
          day,
          number: Number(name.slice(0, -tail.length)),
        })),
    )
    .toSorted((a, b) => a.number - b.number || (a.day < b.day ? -1 : 1));
}

/** Reads the head of a segment; undefined when the file has none. */
export function headOf(path: string): SegmentHead | undefined {
  let head: SegmentHead | undefined;
  createBlockReader().read(path, (block) => {
    head = readSegmentHead(block);
    return false;
  });
  return head;
}

/** The nodes that have a log in this folder. */
export function nodesIn(folder: string): readonly string[] {
  return namesIn(folder)
    .filter((name) => name.endsWith(".pub"))
    .map((name) => name.slice(0, -".pub".length))
    .toSorted();
}
