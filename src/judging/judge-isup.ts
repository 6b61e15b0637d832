import type { CallAttempt, SignallingSource } from "../domain/attempt.ts";
import type { AssertedIdentity } from "../domain/identity.ts";
import type { Millis } from "../domain/time.ts";
import type { Decision, PolicyRevision } from "../domain/decision.ts";
import type { TrunkPolicy } from "../policy/policy.ts";
import { isEmergencyCalled, readIsupCalledNumber, type IsupCalledNumber } from "../numbering/e164.ts";
import { isEmergencyCall } from "../screening/emergency-call.ts";
import type { ScreeningState } from "../screening/state.ts";
import { readIsupAttempt } from "../ss7/isup-attempt.ts";
import type { IsupMessage } from "../ss7/isup.ts";
import { readParties, type IsupParties } from "../ss7/isup-identity.ts";
import { readCalled, readSubsequent } from "../ss7/isup-number.ts";
import type { Msu } from "../ss7/mtp3.ts";
import { bareAttempt, judgeIam, judgeLater, refuseUnasked } from "./judge-iam.ts";
import type { Overload } from "./overload.ts";

/** Where the message in hand came from, and who judges it. */
export interface JudgedBy {
  readonly source: TrunkPolicy;
  readonly origin: SignallingSource;
  readonly now: Millis;
  readonly revision: PolicyRevision;
}

/** What is known of a call that an IAM began. */
export interface BegunCall {
  /** What was judged; undefined: a call of the core, which nobody judges. */
  readonly attempt: CallAttempt | undefined;
  /** The called number of a call that passed unjudged because it is an emergency call; more digits may make it another. */
  emergency: IsupCalledNumber | undefined;
}

/** From messages of ISUP to decisions. Total. */
export interface IsupJudge {
  /** An IAM, with the segmentation message that follows it, if one does; in words, why that is not there. Both may be unreadable. */
  iam(by: JudgedBy, msu: Msu, iam: IsupMessage, segment: IsupMessage | string | undefined): Decision;
  /** A message of a call that stands; undefined: it names no caller. */
  later(by: JudgedBy, msu: Msu, message: IsupMessage, call: BegunCall | undefined): Decision | undefined;
  /** More digits of the called number; undefined: nothing depends on them. */
  digits(by: JudgedBy, msu: Msu, message: IsupMessage, call: BegunCall): Decision | undefined;
}

const contradicted: AssertedIdentity = {
  source: "isup-redirecting-number",
  number: {
    kind: "unusable",
    why: "invalid",
    detail: "two messages name different diverting parties",
    raw: "",
  },
  presentation: "allowed",
};

export function createIsupJudge(state: ScreeningState, overload: Overload): IsupJudge {
  /** True for a call that there is no room for; the same call meets the same answer again. */
  function isShed(attempt: CallAttempt): boolean {
    const { trunk, called, circuit, at } = attempt;
    const { attemptsPerSecond } = trunk.limits;
    if (!overload.isShedding && attemptsPerSecond === undefined) return false;
    const name = `${circuit?.cic} ${called.raw}`;
    const isAdmitted =
      (!overload.isShedding || overload.admits(trunk, name)) &&
      (attemptsPerSecond === undefined || overload.takeAttempt(trunk, attemptsPerSecond, at));
    if (isAdmitted) return false;
    const isEmergency = trunk.side !== "international" && isEmergencyCall(attempt);
    return !(isEmergency && overload.admitsEmergency(name));
  }

  return {
    iam(by, msu, iam, segment) {
      const { source, origin, now, revision } = by;
      if (iam.fault !== undefined) return undecodable(by, msu, iam.fault);
      const read = readIsupAttempt(iam, msu, source.trunk, now, origin);
      if (typeof read === "string") return undecodable(by, msu, read);
      let attempt = read;
      if (segment !== undefined) {
        const parties =
          typeof segment === "string"
            ? segment
            : (segment.fault ?? readParties(segment, source.trunk.dialPlan));
        if (typeof parties === "string") return undecodable(by, msu, `segment: ${parties}`);
        attempt = join(attempt, parties, now);
      }
      if (isShed(attempt))
        return refuseUnasked(attempt, { kind: "reject", reason: "overload" }, "protocol", revision);
      return judgeIam(source, attempt, state);
    },
    later(by, msu, message, call) {
      const { source, origin, now } = by;
      const parties = message.fault ?? readParties(message, source.trunk.dialPlan);
      if (typeof parties === "string") return undecodable(by, msu, parties);
      if (parties.calling.length === 0 && parties.diversion.length === 0) return undefined;
      const attempt = call?.attempt ?? bareAttempt(msu, source.trunk, now, origin, undefined);
      return judgeLater(source, join(attempt, parties, now), state);
    },
    digits(by, msu, message, call) {
      const { emergency, attempt } = call;
      if (emergency === undefined || attempt === undefined) return undefined;
      const more = message.fault ?? readSubsequent(message.bytes, message.variableStart, message.variableEnd);
      if (typeof more === "string") return undecodable(by, msu, more);
      const number: IsupCalledNumber = { ...emergency, digits: emergency.digits + more.digits };
      const called = readIsupCalledNumber(number, by.source.trunk.dialPlan);
      call.emergency = number;
      if (isEmergencyCalled(called)) return undefined;
      call.emergency = undefined;
      return judgeLater(by.source, { ...attempt, at: by.now, called }, state);
    },
  };
}

/** The called number of an IAM that passed for nothing but it; undefined for all others. */
export function emergencyNumber({ rule }: Decision, iam: IsupMessage): IsupCalledNumber | undefined {
  return rule === "emergency" ? readCalled(iam.bytes, iam.variableStart, iam.variableEnd) : undefined;
}

/** What a later message says joins what the IAM said: whoever is named anywhere is asserted. */
function join(attempt: CallAttempt, { calling, diversion }: IsupParties, at: Millis): CallAttempt {
  const isTwice = diversion.length > 0 && attempt.diversion.length > 0;
  return {
    ...attempt,
    at,
    calling: [...attempt.calling, ...calling],
    diversion: [...(isTwice ? [contradicted] : []), ...diversion, ...attempt.diversion],
  };
}

function undecodable({ source, origin, now, revision }: JudgedBy, msu: Msu, fault: string): Decision {
  const attempt = bareAttempt(msu, source.trunk, now, origin, fault);
  return refuseUnasked(
    attempt,
    { kind: "reject", reason: "isup-undecodable", facts: { fault } },
    "protocol",
    revision,
  );
}
