// The life of a row: its state, its channel, its due time and its end.
import type { Mutable } from "../domain/mutable.ts";
import {
  type CallEnd,
  type CallEnded,
  type CallRef,
  type EndedBy,
  endedBys,
  type HowEnded,
} from "../domain/call.ts";
import type { Millis } from "../domain/time.ts";
import { REPEATED_FOR } from "../sip/timers.ts";
import { type CallClock, createCallClock } from "./call-clock.ts";
import { settleBye } from "./call-dialogs.ts";
import { formatCallId, formatIdPrefix } from "./call-id.ts";
import {
  ANSWERED,
  BEGUN,
  BY_SHIFT,
  BYE,
  BYE_AT,
  CANCELLED,
  CAUSE_SHIFT,
  CHANGED,
  CHANNEL,
  COUNT,
  ELSEWHERE,
  EPOCH,
  EXPIRES,
  FLAGS,
  HAS_CAUSE,
  IN_RELEASE,
  IN_SETUP,
  JUDGED,
  NODE,
  OVER,
  RINGING,
  ROW_DOUBLES,
  ROW_WORDS,
  STANDING,
  STATE,
  TOLD,
  TRUNK,
  UNCONFIRMED,
} from "./call-row.ts";
import { type CallTable, createCallTable, stateOfRow } from "./call-table.ts";
import { type CallNodes, createCallNodes } from "./call-nodes.ts";
import { type CallTrunks, createCallTrunks } from "./call-trunks.ts";
import { createCallWheel } from "./call-wheel.ts";
import type { CallsParts } from "./calls.ts";
import { nameOfRow, nodeOfRow } from "./shared-rows.ts";
import { createKeptTexts, type KeptTexts } from "./kept-texts.ts";

/** Time for which calls of before a restart hold their channels without a message of theirs. */
export const UNCONFIRMED_FOR: Millis = 30 * 60_000;

/** Rows that {@link CallRows.reclaim} looks at. */
const MOST_LOOKED_AT = 64;

/** An end by what {@link CallRows.setBye} has noted. */
function noteEnd(flags: number, how: HowEnded, status: number | undefined): CallEnd {
  const end: Mutable<CallEnd> = { by: endedBys[(flags >>> BY_SHIFT) & 3] ?? "filter", how };
  if (status !== undefined) end.status = status;
  if ((flags & HAS_CAUSE) !== 0) end.cause = (flags >>> CAUSE_SHIFT) & 0xffff;
  return end;
}

/** The table with the life of its rows. A change of a row is bracketed by `table.open` and `table.close`. */
export interface CallRows<Setup> {
  readonly table: CallTable;
  readonly trunks: CallTrunks;
  readonly nodes: CallNodes;
  readonly texts: KeptTexts;
  /** The time of the table. */
  readonly clock: CallClock;
  /** Hands in the engine's clock. */
  pass(now: Millis): void;
  /** Ends and frees what is due, at most some thousand rows. */
  turn(): void;
  /** Frees a row whose end was told before its repeats are over, if one is found among a few. */
  reclaim(): void;
  refOf(row: number): CallRef;
  /** Puts the row into a state; a channel that it holds is counted as that state's. */
  enter(row: number, state: number): void;
  hold(row: number): void;
  unhold(row: number): void;
  /** Notes who ends the call, and why. */
  setBye(row: number, by: EndedBy, cause: number | undefined): void;
  /** Sets the due time anew, after every change of what it is made of. */
  schedule(row: number): void;
  /** By row: until when one that is unconfirmed holds its channel. */
  readonly confirmBy: Float64Array;
  /** Gives the channel back and tells the end, once; the row is freed or kept for repeats. */
  finish(row: number, end: CallEnd, at: Millis): void;
  /** The answer to the BYE has come, or can't come any more. */
  finishReleased(row: number): void;
  free(row: number): void;
  /** Told each row that is given up, before it is. */
  freed: ((row: number) => void) | undefined;
  setupOf(row: number): Setup | undefined;
  setSetup(row: number, setup: Setup): void;
}

