// Reads a display name as a person would see it, for the rule display-name.
import { Buffer, isUtf8 } from "node:buffer";
import { isInvisible, isSeparator } from "./characters.ts";
import { seenAsDigits, seenAsLetter } from "./look-alikes.ts";

/** At most this many characters, as received, are read of a name. No display shows a longer one. */
export const LONGEST_NAME = 256;

/** GBK and its successor: phones and exchanges in China write names in it. */
const chinese = new TextDecoder("gb18030");

/**
 * Returns a display name as a person reads it, in each character set that its octets may be in:
 * unquoted, unescaped, without invisible characters, letters and digits of all styles and systems as
 * ASCII (fullwidth １ and ❶ are 1, Cyrillic а is a), in lower case. At most three readings.
 */
export function foldNames(display: string): readonly string[] {
  const bare = unescapePercent(unquote(display));
  let isAscii = true;
  for (let i = 0; isAscii && i < bare.length; i++) isAscii = bare.charCodeAt(i) < 0x80;
  if (isAscii) return [bare.toLowerCase()];
  // Names are received as latin1. A name that is no UTF-8 is shown as the phone chooses: most show a sign in place of
  // each wrong octet.
  const bytes = Buffer.from(bare, "latin1");
  if (isUtf8(bytes)) return [fold(bytes.toString("utf8"))];
  // In GBK the second octet of a character may be a backslash, so it is decoded before it is unescaped.
  const inner = display.startsWith('"') ? display.slice(1, display.endsWith('"') ? -1 : undefined) : display;
  return [
    fold(bare),
    fold(bytes.toString("utf8")),
    fold(unquote(chinese.decode(Buffer.from(inner, "latin1")))),
  ];
}

function fold(text: string): string {
  let folded = "";
  for (const char of text.normalize("NFKD")) {
    const code = char.codePointAt(0) ?? 0;
    if (isInvisible(code)) continue;
    folded += code < 0x80 ? char : (seenAsDigits(code) ?? seenAsLetter(char, code) ?? char);
  }
  return folded.toLowerCase().trim();
}

/** Removes the quotes of a name and the backslashes of its quoted pairs (RFC 3261 section 25.1). */
function unquote(display: string): string {
  let out = "";
  for (let i = 0; i < display.length; i++) {
    const char = display.charAt(i);
    if (char === '"') continue;
    if (char === "\\" && i + 1 < display.length) out += display.charAt(++i);
    else out += char;
  }
  return trimSpaces(out);
}

/** Removes ASCII spaces and tabs. `trim` would take the last octet of a UTF-8 character for a space (0xA0). */
function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Undoes escapes like %39 (9). Some gateways write a name as a part of a URI. */
function unescapePercent(text: string): string {
  if (!text.includes("%")) return text;
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const value =
      text.charAt(i) === "%" ? hexValue(text.charCodeAt(i + 1)) * 16 + hexValue(text.charCodeAt(i + 2)) : NaN;
    if (Number.isNaN(value)) out += text.charAt(i);
    else {
      out += String.fromCharCode(value);
      i += 2;
    }
  }
  return out;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : NaN;
}

/** @returns true for an ASCII digit */
export function isDigit(char: string): boolean {
  return char >= "0" && char <= "9";
}

/**
 * @returns true for characters between the groups of one number as people write it: everything that
 *   is neither a letter nor a digit
 */
export function isBetweenGroups(char: string): boolean {
  return isSeparator(char.codePointAt(0) ?? 0);
}
