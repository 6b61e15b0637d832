// Tables of the report's page: cells of text that came from outside, and numbers.
import { escapeText } from "./html-text.ts";
import { grouped } from "./report-words.ts";

/** A cell: what it holds, as HTML, and the name of its style. */
export interface Cell {
  readonly html: string;
  readonly name: string;
}

export function cell(text: string, name = ""): Cell {
  return { html: escapeText(text), name };
}

export function numberCell(count: number): Cell {
  return { html: grouped(count), name: count === 0 ? "zero" : "" };
}

/** Ids, none of which breaks where it has room. */
export function idsCell(ids: readonly string[], name = "ids"): Cell {
  return { html: ids.map((id) => `<span>${escapeText(id)}</span>`).join(" "), name };
}

export function rowOf(cells: readonly Cell[], name = ""): string {
  return `<tr${styled(name)}>${cells.map(({ html, name: of }) => `<td${styled(of)}>${html}</td>`).join("")}</tr>`;
}

/** @param columns titles; those of `text` stand left */
export function tableOf(
  columns: readonly (string | { readonly text: string })[],
  rows: readonly string[],
): string {
  const titles = columns.map((column) =>
    typeof column === "string"
      ? `<th>${escapeText(column)}</th>`
      : `<th class="text">${escapeText(column.text)}</th>`,
  );
  return `<table><thead><tr>${titles.join("")}</tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}

/** Up to so many rows stay on one page. */
const MOST_KEPT = 12;

/** A table with its heading; a short one is not cut by the end of a page. */
export function section(rows: number, html: string): string {
  return `<section${rows <= MOST_KEPT ? ' class="keep"' : ""}>${html}</section>`;
}

function styled(name: string): string {
  return name === "" ? "" : ` class="${name}"`;
}
