// Reads the spelling of a number in a SIP or tel URI: parameters, escapes, separators.

/** Character codes with a meaning in a number (RFC 3261 section 25.1, RFC 3966 section 3). */
const CODE = {
  hash: 0x23,
  percent: 0x25,
  plus: 0x2b,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  semicolon: 0x3b,
  at: 0x40,
};
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;
const DELETE = 0x7f;
/**
 * At most this many parameters. It is more than any stack sends, and keeps the search for repeated
 * names short.
 */
const MAX_PARAMETERS = 24;

/** Says that a piece may not be used, and why. */
export interface Fault {
  readonly fault: string;
}

/** A number without its visual separators. */
export interface SpelledNumber {
  readonly plus: boolean;
  /** Every ASCII digit, in order. */
  readonly digits: string;
  /** How many characters are neither digit, separator nor a leading "+". */
  readonly strangers: number;
  /** Whether the only stranger is the last character and stands for "end of number" (F or #). */
  readonly endsWithST: boolean;
}

/** The parameters of a number that change how it is read. */
export interface NumberParameters {
  /** How many parameters there are. */
  readonly count: number;
  /** The decoded value, in the case received: `+8610` or a domain name. */
  readonly phoneContext: string | undefined;
  /** Whether a parameter may send the call elsewhere, see {@link routesElsewhere}. */
  readonly routes: boolean;
}

/**
 * Parameters that may send a call elsewhere (RFC 4694; RFC 4904 and its forerunner dtg; RFC 3261
 * section 19.1.1), and an extension, which some elements dial as a part of the number (RFC 3966 section
 * 5.1.2). Digits that are sent after the answer (`postd`) change no party.
 */
const routingNames: ReadonlySet<string> = new Set([
  "rn",
  "cic",
  "tgrp",
  "trunk-context",
  "dtg",
  "maddr",
  "ext",
]);

/**
 * @returns true for one or more digits with or without a leading "+": no escape, separator or
 *   parameter to read
 */
export function isPlainNumber(user: string): boolean {
  const start = user.charCodeAt(0) === CODE.plus ? 1 : 0;
  if (user.length === start) return false;
  for (let at = start; at < user.length; at++) {
    const code = user.charCodeAt(at);
    if (code < CODE.zero || code > CODE.nine) return false;
  }
  return true;
}

/**
 * Decodes escapes once.
 * @returns the text; or a fault for anything but printable ASCII, an escaped delimiter, or an
 *   escape that is left over
 */
export function decodeOnce(piece: string): string | Fault {
  if (!piece.includes("%")) return findStranger(piece) ?? piece;
  let decoded = "";
  for (let at = 0; at < piece.length; at++) {
    let code = piece.charCodeAt(at);
    const escaped = code === CODE.percent;
    if (escaped) {
      code = escapedCode(piece, at);
      if (code < 0) return { fault: "bad escape" };
      at += 2;
    }
    if (!isPrintable(code)) return strangerFault(code);
    if (escaped && (code === CODE.semicolon || code === CODE.at)) return { fault: "escaped delimiter" };
    decoded += String.fromCharCode(code);
  }
  for (let at = decoded.indexOf("%"); at >= 0; at = decoded.indexOf("%", at + 1)) {
    if (escapedCode(decoded, at) >= 0) return { fault: "double escape" };
  }
  return decoded;
}

/**
 * Sorts the characters of a decoded number. The visual separators are `- . ( )` (RFC 3966 section
 * 5.1.1).
 */
export function spellNumber(text: string): SpelledNumber {
  let plus = false;
  let digits = "";
  let strangers = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= CODE.zero && code <= CODE.nine) digits += text[at];
    else if (code === CODE.plus && digits === "" && !plus) plus = true;
    else if (!isVisualSeparator(code)) strangers++;
  }
  return { plus, digits, strangers, endsWithST: strangers === 1 && isST(text.charCodeAt(text.length - 1)) };
}

/**
 * Reads the parameters after the first ";" of a number. Names are case-insensitive and may not
 * repeat (RFC 3966 section 3).
 */
