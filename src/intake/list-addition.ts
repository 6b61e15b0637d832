// Adds the rows of a clean list to a list that is there: its own rows stay as they are, letter by letter.
import { trunksIn } from "../config/lists/asked-column.ts";
import { writeCsv } from "../config/lists/csv.ts";
import { readListEntry } from "../numbering/list-entry.ts";
import type { CellIssue } from "./cell-issues.ts";
import type { CleanList, CleanRow } from "./clean-list.ts";
import { type ListTerms, openListedRows, type SharingRow } from "./listed-rows.ts";

/** A row of the table beside a row of the list that has its numbers. */
export interface MetRow {
  /** The cell of the number, as the spreadsheet names it. */
  readonly place: string;
  /** The line in the list. */
  readonly line: number;
}

/** The list with the new rows behind its own. */
export interface ListAddition {
  readonly text: string;
  /** Rows that were added, in order. */
  readonly added: readonly CleanRow[];
  /** The line of the first added row. */
  readonly firstLine: number;
  /** Rows that were left out, because a row of the list covers their numbers and says the same. */
  readonly covered: readonly MetRow[];
  /** Rows that were added although a row of the list, which says the same, has some of their numbers. */
  readonly overlapping: readonly MetRow[];
  readonly issues: readonly CellIssue[];
}

/** Columns that decide what a number may do. */
const rights = ["valid_from", "valid_to", "verified_on", "may_forward", "trunk"];
/** Columns in which an empty cell says most: always, for ever, on every trunk. */
const bounds: ReadonlySet<string | undefined> = new Set(["valid_from", "valid_to", "trunk"]);

/**
 * Numbers are compared by what they mean: 0571… is +86571…, and a number of a range is there with the range.
 *
 * @param before text of the list that is there, which the policy reads without error
 * @returns an error in words when the list lacks a column that the new rows fill
 */
export function addRows(
  before: string,
  { columns, rows, placeOf }: CleanList,
  terms: ListTerms,
): ListAddition | { readonly error: string } {
  const text = before.replaceAll(/\r\n?/g, "\n");
  const there = openListedRows(text, terms);
  if ("error" in there) return there;
  const { header } = there;
  const lacking = columns.filter(
    (column, index) => !header.includes(column) && rows.some(({ cells }) => cells[index] !== ""),
  );
  if (lacking.length > 0)
    return { error: `the list has no column ${lacking.join(", ")}; add it to the header of the list first` };
  const { asked } = terms;
  const decides = asked?.holds === "score" || asked?.holds === "industry" ? [...rights, asked.name] : rights;
  const numberAt = header.indexOf("number");
  const added: CleanRow[] = [];
  const covered: MetRow[] = [];
  const overlapping: MetRow[] = [];
  const issues: CellIssue[] = [];
  for (const { row, cells } of rows) {
    const own = header.map((column) => (column === undefined ? "" : (cells[columns.indexOf(column)] ?? "")));
    const number = own[numberAt] ?? "";
    const entry = readListEntry(number, terms.homeCountry);
    const sharing = typeof entry === "string" ? [] : there.sharing(entry);
    const place = placeOf(row, "number");
    const whole = sharing.filter(({ isWhole }) => isWhole);
    const same = whole.find((met) => missing(own, met.cells, header).length === 0);
    const other = whole[0] ?? sharing.find((met) => unequal(own, met.cells, header, decides).length > 0);
    if (same !== undefined) covered.push({ place, line: same.line });
    else if (other !== undefined) {
      const unlike = other.isWhole
        ? missing(own, other.cells, header)
        : unequal(own, other.cells, header, decides);
      issues.push({ place, column: "number", message: describeOther(number, other, numberAt, unlike) });
    } else {
      added.push({ row, cells: own });
      if (sharing[0] !== undefined) overlapping.push({ place, line: sharing[0].line });
    }
  }
  const ended = text.endsWith("\n") || text === "" ? text : `${text}\n`;
  return {
    text: added.length === 0 ? ended : ended + writeCsv(added.map(({ cells }) => cells)),
    added,
    firstLine: ended.split("\n").length,
    covered,
    overlapping,
    issues,
  };
}

function describeOther(
  number: string,
  { line, cells, isWhole }: SharingRow,
  numberAt: number,
  unlike: readonly string[],
): string {
  const there = cells[numberAt]?.trim() ?? "";
  const relation = !isWhole ? "overlaps with" : /\.\.|\*$/u.test(there) ? "is in" : "is";
  const how = there === number ? "stands" : `${relation} ${there}`;
  return `${number} ${how} in line ${line} of the list already, with other cells (${unlike.join(", ")}); change it there`;
}

/** The columns in which the row that is there does not say what the new one says. */
function missing(
  own: readonly string[],
  there: readonly string[],
  header: readonly (string | undefined)[],
): readonly string[] {
  return differing(own, there, header).filter(
    (column) => bounds.has(column) || own[header.indexOf(column)] !== "",
  );
}

/** The columns of `wanted` in which two rows say different things. */
function unequal(
  own: readonly string[],
  there: readonly string[],
  header: readonly (string | undefined)[],
  wanted: readonly string[],
): readonly string[] {
  return differing(own, there, header).filter((column) => wanted.includes(column));
}

function differing(
  own: readonly string[],
  there: readonly string[],
  header: readonly (string | undefined)[],
): readonly string[] {
  return header.filter((column, index): column is string => {
    if (column === undefined || column === "number") return false;
    return plainCell(column, own[index]) !== plainCell(column, there[index]);
  });
}

/** A cell in the form in which cells are compared. */
function plainCell(column: string, cell = ""): string {
  const text = cell.trim();
  if (column === "may_forward") return text === "" ? "no" : text;
  return column === "trunk" ? trunksIn(text).toSorted().join(" ") : text;
}
