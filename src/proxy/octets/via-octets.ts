// Reads the Via value of a peer where it is written as nearly all peers write it.
import { COLON, SP } from "../../sip/octet.ts";
import { isWord, octetsOf, readPlainPort, standsAt } from "./octets.ts";

/** Where the parts of a Via value stand. Reused from message to message. */
export interface OrdinaryVia {
  start: number;
  /** Host and port as they stand there, and the host without brackets. */
  sentByStart: number;
  sentByEnd: number;
  hostStart: number;
  hostEnd: number;
  /** 0: none is given. */
  port: number;
  branchStart: number;
  branchEnd: number;
  /** Both 0: it is absent. */
  receivedStart: number;
  receivedEnd: number;
  /** -1: it is absent; 0: it is asked for. */
  rport: number;
  paramsStart: number;
  /** The comma behind the value, or the end of the field. */
  end: number;
}

export function createOrdinaryVia(): OrdinaryVia {
  return {
    start: 0,
    sentByStart: 0,
    sentByEnd: 0,
    hostStart: 0,
    hostEnd: 0,
    port: 0,
    branchStart: 0,
    branchEnd: 0,
    receivedStart: 0,
    receivedEnd: 0,
    rport: -1,
    paramsStart: 0,
    end: 0,
  };
}

const SLASH = 0x2f;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const version = octetsOf("SIP/2.0/");
const branch = octetsOf("branch");
const received = octetsOf("received");
const rport = octetsOf("rport");

/**
 * Reads the value that begins at `start` in a field that ends at `stop` and is not folded. It is ordinary where no
 * white space but the one behind the transport, no quote, no capital letter of a host, no parameter twice and no port
 * in another spelling stands in it: `sip/fields/via.ts` reads the same there.
 *
 * @returns false for any other value
 */
export function readOrdinaryVia(bytes: Uint8Array, start: number, stop: number, via: OrdinaryVia): boolean {
  via.start = start;
  if (!standsAt(bytes, start, version)) return false;
  let i = start + version.length;
  const transport = i;
  while (i < stop && isNameOctet(bytes[i]!)) i++;
  if (i === transport || i >= stop || bytes[i] !== SP) return false;
  i = readSentBy(bytes, i + 1, stop, via);
  if (i < 0) return false;
  via.paramsStart = i;
  via.branchStart = 0;
  via.branchEnd = 0;
  via.receivedStart = 0;
  via.receivedEnd = 0;
  via.rport = -1;
  while (i < stop && bytes[i] === SEMICOLON) {
    i = readParam(bytes, i + 1, stop, via);
    if (i < 0) return false;
  }
  via.end = i;
  return via.branchStart > 0 && (i === stop || bytes[i] === COMMA);
}

/** Reads host and port. @returns where they end; -1: they are not ordinary */
function readSentBy(bytes: Uint8Array, start: number, stop: number, via: OrdinaryVia): number {
  let i = start;
  via.sentByStart = start;
  if (i < stop && bytes[i] === 0x5b) {
    via.hostStart = ++i;
    while (i < stop && isIpv6Octet(bytes[i]!)) i++;
    via.hostEnd = i;
    if (i >= stop || bytes[i] !== 0x5d) return -1;
    i++;
  } else {
    via.hostStart = i;
    while (i < stop && isHostOctet(bytes[i]!)) i++;
    via.hostEnd = i;
  }
  if (via.hostEnd === via.hostStart) return -1;
  via.port = 0;
  if (i < stop && bytes[i] === COLON) {
    const digits = ++i;
    while (i < stop && bytes[i]! >= 0x30 && bytes[i]! <= 0x39) i++;
    via.port = readPlainPort(bytes, digits, i);
    if (via.port < 0) return -1;
  }
  via.sentByEnd = i;
  return i;
}

/** Reads the parameter at `start`. @returns where it ends; -1: it is not ordinary */
function readParam(bytes: Uint8Array, start: number, stop: number, via: OrdinaryVia): number {
  let i = start;
  let equals = -1;
  for (; i < stop; i++) {
    const c = bytes[i]!;
    if (c === SEMICOLON || c === COMMA) break;
    if (c <= SP || c >= 0x7f || c === QUOTE) return -1;
    if (c === EQUALS && equals < 0) equals = i;
  }
  const nameEnd = equals < 0 ? i : equals;
  const letter = start < nameEnd ? bytes[start]! | 0x20 : 0;
  if (letter === 0x62 && isWord(bytes, start, nameEnd, branch)) {
    if (via.branchStart > 0 || equals < 0 || equals + 1 === i) return -1;
    via.branchStart = equals + 1;
    via.branchEnd = i;
  } else if (letter === 0x72 && isWord(bytes, start, nameEnd, received)) {
    if (via.receivedStart > 0 || equals < 0 || equals + 1 === i) return -1;
    for (let k = equals + 1; k < i; k++) if (!isIpv6Octet(bytes[k]!)) return -1;
    via.receivedStart = equals + 1;
    via.receivedEnd = i;
  } else if (letter === 0x72 && isWord(bytes, start, nameEnd, rport)) {
    if (via.rport >= 0) return -1;
    via.rport = equals < 0 ? 0 : readPlainPort(bytes, equals + 1, i);
    if (via.rport < 0) return -1;
  }
  return i;
}

/** True for a capital letter, a digit or a hyphen: UDP, TCP, TLS, TLS-SCTP. */
function isNameOctet(c: number): boolean {
  return (c >= 0x41 && c <= 0x5a) || (c >= 0x30 && c <= 0x39) || c === 0x2d;
}

/** True for a small letter, a digit, a dot or a hyphen. */
function isHostOctet(c: number): boolean {
  return (c >= 0x2d && c <= 0x39 && c !== SLASH) || (c >= 0x61 && c <= 0x7a);
}

/** True for what an address holds: digits, dots, colons, small hex letters. */
function isIpv6Octet(c: number): boolean {
  return (c >= 0x2e && c <= 0x3a && c !== SLASH) || (c >= 0x61 && c <= 0x66);
}
