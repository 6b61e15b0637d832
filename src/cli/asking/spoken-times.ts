// Reads the times that people write on a command line, in the time zone of the policy.
import { createCalendar } from "../../config/lists/calendar.ts";
import type { Millis } from "../../domain/time.ts";

/** A span of time: as exact as it was written. Unix milliseconds; `to` is exclusive. */
export interface Span {
  readonly from: Millis;
  readonly to: Millis;
}

const MINUTE: Millis = 60_000;
const DAY: Millis = 1440 * MINUTE;
const units: Readonly<Record<string, Millis>> = { s: 1000, m: MINUTE, h: 60 * MINUTE, d: DAY };

/** What can be written, for messages. */
export const timeForms =
  "2026-11-30, 2026-11-30T10:32, 2026-11-30T10:32:05+08:00, 2026-11, 10:32 (the last one), yesterday, yesterday 10:32, 24h (ago)";

const moment =
  /^(?:(\d{4}-\d{2}-\d{2})(?:[T ]+)?|(today|yesterday) *)?(?:(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,3})?)?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * Reads a time. Without an offset it is in `timeZone`.
 *
 * @param now Unix milliseconds
 * @returns undefined for what is no time
 */
export function readSpan(text: string, timeZone: string, now: Millis): Span | undefined {
  const trimmed = text.trim();
  const ago = /^(\d{1,6})([smhd])$/.exec(trimmed);
  if (ago !== null) {
    const from = now - Number(ago[1]) * (units[ago[2] ?? ""] ?? NaN);
    return { from, to: from + 1 };
  }
  const calendar = createCalendar(timeZone);
  if (/^\d{4}-\d{2}$/.test(trimmed)) return readMonth(trimmed, timeZone);
  const parts = moment.exec(trimmed);
  if (parts === null || trimmed === "") return undefined;
  const [, date, word, hour, minute, second, fraction, offset] = parts;
  if (hour === undefined && (offset !== undefined || (date === undefined && word === undefined)))
    return undefined;
  const today = calendar.formatDay(now);
  const spoken = date ?? (word?.toLowerCase() === "yesterday" ? dayBefore(today) : today);
  const day = offset === undefined ? calendar.readDay(spoken) : dayIn(spoken, offset);
  if (day === undefined) return undefined;
  if (hour === undefined) return { from: day.start, to: day.end };
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 59) return undefined;
  const clock = Number(hour) * 60 * MINUTE + Number(minute) * MINUTE + Number(second ?? 0) * 1000;
  const at = (start: Millis): Millis => clockIn(start, clock, offset === undefined ? timeZone : undefined);
  let from = at(day.start) + Math.round(Number(fraction ?? 0) * 1000);
  // A time of day alone is the last one that has been.
  if (date === undefined && word === undefined && from > now && offset === undefined) {
    const before = calendar.readDay(dayBefore(today));
    if (before !== undefined) from = at(before.start);
  }
  const length = second === undefined ? MINUTE : fraction === undefined ? 1000 : 1;
  return { from, to: from + length };
}

/** The moment at which clocks of a zone show a time of a day; on the days that change clocks, too. */
function clockIn(start: Millis, clock: Millis, timeZone: string | undefined): Millis {
  if (timeZone === undefined) return start + clock;
  const calendar = createCalendar(timeZone);
  const shown = (at: Millis): Millis => Date.parse(`${calendar.formatTime(at).slice(0, 23)}Z`);
  const wanted = shown(start) + clock;
  const near = start + clock;
  return near + wanted - shown(near);
}

function readMonth(text: string, timeZone: string): Span | undefined {
  const calendar = createCalendar(timeZone);
  const first = calendar.readDay(`${text}-01`);
  const [year = 0, month = 0] = text.split("-").map(Number);
  const next = new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10);
  const after = calendar.readDay(next);
  return first === undefined || after === undefined ? undefined : { from: first.start, to: after.start };
}

function dayBefore(day: string): string {
  return new Date(Date.parse(day) - DAY).toISOString().slice(0, 10);
}

/** The day in an offset from UTC: `Z`, `+08:00`, `+0800`. */
function dayIn(day: string, offset: string): { readonly start: Millis; readonly end: Millis } | undefined {
  if (createCalendar("UTC").readDay(day) === undefined) return undefined;
  const colon =
    offset.includes(":") || offset.length === 1 ? offset : `${offset.slice(0, 3)}:${offset.slice(3)}`;
  const start = Date.parse(`${day}T00:00:00${colon.toUpperCase()}`);
  return Number.isNaN(start) ? undefined : { start, end: start + DAY };
}
