// The rule emergency: a call to an emergency service passes, whatever its calling party.
import { z } from "zod";
import { formatNumber } from "../../domain/number.ts";
import type { Accept } from "../../domain/decision.ts";
import type { EmergencyLimits, Trunk } from "../../domain/trunk.ts";
import { isEmergencyCall } from "../emergency-call.ts";
import { defaultEmergencyLimits, emergencyRate } from "../emergency-rate.ts";
import type { Check, ExemptRule } from "../rule.ts";

const optionsSchema = z.strictObject({});

const emergencyCall: Accept = { kind: "accept", reason: "emergency" };

/** One check for all trunks. */
const exemptEmergency: Check<Accept> = (attempt) => (isEmergencyCall(attempt) ? emergencyCall : undefined);

export const emergency: ExemptRule<z.infer<typeof optionsSchema>> = {
  id: "emergency",
  stage: "exempt",
  summary: "A call to an emergency service from a domestic trunk passes, whoever calls.",
  reasons: ["emergency", "call-rate-exceeded"],
  options: optionsSchema,
  compile(_options, { trunk }) {
    // From abroad an emergency number does not justify a forged calling number.
    if (trunk.side === "international") return undefined;
    return exemptEmergency;
  },
  limitOf({ trunk }) {
    const limits = limitsOf(trunk);
    return {
      reason: "call-rate-exceeded",
      limit: emergencyRate(trunk.id, limits),
      enforced: limits.above === "reject",
    };
  },
  explain({ attempt, tables: { trunk } }, finding) {
    const called = formatNumber(attempt.called) ?? JSON.stringify(attempt.requestUri);
    if (finding === undefined) return { saw: `called ${called}: no emergency service` };
    return {
      saw: `called ${called}: an emergency service; ${sayLimits(limitsOf(trunk))}`,
      change: "the other rules apply only to another called number",
    };
  },
};

function limitsOf({ limits }: Trunk): EmergencyLimits {
  return limits.emergency ?? defaultEmergencyLimits;
}

function sayLimits({ perSecond, perCallerPerSecond, above }: EmergencyLimits): string {
  const follows = above === "reject" ? "are refused" : "pass and raise the alarm";
  return `calls above ${perSecond} a second on the trunk or ${perCallerPerSecond} of one caller ${follows}`;
}
