// Writes batches: one item after the other, as calls go.
import { Buffer } from "node:buffer";
import type { CallName } from "../calls/calls.ts";
import type { CallAttempt } from "../domain/attempt.ts";
import { type CallEnded, type EndedBy, endedBys, type HopId, howEndeds } from "../domain/call.ts";
import { type AssertedIdentity, identitySources } from "../domain/identity.ts";
import { numberClasses, type PartyNumber, unusableWhys } from "../domain/number.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import type { Outcome } from "../proxy/memory/ledger.ts";
import type { MessageChanges } from "../proxy/messages/message-changes.ts";
import {
  HEAD,
  Item,
  ITEM_HEAD,
  LONGEST_BATCH,
  LONGEST_ITEM,
  MOST_IDENTITIES,
  NO_CAUSE,
  NONE,
  NumberKind,
  outcomeKinds,
  ROSTER_ROW,
  transports,
  VERSION,
} from "./batch-layout.ts";

/** Texts longer than this are left out: the octet of a length has no more. */
const LONGEST_TEXT = 255;

/** Where the items of the next batch stand. */
export interface BatchPen {
  /** Octets of the items. */
  readonly length: number;
  /** True while one more item of the usual kinds has room. */
  hasRoom(): boolean;
  /** A call attempt that others count. `flags`: bits of {@link AttemptFlag}. */
  attempt(name: CallName, node: string, attempt: CallAttempt, flags: number, now: Millis): void;
  /** What was decided about a message. One that is too long to tell is left out. */
  decision(
    name: CallName,
    node: string,
    trunk: TrunkId,
    { key, fingerprint, outcome }: ToldDecision,
    now: Millis,
  ): void;
  /**
   * The state of a call.
   *
   * @param turn how often the call has been taken over
   * @param pack writes it at a place of the buffer, and returns where it ends; the same place: there is none
   */
  row(
    name: CallName,
    node: string,
    trunk: TrunkId,
    turn: number,
    isRoster: boolean,
    pack: (out: Buffer, at: number) => number,
  ): boolean;
  ended(name: CallName, node: string, event: CallEnded, now: Millis): void;
  /** @param begun when it began to be told; `count`: rows of it */
  roster(isBegin: boolean, begun: Millis, count: number): void;
  ask(): void;
  moved(name: CallName, node: string, trunk: TrunkId, hop: HopId): void;
  left(name: CallName, node: string, by: EndedBy): void;
  /** Hands the batch out, and begins the next one. */
  take(now: Millis): Buffer<ArrayBuffer>;
}

/** What was decided about a message, under the key of its transaction. */
export interface ToldDecision {
  readonly key: string;
  readonly fingerprint: string;
  readonly outcome: Outcome;
}

