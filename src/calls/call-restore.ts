// Calls of a snapshot come back into the table: unconfirmed, until a message of theirs passes.
import { REPEATED_FOR, SETUP_SILENCE } from "../sip/timers.ts";
import {
  BEGUN,
  BYE,
  BYE_AT,
  CANCELLED,
  CHANGED,
  COUNT,
  EPOCH,
  EXPIRES,
  FLAGS,
  IN_RELEASE,
  IN_SETUP,
  NODE_SHIFT,
  ROW_DOUBLES,
  ROW_WORDS,
  STATE,
  TOLD,
  TRUNK,
  UNCONFIRMED,
} from "./call-row.ts";
import { NO_NODE } from "./call-nodes.ts";
import { type CallRows, UNCONFIRMED_FOR } from "./call-rows.ts";
import { COPIED_WORDS, readSnapshot, type SavedCall } from "./call-snapshot.ts";
import { NO_ROW } from "./call-table.ts";
import type { RestoreResult } from "./calls.ts";

/**
 * Takes the calls of a snapshot into free rows. `name`: the last name given out; it is raised above every restored one,
 * so that no name is given twice even where the epoch of this process is not above the last one's.
 */
export function restoreCalls<Setup>(
  rows: CallRows<Setup>,
  snapshot: Uint8Array,
  name: { epoch: number; count: number },
): RestoreResult {
  let restored = 0;
  let leftOut = 0;
  const outcome = readSnapshot(snapshot, (call) => {
    if (!restoreRow(rows, call)) {
      leftOut++;
      return;
    }
    restored++;
    const epoch = call.words[EPOCH]! >>> 0;
    if (call.node !== "" || epoch < name.epoch) return;
    name.epoch = epoch + 1;
    name.count = 0;
  });
  return typeof outcome === "number"
    ? { rows: restored, leftOut: leftOut + outcome }
    : { rows: 0, leftOut: 0, issue: outcome };
}

/** @returns false when there is no room, or the name is taken */
function restoreRow<Setup>(rows: CallRows<Setup>, { trunk, node: name, words, doubles }: SavedCall): boolean {
  const { table, nodes } = rows;
  const node = name === "" ? 0 : nodes.numberOf(name);
  if (node === NO_NODE) return false;
  const { time } = rows.clock;
  const epoch = words[EPOCH]!;
  const count = words[COUNT]!;
  if (table.withName(epoch, count, node) !== NO_ROW) return false;
  const row = table.take(epoch, count, node);
  if (row === NO_ROW) return false;
  if (node !== 0) nodes.enter(node);
  const state = words[FLAGS]! & STATE;
  const at = row * ROW_WORDS;
  const atDoubles = row * ROW_DOUBLES;
  for (const word of COPIED_WORDS) table.words[at + word] = words[word]!;
  for (const column of [BEGUN, CHANGED, BYE_AT])
    table.doubles[atDoubles + column] = Math.min(doubles[column]! + rows.clock.ahead, time);
  // A row that fell due while no process ran gets the time of one more exchange.
  const expires = Math.max(doubles[EXPIRES]! + rows.clock.ahead, time + REPEATED_FOR);
  table.doubles[atDoubles + EXPIRES] = state === IN_SETUP ? Math.min(expires, time + SETUP_SILENCE) : expires;
  table.words[at + TRUNK] = rows.trunks.enter(trunk);
  table.words[at + FLAGS] = (words[FLAGS]! & (TOLD | CANCELLED | BYE)) | (node << NODE_SHIFT) | UNCONFIRMED;
  rows.confirmBy[row] = time + UNCONFIRMED_FOR;
  rows.enter(row, state);
  const isGivenUp = (words[FLAGS]! & UNCONFIRMED) !== 0;
  if (state !== IN_RELEASE && !isGivenUp) rows.hold(row);
  table.close(row);
  rows.schedule(row);
  return true;
}
