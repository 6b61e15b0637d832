import { Buffer } from "node:buffer";
import { Header, HEADER_IDS, hashStep, identifyHeader, type HeaderId } from "./header.ts";

/** More header fields than this can't be judged safely. */
export const MAX_HEADERS = 256;

/**
 * One SIP message as positions over the bytes it was received in. Reused from message to message:
 * a view is valid until the next {@link scan} into it, so nothing may keep it.
 */
export interface SipMessage {
  bytes: Buffer;
  /** Start line and header fields as latin1: same positions as in `bytes`. */
  text: string;
  /** `other`: not SIP at all (or nothing but CRLF keep-alives, then `end` is 0). */
  kind: "request" | "response" | "other";
  /** First byte of the start line: leading CRLFs are skipped (RFC 3261 section 7.5). */
  start: number;
  method: string;
  uriStart: number;
  uriEnd: number;
  /** Response status; 0 in a request. */
  status: number;
  /** Just behind the start line's CRLF. */
  headersStart: number;
  headerCount: number;
  readonly ids: Uint8Array;
  /** Where the field's line begins, its value begins and ends (trimmed), and the next line begins. */
  readonly lineStart: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  readonly lineEnd: Int32Array;
  /** 1 where the value is folded over several lines. */
  readonly folded: Uint8Array;
  /** By header id: index of the first field of that name, or -1; and how many there are. */
  readonly first: Int32Array;
  readonly count: Uint16Array;
  /** The empty line's CRLF begins here. */
  headersEnd: number;
  bodyStart: number;
  /** End of the message: bytes behind it in a datagram are not part of it (RFC 3261 section 18.3). */
  end: number;
  cseq: number;
  cseqMethodStart: number;
  cseqMethodEnd: number;
  /** -1 where the field is absent. */
  maxForwards: number;
  /** The first thing that keeps the message from being judged safely, in words; undefined: none. */
  fault: string | undefined;
  /** SIP status that a faulty request is answered with. */
  faultStatus: number;
}

/** An empty view for {@link scan} to fill. */
export function createMessage(): SipMessage {
  return {
    bytes: Buffer.alloc(0),
    text: "",
    kind: "other",
    start: 0,
    method: "",
    uriStart: 0,
    uriEnd: 0,
    status: 0,
    headersStart: 0,
    headerCount: 0,
    ids: new Uint8Array(MAX_HEADERS),
    lineStart: new Int32Array(MAX_HEADERS),
    valueStart: new Int32Array(MAX_HEADERS),
    valueEnd: new Int32Array(MAX_HEADERS),
    lineEnd: new Int32Array(MAX_HEADERS),
    folded: new Uint8Array(MAX_HEADERS),
    first: new Int32Array(HEADER_IDS),
    count: new Uint16Array(HEADER_IDS),
    headersEnd: 0,
    bodyStart: 0,
    end: 0,
    cseq: 0,
    cseqMethodStart: 0,
    cseqMethodEnd: 0,
    maxForwards: -1,
    fault: undefined,
    faultStatus: 400,
  };
}

/** Notes why the message can't be judged safely; the first fault stands. */
export function noteFault(message: SipMessage, fault: string, status = 400): void {
  if (message.fault !== undefined) return;
  message.fault = fault;
  message.faultStatus = status;
}

const CR = 13;
const LF = 10;
const SP = 32;
const TAB = 9;
const COLON = 58;
const DEL = 127;

/** RFC 3261 section 25.1 `token`: what methods and header names are made of. */
const isToken = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")
  isToken[char.charCodeAt(0)] = 1;

const METHODS = [
  "INVITE",
  "ACK",
  "BYE",
  "CANCEL",
  "OPTIONS",
  "PRACK",
  "UPDATE",
  "INFO",
  "REGISTER",
  "MESSAGE",
  "SUBSCRIBE",
  "NOTIFY",
  "REFER",
  "PUBLISH",
];

/**
 * Reads one datagram, or one framed message of a stream, in one pass. Never throws: what is wrong is
 * `fault`, and as much as can still be read is filled in, so that the refusal can be answered.
 */
