import type { Millis } from "../../domain/time.ts";
import type { Trunk } from "../../domain/trunk.ts";
import { countVerdict } from "../../observe/counters.ts";
import { isEmergencyCall } from "../../screening/emergency-call.ts";
import { readRequestCallee } from "../../sip/attempt/called.ts";
import type { SipMessage } from "../../sip/message.ts";
import type { Exchange } from "../../routing/request-in-hand.ts";
import type { Overload } from "../../judging/overload.ts";
import { refusalStatus, refuse, type Relay } from "../turn/proxy-state.ts";

/**
 * Answers a new call that there is no room for: 503 without a rule being asked. False: the call is to be judged. Emergency calls of
 * domestic trunks go last: neither a trunk's `attemptsPerSecond` nor stages 1 and 2 stop them.
 */
export function shedCall(relay: Relay, trunk: Trunk, exchange: Exchange): boolean {
  const { now } = relay;
  if (!isShed(relay.overload, now, trunk, exchange)) return false;
  countVerdict(relay.counters, trunk.id, "reject", "overload", "protocol");
  refuse(relay, exchange, refusalStatus(trunk, "overload"), "overload");
  return true;
}

/** True for a new call that there is no room for. */
export function isShed(
  overload: Overload,
  now: Millis,
  trunk: Trunk,
  { message, callId }: Exchange,
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
