// The rows of a list that is there, found by the numbers that they cover.
import { Buffer } from "node:buffer";
import type { AskedColumn } from "../config/lists/asked-column.ts";
import type { Calendar } from "../config/lists/calendar.ts";
import { eachCsvRow, isBlankRow } from "../config/lists/csv.ts";
import { columnNamed, plainName } from "../config/lists/list-advice.ts";
import { createListReader } from "../config/lists/number-list.ts";
import type { ListEntry } from "../numbering/list-entry.ts";
import { type NumberSpan, spansOfEntry } from "../numbering/lists/entry-spans.ts";
import { coveringAtOrBefore, lastStartingAtOrBelow, lowerBound } from "../numbering/number-columns.ts";
import type { NumberSet } from "../numbering/number-set.ts";

/** How the numbers and days of a list are read. */
export interface ListTerms {
  readonly calendar: Calendar;
  /** Country code of the plan that bare numbers belong to. */
  readonly homeCountry: string;
  /** The further column that the kind of the list asks for. */
  readonly asked?: AskedColumn | undefined;
}

/** A row of the list that shares numbers with an entry. */
export interface SharingRow {
  readonly line: number;
  readonly cells: readonly string[];
  /** True when the row covers all numbers of the entry. */
  readonly isWhole: boolean;
}

export interface ListedRows {
  /** Columns by position; undefined for a column that no list has. */
  readonly header: readonly (string | undefined)[];
  /** The rows that share a number with the entry, in the order of their lines. */
  readonly sharing: (entry: ListEntry) => readonly SharingRow[];
}

/**
 * @param text the list, with LF line ends
 * @returns an error in words when the list can't be read
 */
export function openListedRows(
  text: string,
  { calendar, homeCountry, asked }: ListTerms,
): ListedRows | { readonly error: string } {
  const { list } = createListReader(calendar, homeCountry)("list", Buffer.from(text), asked);
  if (list === undefined) return { error: "the list has errors, which `sigwall check` names" };
  let header: readonly (string | undefined)[] | undefined;
  const byLine = new Map<number, readonly string[]>();
  eachCsvRow(text, (row) => {
    if (isBlankRow(row)) return true;
    if (header === undefined) header = row.cells.map((name) => nameOf(name, asked));
    else byLine.set(row.line, row.cells);
    return true;
  });
  return {
    header: header ?? [],
    sharing(entry) {
      const spans = spansOfEntry(entry);
      return [...coveredSpans(list.numbers, spans)]
        .map(([row, covered]) => {
          const line = list.numbers.line(row);
          return { line, cells: byLine.get(line) ?? [], isWhole: covered === spans.length };
        })
        .toSorted((a, b) => a.line - b.line);
    },
  };
}

/** The rows that share a number with a span, each with the number of spans that it covers as a whole. */
function coveredSpans({ columns }: NumberSet, spans: readonly NumberSpan[]): ReadonlyMap<number, number> {
  const { exact, rangeStart, rangeEnd, rangeRow } = columns;
  const rows = new Map<number, number>();
  const note = (row: number, isWhole: boolean): void =>
    void rows.set(row, (rows.get(row) ?? 0) + (isWhole ? 1 : 0));
  for (const { low, high } of spans) {
    for (let row = lowerBound(exact, low); row < exact.length && (exact[row] ?? 0) <= high; row++)
      note(row, low === high);
    const last = lastStartingAtOrBelow(columns, low);
    for (let index = last; ; index--) {
      index = coveringAtOrBefore(columns, index, low);
      if (index < 0) break;
      note(rangeRow[index] ?? 0, (rangeEnd[index] ?? 0) >= high);
    }
    for (let index = last + 1; index < rangeStart.length && (rangeStart[index] ?? 0) <= high; index++)
      note(rangeRow[index] ?? 0, false);
  }
  return rows;
}

function nameOf(name: string, asked: AskedColumn | undefined): string | undefined {
  const isAsked = asked !== undefined && plainName(name) === plainName(asked.name);
  return isAsked ? asked.name : columnNamed(name);
}
