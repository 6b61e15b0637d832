// What rules remember of calls from their events: who nobody answered, and who called an emergency service.
import type { CallDecided, CallEvent } from "../../domain/call.ts";
import { isCounted } from "../identities.ts";
import { createUnansweredCalls } from "./unanswered-calls.ts";
import type { ScreeningState } from "../state.ts";

/**
 * Creates the listener. Every event of a call must reach it, in order.
 *
 * @param calls calls at one time
 */
export function createScreeningListener(state: ScreeningState, calls: number): (event: CallEvent) => void {
  const unanswered = createUnansweredCalls(state, calls);
  return (event) => {
    if (event.kind === "decided" && event.decision.rule === "emergency") noteEmergency(event, state);
    unanswered.happened(event);
  };
}

/** The service may call every number back that the call has asserted. */
function noteEmergency({ decision: { attempt, verdict }, at }: CallDecided, state: ScreeningState): void {
  if (verdict.kind !== "accept") return;
  for (const identity of attempt.calling)
    if (identity.number.kind !== "unusable" && isCounted(attempt, identity))
      state.emergencyParties.note(identity.number.key, at - state.wall.ahead);
}