export function createCallRows<Setup>(parts: CallsParts<Setup>): CallRows<Setup> {
  const { tell, longestCall, node } = parts;
  const table = createCallTable(parts.capacity);
  const { words, doubles } = table;
  const wheel = createCallWheel(words, doubles);
  const trunks = createCallTrunks((version) => table.setNamesVersion(version));
  const nodes = createCallNodes(node, (number, name) => {
    trunks.renew();
    parts.nodeNamed?.(number, name);
  });
  const texts = createKeptTexts(parts.capacity, parts.callBytes ?? 0);
  const clock = createCallClock(parts.wall ?? { ahead: 0 });
  const setups: (Setup | undefined)[] = [];
  let hasStarted = false;
  const confirmBy = new Float64Array(table.capacity + 1);
  let cursor = 0;
  let prefixEpoch = parts.epoch | 0;
  let prefix = formatIdPrefix(node, parts.epoch);

  const refOf = (row: number): CallRef => {
    const at = row * ROW_WORDS;
    const epoch = words[at + EPOCH]!;
    const trunk = trunks.nameOf(words[at + TRUNK]!);
    if ((words[at + FLAGS]! & NODE) !== 0)
      return { id: formatCallId(nodes.nameOf(nodeOfRow(words, row)), nameOfRow(words, row)), trunk };
    if (epoch !== prefixEpoch) {
      prefixEpoch = epoch;
      prefix = formatIdPrefix(node, epoch >>> 0);
    }
    return { id: prefix + (words[at + COUNT]! >>> 0), trunk };
  };

  const count = (row: number, by: number): void => {
    const isSetup = stateOfRow(words, row) === IN_SETUP;
    const isElsewhere = (words[row * ROW_WORDS + FLAGS]! & ELSEWHERE) !== 0;
    trunks.count(words[row * ROW_WORDS + TRUNK]!, isSetup ? by : 0, isSetup ? 0 : by, isElsewhere);
  };

  const hold = (row: number): void => {
    const at = row * ROW_WORDS + FLAGS;
    if ((words[at]! & CHANNEL) !== 0) return;
    words[at] = words[at]! | CHANNEL;
    count(row, 1);
  };

  const unhold = (row: number): void => {
    const at = row * ROW_WORDS + FLAGS;
    if ((words[at]! & CHANNEL) === 0) return;
    words[at] = words[at]! & ~CHANNEL;
    count(row, -1);
  };

  const enter = (row: number, state: number): void => {
    const at = row * ROW_WORDS + FLAGS;
    const isHeld = (words[at]! & CHANNEL) !== 0;
    if (isHeld) count(row, -1);
    words[at] = (words[at]! & ~STATE) | state;
    if (isHeld) count(row, 1);
  };

  const dropSetup = (row: number): void => {
    const setup = setups[row];
    if (setup === undefined) return;
    setups[row] = undefined;
    parts.released?.(setup);
  };

  /** The time up to which an answered call may stand. */
  const limitOf = (row: number): Millis =>
    doubles[row * ROW_DOUBLES + CHANGED]! + longestCall(trunks.nameOf(words[row * ROW_WORDS + TRUNK]!));

  const repeatsEnd = (row: number): Millis => doubles[row * ROW_DOUBLES + CHANGED]! + REPEATED_FOR;

  const isCountedUnconfirmed = (row: number): boolean =>
    (words[row * ROW_WORDS + FLAGS]! & (UNCONFIRMED | CHANNEL)) === (UNCONFIRMED | CHANNEL);

  const dueOf = (row: number, state: number): Millis => {
    if (state === JUDGED || state === OVER) return repeatsEnd(row);
    const at = row * ROW_DOUBLES;
    let due = doubles[at + EXPIRES]!;
    if (state === STANDING) due = Math.min(due, limitOf(row));
    if (state === IN_RELEASE) due = doubles[at + BYE_AT]! + REPEATED_FOR;
    if (state !== IN_SETUP && setups[row] !== undefined) due = Math.min(due, repeatsEnd(row));
    return isCountedUnconfirmed(row) ? Math.min(due, confirmBy[row]!) : due;
  };

  const schedule = (row: number): void => wheel.schedule(row, dueOf(row, stateOfRow(words, row)));

  const free = (row: number): void => {
    result.freed?.(row);
    unhold(row);
    const beginner = nodeOfRow(words, row);
    if (beginner !== 0) nodes.leave(beginner);
    wheel.cancel(row);
    trunks.leave(words[row * ROW_WORDS + TRUNK]!);
    texts.drop(row);
    table.give(row);
    dropSetup(row);
  };

  const endedOf = (row: number, end: CallEnd, at: Millis): CallEnded => {
    const ringing = words[row * ROW_WORDS + RINGING]!;
    const answered = words[row * ROW_WORDS + ANSWERED]!;
    const { by, how, status, cause } = end;
    const ended: Mutable<CallEnded> = { kind: "ended", call: refOf(row), at, by, how };
    if (status !== undefined) ended.status = status;
    if (cause !== undefined) ended.cause = cause;
    if (ringing > 0) ended.ringingMs = ringing - 1;
    if (answered > 0) {
      ended.answeredMs = answered - 1;
      const answeredAt = doubles[row * ROW_DOUBLES + BEGUN]! + answered - 1;
      ended.talkedMs = Math.max(0, at + clock.ahead - answeredAt);
    }
    return ended;
  };

  const finish = (row: number, end: CallEnd, at: Millis): void => {
    const flags = words[row * ROW_WORDS + FLAGS]!;
    const ended = (flags & (TOLD | ELSEWHERE)) === 0 ? endedOf(row, end, at) : undefined;
    unhold(row);
    const setup = setups[row];
    if (setup !== undefined) parts.finished?.(setup);
    if ((flags & STATE) !== IN_SETUP && clock.time >= repeatsEnd(row)) free(row);
    else {
      table.open(row);
      enter(row, OVER);
      settleBye(words, row, false);
      words[row * ROW_WORDS + FLAGS] = words[row * ROW_WORDS + FLAGS]! | TOLD;
      doubles[row * ROW_DOUBLES + CHANGED] = clock.time;
      table.close(row);
      schedule(row);
    }
    if (ended !== undefined) tell(ended);
  };

  const finishReleased = (row: number): void => {
    const flags = words[row * ROW_WORDS + FLAGS]!;
    const at = doubles[row * ROW_DOUBLES + BYE_AT]! - clock.ahead;
    finish(row, noteEnd(flags, "released", 200), at);
  };

  /** Ends a row that is due: the message that it waited for has not come. */
  const expire = (row: number): void => {
    const { time, ahead } = clock;
    const state = stateOfRow(words, row);
    const flags = words[row * ROW_WORDS + FLAGS]!;
    const hasExpired = time >= doubles[row * ROW_DOUBLES + EXPIRES]!;
    if (state === JUDGED || state === OVER) {
      free(row);
      return;
    }
    if (state === IN_SETUP && hasExpired) {
      if ((flags & CANCELLED) !== 0) {
        finish(row, noteEnd(flags, "cancelled", undefined), time - ahead);
        return;
      }
      finish(row, { by: "filter", how: "timed-out" }, time - ahead);
      return;
    }
    if (state === STANDING && (hasExpired || time >= limitOf(row))) {
      const how = time >= limitOf(row) ? "lost" : "timed-out";
      finish(row, { by: "filter", how, status: 200 }, time - ahead);
      return;
    }
    if (state === IN_RELEASE && time >= doubles[row * ROW_DOUBLES + BYE_AT]! + REPEATED_FOR) {
      finishReleased(row);
      return;
    }
    if (state !== IN_SETUP && time >= repeatsEnd(row)) dropSetup(row);
    if (isCountedUnconfirmed(row) && time >= confirmBy[row]!) {
      unhold(row);
      parts.changed?.(row);
    }
    schedule(row);
  };

  const reclaim = (): void => {
    const { capacity } = table;
    for (let looked = 0; looked < MOST_LOOKED_AT; looked++) {
      cursor = (cursor + 1) % capacity;
      if (stateOfRow(words, cursor) !== OVER) continue;
      free(cursor);
      return;
    }
  };

  const result: CallRows<Setup> = {
    table,
    trunks,
    nodes,
    freed: undefined,
    texts,
    clock,
    pass(now) {
      if (!clock.pass(now)) return;
      table.setAhead(clock.ahead);
      if (!hasStarted) wheel.start(clock.time);
      hasStarted = true;
    },
    turn() {
      wheel.turn(clock.time, expire);
    },
    reclaim,
    refOf,
    enter,
    hold,
    unhold,
    setBye(row, by, cause) {
      const at = row * ROW_WORDS + FLAGS;
      const isCause = cause !== undefined && cause >= 0 && cause <= 0xffff;
      const noted = (endedBys.indexOf(by) << BY_SHIFT) | (isCause ? HAS_CAUSE | (cause << CAUSE_SHIFT) : 0);
      words[at] = (words[at]! & ~BYE) | noted;
    },
    schedule,
    confirmBy,
    finish,
    finishReleased,
    free,
    setupOf: (row) => setups[row],
    setSetup(row, setup) {
      if (setups[row] === setup) return;
      dropSetup(row);
      const state = stateOfRow(words, row);
      const isKept =
        state === JUDGED || state === IN_SETUP || (state >= STANDING && clock.time < repeatsEnd(row));
      if (!isKept) {
        parts.released?.(setup);
        return;
      }
      setups[row] = setup;
      // Before the answer a set-up is kept as long as its row.
      if (state >= STANDING) schedule(row);
    },
  };
  return result;
}
