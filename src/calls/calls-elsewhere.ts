// Calls that other nodes carry: told, counted here as long as they stand, and taken over with their next message.
import type { Buffer } from "node:buffer";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import { REPEATED_FOR, SESSION_GRACE } from "../sip/timers.ts";
import {
  BEGUN,
  CHANGED,
  CHANNEL,
  ELSEWHERE,
  EXPIRES,
  FLAGS,
  HEADER_USED,
  IN_RELEASE,
  IN_SETUP,
  JUDGED,
  OVER,
  ROW_DOUBLES,
  ROW_WORDS,
  SESSION,
  STANDING,
  STATE,
  TOLD,
  TRUNK,
  UNCONFIRMED,
} from "./call-row.ts";
import { NO_NODE } from "./call-nodes.ts";
import { type CallRows, UNCONFIRMED_FOR } from "./call-rows.ts";
import { NO_ROW, stateOfRow } from "./call-table.ts";
import { type CallName, type Calls, type CallSlot, NO_CALL } from "./calls.ts";
import { nameOfRow, packRow, putRow, type SharedRow } from "./shared-rows.ts";

/** For so long a call that was taken over is not given up again: what its former carrier told meanwhile is older. */
const JUST_TAKEN: Millis = 2000;
/** Rows that one search looks at. */
const MOST_ROWS = 8192;

/** What a node tells of a call that it carries. */
export interface ToldCall {
  readonly name: CallName;
  readonly trunk: TrunkId;
  /** The number of the node that tells: it carries the call. */
  readonly carrier: number;
  /** True: it has just taken the call over. */
  readonly isTaken: boolean;
  readonly row: SharedRow;
}

/** The key of a message that another node has judged. */
export interface ToldKey {
  readonly trunk: TrunkId;
  /** The octets of the key: latin1, from `start` to `end`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** False: the call was refused. The last quarter of the table is kept for calls that pass. */
  readonly isPassing: boolean;
}

/** The calls of a cluster in one table. Nothing here tells an event: who carries a call tells what becomes of it. */
export interface CallsElsewhere<Setup> {
  /** The number of a node, for names of its calls. @returns below 0 where there is none left */
  numberOf(node: string): number;
  nodeName(number: number): string;
  /** Calls that other nodes carry, as far as they have a row here. */
  size(): number;
  nameAt(slot: CallSlot): CallName;
  trunkOf(slot: CallSlot): TrunkId;
  /**
   * Writes the state of a call that this node carries.
   *
   * @returns where it ends; `at` for a call that is not in set-up, answered or in release here
   */
  pack(slot: CallSlot, out: Buffer, at: number): number;
  /** Takes the state of a call as its carrier tells it. @returns what has begun by that; undefined: nothing is new */
  take(call: ToldCall, now: Millis): "begun" | "answered" | undefined;
  /** Takes what another node has decided about a message, for its repeats. @returns false where there is no room */
  decided(
    name: CallName,
    carrier: number,
    told: ToldKey,
    setup: (slot: CallSlot) => Setup,
    now: Millis,
  ): boolean;
  /** The call has ended elsewhere: it gives its channel back, and tells nothing here. */
  ended(name: CallName, now: Millis): void;
  /**
   * A node is gone: its calls hold their channels for 30 minutes at most, unless a message of theirs passes here. Looks
   * at some thousand rows.
   *
   * @param from 0, or what the last one returned
   * @returns where to go on; {@link NO_CALL}: at the end
   */
  gone(carrier: number, from: CallSlot, now: Millis): CallSlot;
  /** Adds the calls that this node carries to `found`, in the same way. */
  carried(from: CallSlot, found: CallSlot[]): CallSlot;
}

/** A memory of calls that knows those of other nodes. */
export interface SharingCalls<Setup> extends Calls<Setup> {
  readonly elsewhere: CallsElsewhere<Setup>;
}

export interface TakingOver {
  /** A message of the call has passed here: from now on this node carries it. */
  takeOver(row: number): void;
}

