// Walks the rows of a CSV file of octets: usual rows stay octets, others become text.
import { Buffer } from "node:buffer";
import { countLines, type CsvRow, eachCsvRow } from "./csv.ts";
import { lengthOfMark } from "./list-hash.ts";

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;

/** Octets of text that are made at a time where quotes stand. */
const BLOCK = 1 << 12;
/** A row that does not fit is tried again with so many times more octets. */
const MORE = 16;

/**
 * Reads the line of octets from `at`.
 *
 * @returns the offset of the next line; -1 where the line is not of the usual form, and nothing was taken
 */
export type TakeLine = (bytes: Uint8Array, at: number, line: number) => number;

/**
 * Gives every row of a file to `takeLine`, and to `takeRow` where `takeLine` does not want it, in order. The rows of
 * `takeRow` are those that `eachCsvRow` finds in the whole text.
 *
 * @param bytes UTF-8 text, with any line ends
 * @returns the number of the last line; the last one may be empty
 */
export function eachListRow(
  bytes: Uint8Array,
  takeLine: TakeLine,
  takeRow: (row: CsvRow) => void,
  block = BLOCK,
): number {
  const octets = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = lengthOfMark(bytes);
  let line = 1;
  while (at < bytes.length) {
    const next = takeLine(bytes, at, line);
    if (next >= 0) {
      at = next;
      if (endsLine(octets, at)) line += 1;
      continue;
    }
    const { isPlain, end, next: after } = lineAt(octets, at);
    if (isPlain) {
      // Without a quote a row is a line, and a comma ends a cell.
      const text = octets.toString("utf8", at, end);
      const isEnded = endsLine(octets, after);
      takeRow({ cells: text.split(","), line, text: isEnded ? `${text}\n` : text, mistake: undefined });
      at = after;
      if (isEnded) line += 1;
      continue;
    }
    const { lines, isLast } = takeBlocks(octets, at, line, takeRow, block);
    at = isLast ? octets.length : skipLines(octets, at, lines);
    line += lines;
  }
  return line;
}

/** Tells whether a line ends before `at`. The last line of a file need not end. */
function endsLine(octets: Buffer, at: number): boolean {
  const last = octets[at - 1];
  return last === LF || last === CR;
}

/** Finds the line from `at`. It is plain when it has no quote, and no line end within. */
function lineAt(
  octets: Buffer,
  at: number,
): { readonly isPlain: boolean; readonly end: number; readonly next: number } {
  const feed = octets.indexOf(LF, at);
  const next = feed === -1 ? octets.length : feed + 1;
  const last = feed === -1 ? octets.length : feed;
  const end = last > at && octets[last - 1] === CR ? last - 1 : last;
  const line = octets.subarray(at, end);
  return { isPlain: !line.includes(QUOTE) && !line.includes(CR), end, next };
}

/**
 * Cuts text into rows from `at`, a block of lines at a time, until it has at least one row.
 * @returns how many line ends the rows have that were taken; `isLast` when they are the rest of the file
 */
function takeBlocks(
  octets: Buffer,
  at: number,
  line: number,
  takeRow: (row: CsvRow) => void,
  first: number,
): { readonly lines: number; readonly isLast: boolean } {
  for (let size = first; ; size *= MORE) {
    const cut = at + size < octets.length ? octets.lastIndexOf(LF, at + size - 1) + 1 : octets.length;
    const isLast = cut === octets.length;
    if (cut <= at) continue;
    const lines = takeSoundRows(octets.toString("utf8", at, cut), isLast, line, takeRow);
    if (lines > 0 || isLast) return { lines, isLast };
  }
}

/** Takes rows as long as nothing that follows the text could change them. All of them when it is the `last` text. */
function takeSoundRows(text: string, isLast: boolean, line: number, takeRow: (row: CsvRow) => void): number {
  const unix = text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text;
  let length = 0;
  let lines = 0;
  eachCsvRow(unix, (row) => {
    length += row.text.length;
    if (!isLast && (row.mistake !== undefined || length >= unix.length)) return false;
    takeRow({ ...row, line: line + row.line - 1 });
    lines += countLines(row.text);
    return true;
  });
  return lines;
}

/** @returns the offset behind so many line ends */
function skipLines(octets: Buffer, from: number, lines: number): number {
  let at = from;
  for (let left = lines; left > 0 && at < octets.length; at++) {
    if (octets[at] === LF || (octets[at] === CR && octets[at + 1] !== LF)) left -= 1;
  }
  return at;
}
