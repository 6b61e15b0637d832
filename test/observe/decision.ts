import type { Action, CallDecided } from "../../src/domain/call.ts";
import type { Decision } from "../../src/domain/decision.ts";
import { makeAttempt, makeTrunk } from "../support/attempt.ts";

/** A refused call on trunk `lease`, but for what is given. */
export function decisionOf(
  given: Partial<Omit<Decision, "attempt">> & {
    readonly calling?: readonly string[];
    readonly called?: string;
  },
): Decision {
  const { calling = ["from 01087654400"], called = "02787654321", ...rest } = given;
  return {
    attempt: makeAttempt(makeTrunk({ id: "lease" }), { calling, called }),
    verdict: { kind: "reject", reason: "cli-not-listed" },
    rule: "caller-authentication",
    marks: [],
    shadow: [],
    revision: "9f2c",
    ...rest,
  };
}

/** The same, told: it was answered 403 unless something else is given. */
export function decidedOf(
  given: Parameters<typeof decisionOf>[0],
  action: Action = { kind: "answered", status: 403 },
): CallDecided {
  const decision = decisionOf(given);
  return { kind: "decided", call: { id: "gw-a-t3k9x1-1", trunk: "lease" }, at: 0, decision, action };
}
