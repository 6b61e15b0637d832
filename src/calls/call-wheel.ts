// A hashed timing wheel through the rows of the table: a tick visits the rows that may be due, and no others.
import type { Millis } from "../domain/time.ts";
import { AFTER, BEFORE, DUE, ROW_DOUBLES, ROW_WORDS, VISIT } from "./call-row.ts";

/** Buckets of a second each; a row that is due later than a turn of the wheel is visited once a turn. */
const BUCKETS = 4096;
const MASK = BUCKETS - 1;

/** Rows that one tick visits. */
export const ROWS_PER_TICK = 4096;

/**
 * Each row that is scheduled stands in one bucket (Varghese and Lauck, "Hashed and hierarchical timing wheels", scheme
 * 6). A row whose time moves away stays where it is until the wheel comes by: what prolongs a call touches no other
 * row.
 *
 * Invariant: a scheduled row is visited within a second of its due time, bounded work of a tick aside, and never before
 * it.
 */
export interface CallWheel {
  /** The time at which the wheel starts; once, before anything else. */
  start(time: Millis): void;
  /** Sets the due time of a row. Infinity: never. */
  schedule(row: number, due: Millis): void;
  cancel(row: number): void;
  /**
   * Visits rows that are due. `visit` must give the row back or schedule it behind `time`.
   *
   * @returns rows looked at, at most {@link ROWS_PER_TICK}; the next turn goes on behind them
   */
  turn(time: Millis, visit: (row: number) => void): number;
}

/** `words` and `doubles`: the columns of the table. */
export function createCallWheel(words: Int32Array, doubles: Float64Array): CallWheel {
  const heads = new Int32Array(BUCKETS);
  /**
   * Every bucket up to this second is empty. Seconds count from the start, so that 31 bits last for 68 years; 0: no
   * second.
   */
  let cursor = 0;
  let base = 0;

  const link = (row: number, second: number): void => {
    const at = row * ROW_WORDS;
    const head = heads[second & MASK]!;
    words[at + VISIT] = second;
    words[at + BEFORE] = 0;
    words[at + AFTER] = head;
    if (head !== 0) words[head * ROW_WORDS + BEFORE] = row;
    heads[second & MASK] = row;
  };

  const cancel = (row: number): void => {
    const at = row * ROW_WORDS;
    const second = words[at + VISIT]!;
    if (second === 0) return;
    const before = words[at + BEFORE]!;
    const after = words[at + AFTER]!;
    if (before === 0) heads[second & MASK] = after;
    else words[before * ROW_WORDS + AFTER] = after;
    if (after !== 0) words[after * ROW_WORDS + BEFORE] = before;
    words[at + VISIT] = 0;
  };

  /**
   * The second in which a row that is due then is visited: the next one at the earliest, the last of this turn at the
   * latest.
   */
  const secondOf = (due: Millis): number => {
    const second = Math.ceil((due - base) / 1000);
    return second < cursor + BUCKETS ? Math.max(cursor + 1, second) : cursor + BUCKETS - 1;
  };

  return {
    start(time) {
      base = time;
    },
    schedule(row, due) {
      doubles[row * ROW_DOUBLES + DUE] = due;
      const second = secondOf(due);
      const current = words[row * ROW_WORDS + VISIT]!;
      if (current !== 0 && current <= second) return;
      cancel(row);
      link(row, second);
    },
    cancel,
    turn(time, visit) {
      const last = Math.floor((time - base) / 1000);
      // After a longer pause one turn of the wheel meets every row.
      if (last - cursor > BUCKETS) cursor = last - BUCKETS;
      let rows = 0;
      while (cursor < last) {
        for (let row = heads[(cursor + 1) & MASK]!; row !== 0; row = heads[(cursor + 1) & MASK]!) {
          if (rows >= ROWS_PER_TICK) return rows;
          rows++;
          cancel(row);
          const due = doubles[row * ROW_DOUBLES + DUE]!;
          // Rows that are not due stand behind the seconds of this turn, lest it meet them again.
          if (due > time)
            link(row, Math.min(Math.max(Math.ceil((due - base) / 1000), last + 1), cursor + BUCKETS));
          else visit(row);
        }
        cursor++;
      }
      return rows;
    },
  };
}
