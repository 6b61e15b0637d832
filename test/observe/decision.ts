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
