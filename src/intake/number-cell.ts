// Cleans a cell that holds a number: what spreadsheets and typists add to one is taken away, and said.
import { adviseNumber, foldWidth, quoteCell } from "../config/lists/list-advice.ts";
import { readListEntry } from "../numbering/list-entry.ts";
import type { Cell } from "./table.ts";

/** What was taken away or changed. The order is that in which people are told. */
export const numberChanges = ["text-mark", "width", "invisible", "range", "digits"] as const;
export type NumberChange = (typeof numberChanges)[number];

/** A number that was read, or why there is none. */
export type CleanNumber =
  | { readonly number: string; readonly changes: readonly NumberChange[] }
  | { readonly error: string };

/** Spreadsheets keep fifteen digits of a number, and no more. */
const MOST_KEPT = 1e15;
/** No number, range or prefix has more characters, separators included. */
const LONGEST = 80;

/** @param homeCountry country code of the plan that bare numbers belong to */
export function cleanNumber(cell: Cell, homeCountry: string): CleanNumber {
  if (cell instanceof Date || typeof cell === "boolean")
    return { error: `the spreadsheet holds ${cell instanceof Date ? "a date" : "a truth value"} here` };
  if (typeof cell === "number") return cleanAmount(cell, homeCountry);
  const changes: NumberChange[] = [];
  const change = (which: NumberChange, before: string, after: string): string => {
    if (after !== before && !changes.includes(which)) changes.push(which);
    return after;
  };
  let text = (cell ?? "").trim();
  if (/[\n\v\f\r\u0085\u2028\u2029]/u.test(text))
    return { error: "the cell has several lines; write one number or range a row" };
  if (text.length > LONGEST) return { error: `it has ${text.length} characters, too many for a number` };
  text = change("text-mark", text, withoutTextMark(text));
  text = change("width", text, foldWidth(text));
  text = change("invisible", text, text.replaceAll(/[\p{Cf}\p{Cc}]/gu, ""));
  text = text.trim();
  text = change("range", text, withDots(text));
  if (text === "") return { error: "the number is missing" };
  const entry = readListEntry(text, homeCountry);
  if (typeof entry === "string") return { error: `${entry}${adviseNumber(text)}` };
  if (/^[-.]|[-.]$/u.test(text))
    return { error: `${quoteCell(text)} begins or ends with a separator; is this a part of a range A..B?` };
  return { number: text, changes };
}

/** A cell of the type number. Digits behind the fifteenth are lost; a trunk prefix 0 is, and its number is read without. */
function cleanAmount(amount: number, homeCountry: string): CleanNumber {
  if (!Number.isInteger(amount) || amount < 0) return { error: `${amount} is no telephone number` };
  if (amount >= MOST_KEPT)
    return {
      error: `digits are lost behind the fifteenth: ${amount}; format the column as text and type it again`,
    };
  const text = String(amount);
  const entry = readListEntry(text, homeCountry);
  if (typeof entry !== "string") return { number: text, changes: ["digits"] };
  return { error: entry };
}

/** `="0571…"` and `'0571…` are how a spreadsheet is told that digits are text. */
function withoutTextMark(text: string): string {
  const formula = /^="([^"]*)"$/u.exec(text);
  if (formula !== null) return formula[1] ?? "";
  return text.replace(/^['‘’`]/u, "");
}

/** `A-B`, `A~B` and `A至B` are ranges where both ends have the digits of a number. */
function withDots(text: string): string {
  const ends = /^(\+?\d[\d ]{3,})\s*(?:-{1,2}|[–—~〜～]|至|到)\s*(\+?\d[\d ]{3,})$/u.exec(text);
  if (ends === null) return text;
  const [, first = "", last = ""] = ends;
  // An area code and a number have no range between them: 0571-87000000.
  return countDigits(first) === countDigits(last) ? `${first.trim()}..${last.trim()}` : text;
}

function countDigits(text: string): number {
  return text.replaceAll(/\D/gu, "").length;
}
