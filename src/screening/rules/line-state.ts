// The rule line-state: an order may stop or observe a trunk or all trunks of a lessee.
import { z } from "zod";
import { isStopped, linesOf, sayState } from "../../domain/line-state.ts";
import { isEmergencyCall } from "../emergency-call.ts";
import { findOrder, type HeldOrder } from "../line-orders.ts";
import type { ScreenRule } from "../rule.ts";

const optionsSchema = z.strictObject({});

export const lineState: ScreenRule<z.infer<typeof optionsSchema>> = {
  id: "line-state",
  stage: "screen",
  summary:
    "A line that is suspended or closed by order carries no call; one that is observed has its calls marked.",
  reasons: ["line-stopped", "line-observed"],
  markReasons: ["line-observed"],
  options: optionsSchema,
  compile(_options, { trunk, lineOrders }) {
    const lines = linesOf(trunk);
    const isDomestic = trunk.side !== "international";
    return (attempt, { lineOrders: commanded }) => {
      if (lineOrders.length === 0 && commanded.orders.size === 0) return undefined;
      const held = findOrder(lineOrders, lines, commanded, attempt.at);
      if (held === undefined) return undefined;
      const { line, order } = held;
      const facts = { line, state: order.state, order: order.order ?? "" };
      // An observed call is judged by every other rule: what they refuse stays refused.
      if (!isStopped(order.state)) return { kind: "observe", reason: "line-observed", facts };
      // Also where the rule emergency is off: no order stops an emergency call.
      if (isDomestic && isEmergencyCall(attempt)) return undefined;
      return { kind: "reject", reason: "line-stopped", facts };
    };
  },
  explain({ attempt, state, tables: { trunk, lineOrders } }, finding) {
    const held = findOrder(lineOrders, linesOf(trunk), state.lineOrders, attempt.at);
    if (held === undefined) return { saw: `${linesOf(trunk).join(" and ")}: no order in force` };
    const saw = describeOrder(held);
    if (finding === undefined) return { saw: `${saw}; an emergency call passes` };
    return {
      saw,
      change:
        held.place === undefined
          ? `take the order away: sigwall line open ${held.line}`
          : `set the state of ${held.line} at ${held.place} to active`,
    };
  },
};

/** `trunk:bj-lease-01 is suspended by policy.yaml:12:5, order JG-2026-118`. */
function describeOrder({ line, order, place }: HeldOrder): string {
  const reference = order.order === undefined ? "" : `, order ${order.order}`;
  return `${line} is ${sayState(order.state)} by ${place ?? "command"}${reference}`;
}
