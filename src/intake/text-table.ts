// Reads a table from the text that a spreadsheet exports: commas, semicolons or tabs between cells.
import { eachCsvRow } from "../config/lists/csv.ts";
import { columnMeant } from "../config/lists/list-advice.ts";
import { ROWS_OF_TITLE, type TableReading, type TableRow } from "./table.ts";
import { decodeTableText } from "./text-encoding.ts";

/** More rows than any list has. */
const MOST_ROWS = 20_000_000;

const separators = [
  [",", "commas"],
  [";", "semicolons"],
  ["\t", "tabs"],
] as const;

type Separator = (typeof separators)[number][0];

/** Reads the octets of a text file. The separator is the one by which the header names most columns. */
export function readTextTable(bytes: Uint8Array): TableReading {
  const decoded = decodeTableText(bytes);
  if ("error" in decoded) return decoded;
  if (/^\ufeff?\s*<(?:!doctype|html|head|meta|table|\?xml)/iu.test(decoded.text.slice(0, 1024)))
    return {
      error:
        "this is a web page or XML under the name of a table; open it in a spreadsheet and save it as .xlsx",
    };
  const text = decoded.text.replaceAll(/\r\n?/g, "\n");
  const [separator, name] = separators.toSorted(
    ([a], [b]) => namedColumns(text, b) - namedColumns(text, a),
  )[0]!;
  const rows: TableRow[] = [];
  let mistake: string | undefined;
  eachCsvRow(
    text,
    (row) => {
      if (row.mistake !== undefined) mistake = `${row.line}:1: ${row.mistake}`;
      rows.push({ row: row.line, cells: row.cells });
      return mistake === undefined && rows.length < MOST_ROWS;
    },
    separator,
  );
  if (mistake !== undefined) return { error: mistake };
  if (rows.length >= MOST_ROWS) return { error: `it has more than ${MOST_ROWS} rows` };
  return {
    table: {
      form: `${decoded.encoding}, ${name}`,
      isText: true,
      rows,
      placeOf: (row, column) => `${row}:${column + 1}`,
    },
  };
}

/** The most columns that one of the first rows names when `separator` cuts it. A title may stand above the header. */
function namedColumns(text: string, separator: Separator): number {
  let named = 0;
  let seen = 0;
  eachCsvRow(
    text,
    ({ cells }) => {
      named = Math.max(named, cells.filter((cell) => columnMeant(cell) !== undefined).length);
      return ++seen < ROWS_OF_TITLE;
    },
    separator,
  );
  return named;
}
