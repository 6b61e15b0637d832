// Reads Via values: where a response goes, and which transaction a message belongs to.
import { isToken } from "../octet.ts";
import { isParam, paramEnd, paramValue, readPort } from "./name-addr.ts";

/**
 * One Via value within a field value (RFC 3261 section 20.42). Positions refer to the string it was
 * read from.
 */
export interface Via {
  /** "UDP", "TCP", … as received. */
  transport: string;
  /** The host as received, IPv6 references without brackets. */
  host: string;
  /** The port, or 0 when none is given. */
  port: number;
  /** `host` and port as received: a part of the key of a transaction (RFC 3261 section 17.2.3). */
  sentBy: string;
  branch: string;
  received: string | undefined;
  /** Undefined: not asked for. 0: asked for, but not filled in (RFC 3581). */
  rport: number | undefined;
  paramsStart: number;
  /** The comma that ends this value, or the end of the field. */
  end: number;
}

const SLASH = 0x2f;
const SEMICOLON = 0x3b;

function skipSpace(value: string, at: number): number {
  let i = at;
  while (i < value.length && (value.charCodeAt(i) === 0x20 || value.charCodeAt(i) === 9)) i++;
  return i;
}

/** Returns the position after "SIP / 2.0 /", with or without white space, or -1. */
function skipProtocol(value: string, at: number): number {
  // The usual spelling.
  if (value.startsWith("SIP/2.0/", at)) return at + 8;
  let i = at;
  for (const part of ["SIP", "2.0"]) {
    if (value.slice(i, i + part.length).toUpperCase() !== part) return -1;
    i = skipSpace(value, i + part.length);
    if (value.charCodeAt(i) !== SLASH) return -1;
    i = skipSpace(value, i + 1);
  }
  return i;
}

/**
 * Reads the Via value that begins at `at`. White space may stand around "/" and ":".
 * @returns undefined when there is no valid Via value
 */
export function readVia(value: string, at: number): Via | undefined {
  let i = skipProtocol(value, skipSpace(value, at));
  if (i < 0) return undefined;
  const transportStart = i;
  while (i < value.length && isToken[value.charCodeAt(i)] === 1) i++;
  const transport = value.slice(transportStart, i);
  const sentByStart = skipSpace(value, i);
  if (sentByStart === i) return undefined;
  i = sentByStart;
  let host: string;
  if (value.charCodeAt(i) === 0x5b) {
    const close = value.indexOf("]", i);
    if (close < 0) return undefined;
    host = value.slice(i + 1, close);
    i = close + 1;
  } else {
    while (i < value.length && isSentBy(value.charCodeAt(i))) i++;
    host = value.slice(sentByStart, i);
  }
  if (transport === "" || host === "") return undefined;
  let sentByEnd = i;
  i = skipSpace(value, i);
  let port = 0;
  if (value.charCodeAt(i) === 0x3a) {
    i = skipSpace(value, i + 1);
    const digits = i;
    while (i < value.length && isSentBy(value.charCodeAt(i))) i++;
    port = readPort(value, digits, i);
    if (port < 0) return undefined;
    sentByEnd = i;
    i = skipSpace(value, i);
  }
  const end = endOfValue(value, i);
  if (i < end && value.charCodeAt(i) !== SEMICOLON) return undefined;
  const via: Via = {
    transport,
    host,
    port,
    sentBy: value.slice(sentByStart, sentByEnd),
    branch: "",
    received: undefined,
    rport: undefined,
    paramsStart: i,
    end,
  };
  readParams(value, i, end, via);
  return via;
}

/**
 * Reads the three parameters in one pass. Of a parameter that appears twice the first value counts.
 */
function readParams(value: string, start: number, end: number, via: Via): void {
  let branch: string | undefined;
  for (let at = start; at < end;) {
    const next = paramEnd(value, at + 1, end);
    const name = skipSpace(value, at + 1);
    // The first letter distinguishes most parameters.
    const letter = value.charCodeAt(name) | 0x20;
    if (letter === 0x62 && isParam(value, name, next, "branch")) branch ??= paramValue(value, name + 6, next);
    else if (letter === 0x72 && isParam(value, name, next, "received"))
      via.received ??= paramValue(value, name + 8, next);
    else if (letter === 0x72 && via.rport === undefined && isParam(value, name, next, "rport")) {
      const port = paramValue(value, name + 5, next);
      via.rport = Math.max(0, readPort(port, 0, port.length));
    }
    at = next;
  }
  via.branch = branch ?? "";
}

/** Tells whether `c` is neither white space nor ":", ";" or ",". */
function isSentBy(c: number): boolean {
  return c > 0x20 && c !== 0x3a && c !== SEMICOLON && c !== 0x2c;
}

/** Returns the comma outside quotes that ends the value, or the end of the field. */
function endOfValue(value: string, at: number): number {
  const comma = value.indexOf(",", at);
  if (comma < 0) return value.length;
  const quote = value.indexOf('"', at);
  if (quote < 0 || quote > comma) return comma;
  let quoted = false;
  for (let i = at; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (quoted && c === 0x5c) i++;
    else if (c === 0x22) quoted = !quoted;
    else if (c === 0x2c && !quoted) return i;
  }
  return value.length;
}
