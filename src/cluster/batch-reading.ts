// Reads batches of other nodes: total, so that no octets of theirs can do harm.
import { Buffer } from "node:buffer";
import type { CallName } from "../calls/calls.ts";
import { createSharedRow, readRow, type SharedRow } from "../calls/shared-rows.ts";
import type { EndedBy, HowEnded } from "../domain/call.ts";
import type { AssertedIdentity } from "../domain/identity.ts";
import type { PartyNumber } from "../domain/number.ts";
import { isReasonCode, type ReasonCode } from "../domain/reason.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import { numberOfKey } from "../numbering/interpretation.ts";
import type { Outcome } from "../proxy/memory/ledger.ts";
import { type MessageChanges, UNCHANGED } from "../proxy/messages/message-changes.ts";
import type { Target } from "../routing/listener.ts";
import {
  endedBys,
  HEAD,
  howEndeds,
  identitySources,
  Item,
  ITEM_HEAD,
  NO_CAUSE,
  NONE,
  numberClasses,
  NumberKind,
  outcomeKinds,
  transports,
  VERSION,
} from "./batch-layout.ts";
import type { ToldDecision } from "./batch-writing.ts";

/** The name of a call as a batch has it: `node` is "" for the node that sent the batch. */
export interface NamedCall {
  readonly node: string;
  readonly name: CallName;
  readonly trunk: TrunkId;
}

/** An attempt that another node lets count. */
export interface ToldAttempt extends NamedCall {
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

export interface ToldEnd extends NamedCall {
  readonly ago: Millis;
  readonly by: EndedBy;
  readonly how: HowEnded;
  readonly status: number;
  readonly cause: number | undefined;
  readonly ringingMs: Millis | undefined;
  readonly answeredMs: Millis | undefined;
  readonly talkedMs: Millis | undefined;
}

/** Takes the items of a batch in their order. */
export interface BatchItems {
  readonly attempt: (attempt: ToldAttempt) => void;
  readonly decision: (call: NamedCall, decision: ToldDecision, ago: Millis) => void;
  /** @param row is overwritten with the next one */
  readonly row: (call: NamedCall, row: SharedRow, isTaken: boolean) => void;
  readonly ended: (end: ToldEnd) => void;
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
  reader.at += 2;
  return reader.bytes.readUInt16LE(reader.at - 2);
}

function u32(): number {
  if (!has(4)) return 0;
  reader.at += 4;
  return reader.bytes.readUInt32LE(reader.at - 4);
}

function f64(): number {
  if (!has(8)) return 0;
  reader.at += 8;
  const value = reader.bytes.readDoubleLE(reader.at - 8);
  if (Number.isFinite(value)) return value;
  reader.isWhole = false;
  return 0;
}

function text(length: number, encoding: "latin1" | "utf8" = "latin1"): string {
  if (!has(length)) return "";
  const from = reader.at;
  reader.at += length;
  return length === 0 ? "" : reader.bytes.toString(encoding, from, reader.at);
}

/** One of the words that both nodes know. Another one makes the item unreadable. */
function oneOf<Word>(words: readonly Word[], number: number): Word {
  const word = words[number];
  if (word === undefined) reader.isWhole = false;
  return word ?? words[0]!;
}

function readCall(): NamedCall {
  const node = text(u8(), "utf8");
  const name: CallName = { epoch: u32(), count: u32() };
  return { node, name, trunk: text(u8(), "utf8") };
}

const nobody: PartyNumber = { kind: "unusable", why: "invalid", detail: "not told", raw: "" };

function readNumber(): PartyNumber {
  const kind = u8();
  if (kind === NumberKind.none) return nobody;
  const numberClass = oneOf(numberClasses, u8());
  const key = f64();
  if (kind > NumberKind.short || !Number.isSafeInteger(key)) {
    reader.isWhole = false;
    return nobody;
  }
  return numberOfKey(kind === NumberKind.short ? "short" : "e164", key, numberClass);
}

function readAttempt(sentAt: Millis): ToldAttempt {
  const call = readCall();
  const flags = u8();
  const ago = sentAt - f64();
  const calling: AssertedIdentity[] = [];
  for (let left = u8(); left > 0 && reader.isWhole; left--) {
    const source = u8();
    const number = readNumber();
    calling.push({
      source: oneOf(identitySources, source & 0x7f),
      number,
      presentation: "allowed",
      ...(source >= 0x80 ? { party: "called" } : {}),
    });
  }
  const called = readNumber();
  const diverting = u8();
  const callId = text(u8());
  return { ...call, flags, ago, calling, called, diverting, callId, fromTag: text(u8()) };
}

function readReason(): ReasonCode {
  const code = text(u8());
  return isReasonCode(code) ? code : "default";
}

function readOutcome(): Outcome {
  const kind = oneOf(outcomeKinds, u8());
  if (kind === "drop") return { kind };
  if (kind === "redirect") return { kind, extra: text(u16()) };
  if (kind === "reject") return { kind, status: u16(), reason: readReason() };
  const transport = oneOf(transports, u8());
  const port = u16();
  const target: Target = { transport, address: text(u8()), port };
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
  const call = readCall();
  const ago = sentAt - f64();
  const by = oneOf(endedBys, u8());
  const how = oneOf(howEndeds, u8());
  const status = u16();
  const cause = u16();
  return {
    ...call,
    ago,
    by,
    how,
    status,
    cause: cause === NO_CAUSE ? undefined : cause,
    ringingMs: readSpan(),
    answeredMs: readSpan(),
    talkedMs: readSpan(),
  };
}

function readItem(kind: number, sentAt: Millis, items: BatchItems): void {
  if (kind === Item.attempt) {
    const attempt = readAttempt(sentAt);
    if (reader.isWhole) items.attempt(attempt);
  } else if (kind === Item.decision) {
    const call = readCall();
    const ago = sentAt - f64();
    const decision = { key: text(u8()), fingerprint: text(u8()), outcome: readOutcome() };
    if (reader.isWhole) items.decision(call, decision, ago);
  } else if (kind === Item.row) {
    const call = readCall();
    const isTaken = u8() === 1;
    if (!readRow(reader.bytes.subarray(0, reader.end), reader.at, shared)) reader.isWhole = false;
    if (reader.isWhole) items.row(call, shared, isTaken);
  } else if (kind === Item.ended) {
    const end = readEnd(sentAt);
    if (reader.isWhole) items.ended(end);
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
