// Cleans a cell that holds a day: every usual way to write one becomes 2027-06-30.
import { adviseDate, dayMeant, foldWidth, quoteCell } from "../config/lists/list-advice.ts";
import type { Cell } from "./table.ts";

/** A day that was read, empty for a cell without one, or why there is none. */
export type CleanDay = { readonly day: string; readonly isChanged: boolean } | { readonly error: string };

/**
 * Reads 2027-06-30, 2027/6/30, 2027.6.30, 2027年6月30日, 20270630, 30.6.2027, with a time of day behind it or without,
 * and the dates of a workbook. What can be read in two ways is refused.
 */
export function cleanDay(cell: Cell): CleanDay {
  if (cell === undefined) return { day: "", isChanged: false };
  if (cell instanceof Date)
    return Number.isFinite(cell.getTime())
      ? { day: cell.toISOString().slice(0, 10), isChanged: false }
      : { error: "the spreadsheet holds no valid date here" };
  const text = String(cell).trim();
  if (text === "" || isDay(text)) return { day: text, isChanged: false };
  const bare = foldWidth(text).replace(/^'/u, "");
  const compact = /^(\d{4})(\d{2})(\d{2})$/u.exec(bare);
  const written = compact === null ? bare : compact.slice(1).join("-");
  const day = isDay(written) ? written : dayMeant(written);
  if (day !== undefined) return { day, isChanged: true };
  return { error: `${quoteCell(text)} is not a date like 2026-12-31${adviseDate(bare)}` };
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/u.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return Number.isFinite(at.getTime()) && at.toISOString().startsWith(text);
}
