// Lists of numbers that are to be shut down by order: what is overdue, and what `check` says of each.
import type { Millis } from "../../domain/time.ts";
import { createCalendar } from "../lists/calendar.ts";
import type { PolicyMaterial } from "../load-policy.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";

/** Warns of orders whose last day is over, and of days that the calendar has not. */
export function reviewShutdown(
  warn: (path: Path, message: string) => ConfigIssue,
  { file }: PolicyMaterial,
  now: Millis,
): readonly ConfigIssue[] {
  const calendar = createCalendar(file.timeZone);
  return file.lists.flatMap(({ path, value: { order, due } }) => {
    const day = due === undefined ? undefined : calendar.readDay(due);
    if (order === undefined || due === undefined || (day !== undefined && now < day.end)) return [];
    const message =
      day === undefined
        ? `${due} is not a day of the calendar`
        : `order ${order} was due on ${due}; report that its numbers are shut down, then take \`due\` out`;
    return [warn([...path, "due"], message)];
  });
}

/** One row of cells for each list of the kind: name, order, due day, authority, and whether its numbers may return. */
export function describeShutdown({ file }: PolicyMaterial): readonly (readonly string[])[] {
  return file.lists.flatMap(({ value: { id, kind, order = "", due, authority, noReturn } }) =>
    kind === "shutdown"
      ? [
          [
            id,
            `order ${order}`,
            due === undefined ? "" : `due ${due}`,
            authority === undefined ? "" : `by ${authority}`,
            noReturn === true ? "never released" : "",
          ],
        ]
      : [],
  );
}
