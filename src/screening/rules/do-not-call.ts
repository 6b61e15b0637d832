// The rule do-not-call: marketing must not call numbers that have asked not to be called.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import { formatNumber } from "../../domain/number.ts";
import { findWanted } from "../../numbering/lists/marked-rows.ts";
import { possibleKeys } from "../../numbering/possible-numbers.ts";
import { takeOut } from "../list-change.ts";
import { numbersSeen } from "../number-seen.ts";
import type { DoNotCallList, LesseeMarketing, ScreenRule } from "../rule.ts";
import { exemptionOf, sayExemption } from "./marketing-exemptions.ts";

const optionsSchema = z.strictObject({});

/** A list, and which marks of its rows are meant for the lessee. */
interface MeantList {
  readonly list: DoNotCallList;
  readonly wanted: Uint8Array;
}

/** Selects the lists that are meant for a lessee: those of no industry and of its own. */
function listsFor(lists: readonly DoNotCallList[], { industry }: LesseeMarketing): readonly MeantList[] {
  return lists
    .filter((list) => list.industry === undefined || list.industry === industry)
    .map((list) => {
      const wanted = new Uint8Array(list.industries.length + 1);
      wanted[0] = 1;
      for (const [index, name] of list.industries.entries()) if (name === industry) wanted[index + 1] = 1;
      return { list, wanted };
    });
}

/** Returns the row of the called number, or -1. A number that can't be read is looked up by what may be found in it. */
function findCalled({ called, at, trunk }: CallAttempt, { list, wanted }: MeantList): number {
  const { columns } = list.numbers;
  if (called.kind !== "unusable") return findWanted(columns, called.key, at, wanted);
  if (called.why !== "invalid") return -1;
  for (const text of numbersSeen(called.raw))
    for (const key of possibleKeys(text, trunk.dialPlan)) {
      const row = findWanted(columns, key, at, wanted);
      if (row >= 0) return row;
    }
  return -1;
}

export const doNotCall: ScreenRule<z.infer<typeof optionsSchema>> = {
  id: "do-not-call",
  stage: "screen",
  summary:
    "Marketing must not call a number on a do-not-call list for its industry, unless that number has called the lessee.",
  reasons: ["do-not-call"],
  options: optionsSchema,
  compile(_options, { marketing, doNotCallLists }) {
    if (marketing === undefined) return undefined;
    const lists = listsFor(doNotCallLists, marketing);
    if (lists.length === 0) return undefined;
    return (attempt, state) => {
      for (const meant of lists) {
        const row = findCalled(attempt, meant);
        if (row < 0) continue;
        if (exemptionOf(attempt, state, marketing) !== undefined) return undefined;
        const { id, file, numbers } = meant.list;
        return {
          kind: "reject",
          reason: "do-not-call",
          facts: { list: id, line: `${file}:${numbers.line(row)}` },
        };
      }
      return undefined;
    };
  },
  explain({ attempt, state, tables: { marketing, doNotCallLists } }, finding) {
    if (marketing === undefined) return { saw: "the calls of this trunk are no marketing" };
    const number = formatNumber(attempt.called) ?? JSON.stringify(attempt.called.raw);
    const lists = listsFor(doNotCallLists, marketing);
    const found = lists.flatMap((meant) => {
      const row = findCalled(attempt, meant);
      return row < 0 ? [] : [{ list: meant.list, row }];
    });
    if (found.length === 0)
      return { saw: `called ${number} is on none of ${lists.length} do-not-call lists for this lessee` };
    const lines = found.map(({ list, row }) => `${list.file}:${list.numbers.line(row)}`);
    const saw = `called ${number} is on ${found.map(({ list }) => list.id).join(" and ")}`;
    if (finding === undefined)
      return { saw: `${saw}${sayExemption(attempt, state, marketing)}`, line: lines.join(", ") };
    return {
      saw,
      line: lines.join(", "),
      change: found.map(({ list, row }) => takeOut(list, row, number)).join(", and "),
    };
  },
};
