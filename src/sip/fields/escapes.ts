// Decodes the percent escapes of URIs: all of them for text that is searched, needless ones for text that is compared.

/** At most this many times a text is decoded: peers escape escapes. */
const MOST_PASSES = 3;

/** Decodes escapes, also escaped ones (RFC 3986 section 2.1). A "%" that begins none stays. */
export function decodeEscapes(text: string): string {
  let decoded = text;
  for (let pass = 0; pass < MOST_PASSES && decoded.includes("%"); pass++) decoded = decodeOnce(decoded);
  return decoded;
}

function decodeOnce(text: string): string {
  let out = "";
  for (let at = 0; at < text.length; at++) {
    const code = text[at] === "%" ? codeAt(text, at) : -1;
    out += code < 0 ? text[at] : String.fromCharCode(code);
    if (code >= 0) at += 2;
  }
  return out;
}

/**
 * Decodes escapes of `unreserved` characters once and leaves all others as they are. An escaped character that needs no
 * escape is equivalent to itself (RFC 3261 section 19.1.4).
 *
 * @returns the same string when it has no escape
 */
export function decodeUnreserved(text: string): string {
  let at = text.indexOf("%");
  if (at < 0) return text;
  let decoded = "";
  let from = 0;
  for (; at >= 0; at = text.indexOf("%", at + 1)) {
    const code = codeAt(text, at);
    if (!isUnreserved(code)) continue;
    decoded += text.slice(from, at) + String.fromCharCode(code);
    from = at + 3;
    at += 2;
  }
  return decoded + text.slice(from);
}

/** The octet of the escape at `at`; -1 where no escape stands (RFC 3986 section 2.1). */
function codeAt(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at + 1));
  const low = hexDigit(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** The value of a hex digit; -1 for another character, and behind the end. */
function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const letter = c | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** True for letters, digits and the marks `- _ . ! ~ * \' ( )`. */
function isUnreserved(c: number): boolean {
  const letter = c | 0x20;
  if ((letter >= 0x61 && letter <= 0x7a) || (c >= 0x30 && c <= 0x39)) return true;
  return (c >= 0x27 && c <= 0x2a) || c === 0x2d || c === 0x2e || c === 0x21 || c === 0x5f || c === 0x7e;
}
