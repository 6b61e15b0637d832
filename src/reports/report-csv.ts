// The monthly report as CSV for spreadsheets: UTF-8 with a byte order mark, one table below the other.
import { writeCsv } from "../config/lists/csv.ts";
import { isImported, type MonthReport, type ReportHead } from "./month-report.ts";
import {
  describeChange,
  describeShare,
  dimensionWords,
  headWords,
  type Language,
  words,
} from "./report-words.ts";

export function writeReportCsv(report: MonthReport, language: Language): string {
  const say = (word: keyof typeof words): string => words[word][language];
  const rows: string[][] = [
    [say("title"), report.month],
    [say("zone"), report.timeZone],
    [],
    [say("item"), say("count"), say("share"), say("before"), say("change"), say("ids")],
    ...report.heads.flatMap((head) => headRows(head, language)),
    [],
    [say("networks"), say("attempts"), say("refused"), say("rate")],
    ...report.networks.map(({ network, attempts, refused }) => [
      say(network),
      String(attempts),
      String(refused),
      describeShare(attempts === 0 ? 0 : refused / attempts),
    ]),
    ...report.breakdowns.flatMap(({ dimension, rows: parts }) => [
      [],
      [
        dimensionWords[dimension][language],
        say("attempts"),
        say("refused"),
        say("rate"),
        say("before"),
        say("change"),
      ],
      ...parts.map(({ name, attempts, refused, before }) => [
        asText(name === "" ? say("unknown") : name),
        String(attempts),
        String(refused),
        describeShare(attempts === 0 ? 0 : refused / attempts),
        before === undefined ? say("noRecords") : String(before),
        describeChange(refused, before),
      ]),
    ]),
    [],
    [say("days"), say("attempts"), say("refused")],
    ...report.days.map(({ day, attempts, refused }) => [asText(day), String(attempts), String(refused)]),
    [],
    [say("notCounted"), String(report.notCounted)],
    ...(report.gaps.length === 0 ? [] : [[], [say("gaps")]]),
    ...report.gaps.map(({ from, to, lost, why }) => [asText(from), asText(to), String(lost), why]),
  ];
  return `\ufeff${writeCsv(rows)}`;
}

function headRows({ head, count, before, rows }: ReportHead, language: Language): string[][] {
  const none = words.none[language];
  const noRecords = (isImported(head) ? words.none : words.noRecords)[language];
  return [
    [
      headWords[head][language],
      count === undefined ? none : String(count),
      "",
      before === undefined ? noRecords : String(before),
      describeChange(count, before),
      "",
    ],
    ...rows.map((row) => [
      `    ${row[language]}`,
      String(row.count),
      describeShare(row.share),
      row.before === undefined ? noRecords : String(row.before),
      describeChange(row.count, row.before),
      asText(row.ids.join(" ")),
    ]),
  ];
}

/**
 * A spreadsheet would calculate with a text that begins like a formula, and shorten one that is a long number: both keep
 * their letters behind an apostrophe.
 */
function asText(text: string): string {
  return /^(?:[=+\-@\t\r]|\d{6,}$)/u.test(text) ? `'${text}` : text;
}
