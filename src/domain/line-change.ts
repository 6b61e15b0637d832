// Which of two changes of a line is the later one: nodes that hear both agree, whatever their clocks say.
import { isStricter, type LineId, type LineOrder, type LineState } from "./line-state.ts";
import type { Millis } from "./time.ts";

/** When a line was changed last by command, and on which node. */
export interface ChangeStamp {
  /**
   * The wall clock of that node, at least a millisecond above the change before: no clock that is wrong takes a change
   * back that the node knew. 0: it was given before times were kept. Unix milliseconds.
   */
  readonly at: Millis;
  /** Empty, where it is kept: this node. */
  readonly node: string;
}

/** What a command has made of a line. */
export interface LineChange {
  readonly line: LineId;
  readonly stamp: ChangeStamp;
  /** Undefined: the order by command was taken away, or has ended. */
  readonly order: LineOrder | undefined;
}

/** The stamps of what was kept: of every order, and of lines that were opened. @param node the name of this node */
export function readChanges(
  orders: ReadonlyMap<LineId, LineOrder>,
  changes: ReadonlyMap<LineId, ChangeStamp>,
  node: string,
): Map<LineId, ChangeStamp> {
  const unstamped = [...orders.keys()].map((line) => [line, { at: 0, node }] as const);
  const stamped = [...changes].map(([line, { at, node: by }]) => [line, { at, node: by || node }] as const);
  return new Map([...unstamped, ...stamped]);
}

/** The stamp of a change that replaces `former`. */
export function stampAfter(former: ChangeStamp | undefined, now: Millis, node: string): ChangeStamp {
  return { at: Math.max(now, (former?.at ?? 0) + 1), node };
}

/**
 * Tells whether `change` comes after `known`. Of two changes of one moment the stricter one does; of two orders of one
 * state, any one that every node finds.
 */
export function isLater(change: LineChange, known: LineChange | undefined): boolean {
  if (known === undefined) return true;
  if (change.stamp.at !== known.stamp.at) return change.stamp.at > known.stamp.at;
  const [state, other] = [stateOf(change), stateOf(known)];
  return state === other ? termsOf(change) > termsOf(known) : isStricter(state, other);
}

function stateOf({ order }: LineChange): LineState {
  return order?.state ?? "active";
}

function termsOf({ order }: LineChange): string {
  return JSON.stringify([order?.calls, order?.until, order?.order, order?.authority, order?.reason]);
}
