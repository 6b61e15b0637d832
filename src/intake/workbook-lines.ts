// What the process that reads a workbook says: one JSON text a line, and the table that it becomes.
import { z } from "zod";
import { type Cell, cellName, type TableReading, type TableRow } from "./table.ts";

const cell = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  /** A date as ISO 8601; empty: one that no calendar has. */
  z.object({ day: z.string() }),
]);
const line = z.union([
  z.object({ row: z.number(), cells: z.array(cell) }),
  z.object({ sheet: z.string(), sheets: z.array(z.string()) }),
  z.object({ error: z.string() }),
]);

/** One line. The sheet comes first, its rows follow; an error comes alone. */
export type WorkbookLine = z.infer<typeof line>;

/** Reads all lines. Whatever stands there, the result is a table or an error. */
export function readWorkbookLines(said: string): TableReading {
  let form = "";
  const rows: TableRow[] = [];
  for (const text of said.trimEnd().split("\n")) {
    const read = line.safeParse(parse(text)).data;
    if (read === undefined) return { error: "it can't be read as a workbook" };
    if ("error" in read) return read;
    if ("sheet" in read)
      form = `sheet ${read.sheet}${read.sheets.length > 1 ? ` of ${read.sheets.length}` : ""}`;
    else rows.push({ row: read.row, cells: read.cells.map(cellOf) });
  }
  return { table: { form, isText: false, rows, placeOf: cellName } };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function cellOf(read: z.infer<typeof cell>): Cell {
  if (read === null) return undefined;
  return typeof read === "object" ? new Date(read.day) : read;
}
