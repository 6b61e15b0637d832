// Searches the rows of calls, a piece of the table at a time: for the calls of some trunks, or for anything.
import type { TrunkId } from "../domain/trunk.ts";
import { ELSEWHERE, FLAGS, HEADER_USED, IN_SETUP, ROW_WORDS, STANDING, TRUNK } from "./call-row.ts";
import type { CallRows } from "./call-rows.ts";
import { stateOfRow } from "./call-table.ts";
import { nameOfRow } from "./shared-rows.ts";
import { type CallName, type CallSlot, NO_CALL } from "./calls.ts";

/** Rows that one search looks at. A row is two lines of the processor's cache: this many take less than 0.2 ms. */
const MOST_ROWS = 8192;

/**
 * Calls `visit` with some thousand rows, whatever their state.
 *
 * @param from where to begin: 0, or what the last search returned
 * @returns where the next search goes on; {@link NO_CALL}: there are no more rows
 */
export function searchRows(
  words: Int32Array,
  from: CallSlot,
  visit: (row: number, state: number) => void,
): CallSlot {
  const used = words[HEADER_USED]!;
  const first = Math.max(from, 1);
  const end = Math.min(first + MOST_ROWS, used + 1);
  for (let row = first; row < end; row++) visit(row, stateOfRow(words, row));
  return end > used ? NO_CALL : end;
}

/** See `Calls.findOfTrunks`. */
export function findOfTrunks(
  { table: { words }, trunks }: Pick<CallRows<unknown>, "table" | "trunks">,
  wanted: ReadonlySet<TrunkId>,
  from: CallSlot,
  found: CallName[],
): CallSlot {
  return searchRows(words, from, (row, state) => {
    if (state !== IN_SETUP && state !== STANDING) return;
    const at = row * ROW_WORDS;
    // Who carries a call ends it.
    if ((words[at + FLAGS]! & ELSEWHERE) !== 0) return;
    if (wanted.has(trunks.nameOf(words[at + TRUNK]!))) found.push(nameOfRow(words, row));
  });
}
