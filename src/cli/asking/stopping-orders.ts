// Finds the order that stopped the line of a call, among the `order` lines before the call.
import {
  isStopped,
  isStricter,
  lineOfLessee,
  lineOfTrunk,
  type LineState,
  lineStates,
} from "../../domain/line-state.ts";
import type { Millis } from "../../domain/time.ts";
import type { RecordPlace } from "../../records/asking/ask-records.ts";
import type { ReadLine } from "../../records/asking/record-filter.ts";
import { textIn } from "../../records/lines/line-fields.ts";
import { findBefore, type LinesAsked } from "./lines-before.ts";
import { type Clock, show } from "./record-table.ts";

/** True for a call that was refused because its line was stopped. */
export function isOfStoppedLine({ reason }: ReadLine): boolean {
  return reason === "line-stopped";
}

const DAY: Millis = 86_400_000;
const asked: LinesAsked = { kind: "order", spans: [2 * DAY, 60 * DAY, Infinity], most: 10_000 };

/**
 * Finds the order that stopped the line of each call.
 *
 * @param calls those of other reasons are passed over
 * @returns resolves with the `order` lines by call; a call whose order is not recorded is missing
 */
export function findStoppingOrders(
  place: RecordPlace,
  calls: readonly ReadLine[],
): Promise<ReadonlyMap<ReadLine, ReadLine>> {
  return findBefore(place, calls.filter(isOfStoppedLine), asked, stoppingOrder);
}

/** @param orders the newest first */
function stoppingOrder({ time, trunk, lessee }: ReadLine, orders: readonly ReadLine[]): ReadLine | undefined {
  const at = Date.parse(time);
  let strictest: ReadLine | undefined;
  for (const line of [lineOfTrunk(textIn(trunk)), lineOfLessee(textIn(lessee))]) {
    // The order that was told last holds.
    const last = orders.find((order) => order["line"] === line && Date.parse(order.time) <= at);
    if (last === undefined || !isStopped(stateOf(last))) continue;
    if (strictest === undefined || isStricter(stateOf(last), stateOf(strictest))) strictest = last;
  }
  return strictest;
}

function stateOf({ state }: ReadLine): LineState {
  return lineStates.find((one) => one === state) ?? "active";
}

/** Says which order stopped a line: reference, reason, who. */
export function sayOrder(order: ReadLine, clock: Clock): string {
  const named = (["order", "authority", "reason", "until"] as const).flatMap((name) => {
    const text = name === "until" ? clock(textIn(order[name])) : show(order[name]);
    return text === "" ? [] : [`${name} ${text}`];
  });
  return [
    `${show(order["line"])} ${show(order["state"])} since ${clock(order.time)} by ${show(order["by"])}`,
    ...named,
  ].join(", ");
}