export function createBatchPen(): BatchPen {
  const bytes = Buffer.alloc(LONGEST_BATCH);
  let at = HEAD;
  let begun = HEAD;

  const u8 = (value: number): void => void (bytes[at++] = value);
  const u16 = (value: number): void => void (at = bytes.writeUInt16LE(value, at));
  const u32 = (value: number): void => void (at = bytes.writeUInt32LE(value, at));
  const f64 = (value: number): void => void (at = bytes.writeDoubleLE(value, at));

  /** @returns false for a text that is too long: an empty one is written */
  function text(value: string): boolean {
    const { length } = value;
    if (length > LONGEST_TEXT) {
      u8(0);
      return false;
    }
    u8(length);
    if (length > 24) bytes.write(value, at, "latin1");
    else for (let i = 0; i < length; i++) bytes[at + i] = value.charCodeAt(i);
    at += length;
    return true;
  }

  /** A text of ours: UTF-8, as trunks and nodes may be named. */
  function word(value: string): void {
    const length = bytes.write(value, at + 1, LONGEST_TEXT, "utf8");
    bytes[at] = length;
    at += 1 + length;
  }

  function begin(kind: number): void {
    begun = at;
    u8(kind);
    at += 2;
  }

  function end(): void {
    bytes.writeUInt16LE(at - begun - ITEM_HEAD, begun + 1);
  }

  function writeName({ epoch, count }: CallName, node: string): void {
    if (node === "") u8(0);
    else word(node);
    u32(epoch);
    u32(count);
  }

  function number(value: PartyNumber): void {
    if (value.kind === "unusable") {
      u8(NumberKind.none);
      u8(unusableWhys.indexOf(value.why));
      text(value.raw.length > LONGEST_TEXT ? "" : value.raw);
      return;
    }
    u8(NumberKind[value.kind]);
    u8(numberClasses.indexOf(value.class));
    f64(value.key);
  }

  function writeOutcome(outcome: Outcome): boolean {
    u8(outcomeKinds.indexOf(outcome.kind));
    if (outcome.kind === "reject") {
      u16(outcome.status);
      return text(outcome.reason);
    }
    if (outcome.kind === "redirect") {
      const { length } = outcome.extra;
      u16(length);
      if (length > LONGEST_ITEM / 2) return false;
      at += bytes.write(outcome.extra, at, "latin1");
      return true;
    }
    if (outcome.kind === "drop") return true;
    const { target, reason, changes } = outcome;
    u8(transports.indexOf(target.transport));
    u16(target.port);
    return text(target.address) && text(reason) && writeChanges(changes);
  }

  function writeChanges(changes: MessageChanges | undefined): boolean {
    if (changes === undefined) {
      u8(0);
      return true;
    }
    const { fields, change, isWithheld, withoutFrom, label } = changes;
    u8(
      1 |
        (isWithheld ? 2 : 0) |
        (withoutFrom ? 4 : 0) |
        (change.withoutName ? 8 : 0) |
        (change.withoutVerstat ? 16 : 0),
    );
    u8(fields.size);
    let isWhole = fields.size <= LONGEST_TEXT && text(label) && text(change.prefix);
    for (const field of fields) isWhole = isWhole && at - begun < LONGEST_ITEM / 2 && text(field);
    return isWhole;
  }

  return {
    get length() {
      return at - HEAD;
    },
    hasRoom: () => at + LONGEST_ITEM <= bytes.length,
    attempt(name, node, { trunk, calling, called, diversion, callId, fromTag }, flags, now) {
      begin(Item.attempt);
      writeName(name, node);
      word(trunk.id);
      u8(flags);
      f64(now);
      const countAt = at++;
      let count = 0;
      for (const identity of calling) {
        if (count === MOST_IDENTITIES) break;
        u8(identitySources.indexOf(identity.source) | (identity.party === "called" ? 0x80 : 0));
        number(identity.number);
        count++;
      }
      bytes[countAt] = count;
      number(called);
      u8(Math.min(diversion.length, LONGEST_TEXT));
      // A call of which not everything is told is known again by nobody.
      const isWhole = count === calling.length && callId.length <= LONGEST_TEXT && calling.every(isShort);
      text(isWhole && fromTag.length <= LONGEST_TEXT ? callId : "");
      text(fromTag);
      end();
    },
    decision(name, node, trunk, { key, fingerprint, outcome }, now) {
      begin(Item.decision);
      writeName(name, node);
      word(trunk);
      f64(now);
      const isWhole = text(key) && text(fingerprint) && writeOutcome(outcome);
      if (isWhole) end();
      else at = begun;
    },
    row(name, node, trunk, turn, isRoster, pack) {
      begin(Item.row);
      writeName(name, node);
      word(trunk);
      u8(isRoster ? ROSTER_ROW : 0);
      u16(turn);
      const from = at;
      at = pack(bytes, from);
      const isThere = at > from;
      if (isThere) end();
      else at = begun;
      return isThere;
    },
    ended(name, node, { by, how, status, cause, ringingMs, answeredMs, talkedMs, call }, now) {
      begin(Item.ended);
      writeName(name, node);
      word(call.trunk);
      f64(now);
      u8(endedBys.indexOf(by));
      u8(howEndeds.indexOf(how));
      u16(status ?? 0);
      u16(cause === undefined || cause < 0 || cause >= NO_CAUSE ? NO_CAUSE : cause);
      u32(spanOf(ringingMs));
      u32(spanOf(answeredMs));
      u32(spanOf(talkedMs));
      end();
    },
    roster(isBegin, rosterBegun, count) {
      begin(Item.roster);
      u8(isBegin ? 1 : 0);
      f64(rosterBegun);
      u32(count);
      end();
    },
    ask() {
      begin(Item.ask);
      end();
    },
    moved(name, node, trunk, hop) {
      begin(Item.moved);
      writeName(name, node);
      word(trunk);
      text(hop);
      end();
    },
    left(name, node, by) {
      begin(Item.left);
      writeName(name, node);
      word("");
      u8(endedBys.indexOf(by));
      end();
    },
    take(now) {
      bytes[0] = VERSION;
      bytes.writeDoubleLE(now, 1);
      const batch = Buffer.from(new ArrayBuffer(at));
      bytes.copy(batch, 0, 0, at);
      at = HEAD;
      return batch;
    },
  };
}

function spanOf(span: Millis | undefined): number {
  return span === undefined ? NONE : Math.min(Math.max(0, Math.round(span)), NONE - 1);
}

function isShort({ number }: AssertedIdentity): boolean {
  return number.kind !== "unusable" || number.raw.length <= LONGEST_TEXT;
}
