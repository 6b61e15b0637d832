// The time of a record line: its text, and the hour whose file holds it.
import type { Millis } from "../../domain/time.ts";

const HOUR: Millis = 3_600_000;

/** Times before 1970 and after 9999 are a damaged clock: they are written as the nearest time that a folder can have. */
const LAST: Millis = 253_402_300_799_999;

/** Keeps a time within what a line can write. Whole milliseconds. */
export function clampTime(at: Millis): Millis {
  return at >= 0 ? Math.min(Math.floor(at), LAST) : 0;
}

let writtenSecond = -1;
let writtenPrefix = "";

/** Writes a time in UTC: `2026-11-30T12:00:00.000Z`. */
export function formatLineTime(at: Millis): string {
  const time = clampTime(at);
  const second = Math.floor(time / 1000);
  if (second !== writtenSecond) {
    // Lines of one second follow each other, and Date is the costly part.
    writtenSecond = second;
    writtenPrefix = new Date(second * 1000).toISOString().slice(0, 20);
  }
  const rest = time - second * 1000;
  return `${writtenPrefix}${rest < 10 ? "00" : rest < 100 ? "0" : ""}${rest}Z`;
}

/** Returns the number of the hour since 1970 that a time lies in. */
export function hourOf(at: Millis): number {
  return Math.floor(clampTime(at) / HOUR);
}

/** Where the lines of an hour are, below the records folder: day `2026-11-30` and hour `12`. */
export function placeOfHour(hour: number): { readonly day: string; readonly hour: string } {
  const text = new Date(hour * HOUR).toISOString();
  return { day: text.slice(0, 10), hour: text.slice(11, 13) };
}
