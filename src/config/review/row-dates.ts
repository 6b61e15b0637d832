// What the dates of a list row say today: expired, about to expire, not valid yet, verification overdue.
import type { Millis } from "../../domain/time.ts";
import type { Calendar } from "../lists/calendar.ts";
import type { LoadedList } from "../policy/list-loading.ts";
import { isMapping } from "../yaml/schema-issues.ts";
import type { PolicyMaterial } from "../load-policy.ts";

const DAY: Millis = 86_400_000;

/** One thing that is to be said of the dates of a row. */
export interface DateRemark {
  readonly kind: "expired" | "ending" | "coming" | "unverified";
  readonly describe: () => string;
}

/**
 * Makes a reader of the dates of one list. Many rows share a combination of dates: each is judged once.
 *
 * @param now Unix milliseconds
 * @param soonDays rows that end within so many days are `ending`
 * @param verifiedWithin rows of lessees that were verified longer ago than so many days are `unverified`; undefined: as the
 * policy says
 */
export function createDateReader(
  { plans }: Pick<PolicyMaterial, "plans">,
  list: LoadedList,
  calendar: Calendar,
  now: Millis,
  soonDays: number,
  verifiedWithin?: number,
): (row: number) => readonly DateRemark[] {
  const { numbers } = list.read;
  const { rowAttributes } = numbers.columns;
  const days = list.kind === "lessee" ? (verifiedWithin ?? verificationDays(plans, list.id)) : undefined;
  const lastDay = (end: Millis): string => calendar.formatDay(end - 1);

  function judge(row: number): readonly DateRemark[] {
    const remarks: DateRemark[] = [];
    const say = (kind: DateRemark["kind"], describe: () => string): number =>
      remarks.push({ kind, describe });
    const to = numbers.validTo(row);
    const from = numbers.validFrom(row);
    if (to !== undefined && to <= now) say("expired", () => `expired on ${lastDay(to)}`);
    else if (to !== undefined && to <= now + soonDays * DAY) say("ending", () => `expires on ${lastDay(to)}`);
    if (from !== undefined && from > now) say("coming", () => `not valid before ${calendar.formatDay(from)}`);
    if (list.kind !== "lessee") return remarks;
    const verified = numbers.verifiedOn(row);
    if (verified === undefined) say("unverified", () => "never verified");
    else if (verified > now)
      say("unverified", () => `verified in the future, on ${calendar.formatDay(verified)}`);
    else if (days !== undefined && now >= verified + (days + 1) * DAY) {
      const when = `last verified on ${calendar.formatDay(verified)}`;
      say("unverified", () => `${when}, more than ${days} days ago`);
    }
    return remarks;
  }

  const known: (readonly DateRemark[])[] = [];
  return (row) => (known[rowAttributes[row] ?? 0] ??= judge(row));
}

/**
 * Returns the smallest `verifiedWithinDays` of the trunks of a lessee.
 * @returns undefined when no trunk sets it
 */
export function verificationDays(plans: PolicyMaterial["plans"], lessee: string): number | undefined {
  const days = plans
    .filter(({ trunk }) => trunk.lessee === lessee)
    .map(({ chain }) => chain["caller-authentication"].options)
    .map((options) => (isMapping(options) ? options["verifiedWithinDays"] : undefined))
    .filter((value) => typeof value === "number");
  return days.length === 0 ? undefined : Math.min(...days);
}
