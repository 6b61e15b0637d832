// The key `lists` of policy.yaml: number lists by kind, what scores lead to, and orders to shut numbers down.
import { z } from "zod";
import { isWholeSteps, stepsOf } from "../../../numbering/lists/score.ts";
import type { ScoreBand } from "../../../screening/rule.ts";
import { type AskedColumn, plainIndustry } from "../../lists/asked-column.ts";
import { columnNamed } from "../../lists/list-advice.ts";
import { dateSchema, pathSchema, textSchema } from "../../yaml/schema-parts.ts";

/** The kinds of lists that `lists` may name. */
export const listKinds = ["police", "deny", "shutdown", "trusted", "score", "do-not-call"] as const;
export type ListKind = (typeof listKinds)[number];

/** What a score may lead to; each is stricter than the one before. */
const deeds = ["monitor", "label", "withhold", "reject"] as const;

const boundSchema = z.number().gt(0).max(1).refine(isWholeSteps, { error: "expected at most four decimals" });

const bandSchema = z.strictObject({
  from: boundSchema.describe("The lowest score of the band, above 0 and up to 1."),
  do: z
    .enum(deeds)
    .describe(
      "reject: refused; withhold: passes without its calling number; label: passes with a label; monitor: only counted.",
    ),
});

/** Which keys belong to which kind. */
const keysOfKinds = {
  column: ["score"],
  threshold: ["score"],
  bands: ["score"],
  industry: ["do-not-call"],
  order: ["shutdown"],
  due: ["shutdown"],
  authority: ["shutdown"],
  noReturn: ["shutdown"],
  releases: ["police", "shutdown"],
} as const satisfies Record<string, readonly ListKind[]>;

const fieldsSchema = z.strictObject({
  file: pathSchema.describe("CSV list; a relative path starts at the folder of this file."),
  kind: z
    .enum(listKinds)
    .describe(
      "police, deny: refused as police-listed or denylisted; shutdown: numbers to be shut down by order, refused as police-listed; score: refused, withheld, labelled or counted by a score; trusted: a score of such a number counts as 0; do-not-call: called numbers that marketing must not call.",
    ),
  column: textSchema
    .exactOptional()
    .describe("Of kind score: the column of the score, from 0 to 1. Default: score."),
  threshold: boundSchema
    .exactOptional()
    .describe("Of kind score: from this score on, calls are refused. It stands for a band with do: reject."),
  bands: z
    .array(bandSchema)
    .min(1)
    .max(8)
    .exactOptional()
    .describe("Of kind score: what scores lead to. The highest band that a score reaches applies."),
  industry: textSchema
    .exactOptional()
    .describe(
      "Of kind do-not-call: only marketing of this industry must not call. Default: the row's column `industry`, or any marketing.",
    ),
  order: textSchema
    .exactOptional()
    .describe("Of kind shutdown, required: the order, as its authority numbers it."),
  due: dateSchema
    .exactOptional()
    .describe("Of kind shutdown: the last day for shutting the numbers down. Afterwards `check` warns."),
  authority: textSchema.exactOptional().describe("Of kind shutdown: who gave the order."),
  noReturn: z
    .boolean()
    .exactOptional()
    .describe("Of kind shutdown: true: its numbers are never released. Default: false."),
  releases: pathSchema
    .exactOptional()
    .describe(
      "Of kinds police and shutdown: CSV of released numbers: number, date, by, reason, order. A number leaves the list only with a line here.",
    ),
});
type Fields = z.output<typeof fieldsSchema>;

/** Schema of one list of `policy.yaml`. */
export const listSchema = fieldsSchema.superRefine((list, context) => {
  for (const [key, kinds] of Object.entries(keysOfKinds)) {
    const isOfKind = kinds.some((kind) => kind === list.kind);
    if (key in list && !isOfKind)
      context.addIssue({
        code: "custom",
        path: [key],
        message: `belongs to lists of kind ${kinds.join(", ")}`,
      });
  }
  if (list.kind === "shutdown" && list.order === undefined)
    context.addIssue({ code: "custom", path: [], message: "a list of kind shutdown needs `order`" });
  if (list.kind !== "score") return;
  const taken = list.column === undefined ? undefined : columnNamed(list.column);
  if (taken !== undefined)
    context.addIssue({ code: "custom", path: ["column"], message: `the column ${taken} holds no score` });
  for (const { path, message } of findContradictions(list))
    context.addIssue({ code: "custom", path, message });
});

/** A list as written. */
export type PolicyList = z.output<typeof listSchema>;

interface Contradiction {
  readonly path: (string | number)[];
  readonly message: string;
}

/** Finds bands that never apply, or that do less at a higher score. */
function findContradictions({ threshold, bands = [] }: Fields): readonly Contradiction[] {
  if (threshold === undefined && bands.length === 0)
    return [{ path: [], message: "a list of kind score needs `threshold` or `bands`" }];
  const placed = bands.map((band, index) => ({ ...band, index }));
  const rising = placed.toSorted((a, b) => a.from - b.from || a.index - b.index);
  return rising.flatMap(({ from, do: deed, index }, at) => {
    const path = ["bands", index];
    if (threshold !== undefined && from >= threshold)
      return [{ path, message: `never applies: calls are refused from threshold ${threshold} on` }];
    if (threshold !== undefined && deed === "reject")
      return [{ path, message: `refuses below threshold ${threshold}; give one of the two` }];
    const lower = rising[at - 1];
    if (lower === undefined) return [];
    if (lower.from < from && deeds.indexOf(lower.do) < deeds.indexOf(deed)) return [];
    const message =
      lower.from === from
        ? `another band begins at ${from} too`
        : `does no more than the band from ${lower.from} (${lower.do}); a higher score must lead to more`;
    return [{ path, message }];
  });
}

/** Returns the column that a list of this kind asks for. */
export function askedColumnOf({ kind, column = "score" }: PolicyList): AskedColumn | undefined {
  if (kind === "score") return { name: column, holds: "score" };
  if (kind === "police" || kind === "deny" || kind === "shutdown") return { name: "notice", holds: "notice" };
  return kind === "do-not-call" ? { name: "industry", holds: "industry" } : undefined;
}

/** Compiles the bands of a list, the highest one first. */
export function compileBands({ threshold, bands = [] }: PolicyList): readonly ScoreBand[] {
  const all = threshold === undefined ? bands : [...bands, { from: threshold, do: "reject" as const }];
  const compiled = all.map((band): ScoreBand => Object.freeze({ from: stepsOf(band.from), do: band.do }));
  return Object.freeze(compiled.toSorted((a, b) => b.from - a.from));
}

/** The industry of a list, in the form in which names are compared. */
export function industryOf({ industry }: PolicyList): string | undefined {
  return industry === undefined ? undefined : plainIndustry(industry);
}
