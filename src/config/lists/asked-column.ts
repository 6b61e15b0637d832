// The further column that a kind of list asks for: a score, an industry, trunks, or the notice that a row came with.
import { Buffer } from "node:buffer";
import { MOST_MARK } from "../../numbering/number-set-builder.ts";
import { quoteCell } from "./list-advice.ts";
import { readScore } from "../../numbering/lists/score.ts";

/** What is asked of the rows of a list besides the usual columns. */
export interface AskedColumn {
  /** As the header writes it; case and width of letters make no difference. */
  readonly name: string;
  /**
   * `score`: a number from 0 to 1, which every row has. `industry`: a name, or nothing. `trunks`: ids of trunks behind
   * spaces or `;`, or nothing. `notice`: the number of a notice, or nothing.
   */
  readonly holds: "score" | "industry" | "trunks" | "notice";
}

/** Reads the cells of one list as marks of its rows. */
export interface AskedCells {
  readonly column: AskedColumn;
  /** @returns the mark, or an error text for the operator */
  readText(cell: string): number | string;
  /** @returns the mark of the cell from `start` up to `end`; -1 where only {@link readText} can tell */
  readOctets(bytes: Uint8Array, start: number, end: number): number;
  /** The names in order of their marks. Mark 0 is no name: the first name is that of mark 1. */
  names(): readonly string[];
}

/** Different spellings of names that are known by their octets. */
const MOST_CELLS = 32;

/** Says one column in the key of a list that was read: another one gives other marks. */
export function nameAsked(asked: AskedColumn | undefined): string {
  return asked === undefined ? "" : ` ${asked.holds} ${asked.name}`;
}

/** The form in which names of industries are compared. */
export function plainIndustry(name: string): string {
  return name.normalize("NFKC").trim().toLowerCase();
}

/** Begins to read the cells of a list. */
export function createAskedCells(column: AskedColumn): AskedCells {
  return column.holds === "score" ? createScores(column) : createNames(column, plainCells[column.holds]);
}

/** The forms in which cells are compared. Empty: the cell says nothing. */
const plainCells = {
  industry: plainIndustry,
  notice: plainNotice,
  trunks: (cell: string) => [...new Set(trunksIn(cell))].toSorted().join(" "),
} as const;

/** At most this many characters of a notice stand in a record. */
const MOST_NOTICE = 100;

/** A notice as it stands in records and logs: without characters that a terminal obeys or nobody sees. */
function plainNotice(cell: string): string {
  const seen = cell.replaceAll(/[\p{Cc}\p{Cf}]/gu, "").trim();
  return seen.length <= MOST_NOTICE ? seen : Array.from(seen).slice(0, MOST_NOTICE).join("");
}

/** Reads the ids of trunks in a cell. */
export function trunksIn(cell: string): readonly string[] {
  return cell
    .replaceAll(/[;；]/gu, " ")
    .split(/\s/u)
    .filter((id) => id !== "");
}

function createScores(column: AskedColumn): AskedCells {
  return {
    column,
    readOctets: readScore,
    readText(cell) {
      if (cell === "") return "the score is missing";
      const bytes = Buffer.from(cell);
      const steps = readScore(bytes, 0, bytes.length);
      return steps < 0 ? `${quoteCell(cell)} is not a score from 0 to 1 like 0.75` : steps;
    },
    names: () => [],
  };
}

function createNames(column: AskedColumn, plainCell: (cell: string) => string): AskedCells {
  const marks = new Map<string, number>();
  const names: string[] = [];
  /** The first cells as octets, with their marks: most lists have few names, and no text is made for their rows. */
  const cells: { readonly octets: Uint8Array; readonly mark: number }[] = [];

  function readText(cell: string): number | string {
    const name = plainCell(cell);
    if (name === "") return 0;
    const known = marks.get(name);
    if (known !== undefined) return known;
    // A notice decides nothing: the row holds without it. `check` tells.
    if (names.length === MOST_MARK && column.holds === "notice") return 0;
    if (names.length === MOST_MARK) return `more than ${MOST_MARK} different names in the column`;
    names.push(name);
    marks.set(name, names.length);
    return names.length;
  }

  return {
    column,
    readText,
    readOctets(bytes, start, end) {
      if (start === end) return 0;
      for (const { octets, mark } of cells) if (isSame(octets, bytes, start, end)) return mark;
      const octets = Uint8Array.from(bytes.subarray(start, end));
      const mark = readText(Buffer.from(octets).toString("utf8"));
      if (typeof mark === "string") return -1;
      if (cells.length < MOST_CELLS) cells.push({ octets, mark });
      return mark;
    },
    names: () => names,
  };
}

function isSame(octets: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (octets.length !== end - start) return false;
  for (let index = 0; index < octets.length; index++)
    if (octets[index] !== bytes[start + index]) return false;
  return true;
}
