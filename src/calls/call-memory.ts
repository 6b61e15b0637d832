// The memory of calls: what each message does to the row of its call, and what is told of it.
import { type CallRef, type EndedBy, wantsCredentials } from "../domain/call.ts";
import type { TrunkId } from "../domain/trunk.ts";
import { REPEATED_FOR, SETUP_SILENCE } from "../sip/timers.ts";
import {
  beginDialog,
  endDialog,
  hasDialog,
  hashTag,
  isOtherDialog,
  knowsDialog,
  restoreDialog,
  settleBye,
  standsWith,
} from "./call-dialogs.ts";
import { sessionEnd } from "./call-clock.ts";
import { formatCallId, nextName } from "./call-id.ts";
import { restoreCalls } from "./call-restore.ts";
import {
  ANSWERED,
  BEGUN,
  BYE_AT,
  CANCELLED,
  CHANGED,
  ELSEWHERE,
  EXPIRES,
  FLAGS,
  FREE,
  IN_RELEASE,
  IN_SETUP,
  JUDGED,
  OVER,
  RINGING,
  ROW_DOUBLES,
  ROW_WORDS,
  SESSION,
  STANDING,
  STATE,
  TOLD,
  TRUNK,
  UNCONFIRMED,
} from "./call-row.ts";
import { createCallRows } from "./call-rows.ts";
import { findOfTrunks } from "./call-search.ts";
import { NO_ROW, stateOfRow } from "./call-table.ts";
import { createCallsElsewhere, type SharingCalls } from "./calls-elsewhere.ts";
import {
  type Calls,
  type CallSlot,
  type CallsParts,
  type CallState,
  type DialogTag,
  NO_CALL,
} from "./calls.ts";
import { nameOfRow } from "./shared-rows.ts";

const LONGEST_SESSION = 0x7fffffff;

const STATE_NAMES: Readonly<Record<number, CallState>> = {
  [JUDGED]: "judged",
  [IN_SETUP]: "setup",
  [STANDING]: "answered",
  [IN_RELEASE]: "leaving",
};

function hashOf(tag: DialogTag): number {
  return typeof tag === "number" ? tag : hashTag(tag);
}

/**
 * One bounded memory of calls. A slot is the number of a row; a method that is given a free row, or a row in a state
 * that the message makes no sense in, does nothing.
 *
 * `ended` is told once for each call that was forwarded (abandoned ones left out), and always last: after `finish` the
 * row is marked as told, and what it may still become (a late 2xx) tells nothing.
 */
/**
 * Answers by which the other side refuses a BYE itself: the dialog goes on there (RFC 3261 sections 8.2 and 21.4). 481, 408 and
 * every other final answer end it (section 15.1.1). Else a caller could give its channel back by a BYE that nobody takes.
 */
const refusingBye: ReadonlySet<number> = new Set([400, 413, 414, 415, 416, 420, 421, 483, 493, 494, 513]);

