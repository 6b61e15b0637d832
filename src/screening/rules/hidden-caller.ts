// The rule hidden-caller: the calling party must not be hidden.
import { z } from "zod";
import { PrivacyFlag, type CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { Millis } from "../../domain/time.ts";
import { assertsNoNumber, describeIdentity } from "../identities.ts";
import type { ScreenRule, SpecialUser } from "../rule.ts";

const optionsSchema = z.strictObject({
  privacy: z
    .array(z.enum(["header", "session", "history"]))
    .default([])
    .describe(
      "Privacy values that count as hidden beside id and user; they don't withhold the caller (RFC 5079).",
    ),
  paiCuresAnonymousFrom: z
    .boolean()
    .default(false)
    .describe("Accept an anonymous From when a P-Asserted-Identity shows a number."),
});
type Options = z.infer<typeof optionsSchema>;

/** Returns the bits of `PrivacyFlag` that hide the calling party. */
function privacyMask({ privacy }: Options): number {
  let mask = PrivacyFlag.id | PrivacyFlag.user;
  for (const value of privacy) mask |= PrivacyFlag[value];
  return mask;
}

/**
 * Returns the first hidden identity. Every field counts, whatever the trunk's `identity`: when
 * fields disagree, the stricter one wins.
 */
function findHidden(attempt: CallAttempt, paiCures: boolean): AssertedIdentity | undefined {
  for (const identity of attempt.calling) {
    if (!isHidden(identity)) continue;
    if (identity.source === "from" && paiCures && hasShownPai(attempt)) continue;
    return identity;
  }
  return undefined;
}

function isHidden({ number, presentation }: AssertedIdentity): boolean {
  if (presentation === "restricted") return true;
  return number.kind === "unusable" && (number.why === "token" || number.why === "restricted");
}

function hasShownPai(attempt: CallAttempt): boolean {
  for (const { source, number, presentation } of attempt.calling) {
    if (source === "p-asserted-identity" && number.kind !== "unusable" && presentation === "allowed")
      return true;
  }
  return false;
}

/**
 * Returns the key of the number that every asserted identity has. A field that asserts no number
 * does not speak against it.
 */
function findOnlyNumber({ calling }: CallAttempt): number | undefined {
  let key: number | undefined;
  for (const identity of calling) {
    if (identity.number.kind === "unusable") {
      if (assertsNoNumber(identity)) continue;
      return undefined;
    }
    if (key !== undefined && key !== identity.number.key) return undefined;
    key = identity.number.key;
  }
  return key;
}

/** Returns the special user that the caller is. */
function findSpecialUser(
  attempt: CallAttempt,
  users: readonly SpecialUser[],
  at: Millis,
): SpecialUser | undefined {
  const key = findOnlyNumber(attempt);
  if (key === undefined) return undefined;
  for (const user of users) if (user.key === key && at < user.until && user.allow.has("hidden")) return user;
  return undefined;
}

export const hiddenCaller: ScreenRule<Options> = {
  id: "hidden-caller",
  stage: "screen",
  summary: "The calling party must not be hidden, unless it is a special user of the trunk.",
  reasons: ["cli-hidden"],
  options: optionsSchema,
  silentWhenPlain: true,
  compile(options, { specialUsers }) {
    const mask = privacyMask(options);
    const paiCures = options.paiCuresAnonymousFrom;
    return (attempt) => {
      const asked = attempt.privacy & mask;
      const hidden = findHidden(attempt, paiCures);
      if (asked === 0 && hidden === undefined) return undefined;
      if (specialUsers.length > 0 && findSpecialUser(attempt, specialUsers, attempt.at) !== undefined)
        return undefined;
      return {
        kind: "reject",
        reason: "cli-hidden",
        facts: hidden === undefined ? { privacy: asked } : { field: hidden.source },
      };
    };
  },
  explain({ attempt, tables, options }, finding) {
    const signs = attempt.calling.filter(isHidden).map(describeIdentity);
    const asked = attempt.privacy & privacyMask(options);
    for (const value of ["id", "user", "header", "session", "history"] as const) {
      if ((asked & PrivacyFlag[value]) !== 0) signs.push(`Privacy: ${value}`);
    }
    if (signs.length === 0) return { saw: "no sign of a hidden caller" };
    const saw = signs.join(", ");
    if (finding !== undefined) {
      return {
        saw,
        change: `let the caller present its number${
          findOnlyNumber(attempt) === undefined
            ? ""
            : `, or add it to specialUsers of ${tables.trunk.id} with allow: [hidden]`
        }`,
      };
    }
    const user = findSpecialUser(attempt, tables.specialUsers, attempt.at);
    return user === undefined ? { saw } : { saw: `${saw}; special user ${user.number} (${user.reason})` };
  },
};
