// Reads one workbook: octets in, the rows of a sheet out, or words that refuse it.
import type { Buffer } from "node:buffer";
import { columnMeant } from "../../config/lists/list-advice.ts";
import { packParts, unpackWorkbook } from "./workbook-parts.ts";
import { ROWS_OF_TITLE } from "../../intake/table.ts";
import type { WorkbookLine } from "../../intake/workbook-lines.ts";

/** More rows than any workbook that people make. Excel ends at 1,048,576. */
const MOST_ROWS = 1_000_000;

type PlainCell = string | number | boolean | null;

interface Sheet {
  readonly sheet: string;
  readonly data: readonly (readonly unknown[])[];
}

/** The part of read-excel-file 9.3 that is used. */
interface WorkbookPackage {
  readonly default: (bytes: Buffer) => Promise<readonly Sheet[]>;
}

/** A variable in the import: the package is optional, and the compiler does not need it. */
const PACKAGE: string = "read-excel-file/node";

/** Gives values and never formulas. The package knows no entities but those of XML. */
async function readSheets(bytes: Buffer): Promise<readonly Sheet[]> {
  let module: WorkbookPackage;
  try {
    module = await import(PACKAGE);
  } catch {
    throw new Error("the package read-excel-file is not installed: npm install read-excel-file@9.3.17");
  }
  return module.default(bytes);
}

/**
 * Reads the sheet of a name, or the one that names a column of numbers. Rejects where the package throws.
 * @param say takes the sheet first, then its rows; an error comes alone
 */
export async function readWorkbook(
  bytes: Buffer,
  wanted: string | undefined,
  say: (line: WorkbookLine) => void,
): Promise<void> {
  const unpacked = unpackWorkbook(bytes);
  if ("error" in unpacked) {
    say(unpacked);
    return;
  }
  const sheets = await readSheets(packParts(unpacked.parts));
  const names = sheets.map(({ sheet }) => sheet);
  const chosen = wanted === undefined ? firstOf(sheets) : sheets.find(({ sheet }) => sheet === wanted);
  if (chosen === undefined) {
    const quoted = names.map((name) => `"${name}"`).join(", ");
    say({
      error: wanted === undefined ? "no sheet has a row" : `it has no sheet "${wanted}", but ${quoted}`,
    });
    return;
  }
  const { sheet, data } = chosen;
  if (data.length > MOST_ROWS) {
    say({ error: `sheet "${sheet}" has more than ${MOST_ROWS} rows` });
    return;
  }
  say({ sheet, sheets: names });
  for (const [index, cells] of data.entries())
    say({
      row: index + 1,
      cells: cells.slice(0, widthOf(cells)).map(tellCell),
    });
}

/** The first sheet whose beginning names a column of numbers; else the first with something in it. */
function firstOf(sheets: readonly Sheet[]): Sheet | undefined {
  const namesNumbers = ({ data }: Sheet): boolean =>
    data.slice(0, ROWS_OF_TITLE).some((row) => row.some((cell) => columnMeant(String(cell)) === "number"));
  return sheets.find(namesNumbers) ?? sheets.find(({ data }) => data.length > 0);
}

/** The package fills every row up to the widest one. */
function widthOf(cells: readonly unknown[]): number {
  return cells.findLastIndex((cell) => cell !== null && cell !== undefined) + 1;
}

function tellCell(cell: unknown): PlainCell | { readonly day: string } {
  if (cell instanceof Date) return { day: dayOf(cell) };
  return typeof cell === "string" || typeof cell === "number" || typeof cell === "boolean" ? cell : null;
}

/** A date that no calendar has is told as one, and refused where a day is read. */
function dayOf(date: Date): string {
  return Number.isFinite(date.getTime()) ? date.toISOString() : "";
}
