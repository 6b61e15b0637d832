// Display names in GBK, Big5 or Shift-JIS, in which an octet looks like a backslash.

const SP = 0x20;
const QUOTE = 0x22;
const LESS = 0x3c;
const BACKSLASH = 0x5c;

/**
 * In these character sets the second octet of a character may be 0x5C. Clients write it without an
 * escape. When it stands in front of the closing quote, RFC 3261 section 25.1 takes the quote for an
 * escaped one, and the name has no end.
 *
 * @param value the field value
 * @param at where the opening quote stands
 * @returns the "<" behind a quote that follows such a character; -1 when another quote closes the
 *   name before
 */
export function bracketBehindDoubleOctets(value: string, at: number): number {
  for (let i = at + 1; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === QUOTE) return -1;
    if (c === BACKSLASH) i++;
    else if (isLead(c) && isTrail(value.charCodeAt(i + 1))) {
      i++;
      if (value.charCodeAt(i) !== BACKSLASH || value.charCodeAt(i + 1) !== QUOTE) continue;
      let next = i + 2;
      while (value.charCodeAt(next) === SP) next++;
      if (value.charCodeAt(next) === LESS) return next;
    }
  }
  return -1;
}

/**
 * Tells whether a backslash outside quotes is the second octet of a character. What stands behind it must mean the same
 * to a reader who takes the backslash for an escape.
 */
export function isBehindLead(value: string, at: number): boolean {
  return isLead(value.charCodeAt(at - 1)) && !delimiters.includes(value.charAt(at + 1));
}

const delimiters = '"<>,;\\';

function isLead(c: number): boolean {
  return c >= 0x81 && c <= 0xfe;
}

function isTrail(c: number): boolean {
  return c >= 0x40 && c <= 0xfe && c !== 0x7f;
}
