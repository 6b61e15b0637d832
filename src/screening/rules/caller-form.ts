// The rule caller-form: a calling number must be present and valid.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { Deny } from "../../domain/decision.ts";
import type { DialPlan } from "../../domain/number.ts";
import type { Trunk } from "../../domain/trunk.ts";
import { readSipNumber } from "../../numbering/e164.ts";
import { isPlainNumber } from "../../numbering/sip-user.ts";
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

/**
 * Returns the settings of the trunk by which a number of SIP would be read. Each of them alone helps. There is none where
 * the digits alone are readable as they are: then a parameter or the host is at fault.
 */
function readableBy({ source, number }: AssertedIdentity, { id, dialPlan: plan }: Trunk): readonly string[] {
  if (source.startsWith("isup") || readSipNumber(number.raw, plan).kind !== "unusable") return [];
  const reads = (change: Partial<DialPlan>): boolean =>
    readSipNumber(number.raw, { ...plan, ...change }).kind !== "unusable";
  const settings: string[] = [];
  const needsArea = !plan.international && plan.homeArea === undefined;
  if (needsArea && sampleAreas.some((homeArea) => reads({ homeArea })))
    settings.push(`give ${id} an areaCode`);
  const form = bareForms.find((bareForm) => reads({ bareForm }));
  if (form !== undefined) settings.push(`set bareForm: ${form} on ${id}`);
  return settings;
}

const bareForms = ["auto", "national", "local", "e164"] as const;
/** An area of numbers with 8 digits, and one with 7. */
const sampleAreas = ["10", "931"] as const;

/** Says what the peer has to change. A full number in the wrong form is bare; any other one is no number at all. */
function rewrite({ source, number: { raw } }: AssertedIdentity): string {
  const written = `${JSON.stringify(raw)} in ${source}`;
  return isPlainNumber(raw) && !raw.startsWith("+") && !raw.startsWith("0")
    ? `write ${written} as +, country code and number`
    : `send a number that its plan allows in place of ${written}`;
}

export const callerForm: ScreenRule<z.infer<typeof optionsSchema>> = {
  id: "caller-form",
  stage: "screen",
  summary: "A calling number must be there, and no number that counts may be one that no plan allows.",
  reasons: ["cli-absent", "cli-malformed"],
  options: optionsSchema,
  silentWhenPlain: true,
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
    if (wrong === undefined) return { saw };
    return { saw, change: [rewrite(wrong), ...readableBy(wrong, tables.trunk)].join(", or ") };
  },
};
