// What is missing in the records of a month, as tables of the report's page.
import { escapeText } from "./html-text.ts";
import type { MonthReport } from "./month-report.ts";
import { cell, numberCell, rowOf, section, tableOf } from "./report-table.ts";
import { affectedWords, createMoments, describeCause, type Language, words } from "./report-words.ts";

/** A page has no room for more; CSV and JSON have all. */
const MOST_ROWS = 60;

/** @returns nothing where nothing is missing */
export function missingTables({ completeness, gaps, timeZone }: MonthReport, language: Language): string {
  const say = (word: keyof typeof words): string => words[word][language];
  const moment = createMoments(timeZone);
  const { silent, unread } = completeness;
  const table = (name: string, columns: Parameters<typeof tableOf>[0], rows: readonly string[]): string[] => {
    if (rows.length === 0) return [];
    const more = rows.length - MOST_ROWS;
    const rest = more > 0 ? `<p class="sub">+ ${more} ${escapeText(say("more"))} (CSV, JSON)</p>` : "";
    const html = `<h2>${escapeText(name)}</h2>${tableOf(columns, rows.slice(0, MOST_ROWS))}${rest}`;
    return [section(rows.length, html)];
  };
  return [
    ...table(
      `${say("gaps")}: ${say("silent")}`,
      [say("node"), { text: say("from") }, { text: say("to") }, say("hours"), { text: say("why") }],
      silent.map(({ node, from, to, hours }) =>
        rowOf([
          cell(node === "" ? say("allNodes") : node),
          cell(moment(from), "moment"),
          cell(moment(to), "moment"),
          numberCell(hours),
          cell(say("silentWhy"), "text"),
        ]),
      ),
    ),
    ...table(
      `${say("gaps")}: ${say("gap")}`,
      [
        say("node"),
        { text: say("from") },
        { text: say("to") },
        say("times"),
        say("lost"),
        { text: say("affects") },
        { text: say("why") },
      ],
      gaps.map(({ node, from, to, times, lost, affects, why }) =>
        rowOf([
          cell(node, "moment"),
          cell(moment(from), "moment"),
          cell(moment(to), "moment"),
          numberCell(times),
          numberCell(lost),
          cell(affectedWords[affects][language], "text"),
          cell(describeCause(why, language), "text"),
        ]),
      ),
    ),
    ...table(
      `${say("gaps")}: ${say("unread")}`,
      [say("file"), say("lines")],
      unread.map(({ hour, lines }) =>
        rowOf([cell(hour), lines === undefined ? cell(say("all")) : numberCell(lines)]),
      ),
    ),
  ].join("\n");
}