export function scan(message: SipMessage, bytes: Buffer): SipMessage {
  message.bytes = bytes;
  message.fault = undefined;
  message.faultStatus = 400;
  message.method = "";
  message.status = 0;
  message.headerCount = 0;
  message.first.fill(-1);
  message.count.fill(0);
  message.maxForwards = -1;
  message.cseq = -1;
  message.uriStart = 0;
  message.uriEnd = 0;

  let start = 0;
  while (start + 1 < bytes.length && bytes[start] === CR && bytes[start + 1] === LF) start += 2;
  message.start = start;
  const lineEnd = readStartLine(message, bytes, start);
  if (lineEnd < 0) {
    message.kind = "other";
    message.text = "";
    message.end = start >= bytes.length ? 0 : bytes.length;
    return message;
  }
  message.headersStart = lineEnd;
  readHeaders(message, bytes, lineEnd);
  message.text = bytes.toString("latin1", 0, message.headersEnd);
  readScalars(message);
  requireFields(message);
  return message;
}

/** The end of the start line (behind its line break), or -1 when this is no SIP at all. */
function readStartLine(message: SipMessage, bytes: Buffer, start: number): number {
  const lf = bytes.indexOf(LF, start);
  if (lf < 0) return -1;
  const end = lf > start && bytes[lf - 1] === CR ? lf - 1 : lf;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte < SP || byte === DEL) return -1;
  }
  if (end === lf) noteFault(message, "start line ends with LF only");
  if (startsWithVersion(bytes, start, end)) return readStatusLine(message, bytes, start, end) ? lf + 1 : -1;

  let methodEnd = start;
  while (methodEnd < end && isToken[bytes[methodEnd]!] === 1) methodEnd++;
  if (methodEnd === start || bytes[methodEnd] !== SP) return -1;
  let versionEnd = end;
  while (bytes[versionEnd - 1] === SP) versionEnd--;
  const versionStart = bytes.lastIndexOf(SP, versionEnd - 1) + 1;
  if (versionStart <= methodEnd + 1) return -1;
  if (!startsWithVersion(bytes, versionStart, versionEnd)) return -1;
  if (versionEnd !== end) noteFault(message, "space behind the SIP version");
  if (!isVersion2(bytes, versionStart, versionEnd)) noteFault(message, "SIP version is not 2.0", 505);
  message.kind = "request";
  message.method = internMethod(bytes, start, methodEnd);
  message.uriStart = methodEnd + 1;
  message.uriEnd = versionStart - 1;
  const space = bytes.indexOf(SP, message.uriStart);
  if (message.uriStart === message.uriEnd || space < message.uriEnd)
    noteFault(message, "request line is not METHOD SP URI SP SIP/2.0");
  return lf + 1;
}

function startsWithVersion(bytes: Buffer, start: number, end: number): boolean {
  return (
    end - start >= 5 &&
    (bytes[start]! | 0x20) === 0x73 &&
    (bytes[start + 1]! | 0x20) === 0x69 &&
    (bytes[start + 2]! | 0x20) === 0x70 &&
    bytes[start + 3] === 0x2f &&
    bytes[start + 4]! >= 0x30 &&
    bytes[start + 4]! <= 0x39
  );
}

function isVersion2(bytes: Buffer, start: number, end: number): boolean {
  return (
    end - start === 7 && bytes[start + 4] === 0x32 && bytes[start + 5] === 0x2e && bytes[start + 6] === 0x30
  );
}

/** `SIP/2.0 SP 3DIGIT SP reason-phrase`; the reason may be empty. */
function readStatusLine(message: SipMessage, bytes: Buffer, start: number, end: number): boolean {
  if (
    end - start < 12 ||
    !isVersion2(bytes, start, start + 7) ||
    bytes[start + 7] !== SP ||
    bytes[start + 11] !== SP
  )
    return false;
  let status = 0;
  for (let i = start + 8; i < start + 11; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return false;
    status = status * 10 + digit;
  }
  if (status < 100 || status > 699) return false;
  message.kind = "response";
  message.status = status;
  return true;
}

