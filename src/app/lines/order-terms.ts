// The terms of an order by command: when it ends, and what keeps a line from being opened.
import { isStopped, lineOfLessee, sayState } from "../../domain/line-state.ts";
import type { Millis } from "../../domain/time.ts";
import type { Calendar } from "../../config/lists/calendar.ts";
import { readMoment } from "../../config/policy/line-orders.ts";
import type { Policy, PolicyLine } from "../../policy/policy.ts";
import type { CommandedLines } from "../../screening/line-orders.ts";
import { heldOrder } from "./lines-held.ts";

/**
 * Reads `until` of an order by command.
 *
 * @returns the moment at which the order ends, undefined for an order without an end, or what is wrong
 */
export function readEnd(
  text: string | undefined,
  calendar: Calendar,
  now: Millis,
): Millis | undefined | string {
  if (text === undefined) return undefined;
  const end = readMoment(calendar, text, "end");
  if (end === undefined)
    return `until: ${text} is no date or time; expected 2026-12-31, or 2026-12-31T18:00 (${calendar.timeZone})`;
  return end > now ? end : `until: ${text} has passed (it is ${calendar.formatTime(now)})`;
}

/**
 * Says why a line would not be open without the order that was given for it by command: the policy file stops it, or an
 * order for its lessee does while the line has none of its own.
 *
 * @returns undefined when the line can be opened
 */
export function whyStillStopped(
  policy: Policy,
  line: PolicyLine,
  commanded: CommandedLines,
  at: Millis,
): string | undefined {
  const byFile = heldOrder(policy, line, { orders: new Map() }, at);
  if (byFile !== undefined && isStopped(byFile.order.state))
    return `${byFile.line} is ${sayState(byFile.order.state)} by the policy file: ${byFile.place}; set its state there to active, then open it; nothing was changed`;
  if (commanded.orders.has(line.id)) return undefined;
  const held = heldOrder(policy, line, commanded, at);
  if (held === undefined || !isStopped(held.order.state) || held.line === line.id) return undefined;
  const lessee = held.line.slice(lineOfLessee("").length);
  const reference = held.order.order === undefined ? "" : ` (order ${held.order.order})`;
  return `the order for the lessee stops it: ${held.line} is ${sayState(held.order.state)}${reference}; open lessee:${lessee}; nothing was changed`;
}
