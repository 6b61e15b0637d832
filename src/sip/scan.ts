// Reads a received SIP message in one pass: the first step of every request and response.
import type { Buffer } from "node:buffer";
import { Header, HEADER_IDS, identifyHeader, type HeaderId } from "./header.ts";
import { MAX_HEADERS, noteFault, type SipMessage } from "./message.ts";
import { COLON, CR, isToken, LF, SP, TAB, textEnd } from "./octet.ts";
import { readStartLine } from "./start-line.ts";

/**
 * Reads one datagram, or one framed message of a stream, in one pass into `message`. `message`
 * refers to `bytes` until the next scan. Never throws: what is wrong becomes `fault`. As much as
 * can be read is filled in, so that the refusal can be sent.
 */
export function scan(message: SipMessage, bytes: Buffer): SipMessage {
  message.bytes = bytes;
  message.madeText = undefined;
  message.fault = undefined;
  message.faultStatus = 400;
  message.method = "";
  message.status = 0;
  message.headerCount = 0;
  const { first, count } = message;
  // A call of fill() costs more than these few steps.
  for (let id = 0; id < HEADER_IDS; id++) {
    first[id] = -1;
    count[id] = 0;
  }
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
    message.headersEnd = 0;
    message.end = start >= bytes.length ? 0 : bytes.length;
    return message;
  }
  message.headersStart = lineEnd;
  readHeaders(message, bytes, lineEnd);
  readScalars(message);
  requireFields(message);
  return message;
}

/** Fills the header tables up to the empty line, and sets where the body begins. */
function readHeaders(message: SipMessage, bytes: Buffer, from: number): void {
  const n = bytes.length;
  let pos = from;
  let count = 0;
  for (;;) {
    if (pos >= n) {
      noteFault(message, "no empty line after the header fields");
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

/**
 * Reads the field at `pos` into slot `index`.
 * @returns where the next line begins
 */
function readHeader(message: SipMessage, bytes: Buffer, pos: number, index: number): number {
  const n = bytes.length;
  let i = pos;
  while (i < n && isToken[bytes[i]!] === 1) i++;
  const nameEnd = i;
  while (i < n && isSpace(bytes[i]!)) i++;
  let id: number = Header.other;
  if (nameEnd === pos || i >= n || bytes[i] !== COLON)
    noteFault(message, "header field without a name and a colon");
  else {
    id = identifyHeader(bytes, pos, nameEnd);
    i++;
  }
  while (i < n && isSpace(bytes[i]!)) i++;
  const start = i;
  i = textEnd(bytes, start);
  // Nearly every field is one line that ends as it should.
  const next = i + 2;
  const isLine = next < n && bytes[i] === CR && bytes[i + 1] === LF && !isSpace(bytes[next]!);
  if (!isLine) return readUnusual(message, bytes, index, { id, pos, start, at: i });
  let end = i;
  while (end > start && bytes[end - 1]! <= SP) end--;
  setField(message, index, id, pos, start, end, next);
  message.folded[index] = 0;
  return next;
}

/** A field whose first line has been read up to `at`, where a byte stands that is no text, or nothing. */
interface BegunField {
  readonly id: number;
  readonly pos: number;
  readonly start: number;
  readonly at: number;
}

/** Reads the rest of a field that is folded, that has an odd byte, or that is the last thing of the message. */
function readUnusual(message: SipMessage, bytes: Buffer, index: number, begun: BegunField): number {
  const n = bytes.length;
  const { id, pos, start } = begun;
  let i = begun.at;
  let folded = 0;
  let stop = n;
  while (i < n) {
    i = textEnd(bytes, i);
    if (i >= n) break;
    const c = bytes[i]!;
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
    // A line that begins with white space continues the field (RFC 3261 section 7.3.1).
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
  setField(message, index, id, pos, first, end, i);
  message.folded[index] = folded;
  return i;
}

function setField(
  message: SipMessage,
  index: number,
  id: number,
  line: number,
  first: number,
  end: number,
  next: number,
): void {
  message.ids[index] = id;
  message.lineStart[index] = line;
  message.valueStart[index] = first;
  message.valueEnd[index] = end;
  message.lineEnd[index] = next;
  const { count } = message;
  if (count[id]!++ === 0) message.first[id] = index;
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === TAB;
}

function endsWithLine(bytes: Buffer): boolean {
  return bytes[bytes.length - 1] === LF;
}

/**
 * Reads Content-Length, CSeq and Max-Forwards: numbers with bounds (RFC 3261 sections 20.14, 20.16,
 * 20.22).
 */
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

/** Returns the whole value as a number, or -1 when it is none or exceeds `most`. */
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
  // Less than 2^31 (RFC 3261 section 8.1.1.5).
  if (digitsEnd === digits || i === digitsEnd || value >= 0x80000000) {
    noteFault(message, "CSeq is not a number below 2^31 and a method");
    return;
  }
  message.cseq = value;
  if (message.kind !== "request") return;
  const { method } = message;
  let same = method.length === end - i;
  for (let k = 0; same && k < method.length; k++) same = method.charCodeAt(k) === bytes[i + k];
  if (!same) noteFault(message, "CSeq method differs from the request's");
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

/**
 * Checks the fields that every message must have (RFC 3261 section 8.1.1), and those that two
 * readers would read differently if they appeared twice.
 */
function requireFields(message: SipMessage): void {
  const { count, first } = message;
  for (let i = 0; i < once.length; i++) {
    const row = once[i]!;
    const n = count[row[0]]!;
    if (n > 1) noteFault(message, `${row[1]} appears ${n} times`);
    else if (n === 0 && i < 4) noteFault(message, `${row[1]} is missing`);
  }
  if (count[Header.via] === 0) noteFault(message, "Via is missing");
  const callId = first[Header.callId]!;
  if (callId >= 0 && message.valueStart[callId] === message.valueEnd[callId])
    noteFault(message, "Call-ID is empty");
}
