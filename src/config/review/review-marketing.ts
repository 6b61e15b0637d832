// Reviews what a policy says of marketing: lessees that can't call, lists for nobody, a calendar that ends.
import type { Millis } from "../../domain/time.ts";
import type { NumberSet } from "../../numbering/number-set.ts";
import { createCalendar } from "../lists/calendar.ts";
import { plainIndustry } from "../lists/asked-column.ts";
import type { PolicyMaterial } from "../load-policy.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";
import { valueAt } from "../yaml/schema-issues.ts";

type Warn = (path: Path, message: string) => ConfigIssue;

/** A calendar whose days end sooner is announced. */
const SOON: Millis = 30 * 86_400_000;

/** Finds what is legal in `marketing` and its lessees, and probably not meant. */
export function reviewMarketing(
  warn: Warn,
  { file, plans, calendar }: PolicyMaterial,
  now: Millis,
): readonly ConfigIssue[] {
  const meant = plans.flatMap(({ tables }) => (tables.marketing === undefined ? [] : [tables.marketing]));
  const [first] = meant;
  if (first === undefined)
    return [
      ...(valueAt(file.source.value, ["marketing"]) === undefined
        ? []
        : [warn(["marketing"], "has no effect: no trunk has a lessee whose calls are marketing")]),
      ...file.lists
        .filter(({ value }) => value.kind === "do-not-call")
        .map(({ path }) => warn(path, "has no effect: no trunk has a lessee whose calls are marketing")),
    ];
  const issues: ConfigIssue[] = [];
  const { platformNumbers, platformsWritten } = first.policy;
  for (const { path, value } of file.lessees) {
    const plan = plans.find(({ tables }) => tables.marketing?.lessee === value.id);
    const own = plan?.tables.lesseeNumbers?.numbers;
    if (own !== undefined && !hasOneOf(own, platformNumbers))
      issues.push(
        warn(
          [...path, "numbers"],
          `rule marketing refuses every call: no number of ${value.numbers} is one of ${platformsWritten}`,
        ),
      );
  }
  const industries = new Set(meant.map(({ industry }) => industry));
  for (const { path, value } of file.lists)
    if (value.industry !== undefined && !industries.has(plainIndustry(value.industry)))
      issues.push(
        warn([...path, "industry"], `no lessee whose calls are marketing has the industry ${value.industry}`),
      );
  const last = calendar === undefined ? undefined : [...calendar.days.keys()].toSorted().at(-1);
  const end = last === undefined ? undefined : createCalendar(file.timeZone).readDay(last)?.end;
  if (end !== undefined && end <= now + SOON)
    issues.push(
      warn(
        ["marketing", "calendar"],
        `ends on ${last}: after that day no holiday is known; add those of the next year`,
      ),
    );
  return issues;
}

/** Tells whether a list has a single number, or a whole range, that another one covers. */
function hasOneOf({ columns: { exact, rangeStart, rangeEnd } }: NumberSet, platforms: NumberSet): boolean {
  const covers = (key: number): boolean => platforms.find(key, 0) >= 0;
  return (
    exact.some(covers) || rangeStart.some((start, index) => covers(start) || covers(rangeEnd[index] ?? start))
  );
}
