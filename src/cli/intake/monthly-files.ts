// The files with figures of months: read together, so that no figure counts twice.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { ReadFile } from "../../config/yaml/config-files.ts";
import { keyOfFigure, type MonthlyFigure, readMonthlyFigures } from "../../intake/monthly-figures.ts";
import { readTextTable } from "../../intake/text-table.ts";

/** A figure, and where it stands. */
export interface PlacedFigure extends MonthlyFigure {
  /** Path of the file, as it was named. */
  readonly file: string;
  /** From 1. */
  readonly row: number;
}

/** Files of a folder. */
export interface MonthlyFolder {
  /** Paths of `*.csv`, in order. */
  readonly files: readonly string[];
  /** Paths of workbooks and the like, which nobody reads. */
  readonly ignored: readonly string[];
}

/** The folder beside a configuration that `report` reads. */
export function monthlyFolder(config: string): string {
  return join(dirname(config), "monthly");
}

/** Lists a folder; one that is missing has no files. Throws when the folder can't be read. */
export function listMonthly(folder: string): MonthlyFolder {
  const names = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  const pathOf = (name: string): string => join(folder, name);
  return {
    files: names.filter((name) => name.endsWith(".csv")).map(pathOf),
    ignored: names.filter((name) => /\.(?:xlsx?|xlsb|xlsm|ods|et|csv\.txt|txt)$/iu.test(name)).map(pathOf),
  };
}

/** @returns a string that says which file or cell can't be read */
export function readMonthlyFile(path: string, readFile: ReadFile): readonly PlacedFigure[] | string {
  const content = readFile(path);
  if ("error" in content) return `can't read ${path}: ${content.error}`;
  const reading = readTextTable(content.bytes);
  const read = "error" in reading ? reading : readMonthlyFigures(reading.table);
  if ("error" in read) return `${path}: ${read.error}`;
  const [issue] = read.issues;
  if (issue !== undefined) return `${path}:${issue.place}: ${issue.message}`;
  return read.figures.map((figure, index) => ({ ...figure, file: path, row: read.rows[index] ?? 1 }));
}

/**
 * Finds a figure that stands twice. An empty cell is no figure.
 *
 * @returns what is wrong, with both places; undefined: every figure stands once
 */
export function findTwice(figures: readonly PlacedFigure[]): string | undefined {
  const known = new Map<string, PlacedFigure>();
  for (const figure of figures) {
    if (figure.count === undefined) continue;
    const before = known.get(keyOfFigure(figure));
    if (before !== undefined)
      return `${placeOf(figure)}: ${keyOfFigure(figure)} stands in ${placeOf(before)} already; both would be summed. Take one of them out, or import the right one with --replace`;
    known.set(keyOfFigure(figure), figure);
  }
  return undefined;
}

/**
 * Finds a head with a figure of all of it that is not the sum of its items.
 *
 * @returns what is wrong; undefined: nothing is
 */
export function findUnequalTotal(figures: readonly PlacedFigure[]): string | undefined {
  for (const total of figures) {
    if (total.item !== "" || total.count === undefined) continue;
    const items = figures.filter(
      ({ month, head, item }) => month === total.month && head === total.head && item !== "",
    );
    const sum = items.reduce((all, { count = 0 }) => all + count, 0);
    if (items.length > 0 && sum !== total.count)
      return `${placeOf(total)}: ${keyOfFigure(total)} is ${total.count} for all of the head, and its items are ${sum} together (${placeOf(items[0] ?? total)} …); correct one of them`;
  }
  return undefined;
}

export function placeOf({ file, row }: PlacedFigure): string {
  return `${file}:${row}`;
}

/** True for two names of one path. */
export function isSamePath(one: string, other: string): boolean {
  return resolve(one) === resolve(other);
}
