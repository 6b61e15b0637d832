// Decodes the percent escapes of URIs in text that is searched, not forwarded.

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

function codeAt(text: string, at: number): number {
  const high = hexValue(text.charCodeAt(at + 1));
  const low = hexValue(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