export function createCalls<Setup>(parts: CallsParts<Setup>): SharingCalls<Setup> {
  const rows = createCallRows(parts);
  const { table, trunks, texts } = rows;
  const { words, doubles, capacity } = table;
  const roomForRefused = capacity - Math.floor(capacity / 4);
  const name = { epoch: parts.epoch >>> 0, count: 0 };

  const flagsOf = (row: number): number => words[row * ROW_WORDS + FLAGS]!;
  const setFlags = (row: number, flags: number): void => {
    words[row * ROW_WORDS + FLAGS] = flags;
  };
  const sinceBegun = (row: number): number =>
    Math.min(Math.round(rows.clock.time - doubles[row * ROW_DOUBLES + BEGUN]!), LONGEST_SESSION - 1);

  const isKeyAlive = (row: number): boolean =>
    stateOfRow(words, row) === IN_SETUP ||
    rows.clock.time < doubles[row * ROW_DOUBLES + CHANGED]! + REPEATED_FOR;

  const changed = (row: number): void => parts.changed?.(row);
  const elsewhere = createCallsElsewhere(rows, { changed, settled: (setup) => parts.finished?.(setup) });

  /**
   * A message of the call has passed: where its channel was given up after a restart, it is taken again, and where
   * another node carried the call, this one does.
   */
  const confirm = (row: number): void => {
    const flags = flagsOf(row);
    if ((flags & (UNCONFIRMED | ELSEWHERE)) === 0) return;
    elsewhere.takeOver(row);
    if ((flags & UNCONFIRMED) === 0) return;
    setFlags(row, flagsOf(row) & ~UNCONFIRMED);
    const state = flags & STATE;
    if (state === IN_SETUP || state === STANDING) rows.hold(row);
    rows.schedule(row);
  };

  const waitUntil = (row: number, time: number): void => {
    doubles[row * ROW_DOUBLES + EXPIRES] = time;
    rows.schedule(row);
  };

  /** Waits longer. The wheel comes by at the old time, and finds that the row is not due. */
  const waitLonger = (row: number, time: number): void => {
    const at = row * ROW_DOUBLES + EXPIRES;
    if (time <= doubles[at]!) return;
    doubles[at] = time;
    if (elsewhere.isMuchLater(row, time)) changed(row);
  };

  /** Starts the session anew; 0 seconds: it does not expire. */
  const beginSession = (row: number, seconds: number): void => {
    const interval = Math.min(Math.ceil(seconds), LONGEST_SESSION);
    words[row * ROW_WORDS + SESSION] = interval;
    const at = row * ROW_DOUBLES + EXPIRES;
    doubles[at] = sessionEnd(rows.clock.time, interval);
  };

  /** The call stands, by its first answer or again. */
  const stand = (row: number): void => {
    rows.enter(row, STANDING);
    rows.hold(row);
  };

  /** The call is given up before its answer: without a final answer of the INVITE it ends as cancelled. */
  const giveUp = (row: number, by: EndedBy, cause: number | undefined): void => {
    if ((flagsOf(row) & CANCELLED) !== 0) return;
    table.open(row);
    setFlags(row, flagsOf(row) | CANCELLED);
    rows.setBye(row, by, cause);
    table.close(row);
    waitUntil(row, rows.clock.time + REPEATED_FOR);
  };

  const leave: Calls<Setup>["leaving"] = (row, tag, by, cause, now) => {
    rows.pass(now);
    const state = stateOfRow(words, row);
    if (state === IN_SETUP) {
      confirm(row);
      if (by !== "called") giveUp(row, by, cause);
    }
    if (state !== STANDING) return;
    elsewhere.takeOver(row);
    table.open(row);
    const hasEnded = endDialog(words, row, hashOf(tag));
    const isLast = hasEnded && !hasDialog(words, row);
    if (isLast) {
      rows.unhold(row);
      rows.enter(row, IN_RELEASE);
      setFlags(row, flagsOf(row) & ~UNCONFIRMED);
      rows.setBye(row, by, cause);
      doubles[row * ROW_DOUBLES + BYE_AT] = rows.clock.time;
    }
    table.close(row);
    if (isLast) rows.schedule(row);
    else confirm(row);
    changed(row);
  };

  const answer: Calls<Setup>["answered"] = (row, tag, sessionSeconds, now) => {
    rows.pass(now);
    const state = stateOfRow(words, row);
    if (state < IN_SETUP) return false;
    confirm(row);
    const hash = hashOf(tag);
    const isFirst = state === IN_SETUP;
    if (knowsDialog(words, row, hash)) return false;
    table.open(row);
    const hasBegun = beginDialog(words, row, hash);
    if (hasBegun) {
      const at = row * ROW_DOUBLES;
      const expires = state === STANDING || state === IN_RELEASE ? doubles[at + EXPIRES]! : 0;
      beginSession(row, sessionSeconds);
      doubles[at + EXPIRES] = Math.max(doubles[at + EXPIRES]!, expires);
      if (isFirst || state === OVER) doubles[at + CHANGED] = rows.clock.time;
      if (isFirst) words[row * ROW_WORDS + ANSWERED] = sinceBegun(row) + 1;
      stand(row);
    }
    table.close(row);
    if (hasBegun) {
      rows.schedule(row);
      changed(row);
    }
    if (isFirst && (flagsOf(row) & TOLD) === 0)
      parts.tell({ kind: "answered", call: rows.refOf(row), at: now - rows.clock.ahead });
    return hasBegun;
  };

  const provisional: Calls<Setup>["provisional"] = (row, isAlerting, now) => {
    rows.pass(now);
    if (stateOfRow(words, row) !== IN_SETUP) return;
    confirm(row);
    if ((flagsOf(row) & CANCELLED) === 0) waitLonger(row, rows.clock.time + SETUP_SILENCE);
    if (!isAlerting || words[row * ROW_WORDS + RINGING] !== 0) return;
    words[row * ROW_WORDS + RINGING] = sinceBegun(row) + 1;
    changed(row);
    parts.tell({ kind: "ringing", call: rows.refOf(row), at: now - rows.clock.ahead });
  };

  const begin = (key: string, trunk: TrunkId): CallSlot => {
    if (table.size >= capacity) rows.turn();
    // A call that is over gives way to one that begins.
    if (table.size >= capacity) rows.reclaim();
    if (table.size >= capacity) return NO_CALL;
    nextName(name);
    const row = table.take(name.epoch, name.count);
    if (key !== "") {
      const older = table.withKey(key);
      if (older !== NO_ROW) table.dropKey(older);
      table.setKey(row, key);
    }
    words[row * ROW_WORDS + TRUNK] = trunks.enter(trunk);
    doubles[row * ROW_DOUBLES + BEGUN] = rows.clock.time;
    doubles[row * ROW_DOUBLES + CHANGED] = rows.clock.time;
    rows.enter(row, JUDGED);
    table.close(row);
    rows.schedule(row);
    return row;
  };

  const forward = (row: number): void => {
    const state = stateOfRow(words, row);
    if (state !== JUDGED && state !== IN_SETUP) return;
    const isFirst = state === JUDGED;
    const until = rows.clock.time + REPEATED_FOR;
    if (isFirst) {
      table.open(row);
      rows.enter(row, IN_SETUP);
      rows.hold(row);
      table.close(row);
    }
    const isLater = isFirst || until > doubles[row * ROW_DOUBLES + EXPIRES]!;
    if (isLater && (flagsOf(row) & CANCELLED) === 0) waitUntil(row, until);
    if (isFirst) changed(row);
  };

  return {
    capacity,
    shared: table.shared,
    size: () => table.size,
    find(key, now) {
      rows.pass(now);
      const row = key === "" ? NO_ROW : table.withKey(key);
      return row !== NO_ROW && isKeyAlive(row) ? row : NO_CALL;
    },
    findOctets(bytes, start, end, now) {
      rows.pass(now);
      const row = table.withOctets(bytes, start, end);
      return row !== NO_ROW && isKeyAlive(row) ? row : NO_CALL;
    },
    named({ epoch, count, node }) {
      const row = table.withName(epoch, count, node);
      return row === NO_ROW ? NO_CALL : row;
    },
    begin(key, trunk, now) {
      rows.pass(now);
      return begin(key, trunk);
    },
    hasRoom: (isPassing) => table.size < (isPassing ? capacity : roomForRefused),
    abandon(slot) {
      if (stateOfRow(words, slot) !== FREE) rows.free(slot);
    },
    refOf: (slot) => rows.refOf(slot),
    nameOf: (slot) => nameOfRow(words, slot),
    stateOf: (slot) => STATE_NAMES[stateOfRow(words, slot)] ?? "over",
    ageOf(slot, now) {
      rows.pass(now);
      return rows.clock.time - doubles[slot * ROW_DOUBLES + BEGUN]!;
    },
    setupOf: (slot) => rows.setupOf(slot),
    setSetup: (slot, setup) => rows.setSetup(slot, setup),
    nameless(trunk): CallRef {
      nextName(name);
      return { id: formatCallId(parts.node, name), trunk };
    },
    forwarded(slot, now) {
      rows.pass(now);
      forward(slot);
    },
    provisional,
    cancelled(slot, now) {
      rows.pass(now);
      if (stateOfRow(words, slot) !== IN_SETUP) return;
      confirm(slot);
      giveUp(slot, "caller", undefined);
    },
    answered: answer,
    seen(slot, now) {
      rows.pass(now);
      const state = stateOfRow(words, slot);
      if (state === STANDING || state === IN_SETUP) confirm(slot);
    },
    refreshed(slot, sessionSeconds, now) {
      rows.pass(now);
      if (stateOfRow(words, slot) !== STANDING) return;
      confirm(slot);
      table.open(slot);
      beginSession(slot, sessionSeconds);
      table.close(slot);
      rows.schedule(slot);
      changed(slot);
    },
    doubted(slot, now) {
      rows.pass(now);
      const state = stateOfRow(words, slot);
      if (state !== STANDING && state !== IN_SETUP) return;
      setFlags(slot, flagsOf(slot) | UNCONFIRMED);
      rows.unhold(slot);
      rows.schedule(slot);
      changed(slot);
    },
    ended(slot, end, now) {
      rows.pass(now);
      const state = stateOfRow(words, slot);
      elsewhere.takeOver(slot);
      if (state === IN_SETUP || state === STANDING || state === IN_RELEASE)
        rows.finish(slot, end, now - rows.clock.ahead);
    },
    leaving: leave,
    left(slot, fromTag, toTag, status, now) {
      rows.pass(now);
      const state = stateOfRow(words, slot);
      if (status < 200 || (state !== IN_RELEASE && state !== STANDING)) return;
      elsewhere.takeOver(slot);
      const isRefused = wantsCredentials.has(status) || refusingBye.has(status);
      const toHash = hashOf(toTag);
      const hash = knowsDialog(words, slot, toHash) ? toHash : hashOf(fromTag);
      if (isOtherDialog(words, slot, hash)) {
        if (!isRefused) return;
        table.open(slot);
        if (restoreDialog(words, slot, hash)) stand(slot);
        table.close(slot);
        rows.schedule(slot);
        return;
      }
      if (state === IN_RELEASE && !isRefused) {
        rows.finishReleased(slot);
        return;
      }
      table.open(slot);
      const standsAgain = settleBye(words, slot, isRefused) && isRefused;
      if (standsAgain) stand(slot);
      table.close(slot);
      if (standsAgain) rows.schedule(slot);
    },
    channels: (trunk) => trunks.channels(trunk),
    standing: () => trunks.standing(),
    tick(now) {
      rows.pass(now);
      rows.turn();
    },
    keepText(slot, text) {
      if (stateOfRow(words, slot) === FREE) return false;
      const isKept = texts.keep(slot, text);
      if (!isKept) parts.noRoom?.();
      return isKept;
    },
    textOf: (slot) => texts.of(slot),
    noteSequence(slot, from, cseq) {
      if (stateOfRow(words, slot) !== FREE) texts.noteSequence(slot, from, cseq);
    },
    highestSequence: (slot, from) => texts.highestSequence(slot, from),
    stands: (slot, tag) => standsWith(words, slot, hashTag(tag)),
    findOfTrunks: (wanted, from, found) => findOfTrunks(rows, wanted, from, found),
    trunkNames: () => ({ ...trunks.names(), nodes: rows.nodes.names() }),
    elsewhere,
    restore(snapshot, now) {
      rows.pass(now);
      return restoreCalls(rows, snapshot, name);
    },
  };
}
