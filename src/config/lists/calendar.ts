// Turns the dates of operators' files into moments in one time zone.
import type { Millis } from "../../domain/time.ts";
import { createLocalClock } from "../../hours/local-clock.ts";

/**
 * One calendar day, from its first moment to the first moment of the next day. Unix milliseconds.
 */
export interface Day {
  readonly start: Millis;
  readonly end: Millis;
}

/** Turns dates of operators' files into moments, in one time zone. */
export interface Calendar {
  readonly timeZone: string;
  /**
   * Reads a day written `2026-01-31` (ISO 8601). Each distinct date is computed once.
   * @returns undefined when the text is no date
   */
  readDay(text: string): Day | undefined;
  /**
   * Reads a date-time written `2026-01-31T18:00`, also with a space, with seconds, and with an offset (`Z`, `+08:00`).
   * Without an offset it is one of the time zone.
   * @returns undefined when the text is no date-time
   */
  readTime(text: string): Millis | undefined;
  /** Formats the date of a moment as `2026-01-31`. */
  formatDay(at: Millis): string;
  /** Formats a moment for people, with the offset of the zone: `2026-01-31T16:15:02.123+08:00` (RFC 3339). */
  formatTime(at: Millis): string;
}

/** Tells whether a name is a time zone of the IANA database ("Asia/Shanghai") or "UTC". */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** Makes a calendar. `timeZone` must satisfy {@link isTimeZone}. */
export function createCalendar(timeZone: string): Calendar {
  const { localOf: localClock, momentOf } = createLocalClock(timeZone);
  const days = new Map<string, Day | undefined>();
  const computeDay = (text: string): Day | undefined => {
    const midnight = readDate(text);
    return midnight === undefined
      ? undefined
      : { start: momentOf(midnight), end: momentOf(midnight + 86_400_000) };
  };
  return {
    timeZone,
    readDay: (text) => {
      if (!days.has(text)) days.set(text, computeDay(text));
      return days.get(text);
    },
    readTime(text) {
      const match = timePattern.exec(text);
      const [, date = "", hour, minute, second = "0", offset] = match ?? [];
      const midnight = readDate(date);
      if (midnight === undefined) return undefined;
      const local = midnight + (Number(hour) * 60 + Number(minute)) * 60_000 + Number(second) * 1000;
      return offset === undefined ? momentOf(local) : local - readOffset(offset);
    },
    formatDay: (at) => new Date(localClock(at)).toISOString().slice(0, 10),
    formatTime(at) {
      // The clock has whole seconds, the moment has milliseconds.
      const second = Math.floor(at / 1000) * 1000;
      const local = localClock(second);
      const text = new Date(local + at - second).toISOString().slice(0, -1);
      return text + formatOffset(local - second);
    },
  };
}

const timePattern =
  /^(\d{4}-\d{2}-\d{2})[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?$/;

/** The offset of a time zone, written `Z` or `+08:00`. Milliseconds. */
function readOffset(text: string): Millis {
  if (text === "Z") return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(4));
  return (text.startsWith("-") ? -minutes : minutes) * 60_000;
}

function formatOffset(offset: Millis): string {
  const minutes = Math.abs(offset) / 60_000;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0"));
  return `${offset < 0 ? "-" : "+"}${hours}:${rest}`;
}

/**
 * Returns midnight UTC of a date.
 * @returns undefined for anything but an existing day written YYYY-MM-DD, years 1970 to 9999
 */
function readDate(text: string): Millis | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return undefined;
  const at = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  // Date.UTC turns 31 February into March, and years below 100 into 19xx.
  return at >= 0 && new Date(at).toISOString().startsWith(text) ? at : undefined;
}
