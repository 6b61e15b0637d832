// Reviews what becomes of numbers from abroad that come without "+" and without 00.
import type { TrunkPlan } from "../policy/build-policy.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";
import { isMapping } from "../yaml/schema-issues.ts";

/** The honest numbers that look domestic when they come bare. */
export const bareLookalikes =
  "all of country codes 1, 95 and 960 to 968, all of 7 or 8 digits, and a part of other short ones";

/** @returns what the trunk does with them, or undefined where the rule does not decide */
export function bareAmbiguousOf({ trunk, chain }: TrunkPlan): "reject" | "accept" | undefined {
  const { mode, options } = chain["home-cli-from-abroad"];
  if (trunk.side !== "international" || mode !== "enforce") return undefined;
  return isMapping(options) && options["bareAmbiguous"] === "accept" ? "accept" : "reject";
}

/**
 * Finds international trunks whose bare numbers are expected and largely refused, and trunks that
 * let bare numbers pass which look domestic.
 */
export function reviewBareNumbers(
  warn: (path: Path, message: string) => ConfigIssue,
  plan: TrunkPlan,
): readonly ConfigIssue[] {
  const { path, value } = plan.entry;
  switch (bareAmbiguousOf(plan)) {
    case undefined:
      return [];
    case "accept":
      return [
        warn(
          [...path, "id"],
          'bareAmbiguous is accept: a caller abroad can show digits like 13912345678 without "+", and they look domestic',
        ),
      ];
    case "reject":
      if (value.bareForm !== "e164") return [];
      return [
        warn(
          [...path, "bareForm"],
          `numbers without "+" that look domestic are refused: ${bareLookalikes}; have the peer send "+", or set rules.home-cli-from-abroad.bareAmbiguous to accept`,
        ),
      ];
  }
}
