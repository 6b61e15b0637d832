// The monthly report as one page that prints: no script, no font and no picture from anywhere else.
import { escapeText } from "./html-text.ts";
import type { BreakdownRow, MonthReport } from "./month-report.ts";
import { isImported, type ReportHead } from "./report-head.ts";
import { dayChart, rowChart } from "./report-charts.ts";
import { missingTables } from "./report-missing.ts";
import { cell, type Cell, idsCell, numberCell, rowOf, section, tableOf } from "./report-table.ts";
import {
  createMoments,
  describeChange,
  describeShare,
  dimensionWords,
  grouped,
  headWords,
  type Language,
  networkWords,
  words,
} from "./report-words.ts";
import { writeStyle } from "./report-style.ts";

type Say = (word: keyof typeof words) => string;

export function writeReportHtml(report: MonthReport, language: Language): string {
  const say: Say = (word) => words[word][language];
  const title = `${say("title")} ${report.month}`;
  const refused = report.heads.find(({ head }) => head === "refused-callers");
  const reasons = (refused?.rows ?? []).map(({ count = 0, share, ...part }) => ({
    name: part[language],
    count,
    share,
  }));
  const days = dayChart(report.days, say("days"), { refused: say("refused"), passed: say("passed") });
  return [
    "<!doctype html>",
    `<html lang="${language === "zh" ? "zh-CN" : "en"}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeText(title)}</title><style>${writeStyle(title, language)}</style></head><body>`,
    `<header><h1>${escapeText(say("title"))}<span>${escapeText(report.month)}</span></h1></header>`,
    factsOf(report, say),
    ...warningsOf(report, say),
    headTable(report, language),
    (report.refused ?? 0) === 0
      ? ""
      : `<section class="keep">${heading(say("byReason"))}${rowChart(reasons, say("byReason"))}</section>`,
    (report.attempts ?? 0) === 0 ? "" : `<section class="keep">${heading(say("days"))}${days}</section>`,
    breakdown(
      say("networks"),
      report.networks.map((row) => ({ ...row, name: networkWords[row.network][language] })),
      say,
    ),
    ...report.breakdowns.map(({ dimension, rows }) =>
      breakdown(dimensionWords[dimension][language], rows, say),
    ),
    report.notCounted === undefined
      ? ""
      : `<p class="sub">${escapeText(say("notCounted"))}: ${grouped(report.notCounted)}</p>`,
    missingTables(report, language),
    `<div class="signed">${(["preparedBy", "checkedBy", "approvedBy", "signedOn"] as const).map((word) => `<div>${escapeText(say(word))}</div>`).join("")}</div>`,
    idTable(report, language),
    lineTable(report, language),
    "</body></html>",
    "",
  ].join("\n");
}

function heading(text: string): string {
  return `<h2>${escapeText(text)}</h2>`;
}

function factsOf(
  { from, to, until, unit, madeAt, timeZone, nodes, attempts, refused, completeness }: MonthReport,
  say: Say,
): string {
  const moment = createMoments(timeZone);
  const facts: readonly (readonly [name: string, text: string, isWide: boolean])[] = [
    ...(unit === undefined ? [] : [[say("unit"), unit, true] as const]),
    ...(madeAt === undefined ? [] : [[say("madeAt"), moment(madeAt), true] as const]),
    [say("period"), `${moment(from)} – ${moment(to)} (${timeZone})`, true],
    ...(until === undefined ? [] : [[say("until"), `${moment(until)} (${say("notOver")})`, true] as const]),
    [say("attempts"), attempts === undefined ? say("noRecords") : grouped(attempts), false],
    [say("refused"), sayRefused(attempts, refused, say), false],
    [say("nodes"), nodes.length === 0 ? say("noNode") : nodes.join(", "), false],
    ...(completeness.hasRecords && completeness.isWhole && completeness.silent.length === 0
      ? [[say("records"), say("whole"), false] as const]
      : []),
  ];
  const items = facts.map(
    ([name, text, isWide]) =>
      `<dt>${escapeText(name)}</dt><dd${isWide ? ' class="wide"' : ""}>${escapeText(text)}</dd>`,
  );
  return `<dl>${items.join("")}</dl>`;
}

function sayRefused(attempts: number | undefined, refused: number | undefined, say: Say): string {
  if (attempts === undefined || refused === undefined) return say("noRecords");
  return `${grouped(refused)} (${describeShare(attempts === 0 ? 0 : refused / attempts)})`;
}

