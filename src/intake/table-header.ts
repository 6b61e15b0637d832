// Finds the columns of a list in the header of a table, in the words that people write there.
import type { AskedColumn } from "../config/lists/asked-column.ts";
import {
  adviseHeader,
  columnMeant,
  isMisspeltTrunk,
  misspeltDateColumn,
  numberNames,
  plainName,
  quoteCell,
  shortenCell,
} from "../config/lists/list-advice.ts";
import { findNearest } from "../config/yaml/suggestion.ts";
import { figureColumn } from "./monthly-figures.ts";
import type { Table, TableRow } from "./table.ts";
import { isEmptyRow } from "./table.ts";

/** The header of a table: where each column of a list stands. */
export interface TableHeader {
  readonly row: TableRow;
  /** Position in the row by column of the list. */
  readonly positions: ReadonlyMap<string, number>;
  /** Names of columns that no list has. */
  readonly unread: readonly string[];
  /** Cells up to the last one with a name. */
  readonly width: number;
}

/** A title may stand above the header, and notes below the title. */
const MOST_ROWS_ABOVE = 10;

/**
 * Finds the header: the first row that names the column of the numbers. Titles above it are passed over.
 * @param asked the further column that the kind of the list asks for
 * @returns an error in words when there is none, or when a column stands twice
 */
export function findHeader(
  { rows, placeOf }: Table,
  asked?: AskedColumn,
): TableHeader | { readonly error: string } {
  const candidates = rows.filter((row) => !isEmptyRow(row)).slice(0, MOST_ROWS_ABOVE);
  for (const row of candidates) {
    const positions = new Map<string, number>();
    const unread: string[] = [];
    let mistake: string | undefined;
    let width = 0;
    for (const [index, cell] of row.cells.entries()) {
      const name = typeof cell === "string" ? cell.trim() : "";
      const column = name === "" ? undefined : (askedMeant(name, asked) ?? columnMeant(name));
      if (name !== "") width = index + 1;
      if (column === undefined) {
        if (name === "") continue;
        unread.push(name);
        const lost = lostColumn(name, asked);
        if (lost !== undefined)
          mistake ??= `${placeOf(row.row, index)}: what stands in the column ${quoteCell(name)} would be lost; name it "${lost}" if it is that, or take it out`;
      } else if (positions.has(column)) {
        mistake ??= `${placeOf(row.row, index)}: ${quoteCell(name)} is the column ${column}, which another column is already`;
      } else {
        positions.set(column, index);
      }
    }
    if (!positions.has("number")) continue;
    return mistake === undefined ? { row, positions, unread, width } : { error: mistake };
  }
  return { error: `no row has a column "number" (号码)${adviseRows(candidates)}` };
}

/** So many names of a header are told. */
const MOST_TOLD = 8;

/** What people may have meant by the row that is most like a header. */
function adviseRows(rows: readonly TableRow[]): string {
  const texts = rows.map(({ cells }) => cells.map((cell) => String(cell ?? "").trim()));
  const named = texts.map((row) => row.map(figureColumn));
  if (named.some((row) => row.includes("month") && row.includes("count")))
    return "; these are figures of a month: import them with --kind monthly";
  const known = (row: readonly string[]): number =>
    row.filter((name) => columnMeant(name) !== undefined || nearNumber(name) !== undefined).length;
  const [likely = []] = texts.toSorted((a, b) => known(b) - known(a));
  const advice = adviseHeader(texts[0] ?? []);
  const slip = likely.find((name) => nearNumber(name) !== undefined);
  if (slip !== undefined)
    return `; did you mean "${nearNumber(slip) ?? ""}" by ${quoteCell(slip)}? The header has ${sayNames(likely)}`;
  if (advice !== "" || likely.length === 0) return advice;
  return `; ${known(likely) > 0 ? "the header" : "the first row"} has ${sayNames(likely)}`;
}

function nearNumber(name: string): string | undefined {
  return columnMeant(name) === undefined ? findNearest(plainName(name), numberNames) : undefined;
}

function sayNames(names: readonly string[]): string {
  const told = names.filter((name) => name !== "");
  return `${told.slice(0, MOST_TOLD).map(shortenCell).join(", ")}${told.length > MOST_TOLD ? ", …" : ""}`;
}

/** The column that an unknown one may stand for, where a list without it would allow more. */
function lostColumn(name: string, asked: AskedColumn | undefined): string | undefined {
  return (
    misspeltDateColumn(name) ??
    ((asked?.holds ?? "trunks") === "trunks" && isMisspeltTrunk(name) ? "trunk" : undefined)
  );
}

/** How headers write the further columns in Chinese. */
const chineseAsked: Readonly<Record<AskedColumn["holds"], readonly string[]>> = {
  score: ["评分", "分值", "风险分值"],
  industry: ["行业"],
  trunks: [],
  notice: [],
};

function askedMeant(name: string, asked: AskedColumn | undefined): string | undefined {
  if (asked === undefined) return undefined;
  const isMeant = plainName(name) === plainName(asked.name) || chineseAsked[asked.holds].includes(name);
  return isMeant ? asked.name : undefined;
}