/** The method as a string; methods are case-sensitive (RFC 3261 section 7.1). */
function internMethod(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  for (const method of METHODS) {
    if (method.length !== length || method.charCodeAt(0) !== bytes[start]) continue;
    let i = 1;
    while (i < length && method.charCodeAt(i) === bytes[start + i]) i++;
    if (i === length) return method;
  }
  return bytes.toString("latin1", start, end);
}

/** Fills the header tables up to the empty line, and sets where the body begins. */
function readHeaders(message: SipMessage, bytes: Buffer, from: number): void {
  const n = bytes.length;
  let pos = from;
  let count = 0;
  for (;;) {
    if (pos >= n) {
      noteFault(message, "no empty line behind the header fields");
      message.headersEnd = n;
      message.bodyStart = n;
      break;
    }
    const c = bytes[pos]!;
    if (c === CR && bytes[pos + 1] === LF) {
      message.headersEnd = pos;
      message.bodyStart = pos + 2;
      break;
    }
    if (c === LF) {
      noteFault(message, "line ends with LF only");
      message.headersEnd = pos;
      message.bodyStart = pos + 1;
      break;
    }
    if (count === MAX_HEADERS) {
      noteFault(message, `more than ${MAX_HEADERS} header fields`);
      message.headersEnd = pos;
      message.bodyStart = n;
      break;
    }
    pos = readHeader(message, bytes, pos, count);
    count++;
  }
  message.headerCount = count;
}

/** Reads the field at `pos` into slot `index`; returns where the next line begins. */
function readHeader(message: SipMessage, bytes: Buffer, pos: number, index: number): number {
  const n = bytes.length;
  let i = pos;
  let hash = 0;
  let c = 0;
  while (i < n && isToken[(c = bytes[i]!)] === 1) {
    hash = hashStep(hash, c);
    i++;
  }
  let id: number = Header.other;
  const nameEnd = i;
  while (i < n && isSpace(bytes[i]!)) i++;
  if (nameEnd === pos || bytes[i] !== COLON) noteFault(message, "header field without a name and a colon");
  else {
    id = identifyHeader(bytes, pos, nameEnd, hash);
    i++;
  }
  while (i < n && isSpace(bytes[i]!)) i++;
  const start = i;
  let folded = 0;
  let stop = n;
  while (i < n) {
    c = bytes[i]!;
    if (c >= SP && c !== DEL) {
      i++;
      continue;
    }
    if (c === TAB) {
      i++;
      continue;
    }
    stop = i;
    if (c === CR && bytes[i + 1] === LF) i += 2;
    else if (c === LF) {
      noteFault(message, "line ends with LF only");
      i++;
    } else {
      noteFault(
        message,
        c === CR ? "CR without LF" : `control byte 0x${c.toString(16).padStart(2, "0")} in a header field`,
      );
      stop = n;
      i++;
      continue;
    }
    // RFC 3261 section 7.3.1: a line that begins with white space continues the field.
    if (i < n && isSpace(bytes[i]!)) {
      folded = 1;
      stop = n;
      continue;
    }
    break;
  }
  if (stop === n && i === n && !endsWithLine(bytes)) noteFault(message, "header field without a line end");
  let first = start;
  let end = Math.min(stop, i);
  if (folded === 1) while (first < end && bytes[first]! <= SP) first++;
  while (end > first && bytes[end - 1]! <= SP) end--;
  message.ids[index] = id;
  message.lineStart[index] = pos;
  message.valueStart[index] = first;
  message.valueEnd[index] = end;
  message.lineEnd[index] = i;
  message.folded[index] = folded;
  if (message.count[id]!++ === 0) message.first[id] = index;
  return i;
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === TAB;
}

function endsWithLine(bytes: Buffer): boolean {
  return bytes[bytes.length - 1] === LF;
}

