// The time of log lines for people.
import { createCalendar } from "../../config/lists/calendar.ts";
import type { LogClock } from "../../observe/log-writer.ts";

/** Makes the clock of a time zone: `16:15:02.123+08:00`. Undefined without a zone. */
export function peopleClock(timeZone: string | undefined): LogClock | undefined {
  if (timeZone === undefined) return undefined;
  const calendar = createCalendar(timeZone);
  return (at) => calendar.formatTime(at).slice("2026-01-31T".length);
}
