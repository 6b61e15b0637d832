// Reads the calendar of holidays: a CSV of dates that are not what their day of the week says.
import { isUtf8 } from "node:buffer";
import type { DayKind } from "../../hours/rest-hours.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { decodeText } from "../yaml/yaml-source.ts";
import { createCalendar } from "./calendar.ts";
import { type CsvRow, eachCsvRow, isBlankRow } from "./csv.ts";
import { adviseDate, adviseEncoding, plainName } from "./list-advice.ts";
import { type FilePlace, placeOf } from "./list-cells.ts";
import { hashList, type ListHashes } from "./list-hash.ts";

/** A calendar that was read without error. */
export interface DayCalendar {
  /** The days by their dates (`2026-10-01`), in the order of the file. */
  readonly days: ReadonlyMap<string, DayKind>;
  /** The path of the file, relative to the working directory of the program. */
  readonly file: string;
  readonly hashes: ListHashes;
}

/** At most this many errors are told. A wrong file has bad rows only. */
const mostIssues = 50;

const beginning: FilePlace = { line: 1, column: 1 };
const empty = "the calendar is empty; leave `calendar` out when only Saturdays and Sundays are rest days";

/**
 * Reads a calendar: columns `date` and `kind` (`holiday` or `workday`); others are for people.
 * @returns `calendar` is undefined when `issues` has an error
 */
export function readDayCalendar(
  file: string,
  bytes: Uint8Array,
): { readonly calendar: DayCalendar | undefined; readonly issues: readonly ConfigIssue[] } {
  const issues: ConfigIssue[] = [];
  const report = (place: FilePlace, path: string, message: string): void => {
    if (issues.length < mostIssues) issues.push({ severity: "error", file, ...place, path, message });
  };
  if (!isUtf8(bytes)) {
    report(beginning, "", adviseEncoding(bytes));
    return { calendar: undefined, issues };
  }
  const text = decodeText(bytes).text.replaceAll(/\r\n?/g, "\n");
  const days = new Map<string, DayKind>();
  // Any zone will do: only whether a date exists is asked.
  const zone = createCalendar("UTC");
  let columns: { readonly date: number; readonly kind: number } | undefined;
  const readDate = (row: CsvRow, of: { readonly date: number; readonly kind: number }): void => {
    const cell = (index: number): string => row.cells[index]?.trim() ?? "";
    const [date, kind] = [cell(of.date), cell(of.kind)];
    if (zone.readDay(date) === undefined)
      report(placeOf(row, of.date), "date", `"${date}" is not a date like 2026-10-01${adviseDate(date)}`);
    else if (kind !== "holiday" && kind !== "workday")
      report(placeOf(row, of.kind), "kind", `expected holiday or workday, got "${kind}"`);
    else if (days.has(date)) report(placeOf(row, of.date), "date", `${date} is in the calendar twice`);
    else days.set(date, kind);
  };
  eachCsvRow(text, (row) => {
    if (row.mistake !== undefined) report(placeOf(row, 0), "", row.mistake);
    else if (isBlankRow(row)) return true;
    else if (columns !== undefined) readDate(row, columns);
    else {
      const names = row.cells.map(plainName);
      columns = { date: names.indexOf("date"), kind: names.indexOf("kind") };
      for (const [name, index] of Object.entries(columns))
        if (index < 0) report(placeOf(row, 0), "", `the header has no column "${name}"`);
      // Behind a wrong header nothing can be read.
      return columns.date >= 0 && columns.kind >= 0;
    }
    return true;
  });
  if (issues.length === 0 && days.size === 0) report(beginning, "", empty);
  return issues.length > 0
    ? { calendar: undefined, issues }
    : { calendar: { days, file, hashes: hashList(bytes) }, issues };
}
