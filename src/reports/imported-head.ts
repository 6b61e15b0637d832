// A head of the monthly report that people have counted: an empty cell stays "not imported", and is no 0.
import type { ImportedHead, MonthlyFigure } from "../intake/monthly-figures.ts";
import { changeOf } from "./changes.ts";
import type { ReportHead } from "./report-head.ts";

/**
 * @param imported figures of the month, each of which stands once
 * @param importedBefore those of the month before
 */
export function importedHead(
  head: ImportedHead,
  imported: readonly MonthlyFigure[],
  importedBefore: readonly MonthlyFigure[],
): ReportHead {
  const own = byItem(imported.filter((figure) => figure.head === head));
  const old = byItem(importedBefore.filter((figure) => figure.head === head));
  const count = countOfHead(own);
  const before = countOfHead(old);
  return {
    head,
    count,
    before,
    change: changeOf(count, before),
    // A figure without an item is all of the head.
    rows: [...own]
      .filter(([item]) => item !== "")
      .map(([item, ofItem]) => ({
        id: item,
        zh: item,
        en: item,
        count: ofItem,
        before: old.get(item),
        share: count === undefined || count === 0 || ofItem === undefined ? 0 : ofItem / count,
        change: changeOf(ofItem, old.get(item)),
        ids: [],
      })),
  };
}

/** An empty cell of one table may be filled by another one. */
function byItem(figures: readonly MonthlyFigure[]): ReadonlyMap<string, number | undefined> {
  const found = new Map<string, number | undefined>();
  for (const { item, count } of figures) if (!found.has(item) || count !== undefined) found.set(item, count);
  return found;
}

/** The figure of all of the head, else the sum of its items; undefined: no cell has a figure. */
function countOfHead(figures: ReadonlyMap<string, number | undefined>): number | undefined {
  const items = [...figures.values()].filter((count) => count !== undefined);
  if (items.length === 0) return undefined;
  return figures.get("") ?? items.reduce((sum, count) => sum + count, 0);
}
