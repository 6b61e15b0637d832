// The rows of the quarantine as a table for people.
import type { QuarantineRow } from "../../app/quarantine/quarantine-request.ts";
import { alignRows, plain } from "../asking/plain-text.ts";

/** The rows under a key of an answer. @returns undefined where there are none of a filter */
export function readRows(value: unknown, key: string): readonly QuarantineRow[] | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const rows = new Map<string, unknown>(Object.entries(value)).get(key);
  return Array.isArray(rows) && rows.every(isRow) ? rows : undefined;
}

function isRow(value: unknown): value is QuarantineRow {
  return (
    typeof value === "object" && value !== null && "id" in value && "subject" in value && "state" in value
  );
}

/** Lays out rows below a head; every line ends with a line end. */
export function layOutRows(rows: readonly QuarantineRow[]): string {
  const head = [
    "ID",
    "DETECTOR",
    "PROFILE",
    "SUBJECT",
    "SINCE",
    "UNTIL",
    "CALLS",
    "STATE",
    "DOES",
    "REFUSED",
    "REASON",
  ];
  const cells = rows.map((row) => [
    row.id,
    row.detector,
    row.profile === "" ? "-" : row.profile,
    row.participants === undefined ? row.subject : `${row.subject} (${row.participants} callers)`,
    short(row.since),
    short(row.until),
    String(row.calls),
    row.state,
    row.does ?? "-",
    String(row.refused),
    plain(row.reason ?? ""),
  ]);
  return alignRows([head, ...cells])
    .map((line) => `${line}\n`)
    .join("");
}

/** `2026-11-30T12:00:00Z`. */
function short(time: string): string {
  return `${time.slice(0, 19)}Z`;
}
