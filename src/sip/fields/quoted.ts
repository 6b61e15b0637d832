// Reads the quotes of address fields: where a quoted string ends, and which display names mislead readers.
import { COLON } from "../octet.ts";

const QUOTE = 0x22;
const LESS = 0x3c;
const MORE = 0x3e;
const BACKSLASH = 0x5c;

/**
 * Returns the position after the closing quote of the quoted-string that opens at `at`, or -1 when
 * it does not close before `end`.
 */
export function skipQuoted(value: string, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    const c = value.charCodeAt(i);
    if (c === BACKSLASH) i++;
    else if (c === QUOTE) return i + 1;
  }
  return -1;
}

/** Returns where the quote at `at` closes, or -1 when a bracket, a backslash or the end comes first. */
export function plainTextEnd(value: string, at: number): number {
  for (let i = at + 1; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === QUOTE) return i;
    if (c === LESS || c === MORE || c === BACKSLASH) return -1;
  }
  return -1;
}

/**
 * Finds what makes two readers disagree where the URI behind a display name is. A display name is tokens or one quoted
 * string (RFC 3261 section 25.1). Other characters outside quotes are tolerated, but not those that
 * begin, hold or end an address:
 *
 * - "sip:", "sips:" and "tel:": a reader that does not look for brackets finds an address in the name;
 * - ">": a reader that looks for the last bracket finds another end;
 * - a quote after other text: some readers take what it encloses for tokens, brackets too.
 */
export function findDisplayFault(value: string, begin: number, end: number): string | undefined {
  let fault: string | undefined;
  for (let i = begin; i < end; i++) {
    const c = value.charCodeAt(i);
    if (c === QUOTE) {
      if (i !== begin) fault ??= "quote inside a display name";
      i = skipQuoted(value, i, end) - 1;
      if (i < begin) return fault;
    } else if (c === BACKSLASH) i++;
    else if (c === MORE || (c === COLON && endsWithScheme(value, begin, i)))
      fault ??= "address inside a display name";
  }
  return fault;
}

/** True where the name of a URI scheme with a number or a user stands in front of the ":" at `end`. */
function endsWithScheme(value: string, begin: number, end: number): boolean {
  const word = value.slice(Math.max(begin, end - 4), end).toLowerCase();
  return word.endsWith("sip") || word === "sips" || word.endsWith("tel");
}
