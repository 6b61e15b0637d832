// What holds for a line of a policy now, and how it is told.
import { isInForce, type LineId, linesOf, type LineState, sayState } from "../../domain/line-state.ts";
import type { Millis } from "../../domain/time.ts";
import type { Policy, PolicyLine } from "../../policy/policy.ts";
import { type Calendar, createCalendar } from "../../config/lists/calendar.ts";
import { type CommandedLines, findOrder, type HeldOrder } from "../../screening/line-orders.ts";
import type { LineAnswer, LineHeld, Released } from "./line-request.ts";

/** The order that holds for the line itself, of policy and command. Undefined: the line is active. */
export function ownOrder(
  { id, placed }: Pick<PolicyLine, "id" | "placed">,
  commanded: CommandedLines,
  at: Millis,
): HeldOrder | undefined {
  return findOrder(placed === undefined ? [] : [placed], [id], commanded, at);
}

/** The order that holds for the calls of the line: for a trunk, that of its lessee counts too. */
export function heldOrder(
  policy: Policy,
  line: PolicyLine,
  commanded: CommandedLines,
  at: Millis,
): HeldOrder | undefined {
  const trunk = line.id.startsWith("trunk:") ? policy.trunkById(line.id.slice("trunk:".length)) : undefined;
  if (trunk === undefined) return ownOrder(line, commanded, at);
  const { tables } = trunk.screen;
  return findOrder(tables.lineOrders, linesOf(tables.trunk), commanded, at);
}

export function stateOf(held: HeldOrder | undefined): LineState {
  return held?.order.state ?? "active";
}

/** Describes an order for people and scripts. */
export function describeHeld({ line, order, place }: HeldOrder, calendar: Calendar): LineHeld {
  const { state, order: reference, authority, reason, since, until, calls } = order;
  return {
    line,
    state,
    order: reference,
    authority,
    reason,
    since: since === undefined ? undefined : calendar.formatTime(since),
    until: until === undefined ? undefined : calendar.formatTime(until),
    calls,
    from: place ?? "command",
  };
}

/** The answer to an order that was taken. @param held what holds now */
export function describeTaken(
  policy: Policy,
  line: PolicyLine,
  previous: LineState,
  held: HeldOrder | undefined,
  counts: Released,
): LineAnswer {
  const taken = {
    line: line.id,
    state: stateOf(held),
    previous,
    held: held === undefined ? undefined : describeHeld(held, createCalendar(policy.timeZone)),
    trunks: line.trunks,
    warnings: held === undefined ? [] : findWeakness(policy, line),
    ...counts,
  };
  return { result: "taken", taken };
}

/** The state of every screened trunk, for metrics. */
export function* trunkStates(
  policy: Policy,
  commanded: CommandedLines,
  at: Millis,
): Generator<readonly [trunk: string, state: LineState]> {
  for (const { trunk, screen } of policy.trunks) {
    if (trunk.side === "core") continue;
    yield [trunk.id, stateOf(findOrder(screen.tables.lineOrders, linesOf(trunk), commanded, at))];
  }
}

/** Says in words what keeps an order from stopping calls. */
export function findWeakness(policy: Policy, { trunks }: PolicyLine): readonly string[] {
  const warnings: string[] = [];
  if (trunks.length === 0) warnings.push("no trunk of the policy belongs to the line");
  for (const id of trunks) {
    const step = policy.trunkById(id)?.screen.steps.find((candidate) => candidate.id === "line-state");
    if (step !== undefined && step.mode !== "enforce")
      warnings.push(`rule line-state is ${step.mode} on trunk "${id}": its calls pass`);
  }
  return warnings;
}

/** Orders for lines that the policy does not have. */
export function orphansOf({ lines }: Policy, { orders }: CommandedLines, at: Millis): readonly LineId[] {
  const known = new Set(lines.map(({ id }) => id));
  return [...orders].filter(([id, order]) => !known.has(id) && isInForce(order, at)).map(([id]) => id);
}

/** One line that is not active, for people: `[line, state, from, order, until]`. */
export function describeOrders(
  policy: Policy,
  commanded: CommandedLines,
  at: Millis,
  calendar: Calendar,
): readonly (readonly string[])[] {
  return policy.lines.flatMap((line) => {
    const held = ownOrder(line, commanded, at);
    if (held === undefined) return [];
    const { state, order, until } = held.order;
    const from = held.place ?? "command";
    const end = until === undefined ? [] : [`until ${calendar.formatTime(until)}`];
    return [[line.id, sayState(state), `by ${from}`, order === undefined ? "" : `order ${order}`, ...end]];
  });
}