export function readParameters(text: string): NumberParameters | Fault {
  const names: string[] = [];
  let phoneContext: string | undefined;
  let routes = false;
  let from = 0;
  while (from <= text.length) {
    const semicolon = text.indexOf(";", from);
    const end = semicolon < 0 ? text.length : semicolon;
    const equals = text.indexOf("=", from);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    const name = decodeOnce(text.slice(from, nameEnd));
    if (typeof name !== "string") return name;
    const value = decodeOnce(text.slice(Math.min(nameEnd + 1, end), end));
    if (typeof value !== "string") return value;
    if (name === "") return { fault: "empty parameter" };
    if (name.includes("=")) return { fault: "escaped delimiter" };
    const known = name.toLowerCase();
    if (names.includes(known)) return { fault: "repeated parameter" };
    if (names.push(known) > MAX_PARAMETERS) return { fault: "too many parameters" };
    if (known === "phone-context") phoneContext = value;
    else if (routingNames.has(known)) routes = true;
    from = end + 1;
  }
  return { count: names.length, phoneContext, routes };
}

/**
 * @returns true when one of these parameters of a URI (`;maddr=…;user=phone`) may send the call to
 *   another party
 */
export function routesElsewhere(parameters: string): boolean {
  return holdsName(parameters, ";", routingNames);
}

/**
 * Looks for one of `names` (lower case) in `text`: name=value pairs joined by `separator`. Names
 * are decoded.
 * @returns true when one is there, or when a name cannot be decoded, because it may be any of them
 */
export function holdsName(text: string, separator: ";" | "&", names: ReadonlySet<string>): boolean {
  let from = 0;
  while (from < text.length) {
    const next = text.indexOf(separator, from);
    const end = next < 0 ? text.length : next;
    const pair = text.slice(from, end);
    const equals = pair.indexOf("=");
    const name = decodeOnce(equals < 0 ? pair : pair.slice(0, equals));
    if (typeof name !== "string" || names.has(name.toLowerCase())) return true;
    from = end + 1;
  }
  return false;
}

const CONTEXT = "phone-context=";
const SHORTEST_CONTEXT = `;${CONTEXT}+1`.length;

/**
 * Returns a number with the `phone-context` that stands behind the host of its URI: some peers write it there, and some
 * elements read it there (`sip:110@a;phone-context=+44`).
 * @param user the user part
 * @param uriParameters the parameters after the host, from the first ";"
 * @returns undefined when there is none, or when the number needs none because it begins with "+"
 */
export function inContextBehindHost(user: string, uriParameters: string): string | undefined {
  if (uriParameters.length < SHORTEST_CONTEXT) return undefined;
  const contexts = uriParameters
    .replaceAll("?", ";")
    .split(";")
    .filter((pair) => pair.slice(0, CONTEXT.length).toLowerCase() === CONTEXT);
  if (contexts.length === 0 || user.startsWith("+") || user.slice(0, 3).toLowerCase() === "%2b")
    return undefined;
  const semicolon = user.indexOf(";");
  return [semicolon < 0 ? user : user.slice(0, semicolon), ...contexts].join(";");
}

function findStranger(piece: string): Fault | undefined {
  for (let at = 0; at < piece.length; at++) {
    const code = piece.charCodeAt(at);
    if (!isPrintable(code)) return strangerFault(code);
  }
  return undefined;
}

function isPrintable(code: number): boolean {
  return code >= FIRST_PRINTABLE && code <= LAST_PRINTABLE;
}

function strangerFault(code: number): Fault {
  return { fault: code < FIRST_PRINTABLE || code === DELETE ? "control character" : "non-ASCII" };
}

/** Returns the octet that `%XX` at `at` stands for, or -1. */
function escapedCode(text: string, at: number): number {
  const high = hexValue(text.charCodeAt(at + 1));
  const low = hexValue(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexValue(code: number): number {
  if (code >= CODE.zero && code <= CODE.nine) return code - CODE.zero;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Returns the text without visual separators (RFC 3966 section 5.1.1). */
export function withoutSeparators(text: string): string {
  let left = "";
  for (let at = 0; at < text.length; at++) if (!isVisualSeparator(text.charCodeAt(at))) left += text[at];
  return left;
}

/** @returns true for the visual separators `- . ( )` (RFC 3966 section 5.1.1) */
export function isVisualSeparator(code: number): boolean {
  return code === 0x2d || code === 0x2e || code === 0x28 || code === 0x29;
}

/** Tells whether this is the end-of-number signal of ISUP, as gateways leak it into SIP. */
function isST(code: number): boolean {
  return code === CODE.hash || (code | 0x20) === 0x66;
}
