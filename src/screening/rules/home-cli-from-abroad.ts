// The rule home-cli-from-abroad: a call from abroad must not show a domestic number.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { Deny, Mark } from "../../domain/decision.ts";
import { isGlobalForm, lookOf } from "../home-looking.ts";
import { describeIdentity, isCounted } from "../identities.ts";
import type { ScreenRule } from "../rule.ts";

const optionsSchema = z.strictObject({
  roamers: z
    .enum(["reject", "drop", "accept", "label", "withhold"])
    .default("reject")
    .describe(
      "What becomes of +86 mobile numbers in global form; every other domestic-looking caller is refused.",
    ),
  allowForwardedBack: z
    .boolean()
    .default(false)
    .describe("Treat a home caller forwarded back by a roamer's mobile number like that roamer."),
});
type Options = z.infer<typeof optionsSchema>;

/**
 * Returns the worst party that looks domestic: `home` is refused, `roamer` is decided by the
 * policy. Diverting parties count too, because later networks present them.
 */
function findHomeLooking(
  attempt: CallAttempt,
  allowForwardedBack: boolean,
): { readonly party: AssertedIdentity; readonly look: "home" | "roamer" } | undefined {
  // A roamer's call forwarded back home has a domestic calling party, and the roamer's number as
  // the last diverting one.
  const last = attempt.diversion[0];
  const forwardedBack = allowForwardedBack && last !== undefined && lookOf(last.number) === "roamer";
  let roamer: AssertedIdentity | undefined;
  for (const party of attempt.calling) {
    if (!isCounted(attempt, party)) continue;
    const look = lookOf(party.number);
    if (look === "foreign") continue;
    if (look === "roamer" || (forwardedBack && isGlobalHome(party))) roamer ??= party;
    else return { party, look: "home" };
  }
  for (const party of attempt.diversion) {
    const look = lookOf(party.number);
    if (look === "foreign") continue;
    if (look === "home" || !forwardedBack) return { party, look: "home" };
    roamer ??= party;
  }
  return roamer === undefined ? undefined : { party: roamer, look: "roamer" };
}

/**
 * Tells whether the number is a fixed number of +86 written with its country code, as a call
 * forwarded back shows it.
 */
function isGlobalHome({ number }: AssertedIdentity): boolean {
  return number.kind === "e164" && number.class === "fixed" && isGlobalForm(number);
}

export const homeCliFromAbroad: ScreenRule<Options> = {
  id: "home-cli-from-abroad",
  stage: "screen",
  summary:
    "A caller on an international trunk must not look domestic; roaming mobiles are a matter of policy.",
  reasons: ["home-cli-from-abroad"],
  options: optionsSchema,
  compile({ roamers, allowForwardedBack }, { trunk }) {
    if (trunk.side !== "international") return undefined;
    return (attempt): Deny | Mark | undefined => {
      const found = findHomeLooking(attempt, allowForwardedBack);
      if (found === undefined) return undefined;
      const kind = found.look === "home" ? "reject" : roamers;
      if (kind === "accept") return undefined;
      return { kind, reason: "home-cli-from-abroad", facts: { field: found.party.source, look: found.look } };
    };
  },
  explain({ attempt, options }, finding) {
    const found = findHomeLooking(attempt, options.allowForwardedBack);
    if (found === undefined) return { saw: "no caller and no diverting party looks domestic" };
    const saw = `${describeIdentity(found.party)} looks ${found.look === "home" ? "domestic" : "like a roaming mobile"}`;
    if (finding === undefined) return { saw: `${saw}; roamers: ${options.roamers}` };
    return {
      saw,
      change:
        found.look === "roamer"
          ? `set roamers to accept, label or withhold (now ${options.roamers})`
          : "have the peer send the true foreign number with its country code",
    };
  },
};
