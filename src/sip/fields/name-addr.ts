// Reads addresses and URIs of SIP header fields, leniently, and says what is wrong with them.
import { COLON, SP, TAB } from "../octet.ts";
import { bracketBehindDoubleOctets, isBehindLead } from "./double-octet.ts";
import { findDisplayFault, plainTextEnd, skipQuoted } from "./quoted.ts";

/**
 * The positions of one name-addr or addr-spec within a field value (RFC 3261 section 20.10). The
 * object is reused from call to call. `fault` says why two readers could disagree about the
 * address.
 */
export interface AddressSpan {
  displayStart: number;
  displayEnd: number;
  uriStart: number;
  uriEnd: number;
  /** The field parameters: from the first ";" after the address to `end`. */
  paramsStart: number;
  /** The comma that ends this value, or the end of the field. */
  end: number;
  fault: string | undefined;
}

/** Makes an empty span for {@link readAddress} to fill. */
export function createAddressSpan(): AddressSpan {
  return { displayStart: 0, displayEnd: 0, uriStart: 0, uriEnd: 0, paramsStart: 0, end: 0, fault: undefined };
}

/**
 * The fault of quotes in the header fields of a URI: `<sip:a@b?Reason=SIP;text="Moved">`. They must be
 * escaped (RFC 3261 section 19.1.1). Readers agree all the same where the brackets end, because no
 * bracket stands inside the quotes. So History-Info, where no URI is shown, may have them.
 */
export const QUOTED_TEXT = "quotes in the header fields of a URI";

const QUOTE = 0x22;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const LESS = 0x3c;
const EQUALS = 0x3d;
const MORE = 0x3e;
const QUESTION = 0x3f;
const AT = 0x40;
const BACKSLASH = 0x5c;

function isSpace(c: number): boolean {
  return c === SP || c === TAB;
}

// Every search ends with its own value, not with the field: a field may hold ten thousand values.

/** Returns where `char` first stands between `start` and `end`, or -1. */
function find(value: string, char: number, start: number, end: number): number {
  for (let i = start; i < end; i++) if (value.charCodeAt(i) === char) return i;
  return -1;
}

/**
 * Reads the address that begins at `at`, up to the comma that ends it or the end of `value`, into
 * `span`. It is lenient: what it tolerates is noted in `span.fault`.
 */
export function readAddress(value: string, at: number, span: AddressSpan): void {
  readByStandard(value, at, span);
  const begin = span.displayStart;
  if (value.charCodeAt(begin) !== QUOTE) return;
  const less = bracketBehindDoubleOctets(value, begin);
  if (less >= 0) readDoubleOctets(value, begin, less, span);
}

/**
 * Reads an address whose quoted name ends in an octet that looks like a backslash, with "<" at `less`.
 * A reader by the standard finds no end of the name, and so no address. Where it finds one, the two
 * readings are two addresses, unless it is the next value of the field, which is read as well.
 */
function readDoubleOctets(value: string, begin: number, less: number, span: AddressSpan): void {
  const { uriStart } = span;
  const standard = uriStart > 0 && value.charCodeAt(uriStart - 1) === LESS ? uriStart - 1 : -1;
  const isTwofold =
    span.fault === undefined ||
    (standard >= 0 &&
      bracketBehindDoubleOctets(value, skipQuoted(value, begin, value.length) - 1) !== standard);
  span.fault = undefined;
  readBracketed(value, begin, less, span);
  if (isTwofold || find(value, QUOTE, less, span.end) >= 0)
    span.fault ??= "quoted string that ends in two ways";
}

/** Reads an address by RFC 3261 section 25.1, as {@link readAddress} does. */
function readByStandard(value: string, at: number, span: AddressSpan): void {
  span.fault = undefined;
  let i = at;
  while (i < value.length && isSpace(value.charCodeAt(i))) i++;
  const begin = i;
  span.displayStart = begin;
  span.displayEnd = begin;
  for (; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === QUOTE) {
      const behind = skipQuoted(value, i, value.length);
      if (behind < 0) {
        span.fault = "quoted string without an end";
        finish(span, value.length, value.length, value.length, value.length);
        return;
      }
      i = behind - 1;
    } else if (c === BACKSLASH) {
      if (!isBehindLead(value, i)) span.fault ??= "backslash outside quotes";
      i++;
    } else if (c === LESS) {
      readBracketed(value, begin, i, span);
      return;
    } else if (c === COMMA || c === SEMICOLON) break;
  }
  readBare(value, begin, Math.min(i, value.length), span);
}

