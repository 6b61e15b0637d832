// Finds the order that stopped the line of a call, among the `order` lines of its node before the call.
import {
  isStopped,
  isStricter,
  lineOfLessee,
  lineOfTrunk,
  type LineState,
  lineStates,
} from "../../domain/line-state.ts";
import type { Millis } from "../../domain/time.ts";
import { askRecords, type RecordPlace } from "../../records/asking/ask-records.ts";
import type { ReadLine } from "../../records/asking/record-filter.ts";
import { textIn } from "../../records/lines/line-fields.ts";
import { type Clock, show } from "./record-table.ts";

/** True for a call that was refused because its line was stopped. */
export function isOfStoppedLine({ reason }: ReadLine): boolean {
  return reason === "line-stopped";
}

const DAY: Millis = 86_400_000;
/** How far back the records are asked, one after the other: most orders are young. */
const spans: readonly Millis[] = [2 * DAY, 60 * DAY, Infinity];
/** At most so many order lines are read at a time. */
const MOST_ORDERS = 10_000;

/**
 * Finds the order that stopped the line of each call.
 *
 * @param calls those of other reasons are passed over
 * @returns resolves with the `order` lines by call; a call whose order is not recorded is missing
 */
export async function findStoppingOrders(
  place: RecordPlace,
  calls: readonly ReadLine[],
): Promise<ReadonlyMap<ReadLine, ReadLine>> {
  const found = new Map<ReadLine, ReadLine>();
  let left = calls.filter(isOfStoppedLine);
  for (const span of spans) {
    if (left.length === 0) break;
    const times = left.map(({ time }) => Date.parse(time));
    const from = Math.max(Math.min(...times) - span, 0);
    const asked = { kinds: ["order"], from, to: Math.max(...times) + 1 };
    const { items } = await askRecords(place, asked, MOST_ORDERS);
    for (const call of left) {
      // An order to another node holds here too, and stands in the records of that node.
      const own = items.filter((item) => item["node"] === call["node"]);
      const order = stoppingOrder(call, own) ?? stoppingOrder(call, items);
      if (order !== undefined) found.set(call, order);
    }
    left = left.filter((call) => !found.has(call));
  }
  return found;
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
