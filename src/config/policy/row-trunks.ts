// Finds rows of lessees' lists that name a trunk which the lessee has not.
import { trunksIn } from "../lists/asked-column.ts";
import { eachCsvRow, isBlankRow } from "../lists/csv.ts";
import { columnNamed } from "../lists/list-advice.ts";
import { type FilePlace, placeOf } from "../lists/list-cells.ts";
import { type ReadFile } from "../yaml/config-files.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { suggest } from "../yaml/suggestion.ts";
import { decodeText } from "../yaml/yaml-source.ts";
import type { LoadedList } from "./list-loading.ts";
import { type PolicyFile, writtenIds } from "./policy-file.ts";

/** At most this many wrong names are reported of one list. */
const MOST_ISSUES = 20;

/**
 * Checks the column `trunk`. A list that was read before stays as it is when trunks change, so this looks at the names
 * that were read, and opens a file only to say where a wrong one stands.
 */
export function findStrangeTrunks(
  file: PolicyFile,
  lists: readonly LoadedList[],
  readFile: ReadFile,
): readonly ConfigIssue[] {
  const written = writtenIds(file.source, "trunks");
  return lists.flatMap((list): readonly ConfigIssue[] => {
    const { names, numbers } = list.read;
    if (list.kind !== "lessee" || names.length === 0) return [];
    const own = file.trunks.filter(({ value }) => value.lessee === list.id).map(({ value }) => value.id);
    const issues: ConfigIssue[] = [];
    for (const [index, named] of names.entries())
      for (const id of trunksIn(named)) {
        if (own.includes(id)) continue;
        if (issues.length === MOST_ISSUES) return issues;
        const message = written.includes(id)
          ? `trunk "${id}" is not one of lessee "${list.id}": no call comes there from this number`
          : `unknown trunk "${id}"${suggest(id, own)}`;
        const line = lineOfMark(numbers.columns.rowMark, numbers.columns.rowLine, index + 1);
        const place = findCell(list.file, readFile, line);
        issues.push({ severity: "error", file: list.file, ...place, path: "trunk", message });
      }
    return issues;
  });
}

/** The first line whose row has the mark. */
function lineOfMark(marks: Uint16Array, lines: ArrayLike<number>, mark: number): number {
  let first = Infinity;
  for (let row = marks.indexOf(mark); row >= 0; row = marks.indexOf(mark, row + 1))
    first = Math.min(first, lines[row] ?? Infinity);
  return Number.isFinite(first) ? first : 1;
}

/** Where the cell of the column `trunk` begins. A file that can't be read now gives column 1. */
function findCell(file: string, readFile: ReadFile, line: number): FilePlace {
  const content = readFile(file);
  let place: FilePlace = { line, column: 1 };
  if ("error" in content) return place;
  let column: number | undefined;
  eachCsvRow(decodeText(content.bytes).text.replaceAll(/\r\n?/g, "\n"), (row) => {
    if (column === undefined && !isBlankRow(row))
      column = row.cells.findIndex((name) => columnNamed(name) === "trunk");
    else if (row.line === line && column !== undefined) place = placeOf(row, column);
    return row.line < line;
  });
  return place;
}
