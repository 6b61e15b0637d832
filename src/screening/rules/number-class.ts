// The rule number-class: a number of a class that never originates calls is no calling number.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { Deny } from "../../domain/decision.ts";
import { type NumberClass, numberClasses } from "../../domain/number.ts";
import { classifyBehindArea } from "../../numbering/cn.ts";
import type { UsableNumber } from "../../numbering/e164.ts";
import { authorityClasses } from "../authority-classes.ts";
import { describeIdentity, isCounted } from "../identities.ts";
import type { Note, ScreenRule } from "../rule.ts";

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
    .array(z.enum(numberClasses))
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

function findOneOf(attempt: CallAttempt, among: ReadonlySet<NumberClass>): AssertedIdentity | undefined {
  /** The numbers of one call are nearly always of one class. */
  let harmless: NumberClass | undefined;
  for (const identity of attempt.calling) {
    const { number } = identity;
    if (number.kind === "unusable" || number.class === harmless) continue;
    if (!isOneOf(number, among)) {
      if (number.class !== "area+95/96") harmless = number.class;
    } else if (isCounted(attempt, identity)) return identity;
  }
  return undefined;
}

/** A code 95… or 96… behind an area code is also of the class that the code has alone. */
function isOneOf(number: UsableNumber, among: ReadonlySet<NumberClass>): boolean {
  if (among.has(number.class)) return true;
  if (number.kind !== "e164" || number.class !== "area+95/96") return false;
  const alone = classifyBehindArea(number.e164, "86".length);
  return alone !== undefined && among.has(alone);
}

/** Returns a finding of this kind when a calling number is of one of the classes. */
function judge(
  attempt: CallAttempt,
  among: ReadonlySet<NumberClass>,
  kind: "reject" | "note",
): Deny | Note | undefined {
  const identity = findOneOf(attempt, among);
  if (identity === undefined || identity.number.kind === "unusable") return undefined;
  const facts = { field: identity.source, class: identity.number.class };
  return kind === "note" ? { kind, reason: "number-class", facts } : { kind, reason: "number-class", facts };
}

/** The classes that policies name, by their text. Trunks with the same classes share one set: each call looks into it. */
const sets = new Map<string, ReadonlySet<NumberClass>>();

function classesOf({ classes: named }: Options): ReadonlySet<NumberClass> {
  const text = named.join(" ");
  let known = sets.get(text);
  if (known === undefined) sets.set(text, (known = new Set(named)));
  return known;
}

export const numberClass: ScreenRule<Options> = {
  id: "number-class",
  stage: "screen",
  summary:
    "A number of a class that never originates calls (400, 800, …) is no caller, and neither is an operator or the police on a leased line.",
  reasons: ["number-class"],
  options: optionsSchema,
  mayNote: (_options, { trunk }) => trunk.side === "national",
  compile(options, { trunk }) {
    const refused = classesOf(options);
    if (trunk.side === "national")
      return (attempt) => judge(attempt, refused, "reject") ?? judge(attempt, authorityClasses, "note");
    const categories = new Set(options.categories.map((name) => name.toLowerCase()));
    return (attempt) => {
      const { privilege } = attempt;
      return privilege !== undefined && !categories.has(privilege)
        ? { kind: "reject", reason: "number-class", facts: { category: privilege } }
        : judge(attempt, refused, "reject");
    };
  },
  explain({ attempt, options, tables }, finding) {
    const callers = attempt.calling.map(describeIdentity).join(", ");
    const { privilege } = attempt;
    const saw = privilege === undefined ? callers : `${callers}; category ${JSON.stringify(privilege)}`;
    if (finding === undefined) return { saw };
    if (finding.kind === "note") {
      const noted = findOneOf(attempt, authorityClasses);
      const name = noted === undefined || noted.number.kind === "unusable" ? "the class" : noted.number.class;
      return {
        saw: `${saw}; a code of a public authority, only noted`,
        change: `name ${name} in classes of number-class, beside those refused now`,
      };
    }
    if (finding.facts?.["category"] !== undefined)
      return {
        saw,
        change: `send the category of an ordinary subscriber, or add ${JSON.stringify(privilege)} to categories of number-class on ${tables.trunk.id}`,
      };
    const identity = findOneOf(attempt, new Set(options.classes));
    const named =
      identity === undefined || identity.number.kind === "unusable" ? "the class" : identity.number.class;
    return {
      saw,
      change: `call with a number that may originate, or leave ${named} out of classes of number-class`,
    };
  },
};