/** @param changed told each call that this node has taken over */
export function createCallsElsewhere<Setup>(
  rows: CallRows<Setup>,
  changed: (slot: CallSlot, isTaken: boolean) => void,
): CallsElsewhere<Setup> & TakingOver {
  const { table, trunks, nodes, clock } = rows;
  const { words, doubles } = table;
  const carriers = new Uint8Array(table.capacity + 1);
  /** When calls were taken over, those of the last {@link JUST_TAKEN} at least. */
  const taken = new Map<number, Millis>();
  const roomForRefused = table.capacity - Math.floor(table.capacity / 4);
  let isTakenSince: Millis = 0;
  let size = 0;

  const isElsewhere = (row: number): boolean => (words[row * ROW_WORDS + FLAGS]! & ELSEWHERE) !== 0;
  rows.freed = (row) => {
    if (isElsewhere(row)) size--;
  };

  function setElsewhere(row: number, carrier: number): void {
    const at = row * ROW_WORDS + FLAGS;
    if (!isElsewhere(row)) size++;
    words[at] = (words[at]! & ~UNCONFIRMED) | ELSEWHERE;
    carriers[row] = carrier;
  }

  function begin({ epoch, count, node = 0 }: CallName, trunk: TrunkId): number {
    if (table.size >= table.capacity) rows.reclaim();
    if (table.size >= table.capacity) return NO_ROW;
    const row = table.take(epoch, count, node);
    nodes.enter(node);
    words[row * ROW_WORDS + TRUNK] = trunks.enter(trunk);
    doubles[row * ROW_DOUBLES + BEGUN] = clock.time;
    doubles[row * ROW_DOUBLES + CHANGED] = clock.time;
    rows.enter(row, JUDGED);
    return row;
  }

  /** True where what the carrier tells is older than what is known here. */
  function isOlder(row: number, { row: told, isTaken }: ToldCall): boolean {
    const state = stateOfRow(words, row);
    if (state === OVER || (words[row * ROW_WORDS + FLAGS]! & TOLD) !== 0) return true;
    // Of a call that a restart has left unconfirmed, whoever has seen a message since knows more.
    const isKnownHere = (words[row * ROW_WORDS + FLAGS]! & UNCONFIRMED) === 0;
    if (isElsewhere(row) || state === JUDGED || !isKnownHere) return false;
    if (state > (told.flags & STATE)) return true;
    return !isTaken || clock.time - (taken.get(row) ?? -Infinity) < JUST_TAKEN;
  }

  return {
    numberOf: (node) => nodes.numberOf(node),
    nodeName: (number) => nodes.nameOf(number),
    size: () => size,
    nameAt: (row) => nameOfRow(words, row),
    trunkOf: (row) => trunks.nameOf(words[row * ROW_WORDS + TRUNK]!),
    pack(row, out, at) {
      const state = stateOfRow(words, row);
      if (isElsewhere(row) || state < IN_SETUP || state > IN_RELEASE) return at;
      return packRow(words, doubles, row, clock.time, out, at);
    },
    take(call, now) {
      rows.pass(now);
      const { name, trunk, carrier, row: told } = call;
      if ((name.node ?? 0) === NO_NODE || carrier <= 0) return undefined;
      let row = table.withName(name.epoch, name.count, name.node);
      if (row === NO_ROW) row = begin(name, trunk);
      else if (isOlder(row, call)) return undefined;
      else table.open(row);
      if (row === NO_ROW) return undefined;
      const before = stateOfRow(words, row);
      const state = told.flags & STATE;
      rows.unhold(row);
      setElsewhere(row, carrier);
      putRow(words, doubles, row, told, clock.time);
      rows.enter(row, state);
      if (state !== IN_RELEASE) rows.hold(row);
      table.close(row);
      rows.schedule(row);
      if (before < IN_SETUP) return state === IN_SETUP ? "begun" : undefined;
      return before === IN_SETUP && state >= STANDING ? "answered" : undefined;
    },
    decided(name, carrier, { trunk, bytes, start, end, isPassing }, setup, now) {
      rows.pass(now);
      if ((name.node ?? 0) === NO_NODE || carrier <= 0) return false;
      // What was judged here meanwhile under the same key stays.
      if (table.withName(name.epoch, name.count, name.node) !== NO_ROW) return true;
      if (table.withOctets(bytes, start, end) !== NO_ROW) return true;
      if (!isPassing && table.size >= roomForRefused) return false;
      const row = begin(name, trunk);
      if (row === NO_ROW) return false;
      setElsewhere(row, carrier);
      table.setOctets(row);
      table.close(row);
      rows.schedule(row);
      rows.setSetup(row, setup(row));
      return true;
    },
    ended(name, now) {
      rows.pass(now);
      const row = table.withName(name.epoch, name.count, name.node);
      if (row === NO_ROW || stateOfRow(words, row) < IN_SETUP || stateOfRow(words, row) === OVER) return;
      rows.unhold(row);
      if (!isElsewhere(row)) setElsewhere(row, 0);
      rows.finish(row, { by: "filter", how: "lost" }, now - clock.ahead);
    },
    gone(carrier, from, now) {
      rows.pass(now);
      return search(from, (row, state) => {
        if (!isElsewhere(row) || carriers[row] !== carrier || state < IN_SETUP) return;
        const at = row * ROW_DOUBLES + EXPIRES;
        doubles[at] = Math.min(doubles[at]!, clock.time + UNCONFIRMED_FOR);
        rows.schedule(row);
      });
    },
    carried: (from, found) =>
      search(from, (row, state) => {
        if (!isElsewhere(row) && state >= IN_SETUP && state <= IN_RELEASE) found.push(row);
      }),
    takeOver(row) {
      const at = row * ROW_WORDS + FLAGS;
      if (!isElsewhere(row)) return;
      const state = stateOfRow(words, row);
      const isHeld = (words[at]! & CHANNEL) !== 0;
      rows.unhold(row);
      table.open(row);
      words[at] = words[at]! & ~ELSEWHERE;
      size--;
      if (isHeld) rows.hold(row);
      const session = words[row * ROW_WORDS + SESSION]!;
      const fresh =
        state === IN_SETUP ? REPEATED_FOR : session > 0 ? session * 1000 + SESSION_GRACE : Infinity;
      const expires = row * ROW_DOUBLES + EXPIRES;
      doubles[expires] = Math.max(doubles[expires]!, clock.time + fresh);
      table.close(row);
      rows.schedule(row);
      if (state < IN_SETUP || state > IN_RELEASE) return;
      if (clock.time - isTakenSince > JUST_TAKEN) {
        for (const [old, time] of taken) if (clock.time - time > JUST_TAKEN) taken.delete(old);
        isTakenSince = clock.time;
      }
      taken.set(row, clock.time);
      changed(row, true);
    },
  };

  function search(from: CallSlot, visit: (row: number, state: number) => void): CallSlot {
    const used = words[HEADER_USED]!;
    const first = Math.max(from, 1);
    const end = Math.min(first + MOST_ROWS, used + 1);
    for (let row = first; row < end; row++) visit(row, stateOfRow(words, row));
    return end > used ? NO_CALL : end;
  }
}
