// Which order holds for a trunk: the strictest one of policy and command, of the trunk and of its lessee.
import {
  isInForce,
  isStopped,
  isStricter,
  type LineId,
  type LineOrder,
  type PlacedOrder,
} from "../domain/line-state.ts";
import type { Millis } from "../domain/time.ts";

/** The orders that were given by command, by line. The running filter replaces the map; calls only read it. */
export interface CommandedLines {
  orders: ReadonlyMap<LineId, LineOrder>;
}

/** An order that holds. */
export interface HeldOrder {
  readonly line: LineId;
  readonly order: LineOrder;
  /** Where it stands in the policy. Undefined: it was given by command. */
  readonly place: string | undefined;
}

/**
 * Finds the order that holds at `at` (Unix milliseconds): the strictest one that is in force. Of two orders of one state
 * that of the policy is told, because a command can't take it away.
 *
 * @param placed the orders of the policy for these lines
 * @param lines the lines whose commanded orders count
 * @returns undefined where every line is active
 */
export function findOrder(
  placed: readonly PlacedOrder[],
  lines: readonly LineId[],
  { orders }: CommandedLines,
  at: Millis,
): HeldOrder | undefined {
  let found: HeldOrder | undefined;
  for (const entry of placed)
    if (isInForce(entry.order, at) && isStricter(entry.order.state, found?.order.state ?? "active"))
      found = entry;
  if (orders.size === 0) return found;
  for (const line of lines) {
    const order = orders.get(line);
    if (order === undefined || !isInForce(order, at)) continue;
    if (isStricter(order.state, found?.order.state ?? "active")) found = { line, order, place: undefined };
  }
  return found;
}

/**
 * Tells whether an order in force stops one of these lines and releases its calls: nothing may keep such a call alive.
 * Takes what {@link findOrder} takes.
 */
export function areCallsReleased(
  placed: readonly PlacedOrder[],
  lines: readonly LineId[],
  { orders }: CommandedLines,
  at: Millis,
): boolean {
  for (const { order } of placed) if (isReleasing(order, at)) return true;
  if (orders.size === 0) return false;
  for (const line of lines) {
    const order = orders.get(line);
    if (order !== undefined && isReleasing(order, at)) return true;
  }
  return false;
}

function isReleasing(order: LineOrder, at: Millis): boolean {
  return order.calls === "release" && isStopped(order.state) && isInForce(order, at);
}
