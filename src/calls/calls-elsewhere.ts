// Calls that other nodes carry: told, counted here as long as they stand, and taken over with their next message.
import type { Buffer } from "node:buffer";
import type { EndedBy, HowEnded } from "../domain/call.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import { REPEATED_FOR } from "../sip/timers.ts";
import { sessionEnd } from "./call-clock.ts";
import {
  BEGUN,
  CHANGED,
  CHANNEL,
  ELSEWHERE,
  EXPIRES,
  FLAGS,
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
import { searchRows } from "./call-search.ts";
import { type CallRows, UNCONFIRMED_FOR } from "./call-rows.ts";
import { NO_ROW, stateOfRow } from "./call-table.ts";
import type { CallName, Calls, CallSlot } from "./calls.ts";
import { nameOfRow, packRow, putRow, type SharedRow } from "./shared-rows.ts";

/** Other nodes are told a later expiry where it is later by so much. */
const MUCH_LATER: Millis = 60_000;

/** What a node tells of a call that it carries. */
export interface ToldCall {
  readonly name: CallName;
  readonly trunk: TrunkId;
  /** The number of the node that tells: it carries the call. */
  readonly carrier: number;
  /** How often the call has been taken over. */
  readonly turn: number;
  readonly row: SharedRow;
  /** How long that was on its way. */
  readonly transit: Millis;
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
  /** How often the call has been taken over. */
  turnOf(slot: CallSlot): number;
  /** Calls that this node has taken over. */
  taken(): number;
  /**
   * Writes the state of a call that this node carries.
   *
   * @returns where it ends; `at` for a call that is not in set-up, answered or in release here
   */
  pack(slot: CallSlot, out: Buffer, at: number): number;
  /** Takes the state of a call as its carrier tells it. @returns true when it is new that the call is answered */
  take(call: ToldCall, now: Millis): boolean;
  /** Takes what another node has decided about a message, for its repeats. @returns false where there is no room */
  decided(
    name: CallName,
    carrier: number,
    told: ToldKey,
    setup: (slot: CallSlot) => Setup,
    now: Millis,
  ): boolean;
  /** Changes what is kept of a call that another node carries. */
  changeSetup(name: CallName, change: (setup: Setup) => Setup): void;
  /**
   * The call has ended elsewhere: it gives its channel back, and tells nothing here. A node whose timer ran out is not
   * believed where this one has seen the call since.
   */
  ended(name: CallName, how: HowEnded, now: Millis): void;
  /** A BYE of the call has passed at a node that does not know the call: whoever carries it ends it, and tells that. */
  left(name: CallName, by: EndedBy, now: Millis): void;
  /**
   * A node is gone: its calls hold their channels for 30 minutes, unless a message of theirs passes here, or a node tells
   * that it carries them. Looks at some thousand rows.
   *
   * @param from 0, or what the last one returned
   * @returns where to go on; {@link NO_CALL}: at the end
   */
  gone(carrier: number, from: CallSlot, now: Millis): CallSlot;
  /** A node has begun anew: nobody carries the calls of which it has told nothing since `before`. In the same way. */
  begunAnew(carrier: number, before: Millis, from: CallSlot, now: Millis): CallSlot;
  /** Ends calls of a node of which it has told nothing since `before`, though it told all that it carries. In the same way. */
  forget(carrier: number, before: Millis, from: CallSlot, now: Millis): CallSlot;
  /** Adds the calls that this node carries to `found`, in the same way. */
  carried(from: CallSlot, found: CallSlot[]): CallSlot;
}

/** A memory of calls that knows those of other nodes. */
export interface SharingCalls<Setup> extends Calls<Setup> {
  readonly elsewhere: CallsElsewhere<Setup>;
}

/** What the memory of calls asks of it. */
export interface TakingOver {
  /** A message of the call has passed here: from now on this node carries it. */
  takeOver(row: number): void;
  /** True where the call expires so much later than other nodes were told that they should know. */
  isMuchLater(row: number, expires: Millis): boolean;
}

/**
 * A call has one carrier. Who takes it over raises its turn; of two nodes that do so at once, the one whose name comes
 * first keeps it, and both know that. Calls that a restart has left unconfirmed give way to any other.
 *
 * @param changed told each call that other nodes should hear of
 */
export function createCallsElsewhere<Setup>(
  rows: CallRows<Setup>,
  { changed, settled }: { changed: (slot: CallSlot) => void; settled: (setup: Setup) => void },
): CallsElsewhere<Setup> & TakingOver {
  const { table, trunks, nodes, clock } = rows;
  const { words, doubles } = table;
  /** By row: the number of the node that carries it (0: nobody, or this one), its turn, and when it was told last. */
  const carriers = new Uint8Array(table.capacity + 1);
  const turns = new Uint16Array(table.capacity + 1);
  const toldAt = new Float64Array(table.capacity + 1);
  /** By row: the expiry that other nodes know. */
  const toldExpires = new Float64Array(table.capacity + 1);
  const roomForRefused = table.capacity - Math.floor(table.capacity / 4);
  let size = 0;
  let taken = 0;

  const flagsOf = (row: number): number => words[row * ROW_WORDS + FLAGS]!;
  const isElsewhere = (row: number): boolean => (flagsOf(row) & ELSEWHERE) !== 0;

  function setCarrier(row: number, carrier: number): void {
    const before = carriers[row]!;
    if (before === carrier) return;
    if (before !== 0) nodes.leave(before);
    if (carrier !== 0) nodes.enter(carrier);
    carriers[row] = carrier;
  }

  rows.freed = (row) => {
    if (isElsewhere(row)) size--;
    setCarrier(row, 0);
    turns[row] = 0;
    toldExpires[row] = 0;
  };

  function setElsewhere(row: number, carrier: number): void {
    const at = row * ROW_WORDS + FLAGS;
    if (!isElsewhere(row)) size++;
    words[at] = (words[at]! & ~UNCONFIRMED) | ELSEWHERE;
    setCarrier(row, carrier);
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

  /** True where the one who tells carries the call from now on, as far as this node can know. */
  function isOutranked(row: number, { turn, carrier, row: told }: ToldCall): boolean {
    const known = turns[row]!;
    if (isElsewhere(row)) return carriers[row] === carrier || carriers[row] === 0 || turn >= known;
    const isSure = (flagsOf(row) & UNCONFIRMED) === 0;
    const isTeller = (told.flags & UNCONFIRMED) === 0;
    if (isSure !== isTeller) return isTeller;
    if (turn !== known) return turn > known;
    return nodes.nameOf(carrier) < nodes.nameOf(0);
  }

  /** Takes a call that stands here already. @returns false where what is told is older than what is known */
  function mayTake(row: number, call: ToldCall): boolean {
    const state = stateOfRow(words, row);
    if (state === OVER || (flagsOf(row) & TOLD) !== 0) return false;
    if (state === JUDGED) return true;
    const isBehind = !isElsewhere(row) && state > (call.row.flags & STATE);
    if (!isBehind && isOutranked(row, call)) return true;
    if (isElsewhere(row)) return false;
    // The other node hears that it was wrong.
    if (call.turn >= turns[row]!) turns[row] = call.turn + 1;
    changed(row);
    return false;
  }

  return {
    numberOf: (node) => nodes.numberOf(node),
    nodeName: (number) => nodes.nameOf(number),
    size: () => size,
    nameAt: (row) => nameOfRow(words, row),
    trunkOf: (row) => trunks.nameOf(words[row * ROW_WORDS + TRUNK]!),
    turnOf: (row) => turns[row]!,
    taken: () => taken,
    isMuchLater: (row, expires) => expires - toldExpires[row]! > MUCH_LATER,
    pack(row, out, at) {
      const state = stateOfRow(words, row);
      if (isElsewhere(row) || state < IN_SETUP || state > IN_RELEASE) return at;
      toldExpires[row] = doubles[row * ROW_DOUBLES + EXPIRES]!;
      return packRow(words, doubles, row, clock.time, out, at);
    },
    take(call, now) {
      rows.pass(now);
      const { name, trunk, carrier, turn, row: told, transit } = call;
      if ((name.node ?? 0) === NO_NODE || carrier <= 0) return false;
      let row = table.withName(name.epoch, name.count, name.node);
      if (row === NO_ROW) row = begin(name, trunk);
      else if (mayTake(row, call)) table.open(row);
      else return false;
      if (row === NO_ROW) return false;
      const before = stateOfRow(words, row);
      const state = told.flags & STATE;
      rows.unhold(row);
      const setup = isElsewhere(row) ? undefined : rows.setupOf(row);
      setElsewhere(row, carrier);
      turns[row] = turn;
      toldAt[row] = now;
      putRow(words, doubles, row, told, clock.time - transit);
      rows.enter(row, state);
      if ((told.flags & CHANNEL) !== 0) rows.hold(row);
      table.close(row);
      rows.schedule(row);
      if (setup !== undefined) settled(setup);
      return before < STANDING && state === STANDING;
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
      toldAt[row] = now;
      table.setOctets(row);
      table.close(row);
      rows.schedule(row);
      rows.setSetup(row, setup(row));
      return true;
    },
    changeSetup(name, change) {
      const row = table.withName(name.epoch, name.count, name.node);
      const setup = row === NO_ROW || !isElsewhere(row) ? undefined : rows.setupOf(row);
      if (setup !== undefined) rows.setSetup(row, change(setup));
    },
    ended(name, how, now) {
      rows.pass(now);
      const row = table.withName(name.epoch, name.count, name.node);
      if (row === NO_ROW || stateOfRow(words, row) < IN_SETUP || stateOfRow(words, row) === OVER) return;
      const isCarried = !isElsewhere(row) && (flagsOf(row) & UNCONFIRMED) === 0;
      if (isCarried && (how === "timed-out" || how === "lost")) {
        changed(row);
        return;
      }
      finishSilently(row);
    },
    left(name, by, now) {
      rows.pass(now);
      const row = table.withName(name.epoch, name.count, name.node);
      if (row === NO_ROW || isElsewhere(row) || stateOfRow(words, row) !== STANDING) return;
      rows.finish(row, { by, how: "released", status: 200 }, now - clock.ahead);
    },
    gone(carrier, from, now) {
      rows.pass(now);
      return searchRows(words, from, (row, state) => {
        if (isElsewhere(row) && carriers[row] === carrier) giveUpLater(row, state);
      });
    },
    begunAnew(carrier, before, from, now) {
      rows.pass(now);
      return searchRows(words, from, (row, state) => {
        if (!isElsewhere(row) || carriers[row] !== carrier || toldAt[row]! >= before) return;
        setCarrier(row, 0);
        giveUpLater(row, state);
      });
    },
    forget(carrier, before, from, now) {
      rows.pass(now);
      return searchRows(words, from, (row, state) => {
        if (!isElsewhere(row) || carriers[row] !== carrier || toldAt[row]! >= before) return;
        if (state >= IN_SETUP && state <= IN_RELEASE) finishSilently(row);
      });
    },
    carried: (from, found) =>
      searchRows(words, from, (row, state) => {
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
      setCarrier(row, 0);
      size--;
      if (isHeld) rows.hold(row);
      const session = words[row * ROW_WORDS + SESSION]!;
      const fresh = state === IN_SETUP ? clock.time + REPEATED_FOR : sessionEnd(clock.time, session);
      const expires = row * ROW_DOUBLES + EXPIRES;
      doubles[expires] = Math.max(doubles[expires]!, fresh);
      table.close(row);
      rows.schedule(row);
      if (state < IN_SETUP || state > IN_RELEASE) return;
      taken++;
      turns[row]!++;
      changed(row);
    },
  };

  /** The call holds its channel for {@link UNCONFIRMED_FOR} from now on. */
  function giveUpLater(row: number, state: number): void {
    if (state < IN_SETUP || state > IN_RELEASE || (flagsOf(row) & UNCONFIRMED) !== 0) return;
    words[row * ROW_WORDS + FLAGS] = flagsOf(row) | UNCONFIRMED;
    rows.confirmBy[row] = clock.time + UNCONFIRMED_FOR;
    rows.schedule(row);
  }

  function finishSilently(row: number): void {
    rows.unhold(row);
    if (!isElsewhere(row)) setElsewhere(row, 0);
    rows.finish(row, { by: "filter", how: "lost" }, clock.time - clock.ahead);
  }
}
