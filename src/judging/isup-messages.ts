// Decisions about messages of ISUP that follow an IAM: they may name another caller, or bring more digits.
import type { CallAttempt } from "../domain/attempt.ts";
import type { Decision } from "../domain/decision.ts";
import { isEmergencyCalled, readIsupCalledNumber, type IsupCalledNumber } from "../numbering/e164.ts";
import type { ScreeningState } from "../screening/state.ts";
import { countsDoubtful, readParties } from "../ss7/isup-identity.ts";
import { readCalled, readSubsequent } from "../ss7/isup-number.ts";
import { findParameter, IsupParameter, IsupType, type IsupMessage } from "../ss7/isup.ts";
import { refuseUnasked, withheldOrRefused } from "./decide.ts";
import { bareIsupAttempt, isupCalls, join, type IsupCall } from "./isup-calls.ts";

/** What is known of a call that an IAM began. */
export interface BegunCall {
  /** The attempt that was judged. */
  readonly attempt: CallAttempt;
  /** The called number of a call that passed only because it is an emergency call. More digits may change it. */
  emergency: IsupCalledNumber | undefined;
}

/**
 * Judges an INF, IRS or SGM.
 *
 * @returns undefined when it names no caller
 */
export function judgeLater(
  call: IsupCall,
  begun: BegunCall | undefined,
  state: ScreeningState,
): Decision | undefined {
  const { isup, source, at } = call;
  const parties = isup.fault ?? readParties(isup, source.trunk.dialPlan, countsDoubtful(source.trunk));
  if (typeof parties === "string") return undecodable(call, parties);
  const { calling, diversion, names } = parties;
  if (calling.length === 0 && diversion.length === 0 && names.length === 0) return undefined;
  return judge(call, join(begun?.attempt ?? bareIsupAttempt(call), parties, at), state);
}

/**
 * Judges a SAM or an SDM: more digits of the called number.
 *
 * @returns undefined when no decision depends on its digits
 */
export function judgeDigits(call: IsupCall, begun: BegunCall, state: ScreeningState): Decision | undefined {
  const { isup, source, at } = call;
  const { emergency, attempt } = begun;
  if (emergency === undefined) return undefined;
  const more = isup.fault ?? readMore(isup);
  if (more === undefined) return undefined;
  if (typeof more === "string") return undecodable(call, more);
  const number: IsupCalledNumber = { ...emergency, digits: emergency.digits + more.digits };
  const called = readIsupCalledNumber(number, source.trunk.dialPlan);
  begun.emergency = number;
  if (isEmergencyCalled(called)) return undefined;
  begun.emergency = undefined;
  // The call passed as an emergency call only: an order that stops its line holds for it as for a new call.
  return withheldOrRefused(source.screen.judgeUnlimited({ ...attempt, at, called }, state));
}

/** The digits of a SAM, or of an SDM, where they are an optional parameter (Q.763 tables 36 and 52). */
function readMore(isup: IsupMessage): ReturnType<typeof readSubsequent> | undefined {
  if (isup.type !== IsupType.sdm) return readSubsequent(isup.bytes, isup.variableStart, isup.variableEnd);
  const i = findParameter(isup, IsupParameter.subsequentNumber);
  return i < 0 ? undefined : readSubsequent(isup.bytes, isup.optionalStart[i]!, isup.optionalEnd[i]!);
}

/** Judges a call that was counted against its limits before. */
function judge({ source }: IsupCall, attempt: CallAttempt, state: ScreeningState): Decision {
  return withheldOrRefused(source.screen.judgeChange(attempt, state));
}

function undecodable(call: IsupCall, fault: string): Decision {
  const attempt = bareIsupAttempt(call, fault);
  const verdict = isupCalls.unjudgeable(call, attempt) ?? { kind: "reject", reason: "isup-undecodable" };
  return refuseUnasked(attempt, verdict, call.policy.revision);
}

/** The called number of an IAM that passed only because of this number; undefined for other IAMs. */
export function emergencyNumber({ rule }: Decision, iam: IsupMessage): IsupCalledNumber | undefined {
  if (rule !== "emergency") return undefined;
  const called = readCalled(iam.bytes, iam.variableStart, iam.variableEnd);
  return typeof called === "string" ? undefined : called;
}
