// Escapes in URIs that stand for characters which need none (RFC 3261 sections 19.1.4 and 25.1).

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
    const code = hexDigit(text.charCodeAt(at + 1)) * 16 + hexDigit(text.charCodeAt(at + 2));
    if (!isUnreserved(code)) continue;
    decoded += text.slice(from, at) + String.fromCharCode(code);
    from = at + 3;
    at += 2;
  }
  return decoded + text.slice(from);
}

/** The value of a hex digit; NaN for another character, and behind the end. */
function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const letter = c | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

/** True for letters, digits and the marks `- _ . ! ~ * \' ( )`. */
function isUnreserved(c: number): boolean {
  const letter = c | 0x20;
  if ((letter >= 0x61 && letter <= 0x7a) || (c >= 0x30 && c <= 0x39)) return true;
  return (c >= 0x27 && c <= 0x2a) || c === 0x2d || c === 0x2e || c === 0x21 || c === 0x5f || c === 0x7e;
}
