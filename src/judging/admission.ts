// Finds new calls that there is no room for: above a trunk's own rate, or shed by an overloaded filter.
import type { CallReader, CallToJudge } from "./call-reader.ts";
import type { Recording } from "../screening/state.ts";
import type { Overload } from "./overload.ts";

/**
 * @returns true for a new call that there is no room for. Emergency calls of domestic trunks go last: neither a trunk's
 * `attemptsPerSecond` nor the stages 1 and 2 of the overload stop them.
 */
export function isShed<Call extends CallToJudge>(
  overload: Overload,
  reader: CallReader<Call>,
  call: Call,
): boolean {
  const { trunk } = call.source;
  const { attemptsPerSecond } = trunk.limits;
  if (!overload.isShedding && attemptsPerSecond === undefined) return false;
  const isAdmitted =
    (!overload.isShedding || overload.admits(trunk, reader.nameOf(call))) &&
    (attemptsPerSecond === undefined || overload.takeAttempt(trunk, attemptsPerSecond, call.now));
  if (isAdmitted) return false;
  const isEmergency = trunk.side !== "international" && reader.isEmergency(call);
  return !(isEmergency && overload.admitsEmergency(reader.nameOf(call)));
}

/**
 * @returns true for a new call that could not be recorded and must not pass without. Trusted trunks and emergency calls
 * of domestic trunks pass all the same.
 */
export function isUnrecordable<Call extends CallToJudge>(
  recording: Recording,
  reader: Pick<CallReader<Call>, "isEmergency">,
  call: Call,
): boolean {
  const { id, side } = call.source.trunk;
  if (side === "core" || !recording.isFull(id)) return false;
  return side === "international" || !reader.isEmergency(call);
}
