// `sigwall import --kind monthly`: figures of a month become a CSV, and each figure stands in one file only.
import { Buffer } from "node:buffer";
import { existsSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { writeDurably } from "../../app/durable-file.ts";
import { describeFailure, readFromDisk } from "../../app/read-file.ts";
import { sayAmount } from "../../domain/amount.ts";
import { keyOfFigure, type MonthlyFigure, writeMonthlyFigures } from "../../intake/monthly-figures.ts";
import {
  isSamePath,
  listMonthly,
  monthlyFolder,
  type PlacedFigure,
  placeOf,
  readMonthlyFile,
} from "./monthly-files.ts";

/** Where the figures go. */
export interface FigureOptions {
  readonly config: string;
  /** File that is written; left out: standard output. */
  readonly out?: string;
}

/** Figures that are there already, and what is to be done with them. */
export interface KnownFigures {
  /** In other files. */
  readonly twice: readonly PlacedFigure[];
  /** All figures of other files. */
  readonly beside: readonly PlacedFigure[];
  /** Those of the file that is written over. */
  readonly going: readonly PlacedFigure[];
}

const MOST_TOLD = 3;

/** Says why figures may not be written beside those that are there; undefined: they may. */
export function refuseFigures({ twice, going }: KnownFigures): string | undefined {
  if (twice.length > 0)
    return `${sayFigures(twice)} already: the report would find ${twice.length === 1 ? "the figure" : "the figures"} twice. Nothing was written; --replace takes ${twice.length === 1 ? "its" : "their"} place`;
  if (going.length > 0)
    return `${sayFigures(going)}, and the new table has not: ${going.length === 1 ? "it" : `${going.length} figures`} would go. Nothing was written; take another file for --out, or let ${going.length === 1 ? "it" : "them"} go with --replace`;
  return undefined;
}

function sayFigures(figures: readonly PlacedFigure[]): string {
  const told = figures.slice(0, MOST_TOLD).map((figure) => `${placeOf(figure)} has ${keyOfFigure(figure)}`);
  return told.join(", ") + (figures.length > MOST_TOLD ? ", …" : "");
}

/**
 * Takes figures out of the other files, after the new file was written: whatever happens between, the report finds a figure
 * twice and says so.
 *
 * @returns what was done, in words. Throws when a file can't be written
 */
export function takeOutElsewhere({ twice, beside }: KnownFigures): readonly string[] {
  const files = [...new Set(twice.map(({ file }) => file))];
  return files.map((file) => {
    const gone = new Set(twice.filter((figure) => figure.file === file));
    const left = beside.filter((figure) => figure.file === file && !gone.has(figure));
    try {
      if (left.length === 0) rmSync(file);
      else writeDurably(file, Buffer.from(writeMonthlyFigures(left)), 0o644);
    } catch (error) {
      throw new Error(`can't change ${file}: ${describeFailure(error)}`, { cause: error });
    }
    return `${sayAmount(gone.size, "figure")} taken out of ${file}${left.length === 0 ? ", which was removed" : ""}`;
  });
}

/**
 * Looks for figures in the folder of the report, beside the output and in the output itself.
 *
 * @returns a string that says which file can't be read
 */
export function findKnown(
  figures: readonly MonthlyFigure[],
  { config, out }: FigureOptions,
): KnownFigures | string {
  if (out === undefined) return { twice: [], beside: [], going: [] };
  const keys = new Set(figures.flatMap((figure) => (figure.count === undefined ? [] : keyOfFigure(figure))));
  const files = [dirname(out), monthlyFolder(config)].flatMap((folder) => listMonthly(folder).files);
  const others = files.filter(
    (file, index) => !isSamePath(file, out) && files.findIndex((other) => isSamePath(other, file)) === index,
  );
  const beside: PlacedFigure[] = [];
  for (const file of others) {
    const read = readMonthlyFile(file, readFromDisk);
    // Beside the output there may be files of other kinds; the folder of the report has none.
    if (typeof read === "string" && !isSamePath(dirname(file), monthlyFolder(config))) continue;
    if (typeof read === "string") return read;
    beside.push(...read);
  }
  const twice = beside.filter((figure) => figure.count !== undefined && keys.has(keyOfFigure(figure)));
  const own = existsSync(out) ? readMonthlyFile(out, readFromDisk) : [];
  const all = new Set(figures.map(keyOfFigure));
  const going =
    typeof own === "string"
      ? []
      : own.filter((figure) => figure.count !== undefined && !all.has(keyOfFigure(figure)));
  return { twice, beside, going };
}
