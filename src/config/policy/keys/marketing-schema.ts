// The key `marketing` of policy.yaml: which lessees are meant, platform numbers, rest hours, and calls back.
import { z } from "zod";
import { type RestHours, type RestRange, readRestRange } from "../../../hours/rest-hours.ts";
import { isAreaCode } from "../../../numbering/cn.ts";
import { areasOfProvince } from "../../../numbering/areas/area-of.ts";
import { readListEntry } from "../../../numbering/list-entry.ts";
import type { Millis } from "../../../domain/time.ts";
import { pathSchema, textSchema } from "../../yaml/schema-parts.ts";

const rangesSchema = z
  .array(
    z.string().refine((text) => readRestRange(text) !== undefined, {
      error: 'expected a time of day like "21:00-08:00", in quotes',
    }),
  )
  .max(16);

/** What is in force where the policy says nothing of hours. */
const defaultHours = ["12:00-14:00", "21:00-08:00"];

const hoursFields = {
  workdays: rangesSchema
    .exactOptional()
    .describe("Rest hours on days of work, in the time zone of the policy; also over midnight. []: none."),
  restDays: rangesSchema
    .exactOptional()
    .describe(
      "Rest hours on holidays and on Saturdays and Sundays that the calendar does not call days of work. Default: as `workdays`.",
    ),
};

const areaSchema = z.strictObject({
  codes: z
    .array(
      z.string().refine(isAreaCode, {
        error: 'not an area code of the numbering plan; write it without trunk prefix, like "10" or "755"',
      }),
    )
    .min(1)
    .exactOptional()
    .describe("Area codes of called numbers, without trunk prefix. They go before provinces."),
  provinces: z
    .array(
      z.string().refine((name) => areasOfProvince(name) !== undefined, {
        error: "not a province of the numbering plan, like 广东省",
      }),
    )
    .min(1)
    .exactOptional()
    .describe("Provinces of called numbers, by the names of the numbering plan: 广东省 or 广东."),
  ...hoursFields,
});

const platformSchema = z.string().superRefine((text, context) => {
  const entry = readListEntry(text);
  if (typeof entry === "string") context.addIssue({ code: "custom", message: entry });
});

/** Schema of the whole section. */
export const marketingSchema = z
  .strictObject({
    industries: z
      .array(textSchema)
      .default(["marketing", "telemarketing", "电话营销"])
      .describe(
        "Industries of lessees whose calls are marketing, unless the lessee says `marketing: false`.",
      ),
    platformNumbers: z
      .array(platformSchema)
      .min(1)
      .max(1000)
      .default(["95*", "96*"])
      .describe("The only numbers that marketing may call from, written as in lists."),
    callBack: z
      .string()
      .refine((text) => readHours(text) !== undefined, { error: "expected hours up to 720, like 48h" })
      .default("48h")
      .describe(
        "For so long after a number has called the lessee, calls of the lessee to it are subject to neither rest hours nor do-not-call lists. 0h: never.",
      ),
    calendar: pathSchema
      .exactOptional()
      .describe(
        "CSV with the columns date and kind (holiday or workday): days that are not what their day of the week says.",
      ),
    ...hoursFields,
    areas: z
      .array(areaSchema)
      .max(100)
      .default([])
      .describe("Rest hours of areas. A called number of no area, such as a mobile number, has those above."),
  })
  .superRefine(({ areas }, context) => {
    const codes = new Set<string>();
    const provinces = new Set<string>();
    for (const [index, area] of areas.entries()) {
      const path = ["areas", index];
      if (area.codes === undefined && area.provinces === undefined)
        context.addIssue({ code: "custom", path, message: "needs `codes` or `provinces`" });
      if (area.workdays === undefined && area.restDays === undefined)
        context.addIssue({ code: "custom", path, message: "needs `workdays` or `restDays`" });
      const repeated = [
        ...(area.codes ?? []).filter((code) => !addNew(codes, code)),
        ...(area.provinces ?? []).filter(
          (name) => !addNew(provinces, areasOfProvince(name)?.join(" ") ?? name),
        ),
      ];
      for (const name of repeated)
        context.addIssue({ code: "custom", path, message: `${name} is in an entry before this one too` });
    }
  })
  .describe(
    "What marketing may do. It concerns lessees with `marketing: true` or an industry of `industries`.",
  );

export type MarketingEntry = z.output<typeof marketingSchema>;

function addNew(set: Set<string>, value: string): boolean {
  const isNew = !set.has(value);
  set.add(value);
  return isNew;
}

const HOUR: Millis = 3_600_000;
/** Thirty days: the longest window that calls are counted in. */
const MOST_HOURS = 720;

/** @returns milliseconds; undefined for anything but `48h` and its like */
function readHours(text: string): Millis | undefined {
  const hours = Number(/^(\d{1,3})h$/.exec(text)?.[1]);
  return hours <= MOST_HOURS ? hours * HOUR : undefined;
}

/** How long a call back is free of rest hours and do-not-call lists; 0: never. */
export function callBackOf({ callBack }: MarketingEntry): Millis {
  return readHours(callBack) ?? 0;
}

/** The rest hours of all areas: first those of areas without an entry. */
export function compileHours(entry: MarketingEntry): readonly RestHours[] {
  const usual = hoursOf(entry, defaultHours, undefined);
  return [usual, ...entry.areas.map((area) => hoursOf(area, entry.workdays ?? defaultHours, entry.restDays))];
}

/** What an area does not say is as elsewhere; rest days are as its days of work, where nobody says more. */
function hoursOf(
  entry: Pick<MarketingEntry, "workdays" | "restDays">,
  workdays: readonly string[],
  restDays: readonly string[] | undefined,
): RestHours {
  const own = entry.workdays ?? workdays;
  return { workdays: compileRanges(own), restDays: compileRanges(entry.restDays ?? restDays ?? own) };
}

function compileRanges(ranges: readonly string[]): readonly RestRange[] {
  return ranges.flatMap((text) => readRestRange(text) ?? []);
}

/** Which rest hours each area has: pairs of an area code and an index of {@link compileHours}. Codes come last. */
export function areasWithHours({
  areas,
}: MarketingEntry): readonly (readonly [area: number, which: number])[] {
  const byProvince = areas.flatMap(({ provinces = [] }, index) =>
    provinces
      .flatMap((name) => areasOfProvince(name) ?? [])
      .map((code) => [Number(code), index + 1] as const),
  );
  const byCode = areas.flatMap(({ codes = [] }, index) =>
    codes.map((code) => [Number(code), index + 1] as const),
  );
  return [...byProvince, ...byCode];
}