/** Content-Length, CSeq and Max-Forwards: numbers with bounds (RFC 3261 sections 20.14, 20.16, 20.22). */
function readScalars(message: SipMessage): void {
  const { bytes, bodyStart } = message;
  message.end = bytes.length;
  const length = message.first[Header.contentLength]!;
  if (length >= 0) {
    const value = readDigits(message, length, 0x7fffffff);
    if (value < 0) noteFault(message, "Content-Length is not a number");
    else if (bodyStart + value > bytes.length) noteFault(message, "Content-Length is larger than the body");
    else message.end = bodyStart + value;
  }
  const forwards = message.first[Header.maxForwards]!;
  if (forwards >= 0) {
    message.maxForwards = readDigits(message, forwards, 255);
    if (message.maxForwards < 0) noteFault(message, "Max-Forwards is not a number of 0 to 255");
  }
  const cseq = message.first[Header.cseq]!;
  if (cseq >= 0) readCSeq(message, cseq);
}

/** The whole value as a number, or -1. */
function readDigits(message: SipMessage, index: number, most: number): number {
  const { bytes } = message;
  const start = message.valueStart[index]!;
  const end = message.valueEnd[index]!;
  if (start === end || end - start > 10) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= most ? value : -1;
}

function readCSeq(message: SipMessage, index: number): void {
  const { bytes } = message;
  const end = message.valueEnd[index]!;
  let i = message.valueStart[index]!;
  let value = 0;
  const digits = i;
  while (i < end && bytes[i]! >= 0x30 && bytes[i]! <= 0x39 && i - digits < 10)
    value = value * 10 + bytes[i++]! - 0x30;
  const digitsEnd = i;
  while (i < end && bytes[i]! <= SP) i++;
  message.cseqMethodStart = i;
  message.cseqMethodEnd = end;
  // RFC 3261 section 8.1.1.5: less than 2^31.
  if (digitsEnd === digits || i === digitsEnd || value >= 0x80000000) {
    noteFault(message, "CSeq is not a number below 2^31 and a method");
    return;
  }
  message.cseq = value;
  if (message.kind !== "request") return;
  const { method } = message;
  let same = method.length === end - i;
  for (let k = 0; same && k < method.length; k++) same = method.charCodeAt(k) === bytes[i + k];
  if (!same) noteFault(message, "CSeq method is not the request's");
}

const once: readonly (readonly [HeaderId, string])[] = [
  [Header.from, "From"],
  [Header.to, "To"],
  [Header.callId, "Call-ID"],
  [Header.cseq, "CSeq"],
  [Header.maxForwards, "Max-Forwards"],
  [Header.contentLength, "Content-Length"],
  [Header.contentType, "Content-Type"],
  [Header.contentEncoding, "Content-Encoding"],
];

/** RFC 3261 section 8.1.1: what every message must have; and what two readers would read differently if it stood twice. */
function requireFields(message: SipMessage): void {
  const { count, first } = message;
  for (let i = 0; i < once.length; i++) {
    const row = once[i]!;
    const n = count[row[0]]!;
    if (n > 1) noteFault(message, `${row[1]} stands ${n} times`);
    else if (n === 0 && i < 4) noteFault(message, `${row[1]} is missing`);
  }
  if (count[Header.via] === 0) noteFault(message, "Via is missing");
  const callId = first[Header.callId]!;
  if (callId >= 0 && message.valueStart[callId] === message.valueEnd[callId])
    noteFault(message, "Call-ID is empty");
}

/** The value of field `index`, unfolded: every line break with the white space behind it reads as one space. */
export function headerValue(message: SipMessage, index: number): string {
  const value = message.text.slice(message.valueStart[index], message.valueEnd[index]);
  return message.folded[index] === 1 ? unfold(value) : value;
}

function unfold(value: string): string {
  let out = "";
  let from = 0;
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c !== CR && c !== LF) continue;
    out += `${value.slice(from, i)} `;
    while (i < value.length && value.charCodeAt(i) <= SP) i++;
    from = i;
    i--;
  }
  return out + value.slice(from);
}

/** The index of the next field named `id` behind `index`, or -1. */
export function nextHeader(message: SipMessage, id: HeaderId, index: number): number {
  for (let i = index + 1; i < message.headerCount; i++) if (message.ids[i] === id) return i;
  return -1;
}
