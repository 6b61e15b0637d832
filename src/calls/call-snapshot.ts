// Packs the rows of calls into a snapshot, and reads a snapshot back into rows.
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import type { TrunkId } from "../domain/trunk.ts";
import { canHaveDialogs } from "./call-dialogs.ts";
import {
  ANSWERED,
  BEGUN,
  BY_SHIFT,
  BYE,
  BYE_AT,
  CHANGED,
  CHANNEL,
  COUNT,
  DIALOGS,
  ELSEWHERE,
  EPOCH,
  EXPIRES,
  FLAGS,
  HEADER_AHEAD,
  HEADER_NAMES,
  HEADER_USED,
  IN_RELEASE,
  IN_SETUP,
  LASTING,
  MOST_DIALOGS,
  NODE,
  NODE_SHIFT,
  RINGING,
  ROW_DOUBLES,
  ROW_WORDS,
  SEQUENCE,
  SESSION,
  STATE,
  TAGS,
  TRUNK,
  UNCONFIRMED,
} from "./call-row.ts";
import type { TrunkNames } from "./calls.ts";

/*
 * Little-endian. Head: "SWCL", version (16 bits), length of a row (16 bits), rows, octets of names (32 bits each), the first
 * 16 octets of SHA-256 over all that follows. Rows: the words WORDS, then the doubles DOUBLES on the wall clock.
 * Names: a JSON list of trunks by number; where calls of other nodes stand, `{ "trunks": […], "nodes": […] }`.
 */
const MAGIC = "SWCL";
const VERSION = 1;
const HEAD = 32;
const DIGEST_AT = 16;

/** Words of a row that come back as they were. */
export const COPIED_WORDS: readonly number[] = [
  SESSION,
  DIALOGS,
  RINGING,
  ANSWERED,
  ...Array.from({ length: MOST_DIALOGS }, (_, i) => TAGS + i),
];
/** Words and doubles of a row that are kept, in this order. Flags first: their state, LASTING and the BYE. */
const WORDS: readonly number[] = [FLAGS, EPOCH, COUNT, TRUNK, ...COPIED_WORDS];
const DOUBLES: readonly number[] = [BEGUN, CHANGED, EXPIRES, BYE_AT];
/** UNCONFIRMED stands for a call that was given up in the process before: it holds no channel, and must not take one again. */
const KEPT_FLAGS = STATE | LASTING | BYE | UNCONFIRMED;
const ROW_OCTETS = WORDS.length * 4 + DOUBLES.length * 8;

/**
 * How often a row is read that another thread is changing. A change takes less than a microsecond, but the other thread
 * may have been interrupted in it: what is left is read again behind the last row.
 */
const READINGS = 100;
const ROUNDS = 4;

/** What was packed. */
export interface PackedCalls {
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** Rows left out, because each reading met a change. Where there are any, pack again some milliseconds later. */
  readonly torn: number;
}

/**
 * Packs the calls that are in set-up, answered or in release. Reads the live buffer in another thread (a row that is
 * being changed is read again), or a copy of it (a row that was copied in the middle of a change is left out).
 *
 * @param buffer `shared` of the memory, or a copy
 * @param trunks `trunkNames()` of the memory, of the same time
 * @returns undefined when the names are of another version than the rows: ask for them again
 */
export function packCalls(
  buffer: SharedArrayBuffer | ArrayBuffer,
  trunks: TrunkNames,
): PackedCalls | undefined {
  const words = new Int32Array(buffer);
  const doubles = new Float64Array(buffer);
  if (Atomics.load(words, HEADER_NAMES) !== trunks.version) return undefined;
  const names = Buffer.from(writeNames(trunks));
  const standing = rowsToKeep(words);
  const out = Buffer.alloc(HEAD + standing.length * ROW_OCTETS + names.length);
  const ahead = doubles[HEADER_AHEAD]!;
  let end = HEAD;
  let torn = standing;
  for (let round = 0; round < ROUNDS && torn.length > 0; round++) {
    const again: number[] = [];
    for (const row of torn) {
      const outcome = packRow(words, doubles, row, ahead, out, end);
      if (outcome === "packed") end += ROW_OCTETS;
      else if (outcome === "torn") again.push(row);
    }
    torn = again;
  }
  // A name that was given to another trunk meanwhile would be the name of rows packed before.
  if (Atomics.load(words, HEADER_NAMES) !== trunks.version) return undefined;
  const rows = (end - HEAD) / ROW_OCTETS;
  names.copy(out, end);
  const bytes = out.subarray(0, end + names.length);
  bytes.write(MAGIC, 0, "latin1");
  bytes.writeUInt16LE(VERSION, 4);
  bytes.writeUInt16LE(ROW_OCTETS, 6);
  bytes.writeUInt32LE(rows, 8);
  bytes.writeUInt32LE(names.length, 12);
  digestOf(bytes).copy(bytes, DIGEST_AT, 0, HEAD - DIGEST_AT);
  return { bytes, rows, torn: torn.length };
}

function isKept(flags: number): boolean {
  const state = flags & STATE;
  // A call that another node carries stands in the snapshots of that node.
  return (flags & ELSEWHERE) === 0 && state >= IN_SETUP && state <= IN_RELEASE;
}

function rowsToKeep(words: Int32Array): readonly number[] {
  const rows: number[] = [];
  // Rows behind it were never touched: reading them would take memory.
  const last = Math.min(Atomics.load(words, HEADER_USED), words.length / ROW_WORDS - 1);
  for (let row = 1; row <= last; row++) if (isKept(words[row * ROW_WORDS + FLAGS]!)) rows.push(row);
  return rows;
}

