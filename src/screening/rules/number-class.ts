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
  categories: z
    .array(z.string().min(1).max(32))
    .default([])
    .describe(
      "Categories of callers that may pass on lessee and international trunks beside ordinary ones: operator, priority, test, police …",
    ),
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
  summary:
    "A number of a class that never originates calls (400, 800, …) is no caller, and neither is an operator or the police on a leased line.",
  reasons: ["number-class"],
  options: optionsSchema,
  compile(options, { trunk }) {
    const refused: ReadonlySet<NumberClass> = new Set(options.classes);
    const categories = new Set(options.categories.map((name) => name.toLowerCase()));
    const refusesPrivileges = trunk.side === "lessee" || trunk.side === "international";
    return (attempt) => {
      const { privilege } = attempt;
      if (refusesPrivileges && privilege !== undefined && !categories.has(privilege))
        return { kind: "reject", reason: "number-class", facts: { category: privilege } };
      const identity = findRefused(attempt, refused);
      if (identity === undefined || identity.number.kind === "unusable") return undefined;
      return {
        kind: "reject",
        reason: "number-class",
        facts: { field: identity.source, class: identity.number.class },
      };
    };
  },
  explain({ attempt, options, tables }, finding) {
    const callers = attempt.calling.map(describeIdentity).join(", ");
    const { privilege } = attempt;
    const saw = privilege === undefined ? callers : `${callers}; category ${JSON.stringify(privilege)}`;
    if (finding === undefined) return { saw };
    if (finding.facts?.["category"] !== undefined)
      return {
        saw,
        change: `send the category of an ordinary subscriber, or add ${JSON.stringify(privilege)} to this rule's categories on ${tables.trunk.id}`,
      };
    const identity = findRefused(attempt, new Set(options.classes));
    const named =
      identity === undefined || identity.number.kind === "unusable" ? "the class" : identity.number.class;
    return {
      saw,
      change: `call with a number that may originate, or remove ${named} from this rule's classes`,
    };
  },
};
