// Cuts CSV text into rows (RFC 4180), each with the line on which it begins, and writes it.
import Papa from "papaparse";

/** A row of CSV text. */
export interface CsvRow {
  readonly cells: readonly string[];
  /** Line on which the row begins, from 1. */
  readonly line: number;
  readonly text: string;
  /** What is wrong with its quotes, in words; undefined for a sound row. */
  readonly mistake: string | undefined;
}

/** True for a blank line, and for a row that a spreadsheet has kept empty. */
export function isBlankRow(row: CsvRow): boolean {
  return widthOf(row) === 0;
}

/** How many cells the row has up to the last one with something in it: spreadsheets write empty ones behind. */
export function widthOf({ cells }: CsvRow): number {
  return cells.findLastIndex((cell) => cell.trim() !== "") + 1;
}

/**
 * Calls `take` with every row, blank ones included, until it returns false.
 *
 * @param text text with LF line ends
 * @param delimiter what stands between cells
 */
export function eachCsvRow(text: string, take: (row: CsvRow) => boolean | undefined, delimiter = ","): void {
  // The parser would take a byte order mark away and count its offsets without it. It leaves one on a later line.
  const isMarked = text.startsWith("\ufeff");
  const parsed = isMarked ? `\n${text}` : text;
  let line = isMarked ? 0 : 1;
  let offset = 0;
  Papa.parse<readonly string[]>(parsed, {
    delimiter,
    newline: "\n",
    step: ({ data: cells, errors: [mistake], meta }, parser) => {
      const row = { cells, line, text: parsed.slice(offset, meta.cursor), mistake: describeMistake(mistake) };
      offset = meta.cursor;
      line += countLines(row.text);
      if (row.line > 0 && take(row) === false) parser.abort();
    },
  });
}

/** What is wrong with quotes, and what to do. */
function describeMistake(mistake: Papa.ParseError | undefined): string | undefined {
  if (mistake === undefined) return undefined;
  return mistake.code === "MissingQuotes"
    ? 'a quotation mark (") opens a cell here, and nothing closes it'
    : 'text stands behind the quotation mark (") that closes a cell; write "" for a mark within a cell';
}

/** Writes rows as CSV text with LF line ends. What needs quotes has them. */
export function writeCsv(rows: readonly (readonly string[])[]): string {
  return `${Papa.unparse(
    rows.map((row) => [...row]),
    { newline: "\n" },
  )}\n`;
}

export function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}
