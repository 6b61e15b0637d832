// Builds what the rules about marketing look up: lessees, platform numbers, rest hours and the calendar.
import { readListEntry } from "../../numbering/list-entry.ts";
import { MOST_AREA } from "../../numbering/areas/area-of.ts";
import { createNumberSetBuilder, MOST_MARK } from "../../numbering/number-set-builder.ts";
import type { NumberSet } from "../../numbering/number-set.ts";
import type { LesseeMarketing, MarketingPolicy } from "../../screening/rule.ts";
import { plainIndustry } from "../lists/asked-column.ts";
import { type DayCalendar, readDayCalendar } from "../lists/day-calendar.ts";
import { type ReadFile, resolvePath } from "../yaml/config-files.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { areasWithHours, callBackOf, compileHours } from "./keys/marketing-schema.ts";
import type { LoadedList } from "./list-loading.ts";
import type { PolicyFile } from "./policy-file.ts";
import type { LesseeEntry } from "./policy-schema.ts";

/** The calendar that the policy names. */
export interface LoadedCalendar {
  /** The path, as the policy writes it. Undefined: the policy names none. */
  readonly written: string | undefined;
  /** Undefined where the policy names none, or one with errors. */
  readonly calendar: DayCalendar | undefined;
  readonly issues: readonly ConfigIssue[];
}

/** Reads the calendar of holidays. A missing or broken one is an error. */
export function loadDayCalendar({ source, marketing }: PolicyFile, readFile: ReadFile): LoadedCalendar {
  const written = marketing.calendar;
  if (written === undefined) return { written, calendar: undefined, issues: [] };
  const file = resolvePath(source.file, written);
  const content = readFile(file);
  if ("error" in content) {
    const issue = source.issueAt(["marketing", "calendar"], `can't read ${file}: ${content.error}`);
    return { written, calendar: undefined, issues: [issue] };
  }
  return { written, ...readDayCalendar(file, content.bytes) };
}

/** Tells whether the calls of a lessee are marketing. */
export function isMarketing(
  { marketing, industry }: LesseeEntry,
  { marketing: policy }: PolicyFile,
): boolean {
  if (marketing !== undefined) return marketing;
  return (
    industry !== undefined &&
    policy.industries.some((name) => plainIndustry(name) === plainIndustry(industry))
  );
}

/** Finds what the rules about marketing know of each lessee whose calls are marketing. */
export function planMarketing(
  file: PolicyFile,
  lists: readonly LoadedList[],
  calendar: DayCalendar | undefined,
): ReadonlyMap<string, LesseeMarketing> {
  const lessees = file.lessees.map(({ value }) => value).filter((lessee) => isMarketing(lessee, file));
  if (lessees.length === 0) return new Map();
  const policy = buildPolicy(
    file,
    lessees.map(({ id }) => id),
    lists,
    calendar,
  );
  return new Map(
    lessees.map(({ id, industry }) => [
      id,
      { lessee: id, industry: industry === undefined ? undefined : plainIndustry(industry), policy },
    ]),
  );
}

function buildPolicy(
  { marketing: entry, timeZone, homeCountry }: PolicyFile,
  lessees: readonly string[],
  lists: readonly LoadedList[],
  calendar: DayCalendar | undefined,
): MarketingPolicy {
  const areas = new Uint8Array(MOST_AREA);
  for (const [area, which] of areasWithHours(entry)) areas[area] = which;
  const platforms = createNumberSetBuilder();
  for (const text of entry.platformNumbers) {
    const read = readListEntry(text, homeCountry);
    if (typeof read !== "string") platforms.add(read, { line: 1, mayForward: false });
  }
  return {
    rest: { timeZone, days: calendar?.days ?? new Map(), hours: compileHours(entry) },
    areas,
    platformNumbers: platforms.build(),
    platformsWritten: entry.platformNumbers.join(", "),
    callBack: callBackOf(entry),
    ownNumbers: unite(lessees, lists),
    lessees,
  };
}

/** Puts the numbers of the lessees into one set: a call is looked up once, however many lessees there are. */
function unite(lessees: readonly string[], lists: readonly LoadedList[]): NumberSet {
  const builder = createNumberSetBuilder(true);
  for (const [index, id] of lessees.slice(0, MOST_MARK).entries()) {
    const numbers = lists.find((list) => list.kind === "lessee" && list.id === id)?.read.numbers;
    if (numbers === undefined) continue;
    const { exact, rangeStart, rangeEnd, rangeRow } = numbers.columns;
    const rowOf = (row: number) => ({
      line: numbers.line(row),
      validFrom: numbers.validFrom(row),
      validTo: numbers.validTo(row),
      mayForward: false,
      mark: index + 1,
    });
    for (let row = 0; row < exact.length; row++) builder.addExact(exact[row] ?? 0, rowOf(row));
    for (let at = 0; at < rangeStart.length; at++)
      builder.addRange(rangeStart[at] ?? 0, rangeEnd[at] ?? 0, rowOf(rangeRow[at] ?? 0));
  }
  return builder.build();
}