function warningsOf({ completeness, until }: MonthReport, say: Say): readonly string[] {
  const { hasRecords, isWhole, isBeforeWhole, silent } = completeness;
  const hours = silent.reduce((sum, span) => sum + span.hours, 0);
  const warnings = [
    ...(hasRecords ? [] : [say("noFigures")]),
    ...(until === undefined ? [] : [say("notOver")]),
    ...(isWhole ? [] : [`${say("records")}: ${say("notWhole")}`]),
    ...(hours === 0 ? [] : [`${say("silentFor")}: ${grouped(hours)}`]),
    ...(isBeforeWhole === false ? [say("beforeNotWhole")] : []),
  ];
  return warnings.length === 0 ? [] : [`<p class="warning">${warnings.map(escapeText).join("<br>")}</p>`];
}

function headTable({ heads }: MonthReport, language: Language): string {
  const columns = (["item", "count", "share", "before", "change"] as const).map(
    (word) => words[word][language],
  );
  return tableOf(columns, heads.map((head) => headRows(head, language)).flat());
}

function headRows({ head, count, before, change, rows }: ReportHead, language: Language): readonly string[] {
  const isImport = isImported(head);
  const none = (isImport ? words.none : words.noRecords)[language];
  return [
    rowOf(
      [
        cell(headWords[head][language]),
        count === undefined ? cell(none, "none") : numberCell(count),
        cell(""),
        beforeCell(before, language, isImport),
        cell(describeChange(change)),
      ],
      "head",
    ),
    ...rows.map((part) =>
      rowOf([
        cell(part[language], "part"),
        part.count === undefined ? cell(none, "none") : numberCell(part.count),
        cell((part.count ?? 0) === 0 ? "" : describeShare(part.share)),
        beforeCell(part.before, language, isImport),
        cell(describeChange(part.change)),
      ]),
    ),
  ];
}

/** @returns nothing where there are no rows */
function breakdown(title: string, rows: readonly BreakdownRow[], say: Say): string {
  if (rows.length === 0) return "";
  const numbers = (["attempts", "refused", "rate", "ofRefused", "before", "change"] as const).map(say);
  const body = rows.map(({ name, title: shown, attempts, refused, share, before, change, ids }) =>
    rowOf([
      name === ""
        ? cell(say("unknown"), "none")
        : shown === undefined
          ? cell(name)
          : { html: `${escapeText(shown)} <small>${escapeText(name)}</small>`, name: "" },
      numberCell(attempts),
      numberCell(refused),
      cell(describeShare(attempts === 0 ? 0 : refused / attempts)),
      cell(describeShare(share)),
      before === undefined ? cell(say("noRecords"), "none") : numberCell(before),
      cell(describeChange(change)),
      idsCell(ids.slice(0, 1), "ids one"),
    ]),
  );
  return section(
    body.length,
    `${heading(title)}${tableOf([say("name"), ...numbers, { text: say("ids") }], body)}`,
  );
}

/** The ids of every line of the heads, so that each figure can be followed down to its calls. */
function idTable({ heads }: MonthReport, language: Language): string {
  const rows = heads.flatMap(({ head, rows: parts }) =>
    parts
      .filter(({ ids }) => ids.length > 0)
      .map((part) =>
        rowOf([
          cell(`${headWords[head][language]} · ${part[language]}`),
          numberCell(part.count ?? 0),
          idsCell(part.ids),
        ]),
      ),
  );
  if (rows.length === 0) return "";
  const columns = [words.item[language], words.count[language], { text: words.ids[language] }];
  return `<h2>${escapeText(words.idsOf[language])}</h2><p class="sub">${escapeText(words.drill[language])}</p>${tableOf(columns, rows)}`;
}

/** Lines that were found or stopped: they are looked up by other words than calls. */
function lineTable({ heads }: MonthReport, language: Language): string {
  const rows = heads.flatMap(({ head, rows: parts }) =>
    parts
      .filter(({ lines = [] }) => lines.length > 0)
      .map(({ lines = [], orders = [], ...part }) =>
        rowOf([
          cell(`${headWords[head][language]} · ${part[language]}`),
          numberCell(part.count ?? 0),
          idsCell(lines),
          idsCell(orders),
        ]),
      ),
  );
  if (rows.length === 0) return "";
  const columns = [
    words.item[language],
    words.count[language],
    { text: words.line[language] },
    { text: words.order[language] },
  ];
  return `<h2>${escapeText(words.linesOf[language])}</h2><p class="sub">${escapeText(words.ordersAt[language])}</p>${tableOf(columns, rows)}`;
}

function beforeCell(before: number | undefined, language: Language, isImport: boolean): Cell {
  if (before !== undefined) return numberCell(before);
  return cell((isImport ? words.none : words.noRecords)[language], "none");
}
