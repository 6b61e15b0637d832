// The rule home-cli-from-abroad: a call from abroad must not show a domestic number.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { Deny, Mark } from "../../domain/decision.ts";
import { isGlobalForm, type Look, lookOf } from "../home-looking.ts";
import { describeIdentity, isCounted } from "../identities.ts";
import type { Note, ScreenRule } from "../rule.ts";

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
  bareAmbiguous: z
    .enum(["reject", "accept"])
    .default("reject")
    .describe(
      "What becomes of bare numbers that read as domestic and that another country's plan allows (14155550123).",
    ),
});
type Options = z.infer<typeof optionsSchema>;

/** A party that does not look foreign. */
interface Found {
  readonly party: AssertedIdentity;
  readonly look: Exclude<Look, "foreign">;
}

/**
 * Returns the worst party that looks domestic: `home` is refused, `roamer` and `ambiguous` are
 * decided by the policy, and the stricter of these comes first. Diverting parties count too,
 * because later networks present them.
 */
function findHomeLooking(
  attempt: CallAttempt,
  { allowForwardedBack, bareAmbiguous }: Options,
): Found | undefined {
  // A roamer's call forwarded back home has a domestic calling party, and the roamer's number as
  // the last diverting one.
  const last = attempt.diversion[0];
  const forwardedBack = allowForwardedBack && last !== undefined && lookOf(last.number) === "roamer";
  let roamer: AssertedIdentity | undefined;
  let ambiguous: AssertedIdentity | undefined;
  for (const party of attempt.calling) {
    if (!isCounted(attempt, party)) continue;
    const look = lookOf(party.number);
    if (look === "foreign") continue;
    if (look === "ambiguous") {
      if (bareAmbiguous === "reject") return { party, look };
      ambiguous ??= party;
    } else if (look === "roamer" || (forwardedBack && isGlobalHome(party))) roamer ??= party;
    else return { party, look: "home" };
  }
  for (const party of attempt.diversion) {
    const look = lookOf(party.number);
    if (look === "foreign") continue;
    if (look === "ambiguous") {
      if (bareAmbiguous === "reject") return { party, look };
      ambiguous ??= party;
    } else if (look === "home" || !forwardedBack) return { party, look: "home" };
    else roamer ??= party;
  }
  if (roamer !== undefined) return { party: roamer, look: "roamer" };
  return ambiguous === undefined ? undefined : { party: ambiguous, look: "ambiguous" };
}

/**
 * Tells whether the number is a fixed number of +86 written with its country code, as a call
 * forwarded back shows it.
 */
function isGlobalHome({ number }: AssertedIdentity): boolean {
  return number.kind === "e164" && number.class === "fixed" && isGlobalForm(number);
}

const words: Readonly<Record<Found["look"], string>> = {
  home: "domestic",
  roamer: "like a roaming mobile",
  ambiguous: "domestic without its country code, and is one of another country with it",
};

function kindOf(
  look: Found["look"],
  { roamers, bareAmbiguous }: Options,
): Deny["kind"] | Mark["kind"] | Note["kind"] | "accept" {
  if (look === "roamer") return roamers;
  return look === "ambiguous" && bareAmbiguous === "accept" ? "note" : "reject";
}

function changeFor(look: Found["look"], { roamers }: Options): string {
  if (look === "roamer") {
    const isRefused = roamers === "reject" || roamers === "drop";
    return `set roamers to ${isRefused ? "accept, label or withhold" : "reject or drop"} (now ${roamers})`;
  }
  const send = "have the peer send the true foreign number with its country code";
  return look === "ambiguous" ? `${send} behind "+" or 00, or set bareAmbiguous to accept` : send;
}

export const homeCliFromAbroad: ScreenRule<Options> = {
  id: "home-cli-from-abroad",
  stage: "screen",
  summary:
    "A caller on an international trunk must not look domestic; roaming mobiles are a matter of policy.",
  reasons: ["home-cli-from-abroad"],
  options: optionsSchema,
  mayNote: ({ bareAmbiguous }, { trunk }) => trunk.side === "international" && bareAmbiguous === "accept",
  compile(options, { trunk }) {
    if (trunk.side !== "international") return undefined;
    return (attempt): Deny | Mark | Note | undefined => {
      const found = findHomeLooking(attempt, options);
      if (found === undefined) return undefined;
      const kind = kindOf(found.look, options);
      if (kind === "accept") return undefined;
      return { kind, reason: "home-cli-from-abroad", facts: { field: found.party.source, look: found.look } };
    };
  },
  explain({ attempt, options }, finding) {
    const found = findHomeLooking(attempt, options);
    if (found === undefined) return { saw: "no caller and no diverting party looks domestic" };
    const saw = `${describeIdentity(found.party)} looks ${words[found.look]}`;
    if (finding === undefined) return { saw: `${saw}; roamers: ${options.roamers}` };
    if (finding.kind === "note")
      return { saw: `${saw}; bareAmbiguous: accept`, change: "set bareAmbiguous to reject" };
    return { saw, change: changeFor(found.look, options) };
  },
};
