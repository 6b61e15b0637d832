// Finds the calls of some trunks, a piece of the table at a time.
import type { TrunkId } from "../domain/trunk.ts";
import { ELSEWHERE, FLAGS, HEADER_USED, IN_SETUP, ROW_WORDS, STANDING, TRUNK } from "./call-row.ts";
import type { CallRows } from "./call-rows.ts";
import { stateOfRow } from "./call-table.ts";
import { nameOfRow } from "./shared-rows.ts";
import { type CallName, type CallSlot, NO_CALL } from "./calls.ts";

/** Rows that one search looks at. A row is two lines of the processor's cache: this many take less than 0.2 ms. */
const MOST_ROWS = 8192;

/** See `Calls.findOfTrunks`. */
export function findOfTrunks(
  { table, trunks }: Pick<CallRows<unknown>, "table" | "trunks">,
  wanted: ReadonlySet<TrunkId>,
  from: CallSlot,
  found: CallName[],
): CallSlot {
  const { words } = table;
  const used = words[HEADER_USED]!;
  const first = Math.max(from, 1);
  const end = Math.min(first + MOST_ROWS, used + 1);
  for (let row = first; row < end; row++) {
    const state = stateOfRow(words, row);
    if (state !== IN_SETUP && state !== STANDING) continue;
    const at = row * ROW_WORDS;
    // Who carries a call ends it.
    if ((words[at + FLAGS]! & ELSEWHERE) !== 0) continue;
    if (!wanted.has(trunks.nameOf(words[at + TRUNK]!))) continue;
    found.push(nameOfRow(words, row));
  }
  return end > used ? NO_CALL : end;
}