function finish(span: AddressSpan, uriStart: number, uriEnd: number, paramsStart: number, end: number): void {
  span.uriStart = uriStart;
  span.uriEnd = uriEnd;
  span.paramsStart = paramsStart;
  span.end = end;
}

/** Reads `display-name <uri> params` with "<" at `less`. */
function readBracketed(value: string, begin: number, less: number, span: AddressSpan): void {
  span.fault ??= findDisplayFault(value, begin, less);
  let displayEnd = less;
  while (displayEnd > begin && isSpace(value.charCodeAt(displayEnd - 1))) displayEnd--;
  span.displayEnd = displayEnd;
  let more = less + 1;
  let isBehindQuestion = false;
  let hasText = false;
  for (; more < value.length; more++) {
    const c = value.charCodeAt(more);
    if (c === MORE) break;
    if (c === QUESTION) isBehindQuestion = true;
    const text = isBehindQuestion && c === QUOTE ? plainTextEnd(value, more) : -1;
    if (text >= 0) {
      hasText = true;
      more = text;
    } else if (c === LESS || c === QUOTE || isSpace(c)) span.fault ??= "space, quote or bracket inside <>";
  }
  if (more >= value.length) {
    span.fault ??= "< without >";
    finish(span, less + 1, value.length, value.length, value.length);
    return;
  }
  const end = skipParams(value, more + 1, span);
  if (hasText) span.fault ??= QUOTED_TEXT;
  finish(span, less + 1, more, more + 1, end);
}

/** Reads an address without brackets. Its URI ends at the first ";" (RFC 3261 section 20.10). */
function readBare(value: string, begin: number, stop: number, span: AddressSpan): void {
  let uriEnd = stop;
  while (uriEnd > begin && isSpace(value.charCodeAt(uriEnd - 1))) uriEnd--;
  for (let i = begin; i < uriEnd; i++) {
    const c = value.charCodeAt(i);
    if (isSpace(c) || c === QUOTE || c === QUESTION) span.fault ??= "address needs brackets";
  }
  const end = skipParams(value, stop, span);
  for (let i = stop; i < end; i++) if (value.charCodeAt(i) === AT) span.fault ??= "address needs brackets";
  if (uriEnd === begin) span.fault ??= "no address";
  finish(span, begin, uriEnd, stop, end);
}

/** Skips parameters from the end of an address to the comma that ends the value, or to its end. */
export function skipParams(value: string, at: number, span: AddressSpan): number {
  let seenSemicolon = false;
  for (let i = at; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === COMMA) return i;
    if (c === QUOTE) {
      const behind = skipQuoted(value, i, value.length);
      if (behind < 0) {
        span.fault ??= "quoted string without an end";
        return value.length;
      }
      i = behind - 1;
    } else if (c === SEMICOLON) seenSemicolon = true;
    else if (c === LESS || c === MORE || (!seenSemicolon && !isSpace(c)))
      span.fault ??= "text after the address";
  }
  return value.length;
}

function isName(value: string, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    const c = value.charCodeAt(start + i);
    if ((c >= 0x41 && c <= 0x5a ? c | 0x20 : c) !== name.charCodeAt(i)) return false;
  }
  return true;
}

/**
 * Reads the value of parameter `name` between `start` and `end`, where parameters begin with ";".
 * @param value the field value
 * @param start where to begin
 * @param end where to end
 * @param name the name in lower case
 * @param twice is called for each repetition of the parameter; the first value counts
 * @returns undefined when the parameter is absent, "" when it has no value
 */
export function readParam(
  value: string,
  start: number,
  end: number,
  name: string,
  twice?: () => void,
): string | undefined {
  let found: string | undefined;
  for (let at = find(value, SEMICOLON, start, end); at >= 0 && at < end;) {
    const next = paramEnd(value, at + 1, end);
    const nameStart = skipSpace(value, at + 1, next);
    if (isParam(value, nameStart, next, name)) {
      if (found === undefined) found = paramValue(value, nameStart + name.length, next);
      else twice?.();
    }
    at = next;
  }
  return found;
}

function skipSpace(value: string, start: number, end: number): number {
  let i = start;
  while (i < end && isSpace(value.charCodeAt(i))) i++;
  return i;
}

/**
 * @returns true when `name` (lower case) stands at `start`, followed by "=" or the `end` of the
 *   parameter
 */
export function isParam(value: string, start: number, end: number, name: string): boolean {
  const nameEnd = start + name.length;
  if (nameEnd > end || !isName(value, start, nameEnd, name)) return false;
  const equals = skipSpace(value, nameEnd, end);
  return equals === end || value.charCodeAt(equals) === EQUALS;
}

