// Reads the blocks of an evidence file one after the other, and what stands in them.
import { type Fields, isFields } from "../lines/line-fields.ts";
import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import { BlockType, MOST_BLOCK, type SegmentHead } from "./evidence-block.ts";

/** A block of an evidence file: `buffer[start, end)`. It is valid only during the call; `buffer[start - 1]` may be changed. */
export interface FileBlock {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** From 1: the section header is block 1. */
  readonly number: number;
  /** Where the block begins in the file. */
  readonly offset: number;
}

/** The place from which a file can't be read as blocks. */
export interface BlockFault {
  readonly number: number;
  readonly offset: number;
  readonly why: string;
}

const CHUNK = 4 * 2 ** 20;

/** The room of a reader, for one file after the other. */
export interface BlockReader {
  /**
   * Gives each block of a file to `sink`, until `sink` returns false.
   * @returns the fault that ends the reading; undefined: the file was read to its end, or `sink` ended it
   */
  read(path: string, sink: (block: FileBlock) => boolean): BlockFault | undefined;
}

/**
 * Creates a reader.
 *
 * @param chunk octets that are read at a time, beside the longest block
 */
export function createBlockReader(chunk: number = CHUNK): BlockReader {
  // One octet is free before the first block, for the 0 of its hash.
  const buffer = Buffer.alloc(1 + chunk + MOST_BLOCK);

  function read(path: string, sink: (block: FileBlock) => boolean): BlockFault | undefined {
    const file = openSync(path, "r");
    try {
      return readOpen(file, sink);
    } finally {
      closeSync(file);
    }
  }

  function readOpen(file: number, sink: (block: FileBlock) => boolean): BlockFault | undefined {
    let held = 0;
    let offset = 0;
    let number = 1;
    for (;;) {
      const got = readSync(file, buffer, 1 + held, buffer.length - 1 - held, null);
      held += got;
      let at = 1;
      const limit = 1 + held;
      while (at < limit) {
        const size = sizeOf(buffer, at, limit);
        if (typeof size === "string") return { number, offset, why: size };
        if (size === 0 || at + size > limit) break;
        if (!sink({ buffer, start: at, end: at + size, number, offset })) return undefined;
        at += size;
        offset += size;
        number += 1;
      }
      held = limit - at;
      if (got === 0)
        return held === 0
          ? undefined
          : { number, offset, why: `the file ends inside a block: ${held} octets are there` };
      buffer.copy(buffer, 1, at, limit);
    }
  }

  return { read };
}

/** The length of the block at `at`; 0 when it isn't all there yet; in words what is wrong. */
function sizeOf(buffer: Buffer, at: number, limit: number): number | string {
  if (limit - at < 12) return 0;
  const size = buffer.readUInt32LE(at + 4);
  if (size < 12 || size % 4 !== 0 || size > MOST_BLOCK) return `the block claims a length of ${size} octets`;
  if (at + size > limit) return 0;
  const again = buffer.readUInt32LE(at + size - 4);
  return again === size ? size : `the block begins with a length of ${size} and ends with one of ${again}`;
}

/** Gives the options of a block. */
function* optionsOf({ buffer, start, end }: FileBlock): Generator<readonly [code: number, value: Buffer]> {
  const type = buffer.readUInt32LE(start);
  let at = start + (type === BlockType.section ? 24 : 16);
  if (type === BlockType.packet) at = start + 28 + ((buffer.readUInt32LE(start + 20) + 3) & ~3);
  for (;;) {
    if (at + 4 > end - 4) return;
    const code = buffer.readUInt16LE(at);
    const length = buffer.readUInt16LE(at + 2);
    if (code === 0 || at + 4 + length > end - 4) return;
    yield [code, buffer.subarray(at + 4, at + 4 + length)];
    at += 4 + ((length + 3) & ~3);
  }
}

/** The line of a block: its comments, one behind the other. */
export function lineOf(block: FileBlock): string {
  let line = "";
  for (const [code, value] of optionsOf(block)) if (code === 1) line += value.toString("utf8");
  return line;
}

/** When the message of a packet block was received. Microseconds since the Unix epoch. */
export function microsOf({ buffer, start }: FileBlock): number {
  return buffer.readUInt32LE(start + 12) * 2 ** 32 + buffer.readUInt32LE(start + 16);
}

export function isPacket({ buffer, start }: FileBlock): boolean {
  return buffer.readUInt32LE(start) === BlockType.packet;
}

/** What the first block of a segment says; undefined when it is no head of a segment. */
export function readSegmentHead(block: FileBlock): SegmentHead | undefined {
  if (block.buffer.readUInt32LE(block.start) !== BlockType.section) return undefined;
  const read = readJson(lineOf(block));
  const { node, origin, segment, firstLeaf } = read ?? {};
  if (typeof node !== "string" || typeof origin !== "string") return undefined;
  if (typeof segment !== "number" || typeof firstLeaf !== "number") return undefined;
  return { node, origin, segment, firstLeaf };
}

/** Reads a JSON object. @returns undefined for everything else */
export function readJson(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
