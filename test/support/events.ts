import type { CallEvent } from "../../src/domain/call.ts";
import type { Decision } from "../../src/domain/decision.ts";

/** How calls are named in tests. */
export const naming = { node: "test", epoch: 1_700_000_000 };

/** The decision that an event tells of a call attempt or another request that was judged; undefined for every other event. */
export function decisionIn(event: CallEvent): Decision | undefined {
  if (event.kind === "request" && event.refusedAs !== undefined) return undefined;
  return event.kind === "decided" || event.kind === "request" ? event.decision : undefined;
}

/** Keeps the decisions among what is told. */
export function keepDecisions(decisions: Decision[]): (event: CallEvent) => void {
  return (event) => {
    const decision = decisionIn(event);
    if (decision !== undefined) decisions.push(decision);
  };
}
