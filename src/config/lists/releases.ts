// Reads a file of releases: the numbers that may leave a list, each with who released it, when and why.
import { isUtf8 } from "node:buffer";
import type { Millis } from "../../domain/time.ts";
import { type ListEntry, readListEntry } from "../../numbering/list-entry.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { decodeText } from "../yaml/yaml-source.ts";
import type { Calendar } from "./calendar.ts";
import { type CsvRow, eachCsvRow, isBlankRow } from "./csv.ts";
import { adviseDate, adviseEncoding, adviseNumber, plainName } from "./list-advice.ts";
import { type FilePlace, placeOf } from "./list-cells.ts";
import { hashList, type ListHashes } from "./list-hash.ts";

/** One line of the file. */
export interface Release {
  readonly entry: ListEntry;
  readonly line: number;
  /** The number, range or prefix, as written. */
  readonly number: string;
  readonly date: string;
  /** The first moment of that day. */
  readonly from: Millis;
  readonly by: string;
  readonly reason: string;
  readonly order: string;
}

/** A file of releases that was read without error. */
export interface ReleaseFile {
  readonly file: string;
  readonly releases: readonly Release[];
  readonly hashes: ListHashes;
}

/** At most this many errors are told. */
const mostIssues = 50;

const beginning: FilePlace = { line: 1, column: 1 };

/** The columns, with other names of them. */
const wanted = {
  number: ["number"],
  date: ["date"],
  by: ["by", "authority"],
  reason: ["reason"],
  order: ["order"],
};
type Cells = Record<keyof typeof wanted, string>;

/**
 * Reads the file: columns `number`, `date`, `by` (or `authority`), `reason` and `order`, all of which every row has. A
 * file with a header alone releases nothing.
 * @returns `read` is undefined when `issues` has an error
 */
export function readReleases(
  file: string,
  bytes: Uint8Array,
  calendar: Calendar,
  homeCountry: string,
): { readonly read: ReleaseFile | undefined; readonly issues: readonly ConfigIssue[] } {
  const issues: ConfigIssue[] = [];
  const report = (place: FilePlace, path: string, message: string): void => {
    if (issues.length < mostIssues) issues.push({ severity: "error", file, ...place, path, message });
  };
  if (!isUtf8(bytes)) {
    report(beginning, "", adviseEncoding(bytes));
    return { read: undefined, issues };
  }
  const releases: Release[] = [];
  let columns: Readonly<Record<keyof Cells, number>> | undefined;
  const take = (row: CsvRow, at: Readonly<Record<keyof Cells, number>>): void => {
    const cell = (name: keyof Cells): string => row.cells[at[name]]?.trim() ?? "";
    const [number, date] = [cell("number"), cell("date")];
    const before = issues.length;
    for (const name of ["number", "date", "by", "reason", "order"] as const)
      if (cell(name) === "")
        report(placeOf(row, row.cells.length > at[name] ? at[name] : 0), name, `the ${name} is missing`);
    const entry = readListEntry(number.slice(0, 80), homeCountry);
    if (number !== "" && typeof entry === "string")
      report(placeOf(row, at.number), "number", `${entry}${adviseNumber(number)}`);
    const day = calendar.readDay(date);
    if (date !== "" && day === undefined)
      report(placeOf(row, at.date), "date", `"${date}" is not a date like 2026-12-31${adviseDate(date)}`);
    if (issues.length > before || typeof entry === "string" || day === undefined) return;
    releases.push({
      entry,
      line: row.line,
      number,
      date,
      from: day.start,
      by: cell("by"),
      reason: cell("reason"),
      order: cell("order"),
    });
  };
  eachCsvRow(decodeText(bytes).text.replaceAll(/\r\n?/g, "\n"), (row) => {
    if (row.mistake !== undefined) report(placeOf(row, 0), "", row.mistake);
    else if (isBlankRow(row)) return true;
    else if (columns !== undefined) take(row, columns);
    else {
      const names = row.cells.map(plainName);
      const place = (of: readonly string[]): number => names.findIndex((name) => of.includes(name));
      columns = {
        number: place(wanted.number),
        date: place(wanted.date),
        by: place(wanted.by),
        reason: place(wanted.reason),
        order: place(wanted.order),
      };
      for (const [name, index] of Object.entries(columns))
        if (index < 0) report(placeOf(row, 0), "", `the header has no column "${name}"`);
      return Object.values(columns).every((index) => index >= 0);
    }
    return true;
  });
  if (columns === undefined && issues.length === 0)
    report(beginning, "", "the file has no header: number,date,by,reason,order");
  if (issues.length > 0) return { read: undefined, issues };
  return { read: { file, releases, hashes: hashList(bytes) }, issues };
}
