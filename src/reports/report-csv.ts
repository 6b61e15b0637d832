// The monthly report as CSV for spreadsheets: UTF-8 with a byte order mark, one table below the other.
import { writeCsv } from "../config/lists/csv.ts";
import { isReckoned } from "../config/lists/spreadsheet-text.ts";
import type { BreakdownRow, MonthReport } from "./month-report.ts";
import { isImported, type ReportHead } from "./report-head.ts";
import {
  affectedWords,
  createMoments,
  describeCause,
  describeChange,
  describeShare,
  dimensionWords,
  headWords,
  type Language,
  networkWords,
  words,
} from "./report-words.ts";

export function writeReportCsv(report: MonthReport, language: Language): string {
  const say = (word: keyof typeof words): string => words[word][language];
  const { completeness } = report;
  const moment = createMoments(report.timeZone);
  const silentHours = completeness.silent.reduce((sum, { hours }) => sum + hours, 0);
  const parts = (title: string, rows: readonly (BreakdownRow & { readonly shown: string })[]) => [
    [],
    [
      title,
      ...(["attempts", "refused", "rate", "before", "change", "ofRefused", "ids", "name"] as const).map(say),
    ],
    ...rows.map((row) => [
      asText(row.shown),
      String(row.attempts),
      String(row.refused),
      describeShare(row.attempts === 0 ? 0 : row.refused / row.attempts),
      row.before === undefined ? say("noRecords") : String(row.before),
      describeChange(row.change),
      describeShare(row.share),
      asText(row.ids.join(" ")),
      asText(row.title ?? ""),
    ]),
  ];
  const rows: string[][] = [
    [say("title"), report.month],
    ...(report.unit === undefined ? [] : [[say("unit"), asText(report.unit)]]),
    ...(report.madeAt === undefined ? [] : [[say("madeAt"), moment(report.madeAt)]]),
    ...(report.until === undefined ? [] : [[say("until"), moment(report.until), say("notOver")]]),
    [say("zone"), report.timeZone],
    [say("nodes"), asText(report.nodes.join(" "))],
    [
      say("records"),
      say(
        !completeness.hasRecords
          ? "noRecords"
          : !completeness.isWhole
            ? "notWhole"
            : silentHours > 0
              ? "notKnown"
              : "whole",
      ),
    ],
    ...(silentHours === 0 ? [] : [[say("silentFor"), String(silentHours)]]),
    ...(completeness.isBeforeWhole === false ? [[say("before"), say("beforeNotWhole")]] : []),
    [],
    [say("item"), say("count"), say("share"), say("before"), say("change"), say("ids")],
    ...report.heads.flatMap((head) => headRows(head, language)),
    ...(report.networks.length === 0
      ? []
      : parts(
          say("networks"),
          report.networks.map((row) => ({ ...row, shown: networkWords[row.network][language] })),
        )),
    ...report.breakdowns.flatMap(({ dimension, rows: of }) =>
      parts(
        dimensionWords[dimension][language],
        of.map((row) => ({ ...row, shown: row.name === "" ? say("unknown") : row.name })),
      ),
    ),
    ...(report.days.length === 0 ? [] : [[], [say("days"), say("attempts"), say("refused")]]),
    ...report.days.map(({ day, attempts, refused }) => [day, String(attempts), String(refused)]),
    [],
    [say("notCounted"), report.notCounted === undefined ? say("noRecords") : String(report.notCounted)],
    ...missing(report, moment, language),
  ];
  return `\ufeff${writeCsv(rows)}`;
}

function headRows({ head, count, before, change, rows }: ReportHead, language: Language): string[][] {
  const noRecords = (isImported(head) ? words.none : words.noRecords)[language];
  return [
    [
      headWords[head][language],
      count === undefined ? noRecords : String(count),
      "",
      before === undefined ? noRecords : String(before),
      describeChange(change),
      "",
    ],
    ...rows.map((row) => [
      // The words of an import are not ours.
      `    ${isImported(head) ? asText(row[language]) : row[language]}`,
      row.count === undefined ? noRecords : String(row.count),
      row.count === undefined ? "" : describeShare(row.share),
      row.before === undefined ? noRecords : String(row.before),
      describeChange(row.change),
      asText([...(row.lines ?? []), ...(row.orders ?? []), ...row.ids].join(" ")),
    ]),
  ];
}

/** What is missing, below each other; nothing where nothing is. */
function missing(
  { completeness, gaps }: MonthReport,
  moment: (iso: string) => string,
  language: Language,
): string[][] {
  const say = (word: keyof typeof words): string => words[word][language];
  const { silent, unread } = completeness;
  return [
    ...under(
      [say("silent"), say("from"), say("to"), say("hours"), say("why")],
      silent.map(({ node, from, to, hours }) => [
        asText(node === "" ? say("allNodes") : node),
        moment(from),
        moment(to),
        String(hours),
        say("silentWhy"),
      ]),
    ),
    ...under(
      [say("gap"), say("from"), say("to"), say("times"), say("lost"), say("affects"), say("why")],
      gaps.map(({ node, from, to, times, lost, affects, why }) => [
        asText(node),
        moment(from),
        moment(to),
        String(times),
        String(lost),
        affectedWords[affects][language],
        asText(describeCause(why, language)),
      ]),
    ),
    ...under(
      [say("unread"), say("lines")],
      unread.map(({ hour, lines }) => [hour, lines === undefined ? say("all") : String(lines)]),
    ),
  ];
}

/** Rows under their head; no rows, no head. */
function under(head: readonly string[], rows: string[][]): string[][] {
  return rows.length === 0 ? [] : [[], [...head], ...rows];
}

function asText(text: string): string {
  return isReckoned(text) ? `'${text}` : text;
}
