// Finds new calls that there is no room for: above a trunk's own rate, or shed by an overloaded filter.
import type { CallReader, CallToJudge } from "./call-reader.ts";
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
