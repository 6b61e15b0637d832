// Rest hours: the times of a day, by the kind of day and the calendar of a time zone, in which nobody is to be disturbed.
import type { Millis } from "../domain/time.ts";
import { createLocalClock } from "./local-clock.ts";

/** What a calendar says of a date, against its day of the week. */
export type DayKind = "holiday" | "workday";

/** A time of the day from `from` up to and without `to`, in minutes since midnight; `to` is at most 24 hours. */
export interface RestRange {
  readonly from: number;
  readonly to: number;
  /** As it was written; a range over midnight has two parts: "21:00-08:00". */
  readonly written: string;
}

/** The rest hours of some areas. */
export interface RestHours {
  /** On days of work. */
  readonly workdays: readonly RestRange[];
  /** On holidays, and on Saturdays and Sundays that the calendar does not call days of work. */
  readonly restDays: readonly RestRange[];
}

/** Rest hours and the calendar that they follow, as plain values. */
export interface RestCalendar {
  readonly timeZone: string;
  /** Dates (`2026-10-01`) that are not what their day of the week says. */
  readonly days: ReadonlyMap<string, DayKind>;
  readonly hours: readonly RestHours[];
}

/** Looks times up. */
export interface RestClock {
  /**
   * @param which index of the rest hours
   * @returns the range that `at` lies in; undefined outside of rest hours
   */
  restAt(which: number, at: Millis): RestRange | undefined;
  /** True for a holiday or a weekend without work. */
  isRestDay(at: Millis): boolean;
  /** The date and time that the clock of the time zone shows: `2026-10-01 21:00`. */
  say(at: Millis): string;
}

const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;
const SATURDAY = 6;
const SUNDAY = 0;

/** A range of the day that is looked at, in moments. */
interface Rest {
  readonly start: Millis;
  readonly end: Millis;
  readonly range: RestRange;
}

/** Makes the clock. It works out each day once, so that a look-up allocates nothing. */
export function createRestClock({ timeZone, days, hours }: RestCalendar): RestClock {
  const clock = createLocalClock(timeZone);
  let start = 0;
  let end = 0;
  let isRest = false;
  let rests: readonly (readonly Rest[])[] = [];

  function turnTo(at: Millis): void {
    const midnight = Math.floor(clock.localOf(at) / DAY) * DAY;
    start = clock.momentOf(midnight);
    end = clock.momentOf(midnight + DAY);
    const date = new Date(midnight);
    const kind = days.get(date.toISOString().slice(0, 10));
    const weekday = date.getUTCDay();
    isRest = kind === undefined ? weekday === SATURDAY || weekday === SUNDAY : kind === "holiday";
    rests = hours.map(({ workdays, restDays }) =>
      (isRest ? restDays : workdays).map((range) => ({
        start: clock.momentOf(midnight + range.from * MINUTE),
        end: clock.momentOf(midnight + range.to * MINUTE),
        range,
      })),
    );
  }

  return {
    restAt(which, at) {
      if (at < start || at >= end) turnTo(at);
      const ranges = rests[which];
      if (ranges === undefined) return undefined;
      for (const rest of ranges) if (at >= rest.start && at < rest.end) return rest.range;
      return undefined;
    },
    isRestDay(at) {
      if (at < start || at >= end) turnTo(at);
      return isRest;
    },
    say: (at) => new Date(clock.localOf(at)).toISOString().slice(0, 16).replace("T", " "),
  };
}

/**
 * Reads `21:00-08:00`, also over midnight.
 * @returns its parts, or undefined when the text is no such range
 */
export function readRestRange(written: string): readonly RestRange[] | undefined {
  const [first = "", second = "", ...more] = written.split("-");
  const [from, to] = [readMinute(first.trim()), readMinute(second.trim())];
  if (more.length > 0 || from === undefined || to === undefined || from === to || from === 1440)
    return undefined;
  if (from < to) return [{ from, to, written }];
  const parts = [{ from, to: 1440, written }];
  return to === 0 ? parts : [{ from: 0, to, written }, ...parts];
}

function readMinute(text: string): number | undefined {
  const [, hour, minute] = /^(\d\d):([0-5]\d)$/.exec(text) ?? [];
  const value = Number(hour) * 60 + Number(minute);
  return value <= 1440 ? value : undefined;
}
