// The rule deny-lists: no calling or diverting party may be on a deny list.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { Deny } from "../../domain/decision.ts";
import { formatNumber } from "../../domain/number.ts";
import { describeIdentity } from "../identities.ts";
import { joinChanges, takeOut } from "../list-change.ts";
import type { DenyList, ScreenRule } from "../rule.ts";

const optionsSchema = z.strictObject({});

/**
 * Returns the party on the list: any calling party, whatever the trunk's `identity`, or any
 * diverting party.
 */
function findListed(attempt: CallAttempt, list: DenyList): AssertedIdentity | undefined {
  return findIn(attempt.calling, attempt, list) ?? findIn(attempt.diversion, attempt, list);
}

function findIn(
  parties: readonly AssertedIdentity[],
  attempt: CallAttempt,
  list: DenyList,
): AssertedIdentity | undefined {
  for (const party of parties) {
    if (party.number.kind !== "unusable" && list.numbers.find(party.number.key, attempt.at) >= 0)
      return party;
  }
  return undefined;
}

/** Puts police lists first: when two lists hold a number, the police notice is the reason given. */
function inOrder(lists: readonly DenyList[]): readonly DenyList[] {
  return [...lists.filter((list) => list.kind === "police"), ...lists.filter((list) => list.kind === "deny")];
}

export const denyLists: ScreenRule<z.infer<typeof optionsSchema>> = {
  id: "deny-lists",
  stage: "screen",
  summary: "No caller and no diverting party may be on a police list or another deny list.",
  reasons: ["police-listed", "denylisted"],
  options: optionsSchema,
  compile(_options, tables) {
    const lists = inOrder(tables.denyLists);
    if (lists.length === 0) return undefined;
    return (attempt): Deny | undefined => {
      for (const list of lists) {
        const party = findListed(attempt, list);
        if (party === undefined) continue;
        const reason = list.kind === "police" ? "police-listed" : "denylisted";
        return { kind: "reject", reason, facts: { list: list.id, field: party.source } };
      }
      return undefined;
    };
  },
  explain({ attempt, tables }) {
    const saw: string[] = [];
    const lines = new Set<string>();
    const changes = new Set<string>();
    for (const list of inOrder(tables.denyLists))
      for (const party of [...attempt.calling, ...attempt.diversion]) {
        if (party.number.kind === "unusable") continue;
        const row = list.numbers.find(party.number.key, attempt.at);
        if (row < 0) continue;
        const change = takeOut(list, row, formatNumber(party.number) ?? "the number");
        // The same number in several fields is told once.
        if (!changes.has(change)) saw.push(`${describeIdentity(party)} is on ${list.kind} list ${list.id}`);
        lines.add(`${list.file}:${list.numbers.line(row)}`);
        changes.add(change);
      }
    if (changes.size === 0) return { saw: `on none of ${tables.denyLists.length} lists` };
    return {
      saw: saw.join(", "),
      line: [...lines].join(", "),
      change: `${joinChanges([...changes]) ?? ""} once its issuer has released ${changes.size > 1 ? "them" : "it"}`,
    };
  },
};
