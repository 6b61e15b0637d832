// The rule caller-authentication: asserted identities must be in the lessee's list.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import { formatNumber } from "../../domain/number.ts";
import type { Millis } from "../../domain/time.ts";
import type { Deny } from "../../domain/decision.ts";
import type { UsableNumber } from "../../numbering/e164.ts";
import { authorityClasses } from "../authority-classes.ts";
import { licensedForwarder } from "../forwarding.ts";
import { assertsNoNumber, isCounted } from "../identities.ts";
import { joinChanges, setColumn, takeOut } from "../list-change.ts";
import { findListed, isOnTrunk, sayTrunks } from "../listed-row.ts";
import type { LesseeList, NumberList, ScreenRule } from "../rule.ts";
import type { ListedRow } from "../state.ts";

const DAY: Millis = 86_400_000;

const optionsSchema = z.strictObject({
  verifiedWithinDays: z
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe("A number not verified within so many days, or never, is expired. Left out: not asked for."),
});
type Options = z.infer<typeof optionsSchema>;

type Standing = "listed" | "cli-not-listed" | "cli-expired" | "cli-wrong-line";

/**
 * Tells how a number stands in the lessee's list. Verified on day D, it is good for N days: to the
 * end of day D + N.
 */
function standingOf(
  list: LesseeList,
  row: number,
  at: Millis,
  verifiedWithinDays: number | undefined,
): Standing {
  if (row === -1) return "cli-not-listed";
  if (row < 0) return "cli-expired";
  if (list.onTrunk !== undefined && !isOnTrunk(list, row)) return "cli-wrong-line";
  if (verifiedWithinDays === undefined) return "listed";
  const verified = list.numbers.verifiedOn(row);
  return verified !== undefined && at < verified + (verifiedWithinDays + 1) * DAY ? "listed" : "cli-expired";
}

function sayStanding(list: LesseeList, row: number, standing: Standing, at: Millis): string {
  const { numbers, onTrunk } = list;
  const isTied = onTrunk !== undefined && row >= 0 && numbers.mark(row) > 0;
  if (standing === "listed") return isTied ? `listed for ${sayTrunks(list, row)}` : "listed";
  if (standing === "cli-wrong-line") return `listed for ${sayTrunks(list, row)} only`;
  const from = row < 0 ? numbers.validFrom(-2 - row) : undefined;
  return from !== undefined && at < from ? "not valid yet" : "expired";
}

/** The place of a row, in force or not: `lists/own.csv:17`. */
function lineOf({ file, numbers }: NumberList, row: number): string {
  return `${file}:${numbers.line(row < 0 ? -2 - row : row)}`;
}

const notListed: Deny = { kind: "reject", reason: "cli-not-listed" };

/** Returns the numbers that must be listed, for explanations. */
function numbersOf(attempt: CallAttempt, list: LesseeList): readonly UsableNumber[] {
  const forwarder = licensedForwarder(attempt, list);
  const numbers: UsableNumber[] = forwarder === undefined ? [] : [forwarder];
  for (const identity of attempt.calling) {
    if (!isCounted(attempt, identity) || identity.number.kind === "unusable") continue;
    const { number } = identity;
    if (forwarder !== undefined && !authorityClasses.has(number.class)) continue;
    if (!numbers.some((known) => known.key === number.key)) numbers.push(number);
  }
  return numbers;
}

export const callerAuthentication: ScreenRule<Options> = {
  id: "caller-authentication",
  stage: "screen",
  summary:
    "Every asserted identity that counts must be in the list of the trunk's lessee, inside its dates and for this trunk.",
  reasons: ["cli-not-listed", "cli-expired", "cli-wrong-line"],
  options: optionsSchema,
  compile({ verifiedWithinDays }, { trunk, lesseeNumbers: list }) {
    if (trunk.side !== "lessee") return undefined;
    // A missing list never means that every number is good.
    if (list === undefined) return () => notListed;

    const judge = (number: UsableNumber, field: string, at: Millis, found: ListedRow): Deny | undefined => {
      const row = findListed(list, number.key, at);
      const standing = standingOf(list, row, at, verifiedWithinDays);
      if (standing === "listed") {
        // The first identity is told. Nearly every call asserts one number.
        if (found.row < 0) found.row = row;
        return undefined;
      }
      if (standing === "cli-not-listed") return { kind: "reject", reason: standing, facts: { field } };
      return { kind: "reject", reason: standing, facts: { field, line: lineOf(list, row) } };
    };

    /** No licence to forward lets a lessee show 110 or 12345 as the one who called. */
    const judgeCodes = (attempt: CallAttempt, found: ListedRow): Deny | undefined => {
      for (const identity of attempt.calling) {
        const { number, source } = identity;
        if (number.kind === "unusable" || !authorityClasses.has(number.class)) continue;
        const deny = isCounted(attempt, identity) ? judge(number, source, attempt.at, found) : undefined;
        if (deny !== undefined) return deny;
      }
      return undefined;
    };

    return (attempt, { listed: found }) => {
      if (attempt.diversion.length > 0) {
        const forwarder = licensedForwarder(attempt, list);
        if (forwarder !== undefined)
          return judge(forwarder, "diversion", attempt.at, found) ?? judgeCodes(attempt, found);
      }
      /** The number found listed last: nearly every call asserts one number in several fields. */
      let listed: number | undefined;
      let speaks = false;
      for (const identity of attempt.calling) {
        if (!isCounted(attempt, identity) || assertsNoNumber(identity)) continue;
        if (identity.number.kind === "unusable") return notListed;
        speaks ||= identity.party === undefined;
        if (identity.number.key === listed) continue;
        const deny = judge(identity.number, identity.source, attempt.at, found);
        if (deny !== undefined) return deny;
        listed = identity.number.key;
      }
      return speaks ? undefined : notListed;
    };
  },
  explain({ attempt, tables: { trunk, lesseeNumbers: list }, options }, finding) {
    if (list === undefined) return { saw: `trunk ${trunk.id} has no lessee's list` };
    const saw: string[] = [];
    const lines: string[] = [];
    const changes: string[] = [];
    for (const number of numbersOf(attempt, list)) {
      const text = formatNumber(number) ?? "";
      const row = findListed(list, number.key, attempt.at);
      const standing = standingOf(list, row, attempt.at, options.verifiedWithinDays);
      const line = row === -1 ? undefined : lineOf(list, row);
      if (line !== undefined) lines.push(line);
      saw.push(
        `${text} ${line === undefined ? `is not in ${list.file}` : `is ${sayStanding(list, row, standing, attempt.at)}`}`,
      );
      if (finding === undefined) changes.push(takeOut(list, row, text));
      else if (standing === "cli-not-listed") changes.push(`add ${text} to ${list.file}`);
      else if (standing === "cli-wrong-line")
        changes.push(`${setColumn(list, row, text, "trunk")} so that it names ${trunk.id}`);
      else if (standing === "cli-expired")
        changes.push(`renew ${row < 0 ? "the dates" : "verified_on"} of ${text} at ${line ?? list.file}`);
    }
    return {
      saw: saw.join(", ") || "no number to look up",
      ...(lines.length > 0 && { line: lines.join(", ") }),
      // One number that is taken out refuses the call. To pass, all must be listed.
      change:
        (finding === undefined ? changes[0] : joinChanges(changes)) ??
        "present a listed number in every calling field",
    };
  },
};
