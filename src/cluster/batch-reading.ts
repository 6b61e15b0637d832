// Reads batches of other nodes: total, so that no octets of theirs can do harm.
import { Buffer } from "node:buffer";
import { createSharedRow, readRow, type SharedRow } from "../calls/shared-rows.ts";
import { type EndedBy, endedBys, type HopId, type HowEnded, howEndeds } from "../domain/call.ts";
import { type AssertedIdentity, identitySources } from "../domain/identity.ts";
import { numberClasses, type PartyNumber, unusableWhys } from "../domain/number.ts";
import { isReasonCode, type ReasonCode } from "../domain/reason.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import { numberOfKey } from "../numbering/interpretation.ts";
import type { Outcome } from "../proxy/memory/ledger.ts";
import { type MessageChanges, UNCHANGED } from "../proxy/messages/message-changes.ts";
import type { Target } from "../routing/listener.ts";
import {
  HEAD,
  Item,
  ITEM_HEAD,
  NO_CAUSE,
  NONE,
  NumberKind,
  outcomeKinds,
  ROSTER_ROW,
  transports,
  VERSION,
} from "./batch-layout.ts";
import type { ToldDecision } from "./batch-writing.ts";

/** The call that an item is about. Reused: it is overwritten with the next item. */
export interface NamedCall {
  /** The node that began the call; "": the one that sent the batch. */
  node: string;
  epoch: number;
  count: number;
  trunk: TrunkId;
}

/** An attempt that another node lets count. */
export interface ToldAttempt {
  readonly flags: number;
  /** Milliseconds before the batch was sent. */
  readonly ago: Millis;
  readonly calling: readonly AssertedIdentity[];
  readonly called: PartyNumber;
  /** Diverting parties. */
  readonly diverting: number;
  /** "": the call is not to be known again. */
  readonly callId: string;
  readonly fromTag: string;
}

