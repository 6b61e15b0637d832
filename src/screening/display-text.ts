// Reads a display name as a person would see it, for the rule display-name.
import { Buffer, isUtf8 } from "node:buffer";

/** At most this many characters, as received, are read of a name. No display shows a longer one. */
export const LONGEST_NAME = 256;

/**
 * The first digits of the decimal systems that a display renders and NFKC leaves unchanged (Unicode
 * category Nd): Arabic, Persian, N'Ko, and the Brahmic ones from Devanagari to Khmer and Mongolian.
 */
const zeros: readonly number[] = [
  0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
  0xf20, 0x1040, 0x17e0, 0x1810,
];

/**
 * Returns a display name as a person reads it: unquoted, unescaped, NFKC-folded (fullwidth １ is 1),
 * digits of all systems as ASCII, in lower case.
 */
export function foldName(display: string): string {
  const bare = unquote(display);
  let isAscii = true;
  for (let i = 0; isAscii && i < bare.length; i++) isAscii = bare.charCodeAt(i) < 0x80;
  if (isAscii) return bare.toLowerCase();
  // Names are received as latin1. A name that is no UTF-8 is shown as the phone chooses, mostly as
  // latin1.
  const bytes = Buffer.from(bare, "latin1");
  const text = (isUtf8(bytes) ? bytes.toString("utf8") : bare).normalize("NFKC");
  let folded = "";
  for (const char of text) folded += asciiDigit(char.codePointAt(0) ?? 0) ?? char;
  return folded.toLowerCase();
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
  return out.trim();
}

function asciiDigit(code: number): string | undefined {
  if (code < 0x660) return undefined;
  for (const zero of zeros) if (code >= zero && code < zero + 10) return String(code - zero);
  return undefined;
}

/** @returns true for an ASCII digit */
export function isDigit(char: string): boolean {
  return char >= "0" && char <= "9";
}

/**
 * @returns true for characters between the groups of one number as people write it: spaces and
 *   punctuation, also those of Unicode's general block
 */
export function isBetweenGroups(char: string): boolean {
  if (char >= "\u2000" && char <= "\u206f") return true;
  return char < "\u007f" && !(char >= "a" && char <= "z") && !isDigit(char);
}
