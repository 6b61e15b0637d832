import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import { isEmergencyCall } from "../screening/emergency-call.ts";
import { readRequestCallee } from "../sip/attempt/called.ts";
import type { SipMessage } from "../sip/message.ts";
import type { RequestInHand } from "../routing/request-in-hand.ts";
import type { Overload } from "./overload.ts";

/** True for a new call that there is no room for. */
export function isShed(
  overload: Overload,
  now: Millis,
  trunk: Trunk,
  { message, callId }: RequestInHand,
): boolean {
  const { attemptsPerSecond } = trunk.limits;
  const isAdmitted =
    (!overload.isShedding || overload.admits(trunk, callId)) &&
    (attemptsPerSecond === undefined || overload.takeAttempt(trunk, attemptsPerSecond, now));
  return !isAdmitted && !(isEmergency(message, trunk) && overload.admitsEmergency(callId));
}

function isEmergency(message: SipMessage, trunk: Trunk): boolean {
  return (
    trunk.side !== "international" &&
    message.fault === undefined &&
    isEmergencyCall(readRequestCallee(message, trunk.dialPlan))
  );
}
