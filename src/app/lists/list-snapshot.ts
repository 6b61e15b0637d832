// A snapshot of a list: what was read of its file, with a MAC, in one file of octets.
import { Buffer } from "node:buffer";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { cnPlan } from "../../numbering/cn-plan.data.ts";
import { countryCodes } from "../../numbering/e164.data.ts";
import { openNumberSet } from "../../numbering/number-set.ts";
import type { HeldList } from "./held-lists.ts";

/** Where snapshots are, and what proves that they are ours. */
export interface SnapshotPlace {
  /** `stateFolder/lists`. */
  readonly folder: string;
  /** The key of {@link snapshotKey}. */
  readonly key: Uint8Array;
  /** Version of the program: another one may read the same file in another way. */
  readonly maker: string;
}

/** What a snapshot says of a list, besides its numbers. */
export type SnapshotFacts = Pick<HeldList, "file" | "setting" | "issues"> &
  Pick<HeldList["list"], "counts" | "wide" | "hashes" | "names"> & {
    /** Inode, size and time of the last change of the file that was read. */
    readonly identity: string;
    /** Who read it: version of the program, hash of the numbering plans. */
    readonly reader: string;
  };

/**
 * The file: the magic, the length of the facts and of the memory as doubles, the facts as JSON, zeros up to a multiple
 * of 8, the memory of the number set, and HMAC-SHA-256 of everything before.
 */
const MAGIC = Buffer.from("swlist2\n");
const HEAD = 24;
const MAC = 32;

/** Derives the key of snapshots from the key of the filter. No snapshot shows anything of either. */
export function snapshotKey(key: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update("sigwall list snapshot 1").digest();
}

let plans: string | undefined;

/** Names who reads lists: a snapshot of another reader is not trusted. */
export function readerName(maker: string): string {
  plans ??= createHash("sha256")
    .update(JSON.stringify([cnPlan, countryCodes]))
    .digest("hex")
    .slice(0, 16);
  return `${maker} ${plans}`;
}

/** Name of the snapshot of a list. */
export function snapshotName(file: string): string {
  return `${createHash("sha256").update(file).digest("hex").slice(0, 32)}.list`;
}

/** Makes the octets of a snapshot. */
export function encodeSnapshot(key: Uint8Array, facts: SnapshotFacts, memory: SharedArrayBuffer): Uint8Array {
  const text = Buffer.from(JSON.stringify(facts));
  const start = aligned(HEAD + text.length);
  const end = start + memory.byteLength;
  const bytes = Buffer.alloc(end + MAC);
  MAGIC.copy(bytes);
  bytes.writeDoubleLE(text.length, 8);
  bytes.writeDoubleLE(memory.byteLength, 16);
  text.copy(bytes, HEAD);
  bytes.set(new Uint8Array(memory), start);
  macOf(key, bytes.subarray(0, end)).copy(bytes, end);
  return bytes;
}

/**
 * Opens a snapshot. Nothing of it is read before its MAC was found right.
 *
 * @returns undefined when it was cut, changed, or made with another key
 */
export function decodeSnapshot(
  key: Uint8Array,
  bytes: Buffer,
): { readonly facts: SnapshotFacts; readonly numbers: HeldList["list"]["numbers"] } | undefined {
  const end = bytes.length - MAC;
  if (end < HEAD || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (!timingSafeEqual(macOf(key, bytes.subarray(0, end)), bytes.subarray(end))) return undefined;
  const length = bytes.readDoubleLE(8);
  const octets = bytes.readDoubleLE(16);
  const start = aligned(HEAD + length);
  if (start + octets !== end) return undefined;
  const memory = new SharedArrayBuffer(octets);
  new Uint8Array(memory).set(bytes.subarray(start, end));
  // The MAC says that this program wrote it.
  const facts: SnapshotFacts = JSON.parse(bytes.toString("utf8", HEAD, HEAD + length));
  return { facts, numbers: openNumberSet(memory) };
}

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}

function macOf(key: Uint8Array, bytes: Uint8Array): Buffer {
  return createHmac("sha256", key).update(bytes).digest();
}
