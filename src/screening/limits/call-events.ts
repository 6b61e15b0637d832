// What rules remember of calls from their events: who nobody answered, and who called an emergency service.
import type { CallDecided, CallEvent } from "../../domain/call.ts";
import { makesEmergencyParty, noteEmergencyCall } from "../emergency-parties.ts";
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
    if (event.kind === "decided" && passes(event) && makesEmergencyParty(event.decision.attempt))
      noteEmergencyCall(event.decision.attempt, state);
    unanswered.happened(event);
  };
}

function passes({ decision: { verdict } }: CallDecided): boolean {
  return verdict.kind !== "reject" && verdict.kind !== "drop";
}