/** What was decided about a message. Its key stands in the batch, from `start` to `end`: few keys are asked for again. */
export interface ReadDecision extends Omit<ToldDecision, "key"> {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export interface ToldEnd {
  readonly ago: Millis;
  readonly by: EndedBy;
  readonly how: HowEnded;
  /** 0: none. */
  readonly status: number;
  readonly cause: number | undefined;
  readonly ringingMs: Millis | undefined;
  readonly answeredMs: Millis | undefined;
  readonly talkedMs: Millis | undefined;
}

/** Takes the items of a batch in their order. `call` and `row` are overwritten with the next item. */
export interface BatchItems {
  readonly attempt: (call: NamedCall, attempt: ToldAttempt) => void;
  readonly decision: (call: NamedCall, decision: ReadDecision, ago: Millis) => void;
  /** @param turn how often the call has been taken over */
  readonly row: (call: NamedCall, row: SharedRow, turn: number, isRoster: boolean) => void;
  /** @param begunAgo how long before the batch the roster was begun */
  readonly roster: (isBegin: boolean, begunAgo: Millis, count: number) => void;
  readonly ask: () => void;
  readonly moved: (call: NamedCall, hop: HopId) => void;
  readonly left: (call: NamedCall, by: EndedBy) => void;
  readonly ended: (call: NamedCall, end: ToldEnd) => void;
}

/** Reads one value after the other. What lies behind the end reads as 0 or "", and `isWhole` is false from then on. */
interface Reader {
  bytes: Buffer;
  at: number;
  end: number;
  isWhole: boolean;
}

const reader: Reader = { bytes: Buffer.alloc(0), at: 0, end: 0, isWhole: true };
const shared = createSharedRow();
const named: NamedCall = { node: "", epoch: 0, count: 0, trunk: "" };

/** Words that return often, by a hash of their octets: trunks, nodes, addresses. */
const KNOWN_WORDS = 1024;
const knownWords: string[] = Array.from({ length: KNOWN_WORDS }, () => "");

function has(length: number): boolean {
  if (reader.at + length <= reader.end) return true;
  reader.isWhole = false;
  return false;
}

function u8(): number {
  return has(1) ? reader.bytes[reader.at++]! : 0;
}

function u16(): number {
  if (!has(2)) return 0;
  const { bytes, at } = reader;
  reader.at = at + 2;
  return bytes[at]! | (bytes[at + 1]! << 8);
}

function u32(): number {
  if (!has(4)) return 0;
  const { bytes, at } = reader;
  reader.at = at + 4;
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function f64(): number {
  if (!has(8)) return 0;
  reader.at += 8;
  const value = reader.bytes.readDoubleLE(reader.at - 8);
  if (Number.isFinite(value)) return value;
  reader.isWhole = false;
  return 0;
}

function text(length: number): string {
  if (!has(length)) return "";
  const from = reader.at;
  reader.at += length;
  return length === 0 ? "" : reader.bytes.toString("latin1", from, reader.at);
}

function isSame(known: string, bytes: Uint8Array, from: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}

/** A word of ours, in UTF-8. One that was read before is not made anew. */
function word(length: number): string {
  if (length === 0 || !has(length)) return "";
  const { bytes, at: from } = reader;
  reader.at = from + length;
  let hash = length;
  let isAscii = true;
  for (let at = from; at < reader.at; at++) {
    const octet = bytes[at]!;
    if (octet > 0x7f) isAscii = false;
    hash = Math.imul(hash ^ octet, 0x01000193);
  }
  if (!isAscii) return bytes.toString("utf8", from, reader.at);
  const place = (hash ^ (hash >>> 15)) & (KNOWN_WORDS - 1);
  const known = knownWords[place]!;
  if (isSame(known, bytes, from, length)) return known;
  return (knownWords[place] = bytes.toString("latin1", from, reader.at));
}

/** One of the words that both nodes know. Another one makes the item unreadable. */
function oneOf<Word>(words: readonly Word[], number: number): Word {
  const found = words[number];
  if (found === undefined) reader.isWhole = false;
  return found ?? words[0]!;
}

function readCall(): void {
  named.node = word(u8());
  named.epoch = u32();
  named.count = u32();
  named.trunk = word(u8());
}

const nobody: PartyNumber = { kind: "unusable", why: "invalid", detail: "can't be read", raw: "" };

function readNumber(): PartyNumber {
  const kind = u8();
  if (kind === NumberKind.none) {
    const why = oneOf(unusableWhys, u8());
    return { kind: "unusable", why, detail: "told by another node", raw: text(u8()) };
  }
  const numberClass = oneOf(numberClasses, u8());
  const key = f64();
  if (kind > NumberKind.short || !Number.isSafeInteger(key)) {
    reader.isWhole = false;
    return nobody;
  }
  return numberOfKey(kind === NumberKind.short ? "short" : "e164", key, numberClass);
}

function readIdentity(): AssertedIdentity {
  const place = u8();
  const source = oneOf(identitySources, place & 0x7f);
  const number = readNumber();
  return place < 0x80
    ? { source, number, presentation: "allowed" }
    : { source, number, presentation: "allowed", party: "called" };
}

function readAttempt(sentAt: Millis): ToldAttempt {
  const flags = u8();
  const ago = sentAt - f64();
  const calling: AssertedIdentity[] = [];
  for (let left = u8(); left > 0 && reader.isWhole; left--) calling.push(readIdentity());
  const called = readNumber();
  const diverting = u8();
  const callId = text(u8());
  const fromTag = text(u8());
  return { flags, ago, calling, called, diverting, callId, fromTag };
}

function readReason(): ReasonCode {
  const code = word(u8());
  return isReasonCode(code) ? code : "default";
}

function readOutcome(): Outcome {
  const kind = oneOf(outcomeKinds, u8());
  if (kind === "drop") return { kind };
  if (kind === "redirect") return { kind, extra: text(u16()) };
  if (kind === "reject") return { kind, status: u16(), reason: readReason() };
  const transport = oneOf(transports, u8());
  const port = u16();
  const target: Target = { transport, address: word(u8()), port };
  return { kind, target, reason: readReason(), changes: readChanges() };
}

function readChanges(): MessageChanges | undefined {
  const flags = u8();
  if (flags === 0) return undefined;
  const count = u8();
  const label = text(u8());
  const prefix = text(u8());
  const fields = new Set<string>();
  for (let left = count; left > 0 && reader.isWhole; left--) fields.add(text(u8()));
  return {
    fields,
    change: { ...UNCHANGED, prefix, withoutName: (flags & 8) !== 0, withoutVerstat: (flags & 16) !== 0 },
    isWithheld: (flags & 2) !== 0,
    withoutFrom: (flags & 4) !== 0,
    label,
  };
}

function readSpan(): Millis | undefined {
  const span = u32();
  return span === NONE ? undefined : span;
}

function readEnd(sentAt: Millis): ToldEnd {
  const ago = sentAt - f64();
  const by = oneOf(endedBys, u8());
  const how = oneOf(howEndeds, u8());
  const status = u16();
  const code = u16();
  const cause = code === NO_CAUSE ? undefined : code;
  const ringingMs = readSpan();
  const answeredMs = readSpan();
  const talkedMs = readSpan();
  return { ago, by, how, status, cause, ringingMs, answeredMs, talkedMs };
}

function readDecision(): ReadDecision {
  const length = u8();
  const start = reader.at;
  if (has(length)) reader.at += length;
  const end = reader.at;
  const fingerprint = text(u8());
  return { bytes: reader.bytes, start, end, fingerprint, outcome: readOutcome() };
}

function readRoster(sentAt: Millis, { roster }: BatchItems): void {
  const isBegin = u8() === 1;
  const begunAgo = sentAt - f64();
  const count = u32();
  if (reader.isWhole) roster(isBegin, begunAgo, count);
}

function readToldRow({ row }: BatchItems): void {
  const isRoster = (u8() & ROSTER_ROW) !== 0;
  const turn = u16();
  if (!readRow(reader.bytes, reader.at, reader.end, shared)) reader.isWhole = false;
  if (reader.isWhole) row(named, shared, turn, isRoster);
}

function readItem(kind: number, sentAt: Millis, items: BatchItems): void {
  if (kind === Item.roster) readRoster(sentAt, items);
  else if (kind === Item.ask) items.ask();
  else if (kind >= Item.attempt && kind <= Item.left) {
    readCall();
    readOfCall(kind, sentAt, items);
  }
}

function readOfCall(kind: number, sentAt: Millis, items: BatchItems): void {
  if (kind === Item.attempt) {
    const attempt = readAttempt(sentAt);
    if (reader.isWhole) items.attempt(named, attempt);
  } else if (kind === Item.decision) {
    const ago = sentAt - f64();
    const decision = readDecision();
    if (reader.isWhole) items.decision(named, decision, ago);
  } else if (kind === Item.row) readToldRow(items);
  else if (kind === Item.ended) {
    const end = readEnd(sentAt);
    if (reader.isWhole) items.ended(named, end);
  } else if (kind === Item.moved) {
    const hop = word(u8());
    if (reader.isWhole) items.moved(named, hop);
  } else {
    const by = oneOf(endedBys, u8());
    if (reader.isWhole) items.left(named, by);
  }
}

/**
 * Reads a batch.
 *
 * @returns items that could not be read; -1: the batch is none
 */
export function readBatch(batch: Uint8Array, items: BatchItems): number {
  const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength);
  if (bytes.length < HEAD || bytes[0] !== VERSION) return -1;
  const sentAt = bytes.readDoubleLE(1);
  if (!Number.isFinite(sentAt)) return -1;
  reader.bytes = bytes;
  let unread = 0;
  for (let at = HEAD; at < bytes.length;) {
    if (at + ITEM_HEAD > bytes.length) return unread + 1;
    const kind = bytes[at]!;
    reader.at = at + ITEM_HEAD;
    reader.end = reader.at + bytes.readUInt16LE(at + 1);
    if (reader.end > bytes.length) return unread + 1;
    at = reader.end;
    reader.isWhole = true;
    readItem(kind, sentAt, items);
    if (!reader.isWhole) unread++;
  }
  return unread;
}
