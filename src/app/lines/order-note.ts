// A line order as the records and the log take it.
import type { LineId, LineOrder, LineState } from "../../domain/line-state.ts";
import type { Millis } from "../../domain/time.ts";
import type { OrderNote } from "./lines-document.ts";

/**
 * @param at Unix milliseconds
 * @param line the line, the state that holds, and that before
 * @param order the order that says so. Undefined: it was taken away
 * @param by `command`, `file` or `until`
 */
export function describeOrder(
  at: Millis,
  line: { readonly id: LineId; readonly state: LineState; readonly previous: LineState },
  order: LineOrder | undefined,
  by: string,
): OrderNote {
  const { order: reference = "", reason = "", authority, until } = order ?? {};
  return {
    record: "order",
    time: new Date(at).toISOString(),
    line: line.id,
    state: line.state,
    previous: line.previous,
    order: reference,
    reason,
    by,
    ...(authority === undefined ? {} : { authority }),
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
  };
}
