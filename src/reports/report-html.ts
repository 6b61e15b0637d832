// The monthly report as one page that prints: no script, no font and no picture from anywhere else.
import { dayChart, rowChart } from "./report-charts.ts";
import { escapeText } from "./html-text.ts";
import { type BreakdownRow, isImported, type MonthReport, type ReportHead } from "./month-report.ts";
import {
  describeChange,
  describeShare,
  dimensionWords,
  headWords,
  type Language,
  words,
} from "./report-words.ts";

const style = `
:root { color-scheme: light; }
body { font: 14px/1.5 "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1a1f24; background: #fff; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } p.sub { color: #5a6570; margin: .2rem 0 1.5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } th, td { padding: .25rem .6rem; border-bottom: 1px solid #d8dee4; text-align: right; vertical-align: top; }
th { background: #f3f5f7; font-weight: 600; } th:first-child, td:first-child { text-align: left; } tr.head td { font-weight: 600; } td.part { padding-left: 1.8rem; } td.ids { font: 11px/1.4 ui-monospace, monospace; color: #5a6570; text-align: left; max-width: 16rem; overflow-wrap: anywhere; }
td.none { color: #8a6d00; }
svg { width: 100%; height: auto; } svg text { font-size: 10px; fill: #3d4650; } svg line { stroke: #b8c0c8; } rect.all { fill: #c9d6e2; } rect.refused { fill: #b3261e; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } h2 { break-after: avoid; } tr, svg { break-inside: avoid; } thead { display: table-header-group; } @page { size: A4; margin: 15mm; } }
`;

const columns = ["item", "count", "share", "before", "change", "ids"] as const;

export function writeReportHtml(report: MonthReport, language: Language): string {
  const say = (word: keyof typeof words): string => escapeText(words[word][language]);
  const { month, timeZone } = report;
  const refused = report.heads.find(({ head }) => head === "refused-callers");
  return [
    "<!doctype html>",
    `<html lang="${language === "zh" ? "zh-CN" : "en"}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${say("title")} ${escapeText(month)}</title><style>${style}</style></head><body>`,
    `<h1>${say("title")}</h1><p class="sub">${say("month")} ${escapeText(month)} · ${say("zone")} ${escapeText(timeZone)} · ${say("attempts")} ${report.attempts} · ${say("refused")} ${report.refused}</p>`,
    `<table><thead><tr>${columns.map((word) => `<th>${say(word)}</th>`).join("")}</tr></thead><tbody>`,
    ...report.heads.map((head) => headRows(head, language)),
    "</tbody></table>",
    `<p class="sub">${say("drill")}</p>`,
    `<h2>${say("byReason")}</h2>${rowChart(
      (refused?.rows ?? []).map((part) => ({ name: part[language], count: part.count })),
      words.byReason[language],
    )}`,
    `<h2>${say("days")}</h2>${dayChart(report.days, words.days[language])}`,
    `<h2>${say("networks")}</h2>`,
    breakdown(
      words.networks[language],
      report.networks.map(({ network, ...of }) => ({
        name: words[network][language],
        ...of,
        before: undefined,
      })),
      language,
      false,
    ),
    ...report.breakdowns.map(
      ({ dimension, rows }) =>
        `<h2>${escapeText(dimensionWords[dimension][language])}</h2>${breakdown(dimensionWords[dimension][language], rows, language, true)}`,
    ),
    `<p class="sub">${say("notCounted")}: ${report.notCounted}</p>`,
    gapsOf(report, language),
    "</body></html>",
    "",
  ].join("\n");
}

function headRows({ head, count, before, rows }: ReportHead, language: Language): string {
  const whole = row(
    "head",
    [
      cell(headWords[head][language]),
      count === undefined ? cell(words.none[language], "none") : cell(String(count)),
      cell(""),
      beforeCell(before, language, isImported(head)),
      cell(describeChange(count, before)),
      cell(""),
    ].join(""),
  );
  const parts = rows.map((part) =>
    row(
      "",
      [
        cell(part[language], "part"),
        cell(String(part.count)),
        cell(describeShare(part.share)),
        beforeCell(part.before, language, isImported(head)),
        cell(describeChange(part.count, part.before)),
        cell(part.ids.join(" "), "ids"),
      ].join(""),
    ),
  );
  return [whole, ...parts].join("\n");
}

function breakdown(
  title: string,
  rows: readonly BreakdownRow[],
  language: Language,
  comparesMonths: boolean,
): string {
  const names = [
    words.attempts,
    words.refused,
    words.rate,
    ...(comparesMonths ? [words.before, words.change] : []),
  ];
  const header = [title, ...names.map((name) => name[language])].map(
    (name) => `<th>${escapeText(name)}</th>`,
  );
  const body = rows.map(({ name, attempts, refused, before }) =>
    row(
      "",
      [
        name === "" ? cell(words.unknown[language], "none") : cell(name),
        cell(String(attempts)),
        cell(String(refused)),
        cell(describeShare(attempts === 0 ? 0 : refused / attempts)),
        ...(comparesMonths
          ? [beforeCell(before, language, false), cell(describeChange(refused, before))]
          : []),
      ].join(""),
    ),
  );
  return `<table><thead><tr>${header.join("")}</tr></thead><tbody>${body.join("\n")}</tbody></table>`;
}

function gapsOf({ gaps }: MonthReport, language: Language): string {
  if (gaps.length === 0) return "";
  const items = gaps.map(({ from, to, lost, why }) =>
    row("", [cell(`${from} – ${to}`), cell(`${lost} ${words.gap[language]}`), cell(why, "ids")].join("")),
  );
  return `<h2>${escapeText(words.gaps[language])}</h2><table><tbody>${items.join("\n")}</tbody></table>`;
}

function beforeCell(before: number | undefined, language: Language, isImport: boolean): string {
  if (before !== undefined) return cell(String(before));
  return cell((isImport ? words.none : words.noRecords)[language], "none");
}

function cell(text: string, name = ""): string {
  return `<td${name === "" ? "" : ` class="${name}"`}>${escapeText(text)}</td>`;
}

function row(name: string, cells: string): string {
  return `<tr${name === "" ? "" : ` class="${name}"`}>${cells}</tr>`;
}
