// Figures of a month that no call tells: without real-name registration, numbers shut down, persons dealt with.
import { writeCsv } from "../config/lists/csv.ts";
import { foldWidth, quoteCell } from "../config/lists/list-advice.ts";
import { createCellIssues, type FoundIssues } from "./cell-issues.ts";
import { type Cell, isEmptyRow, type Table } from "./table.ts";

/** The heads of the monthly report that only people can fill. */
export const importedHeads = ["unregistered", "shut-down", "persons"] as const;
export type ImportedHead = (typeof importedHeads)[number];

/** A figure of one month. */
export interface MonthlyFigure {
  /** `2026-11`. */
  readonly month: string;
  readonly head: ImportedHead;
  /** What was counted, in the words of the table; empty: all of the head. */
  readonly item: string;
  /** Undefined: the cell is empty. That is not 0. */
  readonly count: number | undefined;
}

export interface MonthlyFigures extends FoundIssues {
  readonly figures: readonly MonthlyFigure[];
  /** The row of each figure, from 1. */
  readonly rows: readonly number[];
  /** Cells in which nothing stands: they stay "not imported", and are no 0. */
  readonly empty: number;
}

const headNames: ReadonlyMap<string, ImportedHead> = new Map([
  ["非实名", "unregistered"],
  ["unregistered", "unregistered"],
  ["关停涉案号码", "shut-down"],
  ["shut-down", "shut-down"],
  ["查处人员", "persons"],
  ["persons", "persons"],
]);

const columnNames: ReadonlyMap<string, "month" | "head" | "item" | "count"> = new Map([
  ["月份", "month"],
  ["month", "month"],
  ["类别", "head"],
  ["报告项", "head"],
  ["head", "head"],
  ["项目", "item"],
  ["明细", "item"],
  ["item", "item"],
  ["数量", "count"],
  ["count", "count"],
]);

/** Reads a table with the columns month (月份), head (类别), item (项目, may be missing) and count (数量). */
export function readMonthlyFigures({ rows, placeOf }: Table): MonthlyFigures | { readonly error: string } {
  const header = rows.find((row) => row.cells.some((cell) => figureColumn(cell) === "count"));
  const twice = header?.cells.findIndex(
    (cell, index) =>
      figureColumn(cell) !== undefined &&
      header.cells.findIndex((other) => figureColumn(other) === figureColumn(cell)) !== index,
  );
  if (header !== undefined && twice !== undefined && twice >= 0)
    return {
      error: `${placeOf(header.row, twice)}: the header has the column ${figureColumn(header.cells[twice]) ?? ""} twice`,
    };
  const positions = new Map(header?.cells.map((cell, index) => [figureColumn(cell), index] as const));
  const at = (column: "month" | "head" | "item" | "count"): number => positions.get(column) ?? -1;
  if (header === undefined || at("month") < 0 || at("head") < 0)
    return { error: "no row has the columns month (月份), head (类别) and count (数量)" };
  const figures: MonthlyFigure[] = [];
  const places: number[] = [];
  const issues = createCellIssues();
  const seen = new Set<string>();
  let empty = 0;
  for (const row of rows) {
    if (row.row <= header.row || isEmptyRow(row)) continue;
    const cell = (column: "month" | "head" | "item" | "count"): Cell => row.cells[at(column)];
    const refuse = (column: "month" | "head" | "count", message: string): void =>
      issues.add({ place: placeOf(row.row, at(column)), column: "", message });
    const month = readMonth(cell("month"));
    const head = headNames.get(String(cell("head") ?? "").trim());
    const written = String(cell("count") ?? "").trim();
    const count = readCount(written);
    const item = String(cell("item") ?? "").trim();
    if (month === undefined)
      refuse("month", `${quoteCell(String(cell("month") ?? ""))} is no month like 2026-11`);
    else if (head === undefined)
      refuse("head", `${quoteCell(String(cell("head") ?? ""))} is none of 非实名, 关停涉案号码, 查处人员`);
    else if (written !== "" && count === undefined)
      refuse("count", `${quoteCell(written)} is no whole number`);
    else if (seen.has(keyOfFigure({ month, head, item }))) refuse("head", "this figure stands twice");
    else {
      seen.add(keyOfFigure({ month, head, item }));
      figures.push({ month, head, item, count });
      places.push(row.row);
      if (count === undefined) empty++;
    }
  }
  return { figures, rows: places, empty, ...issues.found() };
}

/** What a figure is about; two of one key are counted once, or not at all. */
export function keyOfFigure({ month, head, item }: Pick<MonthlyFigure, "month" | "head" | "item">): string {
  return `${month} ${head}${item === "" ? "" : ` ${item}`}`;
}

/** Writes figures as the CSV that the report reads. */
export function writeMonthlyFigures(figures: readonly MonthlyFigure[]): string {
  return writeCsv([
    ["month", "head", "item", "count"],
    ...figures.map(({ month, head, item, count }) => [
      month,
      head,
      item,
      count === undefined ? "" : String(count),
    ]),
  ]);
}

/** `1200`, `1,200` and full-width digits; undefined for everything else, such as 1.5, 1,2 and 1e3. */
function readCount(written: string): number | undefined {
  const text = foldWidth(written);
  if (!/^\d{1,15}$|^\d{1,3}(?:,\d{3}){1,4}$/u.test(text)) return undefined;
  return Number(text.replaceAll(",", ""));
}

/** The column of figures that a cell of a header names. */
export function figureColumn(cell: Cell): "month" | "head" | "item" | "count" | undefined {
  return typeof cell === "string" ? columnNames.get(cell.trim().toLowerCase()) : undefined;
}

/** `2026-11`, `2026/11`, `2026年11月`, `202611`, and a date of a workbook in that month. */
function readMonth(cell: Cell): string | undefined {
  if (cell instanceof Date)
    return Number.isFinite(cell.getTime()) ? cell.toISOString().slice(0, 7) : undefined;
  const text = foldWidth(String(cell ?? "")).trim();
  const match = /^(\d{4})(?:[-/.年])?(\d{1,2})月?$/u.exec(text);
  const month = Number(match?.[2] ?? 0);
  if (match === null || month < 1 || month > 12) return undefined;
  return `${match[1]}-${String(month).padStart(2, "0")}`;
}
