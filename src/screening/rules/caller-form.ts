// The rule caller-form: a calling number must be present and valid.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { Deny } from "../../domain/decision.ts";
import type { DialPlan } from "../../domain/number.ts";
import { readSipNumber } from "../../numbering/e164.ts";
import { describeIdentity, hasCountedNumber, isCounted } from "../identities.ts";
import type { ScreenRule } from "../rule.ts";

const optionsSchema = z.strictObject({});

const absent: Deny = { kind: "reject", reason: "cli-absent" };

function isMalformed({ number }: AssertedIdentity): boolean {
  return number.kind === "unusable" && number.why === "invalid";
}

/**
 * Tells whether the call has an IAM without calling number. A network that obeys the IAM shows no caller then, whatever
 * the SIP fields say (ITU-T Q.1912.5).
 */
function showsNobody({ isIam, calling }: CallAttempt): boolean {
  if (isIam !== true) return false;
  for (const { source, number } of calling)
    if (source === "isup-calling-party" && number.kind !== "unusable") return false;
  return true;
}

/** Returns the `bareForm` by which a number of SIP would be read, or undefined when none of them helps. */
function readableBy({ source, number }: AssertedIdentity, plan: DialPlan): DialPlan["bareForm"] | undefined {
  if (source.startsWith("isup")) return undefined;
  return bareForms.find((bareForm) => readSipNumber(number.raw, { ...plan, bareForm }).kind !== "unusable");
}

const bareForms = ["auto", "national", "local", "e164"] as const;

export const callerForm: ScreenRule<z.infer<typeof optionsSchema>> = {
  id: "caller-form",
  stage: "screen",
  summary: "A calling number must be there, and no number that counts may be one that no plan allows.",
  reasons: ["cli-absent", "cli-malformed"],
  options: optionsSchema,
  compile() {
    return (attempt) => {
      for (const identity of attempt.calling) {
        if (isMalformed(identity) && isCounted(attempt, identity)) {
          return { kind: "reject", reason: "cli-malformed", facts: { field: identity.source } };
        }
      }
      return hasCountedNumber(attempt) && !showsNobody(attempt) ? undefined : absent;
    };
  },
  explain({ attempt, tables }, finding) {
    const saw = attempt.calling.map(describeIdentity).join(", ") || "no calling field";
    if (finding === undefined) return { saw };
    if (finding.reason === "cli-absent")
      return {
        saw: showsNobody(attempt) ? `an IAM without calling party number; ${saw}` : saw,
        change: showsNobody(attempt)
          ? "send the calling party number in the IAM"
          : "send the calling number in From or P-Asserted-Identity",
      };
    const wrong = attempt.calling.find((identity) => isMalformed(identity) && isCounted(attempt, identity));
    const field = wrong === undefined ? "it" : `${JSON.stringify(wrong.number.raw)} in ${wrong.source}`;
    const area = tables.trunk.dialPlan.homeArea;
    const plan =
      tables.trunk.side === "international" || area !== undefined
        ? ""
        : `, or give ${tables.trunk.id} an areaCode`;
    const form = wrong === undefined ? undefined : readableBy(wrong, tables.trunk.dialPlan);
    const bare = form === undefined ? "" : `, or set bareForm: ${form} on ${tables.trunk.id}`;
    return { saw, change: `write ${field} as +, country code and number${plan}${bare}` };
  },
};
