// Reads the media type of a Content-Type field.
import { isToken } from "../octet.ts";

/** A media type as Content-Type holds it (RFC 3261 section 20.15, RFC 2045 section 5.1). */
export interface MediaType {
  /** `type/subtype` in lower case. */
  readonly name: string;
  /** The parameters by name in lower case. Values are without their quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_PARAMETERS = 16;

function skipSpace(text: string, at: number): number {
  while (text[at] === " " || text[at] === "\t") at++;
  return at;
}

function tokenEnd(text: string, at: number): number {
  while (at < text.length && isToken[text.charCodeAt(at)] === 1) at++;
  return at;
}

/**
 * Returns where the quoted string that begins at `at` ends, after its closing quote. Returns -1
 * when it does not end, or holds escapes, which readers decode differently.
 */
function quotedEnd(text: string, at: number): number {
  const end = text.indexOf('"', at + 1);
  return end < 0 || text.slice(at, end).includes("\\") ? -1 : end + 1;
}

/**
 * Reads the type alone of an unfolded Content-Type, in lower case. Its parameters may be written in any way.
 * @returns undefined when there is no type, or when the value may hold a second type
 */
export function readTypeName(value: string): string | undefined {
  const start = skipSpace(value, 0);
  const typeEnd = tokenEnd(value, start);
  const slash = skipSpace(value, typeEnd);
  const subtypeStart = skipSpace(value, slash + 1);
  const end = tokenEnd(value, subtypeStart);
  if (typeEnd === start || value[slash] !== "/" || end === subtypeStart) return undefined;
  const behind = skipSpace(value, end);
  if (behind < value.length && value[behind] !== ";") return undefined;
  if (holdsComma(value, behind)) return undefined;
  return `${value.slice(start, typeEnd)}/${value.slice(subtypeStart, end)}`.toLowerCase();
}

/** True when a comma stands outside of quotes, or a quoted string does not end. */
function holdsComma(text: string, from: number): boolean {
  let isQuoted = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"') isQuoted = !isQuoted;
    else if (character === "\\" && isQuoted) at++;
    else if (character === "," && !isQuoted) return true;
  }
  return isQuoted;
}

/**
 * Reads the unfolded value of a Content-Type field.
 * @returns undefined when readers could differ: comments, a parameter that appears twice, anything
 *   left over
 */
export function readMediaType(value: string): MediaType | undefined {
  const typeStart = skipSpace(value, 0);
  const typeEnd = tokenEnd(value, typeStart);
  const slash = skipSpace(value, typeEnd);
  const subtypeStart = skipSpace(value, slash + 1);
  const subtypeEnd = tokenEnd(value, subtypeStart);
  if (typeEnd === typeStart || value[slash] !== "/" || subtypeEnd === subtypeStart) return undefined;
  const name = `${value.slice(typeStart, typeEnd)}/${value.slice(subtypeStart, subtypeEnd)}`.toLowerCase();
  const parameters = new Map<string, string>();
  let at = skipSpace(value, subtypeEnd);
  while (at < value.length) {
    if (value[at] !== ";" || parameters.size === MAX_PARAMETERS) return undefined;
    const start = skipSpace(value, at + 1);
    const end = tokenEnd(value, start);
    const equals = skipSpace(value, end);
    if (end === start || value[equals] !== "=") return undefined;
    const from = skipSpace(value, equals + 1);
    const isQuoted = value[from] === '"';
    const to = isQuoted ? quotedEnd(value, from) : tokenEnd(value, from);
    const key = value.slice(start, end).toLowerCase();
    if (to <= from || parameters.has(key)) return undefined;
    parameters.set(key, isQuoted ? value.slice(from + 1, to - 1) : value.slice(from, to));
    at = skipSpace(value, to);
  }
  return { name, parameters };
}
