// Reads number lists: CSV octets in, sorted numbers and issues out.
import { isUtf8 } from "node:buffer";
import type { ListEntry } from "../../numbering/list-entry.ts";
import { createNumberSetBuilder } from "../../numbering/number-set-builder.ts";
import type { NumberSet } from "../../numbering/number-set.ts";
import { createPlainNumberReader } from "../../numbering/lists/plain-number.ts";
import { numbersOfPrefix } from "../../numbering/lists/prefix-numbers.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { decodeText } from "../yaml/yaml-source.ts";
import { type AskedColumn, createAskedCells } from "./asked-column.ts";
import type { Calendar } from "./calendar.ts";
import { type CsvRow, isBlankRow } from "./csv.ts";
import { eachListRow } from "./csv-octets.ts";
import { adviseEncoding, looksLikeUtf16 } from "./list-advice.ts";
import { type FilePlace, type Header, placeAt, readHeader, readRow } from "./list-cells.ts";
import { hashList, type ListHashes } from "./list-hash.ts";
import { createDayTable, createPlainRowReader } from "./plain-rows.ts";
import { isOfHome, sayWide, type WideRow } from "./wide-rows.ts";

/** How many rows a list has, and how many numbers they are. */
export interface ListCounts {
  readonly rows: number;
  readonly exact: number;
  readonly ranges: number;
  /** Prefixes of which the plan does not say how many numbers they are. */
  readonly prefixes: number;
  /** Exact numbers, the numbers inside the ranges, and those behind prefixes with numbers of one length. */
  readonly numbers: number;
}

/** A list that was read without error. */
export interface ReadList {
  readonly numbers: NumberSet;
  readonly counts: ListCounts;
  /** The ranges and prefixes that cover a million numbers or more. */
  readonly wide: readonly WideRow[];
  readonly hashes: ListHashes;
  /** The names of the column that was asked for: the first is that of mark 1. Empty where none was. */
  readonly names: readonly string[];
}

/**
 * Result of reading a list. `list` is undefined when `issues` has an error: one bad row refuses the
 * whole list.
 */
export interface ListReading {
  readonly list: ReadList | undefined;
  readonly issues: readonly ConfigIssue[];
}

/**
 * Reads the lists of one policy, one after another.
 *
 * @param asked the column that the kind of the list asks for
 */
export type ListReader = (file: string, bytes: Uint8Array, asked?: AskedColumn) => ListReading;

/** At most this many errors are reported; the rest is counted. A wrong file has bad rows only. */
const mostIssues = 50;

/** So many octets hold the characters that {@link looksLikeUtf16} wants to see. */
const FIRST_OCTETS = 256;

/**
 * Reads a CSV list of numbers. Dates are days of `calendar`; bare numbers belong to the plan of
 * `homeCountry`.
 */
export function readNumberList(
  file: string,
  bytes: Uint8Array,
  calendar: Calendar,
  homeCountry: string,
): ListReading {
  return createListReader(calendar, homeCountry)(file, bytes);
}

/**
 * Makes a reader for the lists of one policy. Rows of the usual form are read from the octets; every other row becomes
 * text and cells. Both give the same list: the reader of octets takes only what it can prove usual.
 *
 * @param block octets of text that are made at a time where quotes stand. Only tests give it
 */
export function createListReader(calendar: Calendar, homeCountry: string, block?: number): ListReader {
  const days = createDayTable(calendar);
  const numbers = createPlainNumberReader(homeCountry);
  return (file, bytes, asked) => {
    const issues: ConfigIssue[] = [];
    let errors = 0;
    const report = (
      place: FilePlace,
      path: string,
      message: string,
      severity: ConfigIssue["severity"] = "error",
    ): void => {
      if (severity === "error") errors += 1;
      if (severity === "warning" || errors <= mostIssues)
        issues.push({ severity, file, ...place, path, message });
    };
    if (!isUtf8(bytes)) {
      const { text, damage = 0 } = decodeText(bytes);
      report(placeAt(text, damage), "", adviseEncoding(bytes, true));
      return { list: undefined, issues };
    }
    if (looksLikeUtf16(beginningOf(bytes))) {
      report(
        { line: 1, column: 1 },
        "",
        "this is UTF-16 text; convert it with `sigwall import`, or save the file as CSV UTF-8",
      );
      return { list: undefined, issues };
    }

    const builder = createNumberSetBuilder(isOptional(asked) ? "where-marked" : asked !== undefined);
    const cells = asked === undefined ? undefined : createAskedCells(asked);
    const tally = { rows: 0, exact: 0, ranges: 0, prefixes: 0, numbers: 0 };
    const wide: WideRow[] = [];
    const plain = createPlainRowReader(builder, numbers, days, cells);
    let header: Header | undefined;
    const takeRow = (row: CsvRow): void => {
      if (row.mistake !== undefined) {
        report({ line: row.line, column: 1 }, "", row.mistake);
      } else if (isBlankRow(row)) {
        return;
      } else if (header === undefined) {
        header = readHeader(row, report, asked);
        plain.begin(header);
      } else if (header.positions.has("number")) {
        const read = readRow(row, header, calendar, homeCountry, report, cells);
        if (read === undefined) return;
        builder.add(read.entry, read.row);
        count(tally, read.entry);
        const covers = sayWide(read.entry);
        if (covers !== undefined)
          wide.push({ line: row.line, covers, isHome: isOfHome(read.entry, homeCountry) });
      }
    };
    const lines = eachListRow(bytes, plain.take, takeRow, block);
    tally.rows += plain.count();
    tally.exact += plain.count();
    tally.numbers += plain.count();
    if (errors === 0 && tally.rows === 0) {
      report(
        { line: 1, column: 1 },
        "",
        "the list is empty; remove it from the policy if it must match nothing",
      );
    }
    if (errors > mostIssues) {
      const message = `${errors - mostIssues} more errors in this list`;
      issues.push({ severity: "error", file, line: lines, column: 1, path: "", message });
    }
    if (errors > 0) return { list: undefined, issues };
    const names = cells?.names() ?? [];
    return {
      list: { numbers: builder.build(), counts: tally, wide, hashes: hashList(bytes), names },
      issues,
    };
  };
}

/** Most lists say nothing of trunks or notices: they need no memory for marks. */
function isOptional(asked: AskedColumn | undefined): boolean {
  return asked?.holds === "trunks" || asked?.holds === "notice";
}

/** The beginning of a file as text. */
function beginningOf(bytes: Uint8Array): string {
  return decodeText(bytes.subarray(0, FIRST_OCTETS)).text.replaceAll(/\r\n?/g, "\n");
}

function count(tally: { -readonly [Name in keyof ListCounts]: ListCounts[Name] }, entry: ListEntry): void {
  tally.rows += 1;
  switch (entry.kind) {
    case "exact":
      tally.exact += 1;
      tally.numbers += 1;
      break;
    case "range":
      tally.ranges += 1;
      tally.numbers += entry.high - entry.low + 1;
      break;
    case "prefix": {
      const span = entry.code ? undefined : numbersOfPrefix(Number(entry.digits));
      if (span === undefined) tally.prefixes += 1;
      else tally.numbers += span.high - span.low + 1;
      break;
    }
  }
}