/**
 * Returns the trimmed value of the parameter whose name ends at `start`, or "" when it has none.
 */
export function paramValue(value: string, start: number, end: number): string {
  const equals = find(value, EQUALS, start, end);
  if (equals < 0) return "";
  let valueEnd = end;
  while (valueEnd > equals + 1 && isSpace(value.charCodeAt(valueEnd - 1))) valueEnd--;
  return value.slice(skipSpace(value, equals + 1, valueEnd), valueEnd);
}

/**
 * Returns the ";" that ends the parameter at `start`, or `end`. A ";" in a quoted string does not
 * end it.
 */
export function paramEnd(value: string, start: number, end: number): number {
  let i = start;
  while (i < end) {
    const c = value.charCodeAt(i);
    if (c === SEMICOLON) return i;
    if (c === QUOTE) {
      const behind = skipQuoted(value, i, end);
      if (behind < 0) return end;
      i = behind;
    } else i++;
  }
  return end;
}

/** The parts of a URI (RFC 3261 section 19.1, RFC 3966). */
export interface UriParts {
  scheme: "sip" | "sips" | "tel" | "urn" | "other";
  /**
   * Of sip and sips: the user part with its parameters, as received, or undefined when there is
   * none. Of other schemes: everything after the scheme.
   */
  user: string | undefined;
  /** The host as received, IPv6 references without brackets. Empty for tel and others. */
  host: string;
  /** The port; 0 when none is given, -1 when it is no port number. */
  port: number;
  /** The parameters from the first ";" after the host, or empty. */
  params: string;
  fault: string | undefined;
}

/**
 * Reads the parts of the URI in `value` between `start` and `end`. What cannot be read safely is
 * noted in `fault`.
 */
export function readUri(value: string, start: number, end: number): UriParts {
  const parts: UriParts = {
    scheme: "other",
    user: undefined,
    host: "",
    port: 0,
    params: "",
    fault: undefined,
  };
  const colon = find(value, COLON, start, end);
  if (colon < 0) {
    parts.fault = "URI without a scheme";
    return parts;
  }
  if (isName(value, start, colon, "sip")) parts.scheme = "sip";
  else if (isName(value, start, colon, "sips")) parts.scheme = "sips";
  else if (isName(value, start, colon, "tel")) parts.scheme = "tel";
  else if (isName(value, start, colon, "urn")) parts.scheme = "urn";
  const rest = colon + 1;
  if (parts.scheme !== "sip" && parts.scheme !== "sips") {
    parts.user = value.slice(rest, end);
    return parts;
  }
  const first = find(value, AT, rest, end);
  let hostStart = rest;
  if (first >= 0) {
    let at = first;
    for (let next = at; next >= 0; next = find(value, AT, next + 1, end)) at = next;
    parts.user = value.slice(rest, at);
    if (first !== at) parts.fault = "more than one @";
    hostStart = at + 1;
  }
  readHostPort(value, hostStart, end, parts);
  return parts;
}

function readHostPort(value: string, start: number, end: number, parts: UriParts): void {
  let i = start;
  if (value.charCodeAt(i) === 0x5b) {
    const close = find(value, 0x5d, i, end);
    if (close < 0) {
      parts.fault ??= "[ without ]";
      return;
    }
    parts.host = value.slice(i + 1, close);
    i = close + 1;
  } else {
    while (i < end && !isHostEnd(value.charCodeAt(i))) i++;
    parts.host = value.slice(start, i);
  }
  if (parts.host === "") parts.fault ??= "URI without a host";
  if (value.charCodeAt(i) === 0x3a && i < end) {
    const digits = ++i;
    while (i < end && !isHostEnd(value.charCodeAt(i))) i++;
    parts.port = readPort(value, digits, i);
    if (parts.port < 0) parts.fault ??= "port is not a number of 1 to 65535";
  }
  if (i < end && value.charCodeAt(i) !== SEMICOLON && value.charCodeAt(i) !== 0x3f)
    parts.fault ??= "text after the host";
  parts.params = value.slice(i, end);
}

function isHostEnd(c: number): boolean {
  return c === 0x3a || c === SEMICOLON || c === 0x3f;
}

/** Returns a port number of 1 to 65535, or -1. */
export function readPort(value: string, start: number, end: number): number {
  if (start === end || end - start > 5) return -1;
  let port = 0;
  for (let i = start; i < end; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    port = port * 10 + digit;
  }
  return port >= 1 && port <= 65535 ? port : -1;
}
