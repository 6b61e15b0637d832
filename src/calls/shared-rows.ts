// The state of a call as nodes tell it to each other: packed out of its row, and taken into the table of another node.
import type { Buffer } from "node:buffer";
import type { Millis } from "../domain/time.ts";
import { canHaveDialogs, countDialogs } from "./call-dialogs.ts";
import {
  ANSWERED,
  BEGUN,
  BY_SHIFT,
  BYE,
  BYE_AT,
  CANCELLED,
  CHANGED,
  CHANNEL,
  COUNT,
  DIALOGS,
  EPOCH,
  EXPIRES,
  FLAGS,
  IN_RELEASE,
  IN_SETUP,
  MOST_DIALOGS,
  NODE,
  NODE_SHIFT,
  RINGING,
  ROW_DOUBLES,
  ROW_WORDS,
  SESSION,
  STATE,
  TAGS,
  UNCONFIRMED,
} from "./call-row.ts";
import type { CallName } from "./calls.ts";

/** Octets of a packed row without the tags of its dialogs. */
const FIXED = 36;
/** Octets of a packed row, at most. */
export const LONGEST_ROW: number = FIXED + MOST_DIALOGS * 4;

/** Stands for a session that does not expire. */
const NEVER = 0xffffffff;
/** What nodes tell each other of the flags. */
const TOLD_FLAGS = STATE | CANCELLED | CHANNEL | UNCONFIRMED | BYE;

/** A row that another node told. Reused. */
export interface SharedRow {
  /** State, CANCELLED, CHANNEL, UNCONFIRMED and the BYE. */
  flags: number;
  session: number;
  dialogs: number;
  ringing: number;
  answered: number;
  readonly tags: Int32Array;
  /** Milliseconds since the call began, since it came into its state, and since its BYE. */
  begunAgo: Millis;
  changedAgo: Millis;
  byeAgo: Millis;
  /** Milliseconds until it expires; Infinity: it does not. */
  expiresIn: Millis;
  /** Octets that it took. */
  length: number;
}

export function createSharedRow(): SharedRow {
  return {
    flags: 0,
    session: 0,
    dialogs: 0,
    ringing: 0,
    answered: 0,
    tags: new Int32Array(MOST_DIALOGS),
    begunAgo: 0,
    changedAgo: 0,
    byeAgo: 0,
    expiresIn: 0,
    length: 0,
  };
}

function span(time: Millis): number {
  return Math.min(Math.max(0, Math.round(time)), NEVER - 1);
}

/**
 * Writes a row. Times go as spans from `time`, so that no clock is compared.
 *
 * @param time of the table
 * @returns where it ends
 */
export function packRow(
  words: Int32Array,
  doubles: Float64Array,
  row: number,
  time: Millis,
  out: Buffer,
  start: number,
): number {
  const from = row * ROW_WORDS;
  const at = row * ROW_DOUBLES;
  const expires = doubles[at + EXPIRES]!;
  let to = out.writeInt32LE(words[from + FLAGS]! & TOLD_FLAGS, start);
  to = out.writeInt32LE(words[from + SESSION]!, to);
  to = out.writeInt32LE(words[from + DIALOGS]!, to);
  to = out.writeInt32LE(words[from + RINGING]!, to);
  to = out.writeInt32LE(words[from + ANSWERED]!, to);
  to = out.writeUInt32LE(span(time - doubles[at + BEGUN]!), to);
  to = out.writeUInt32LE(span(time - doubles[at + CHANGED]!), to);
  to = out.writeUInt32LE(span(time - doubles[at + BYE_AT]!), to);
  to = out.writeUInt32LE(expires === Infinity ? NEVER : span(expires - time), to);
  const known = countDialogs(words[from + DIALOGS]!);
  for (let i = 0; i < known; i++) to = out.writeInt32LE(words[from + TAGS + i]!, to);
  return to;
}

/**
 * Reads a row that {@link packRow} wrote. Total: any octets give an answer.
 *
 * @param end where the octets end that belong to it
 * @returns false for octets that are no row, or whose row makes no sense
 */
export function readRow(bytes: Buffer, at: number, end: number, into: SharedRow): boolean {
  if (end - at < FIXED) return false;
  into.flags = bytes.readInt32LE(at);
  into.session = bytes.readInt32LE(at + 4);
  into.dialogs = bytes.readInt32LE(at + 8);
  into.ringing = bytes.readInt32LE(at + 12);
  into.answered = bytes.readInt32LE(at + 16);
  into.begunAgo = bytes.readUInt32LE(at + 20);
  into.changedAgo = bytes.readUInt32LE(at + 24);
  into.byeAgo = bytes.readUInt32LE(at + 28);
  const expires = bytes.readUInt32LE(at + 32);
  into.expiresIn = expires === NEVER ? Infinity : expires;
  const known = countDialogs(into.dialogs);
  into.length = FIXED + known * 4;
  if (known > MOST_DIALOGS || end - at < into.length) return false;
  into.tags.fill(0);
  for (let i = 0; i < known; i++) into.tags[i] = bytes.readInt32LE(at + FIXED + i * 4);
  return isSensible(into);
}

/** The seal keeps strangers out; this keeps the invariants of the table whatever a node of another release writes. */
function isSensible({ flags, dialogs, session, ringing, answered }: SharedRow): boolean {
  const state = flags & STATE;
  return (
    (flags & ~TOLD_FLAGS) === 0 &&
    state >= IN_SETUP &&
    state <= IN_RELEASE &&
    ((flags >>> BY_SHIFT) & 3) < 3 &&
    canHaveDialogs(state, dialogs) &&
    session >= 0 &&
    ringing >= 0 &&
    answered >= 0
  );
}

/**
 * Writes what another node told into a row. The row keeps its state, its key, its channel and its trunk.
 */
export function putRow(
  words: Int32Array,
  doubles: Float64Array,
  row: number,
  shared: SharedRow,
  time: Millis,
): void {
  const from = row * ROW_WORDS;
  const at = row * ROW_DOUBLES;
  words[from + FLAGS] = (words[from + FLAGS]! & ~(CANCELLED | BYE)) | (shared.flags & (CANCELLED | BYE));
  words[from + SESSION] = shared.session;
  words[from + DIALOGS] = shared.dialogs;
  words[from + RINGING] = shared.ringing;
  words[from + ANSWERED] = shared.answered;
  for (let i = 0; i < MOST_DIALOGS; i++) words[from + TAGS + i] = shared.tags[i]!;
  doubles[at + BEGUN] = time - shared.begunAgo;
  doubles[at + CHANGED] = time - shared.changedAgo;
  doubles[at + BYE_AT] = time - shared.byeAgo;
  doubles[at + EXPIRES] = time + shared.expiresIn;
}

/** The number of the node that began the call of a row. */
export function nodeOfRow(words: Int32Array, row: number): number {
  return (words[row * ROW_WORDS + FLAGS]! & NODE) >>> NODE_SHIFT;
}

/** The name of the call of a row. */
export function nameOfRow(words: Int32Array, row: number): CallName {
  const at = row * ROW_WORDS;
  return { epoch: words[at + EPOCH]! >>> 0, count: words[at + COUNT]! >>> 0, node: nodeOfRow(words, row) };
}
