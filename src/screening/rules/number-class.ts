// The rule number-class: a number of a class that never originates calls is no calling number.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { NumberClass } from "../../domain/number.ts";
import { describeIdentity, isCounted } from "../identities.ts";
import type { ScreenRule } from "../rule.ts";

/** The classes that an operator may name. */
const classes = [
  "foreign",
  "fixed",
  "mobile",
  "mobile_mvno",
  "mobile_satellite",
  "mobile_emergency_comms",
  "mobile_iot",
  "mobile_reserved",
  "area+95/96",
  "emergency",
  "emergency_sms",
  "fault_or_gsm_emergency",
  "directory",
  "anti_fraud",
  "operator_service",
  "public_service",
  "business_code",
  "info_line",
  "ip_prefix",
  "sms_port",
  "intl_service",
  "enterprise_95",
  "callcentre_95",
  "short_95",
  "short_96",
  "intelligent_400",
  "intelligent_800",
  "intelligent_1010",
] as const satisfies readonly NumberClass[];

/** The classes whose column `may_originate` in the +86 plan data says never or no. */
const neverOriginate: NumberClass[] = [
  "intelligent_400",
  "intelligent_800",
  "info_line",
  "ip_prefix",
  "sms_port",
  "intl_service",
  "emergency_sms",
  "fault_or_gsm_emergency",
  "mobile_iot",
  "mobile_reserved",
];

const optionsSchema = z.strictObject({
  classes: z
    .array(z.enum(classes))
    .default(neverOriginate)
    .describe("Classes that never call, instead of those the plan data names (400, 800, 106…)."),
});
type Options = z.infer<typeof optionsSchema>;

function findRefused(attempt: CallAttempt, refused: ReadonlySet<NumberClass>): AssertedIdentity | undefined {
  for (const identity of attempt.calling) {
    if (
      identity.number.kind !== "unusable" &&
      refused.has(identity.number.class) &&
      isCounted(attempt, identity)
    ) {
      return identity;
    }
  }
  return undefined;
}

export const numberClass: ScreenRule<Options> = {
  id: "number-class",
  stage: "screen",
  summary: "A number of a class that never originates calls (400, 800, …) is no caller.",
  reasons: ["number-class"],
  options: optionsSchema,
  compile(options) {
    const refused: ReadonlySet<NumberClass> = new Set(options.classes);
    return (attempt) => {
      const identity = findRefused(attempt, refused);
      if (identity === undefined || identity.number.kind === "unusable") return undefined;
      return {
        kind: "reject",
        reason: "number-class",
        facts: { field: identity.source, class: identity.number.class },
      };
    };
  },
  explain({ attempt, options }, finding) {
    const saw = attempt.calling.map(describeIdentity).join(", ");
    if (finding === undefined) return { saw };
    const identity = findRefused(attempt, new Set(options.classes));
    const named =
      identity === undefined || identity.number.kind === "unusable" ? "the class" : identity.number.class;
    return {
      saw,
      change: `call with a number that may originate, or remove ${named} from this rule's classes`,
    };
  },
};
