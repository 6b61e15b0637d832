// The rule deny-lists: no calling or diverting party may be on a deny list, or have too high a score.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import type { Deny, Mark } from "../../domain/decision.ts";
import { formatNumber, type PartyNumber } from "../../domain/number.ts";
import { possibleKeys } from "../../numbering/possible-numbers.ts";
import { describeIdentity } from "../identities.ts";
import { joinChanges, takeOut } from "../list-change.ts";
import { numbersSeen } from "../number-seen.ts";
import type { DenyList, Note, ScreenRule } from "../rule.ts";
import { explainScores, judgeScores } from "./score-bands.ts";

const optionsSchema = z.strictObject({});

/** A party on a list, and its row there. */
interface Found {
  readonly party: AssertedIdentity;
  readonly row: number;
}

/**
 * Returns the party on the list: any calling party, whatever the trunk's `identity`, or any
 * diverting party.
 */
function findListed(attempt: CallAttempt, list: DenyList): Found | undefined {
  return findIn(attempt.calling, attempt, list) ?? findIn(attempt.diversion, attempt, list);
}

function findIn(
  parties: readonly AssertedIdentity[],
  attempt: CallAttempt,
  list: DenyList,
): Found | undefined {
  /** Nearly every call asserts one number in several fields: it is looked up once. */
  let absent: number | undefined;
  for (const party of parties) {
    const { number } = party;
    if (number.kind !== "unusable" && number.key === absent) continue;
    const row = findRow(number, attempt, list);
    if (row >= 0) return { party, row };
    if (number.kind !== "unusable") absent = number.key;
  }
  return undefined;
}

/**
 * Returns the row of a number, or a negative number. A number that can't be read is on the list when an element
 * or a person may find a listed number in its digits.
 */
function findRow(number: PartyNumber, { at, trunk }: CallAttempt, { numbers }: DenyList): number {
  if (number.kind !== "unusable") return numbers.find(number.key, at);
  if (number.why !== "invalid") return -1;
  for (const text of numbersSeen(number.raw))
    for (const key of possibleKeys(text, trunk.dialPlan)) {
      const row = numbers.find(key, at);
      if (row >= 0) return row;
    }
  return -1;
}

/** Puts police lists first: when two lists hold a number, the police notice is the reason given. */
function inOrder(lists: readonly DenyList[]): readonly DenyList[] {
  const known = ordered.get(lists);
  if (known !== undefined) return known;
  const policeFirst = [
    ...lists.filter((list) => list.kind === "police"),
    ...lists.filter((list) => list.kind === "shutdown"),
    ...lists.filter((list) => list.kind === "deny"),
  ];
  ordered.set(lists, policeFirst);
  return policeFirst;
}

/** The notice of a row, or the order of its list. Texts of the policy: nothing is made for a call. */
function noticeOf({ numbers, notices, order }: DenyList, row: number): string | undefined {
  return notices?.[numbers.mark(row) - 1] ?? order;
}

/** How a number leaves a list, for the person who answers for it. */
function describeRelease(list: DenyList, row: number, number: string): string {
  if (list.noReturn === true)
    return `nothing turns it around: list ${list.id} says noReturn, and ${number} is never released`;
  const change = `${takeOut(list, row, number)} once its issuer has released it`;
  return list.releases === undefined ? change : `${change}, with a line in ${list.releases}`;
}

/** The trunks of a policy share their lists, and so the order of them. */
const ordered = new WeakMap<readonly DenyList[], readonly DenyList[]>();

export const denyLists: ScreenRule<z.infer<typeof optionsSchema>> = {
  id: "deny-lists",
  stage: "screen",
  summary:
    "No caller and no diverting party may be on a police list, a list of numbers shut down or another deny list, or have a score that is refused.",
  reasons: ["police-listed", "denylisted", "score-listed"],
  options: optionsSchema,
  mayNote: (_options, { scoreLists }) =>
    scoreLists.some(({ bands }) => bands.some((band) => band.do === "monitor")),
  compile(_options, tables) {
    const lists = inOrder(tables.denyLists);
    const hasScores = tables.scoreLists.length > 0;
    if (lists.length === 0 && !hasScores) return undefined;
    return (attempt): Deny | Mark | Note | undefined => {
      for (const list of lists) {
        const found = findListed(attempt, list);
        if (found === undefined) continue;
        const reason = list.kind === "deny" ? "denylisted" : "police-listed";
        const line = `${list.file}:${list.numbers.line(found.row)}`;
        const facts = { list: list.id, field: found.party.source, line };
        const notice = noticeOf(list, found.row);
        return { kind: "reject", reason, facts: notice === undefined ? facts : { ...facts, notice } };
      }
      return hasScores ? judgeScores(attempt, tables) : undefined;
    };
  },
  explain({ attempt, tables }, finding) {
    const saw: string[] = [];
    const lines = new Set<string>();
    const changes = new Set<string>();
    for (const list of inOrder(tables.denyLists))
      for (const party of [...attempt.calling, ...attempt.diversion]) {
        const row = findRow(party.number, attempt, list);
        if (row < 0) continue;
        const change = describeRelease(list, row, formatNumber(party.number) ?? "the number");
        // The same number in several fields is told once.
        const notice = noticeOf(list, row);
        const by = notice === undefined ? "" : ` by ${notice}`;
        if (!changes.has(change))
          saw.push(`${describeIdentity(party)} is on ${list.kind} list ${list.id}${by}`);
        lines.add(`${list.file}:${list.numbers.line(row)}`);
        changes.add(change);
      }
    const scores = explainScores(attempt, tables);
    if (changes.size === 0 && scores.saw.length === 0)
      return { saw: `on none of ${tables.denyLists.length + tables.scoreLists.length} lists` };
    if (changes.size === 0) {
      const seen = scores.saw.join(", ");
      if (finding === undefined) return { saw: seen };
      const change = joinChanges(scores.changes);
      return { saw: seen, line: scores.lines.join(", "), ...(change !== undefined && { change }) };
    }
    return {
      saw: saw.join(", "),
      line: [...lines].join(", "),
      change: joinChanges([...changes]) ?? "",
    };
  },
};