/** @param at where in `out` the row goes; `gone`: it is no call any more */
function packRow(
  words: Int32Array,
  doubles: Float64Array,
  row: number,
  ahead: number,
  out: Buffer,
  at: number,
): "packed" | "gone" | "torn" {
  const from = row * ROW_WORDS;
  for (let reading = 0; reading < READINGS; reading++) {
    const before = Atomics.load(words, from + SEQUENCE);
    if ((before & 1) !== 0) continue;
    let to = at;
    for (const word of WORDS) to = out.writeInt32LE(words[from + word]!, to);
    for (const double of DOUBLES) to = out.writeDoubleLE(doubles[row * ROW_DOUBLES + double]! - ahead, to);
    if (Atomics.load(words, from + SEQUENCE) !== before) continue;
    const flags = out.readInt32LE(at);
    if (!isKept(flags)) return "gone";
    const isGivenUp = (flags & (UNCONFIRMED | CHANNEL)) === UNCONFIRMED;
    out.writeInt32LE(flags & (isGivenUp ? KEPT_FLAGS : KEPT_FLAGS & ~UNCONFIRMED), at);
    return "packed";
  }
  return "torn";
}

function digestOf(bytes: Uint8Array): Buffer {
  return hash("sha256", bytes.subarray(HEAD), "buffer");
}

function writeNames({ names, nodes }: TrunkNames): string {
  return JSON.stringify(nodes.length > 1 ? { trunks: names, nodes } : names);
}

/** A row of a snapshot. Overwritten with the next one. */
export interface SavedCall {
  readonly trunk: TrunkId;
  /** The node that began the call; "": the one that wrote the snapshot. */
  readonly node: string;
  /**
   * The columns of call-row.ts; words and doubles that a snapshot doesn't keep are 0. Times are on the wall clock.
   */
  readonly words: Int32Array;
  readonly doubles: Float64Array;
}

/**
 * Reads a snapshot. Total: any octets give an answer.
 *
 * @param each told every row that makes sense
 * @returns rows that make none, or why nothing was read
 */
export function readSnapshot(
  snapshot: Uint8Array,
  each: (call: SavedCall) => void,
): number | "no-snapshot" | "version" | "damaged" {
  const bytes = Buffer.from(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength);
  if (bytes.length < HEAD || bytes.toString("latin1", 0, 4) !== MAGIC) return "no-snapshot";
  if (bytes.readUInt16LE(4) !== VERSION || bytes.readUInt16LE(6) !== ROW_OCTETS) return "version";
  const rows = bytes.readUInt32LE(8);
  const namesAt = HEAD + rows * ROW_OCTETS;
  if (namesAt + bytes.readUInt32LE(12) !== bytes.length) return "damaged";
  if (digestOf(bytes).compare(bytes, DIGEST_AT, HEAD, 0, HEAD - DIGEST_AT) !== 0) return "damaged";
  const names = readNames(bytes.toString("utf8", namesAt));
  const buffer = new ArrayBuffer(ROW_WORDS * 4);
  const words = new Int32Array(buffer);
  const doubles = new Float64Array(buffer);
  let senseless = 0;
  for (let at = HEAD; at < namesAt; at += ROW_OCTETS) {
    WORDS.forEach((word, i) => (words[word] = bytes.readInt32LE(at + i * 4)));
    DOUBLES.forEach((double, i) => (doubles[double] = bytes.readDoubleLE(at + WORDS.length * 4 + i * 8)));
    const trunk = names.trunks[words[TRUNK]!];
    const number = (words[FLAGS]! & NODE) >>> NODE_SHIFT;
    const node = number === 0 ? "" : names.nodes[number];
    if (trunk !== undefined && node !== undefined && makesSense(words, doubles))
      each({ trunk, node, words, doubles });
    else senseless++;
  }
  return senseless;
}

function readNames(text: string): {
  readonly trunks: readonly TrunkId[];
  readonly nodes: readonly string[];
} {
  try {
    const names: unknown = JSON.parse(text);
    if (Array.isArray(names)) return { trunks: names.map(String), nodes: [] };
    if (typeof names === "object" && names !== null && "trunks" in names && "nodes" in names) {
      const { trunks, nodes } = names;
      if (Array.isArray(trunks) && Array.isArray(nodes))
        return { trunks: trunks.map(String), nodes: nodes.map(String) };
    }
  } catch {
    // The checksum was right: a release of another form wrote it.
  }
  return { trunks: [], nodes: [] };
}

/** The checksum keeps accidents out; this keeps the invariants of the table whatever wrote the file. */
function makesSense(words: Int32Array, doubles: Float64Array): boolean {
  const flags = words[FLAGS]!;
  const areTimes =
    [BEGUN, CHANGED, BYE_AT].every((column) => Number.isFinite(doubles[column])) &&
    doubles[EXPIRES]! > -Infinity;
  return (
    (flags & ~KEPT_FLAGS) === 0 &&
    isKept(flags) &&
    ((flags >>> BY_SHIFT) & 3) < 3 &&
    canHaveDialogs(flags & STATE, words[DIALOGS]!) &&
    areTimes &&
    [SESSION, RINGING, ANSWERED].every((column) => words[column]! >= 0) &&
    words[EPOCH] !== -1
  );
}
