import type { CallAttempt, SignallingSource } from "../domain/attempt.ts";
import type { PartyNumber } from "../domain/number.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import type { Decision, Deny, PolicyRevision } from "../domain/decision.ts";
import type { TrunkPolicy } from "../policy/policy.ts";
import type { ScreeningState } from "../screening/state.ts";
import type { Msu } from "../ss7/mtp3.ts";

/**
 * The one way from the attempt that an IAM makes to a decision: live calls and captures take it alike. Messages of ISUP go as they came
 * or not at all, so a number that is to be withheld can't be, and such a call is refused.
 */
export function judgeIam(source: TrunkPolicy, attempt: CallAttempt, state: ScreeningState): Decision {
  return withheldOrRefused(source.screen.judge(attempt, state));
}

/** The same for callers that are named later in a call that has paid its limits: INF, SGM, IRS, or more digits of the called number. */
export function judgeLater(source: TrunkPolicy, attempt: CallAttempt, state: ScreeningState): Decision {
  return withheldOrRefused(source.screen.judgeChange(attempt, state));
}

function withheldOrRefused(decision: Decision): Decision {
  const { verdict } = decision;
  return verdict.kind === "withhold"
    ? { ...decision, verdict: { kind: "reject", reason: verdict.reason } }
    : decision;
}

/** A call that no rule was asked about. */
export function refuseUnasked(
  attempt: CallAttempt,
  verdict: Deny,
  rule: "protocol" | "exception",
  revision: PolicyRevision,
): Decision {
  return { attempt, verdict, rule, marks: [], shadow: [], revision };
}

const nobody: PartyNumber = { kind: "unusable", why: "empty", detail: "not told", raw: "" };

/** An attempt of which nothing but the circuit is known; `undecodable` says in words why. */
export function bareAttempt(
  msu: Msu,
  trunk: Trunk,
  at: Millis,
  origin: SignallingSource,
  undecodable: string | undefined,
): CallAttempt {
  const attempt: CallAttempt = {
    at,
    trunk,
    origin,
    calling: [],
    called: nobody,
    emergencyUrn: false,
    diversion: [],
    privacy: 0,
    callId: "",
    requestUri: "",
    circuit: { opc: msu.opc, dpc: msu.dpc, cic: msu.cic, natureOfAddress: undefined, screening: undefined },
  };
  return undecodable === undefined ? attempt : { ...attempt, undecodable };
}
